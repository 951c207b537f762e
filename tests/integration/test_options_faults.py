"""Options 2 and 3 where something on the way goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from runbook_lib.engine.chain import Event
from tests.integration.sap import MX, REASONS, evidence
from tests.integration.world import World, drive, runbook, running, step_ends

RELAY = "3-relay-connector"


def connectors(world: World) -> list[str]:
    """Return the names of the connectors in the tenant."""
    exchange = json.loads(world.dump())["exchange"]
    return [entry["Name"] for entry in exchange["inbound_connectors"]]


@pytest.mark.parametrize(
    ("fault", "writes"), [("reset-before@exchange=1", 2), ("reset-after@exchange=1", 1)]
)
def test_connector_is_made_once_whatever_the_connection_does(
    tmp_path: Path, fault: str, writes: int
) -> None:
    """After a lost answer the tenant is looked at before anything is repeated."""
    with running(tmp_path, "--fault", fault) as world:
        applied = drive(
            world,
            "apply",
            notebook=RELAY,
            wait="0",
            evidence=evidence(world),
            **REASONS,
        )
        end = step_ends(applied)["create-relay-connector"]
        assert end["outcome"] == "changed"
        made = [e for e in world.writes() if "New-InboundConnector" in str(e["body"])]
        assert len(made) == writes
        assert connectors(world) == ["SAP relay"]


def test_probe_of_the_sap_host_is_taken_in(world: World, tmp_path: Path) -> None:
    """`runbook probe` looks at port 25 without asking for a sign-in."""
    probe = tmp_path / "probe.json"
    where = ("--tenant", str(world.tenant_file), "--host", MX, "--port", "25")
    done = runbook("probe", *where, "--output", probe)
    assert done.returncode == 0, done.stderr
    found = drive(world, "plan", notebook=RELAY, probe=str(probe))
    end = step_ends(found)["mx-port"]
    assert end["outcome"] == "ok"
    assert str(end["vantage"]).startswith("runbook probe on")


def test_filter_in_front_is_a_finding(world: World) -> None:
    """Public DNS leads elsewhere; SAP is given the tenant's endpoint."""
    records = {"MX": ["10 filter.fabrikam.example."], "TXT": ['"v=spf1 -all"']}
    world.break_tenant("set_dns", name="contoso.com", records=records)
    end = step_ends(drive(world, "plan", notebook=RELAY))["mx-endpoint"]
    assert end["outcome"] == "ok"
    assert cast("Event", end["after"])["mailExchange"] == MX
    assert "filter.fabrikam.example" in str(end["advice"])


def test_sender_of_another_domain_is_stopped(world: World) -> None:
    """Before the change, not in the middle of it."""
    found = drive(world, "plan", notebook=RELAY, sender="sap@fabrikam.example")
    ends = step_ends(found)
    assert ends["sender-domain"]["outcome"] == "failed"
    assert ends["create-relay-connector"]["outcome"] == "blocked"
