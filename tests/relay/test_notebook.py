"""Notebook 4: files in the record, a relay looked at, and mail that is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.evidence.close import Closed
from runbook_lib.relay.probed import RELAY_SCHEMA
from runbook_lib.sandbox.sap import Sap
from tests.integration.world import drive, step_ends
from tests.relay.tenant import Tenant

NOTEBOOK = "4-relay-server"
INSIDE, OUTSIDE = "inbox@contoso.com", "postmaster@fabrikam.example"
GOOD = {
    "TLS": "TLSv1.3",
    "certificate": "trusted",
    "relaying for a stranger": "refused",
    "queue": "moves",
    "token": "good",
}
NODE = """\
who: A. Basis
when: "2026-01-01"
reference: CHG0001
text: |
  mail_host: relay1.contoso.com
  mail_port: 25
  tls: mandatory
  logon_user:
  address_area: "*"
"""


def run(tenant: Tenant, mode: str, **parameters: str) -> Closed:
    """Run the notebook, without waiting for anybody."""
    given = {"wait": "5" if "completes" in parameters else "0", **parameters}
    return drive(tenant.world, mode, notebook=NOTEBOOK, **given)


def outcomes(closed: Closed) -> dict[str, str]:
    """Return how each step ended."""
    return {step: str(end["outcome"]) for step, end in step_ends(closed).items()}


def probe_file(folder: Path, **changes: Any) -> str:
    """Write what `runbook probe --relay` writes on a relay, good but for changes."""
    path = folder / "relay.json"
    found = {
        "schema": RELAY_SCHEMA,
        "host": "relay1.contoso.com",
        "properties": {**GOOD, **changes},
        "context": {},
        "problems": [],
    }
    path.write_text(json.dumps(found), "utf-8")
    return str(path)


def test_from_plan_to_proof(tenant: Tenant, tmp_path: Path) -> None:
    """Planned, waiting, then proven by mail of relay and SAP; the tenant untouched."""
    before = tenant.world.dump()
    plan = run(tenant, "plan")
    assert plan.exit_code == 4
    applied = run(tenant, "apply")
    assert applied.result == "incomplete"
    assert tenant.world.dump() == before
    assert tenant.world.writes() == []
    waiting = {s for s, outcome in outcomes(applied).items() if outcome == "pending"}
    assert waiting == {
        "relay-running",
        "relay-test-message",
        "mail-node-without-logon",
        "sap-test-message:internal",
        "sap-test-message:external",
    }
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "mail-node-without-logon.yaml").write_text(NODE, "utf-8")
    send_all(tenant, applied.folder.name)
    verify = run(
        tenant,
        "verify",
        completes=applied.folder.name,
        evidence=str(evidence),
        probe=probe_file(tmp_path),
    )
    found = outcomes(verify)
    skipped = {step for step, outcome in found.items() if outcome == "skipped"}
    assert skipped == {
        "sending-volume",
        "test-mail-sent",
        "message-received:internal",
        "message-received:external",
    }
    assert set(found.values()) == {"ok", "skipped"}
    assert (verify.result, verify.exit_code) == ("succeeded", 0)


def send_all(tenant: Tenant, run_id: str) -> None:
    """Send what people send: a mail from the relay, and two from SAP by the relay."""
    world = tenant.world
    tenant.world.exchange(
        "New-InboundConnector",
        Name="relay",
        ConnectorType="OnPremises",
        SenderDomains=["*"],
        SenderIPAddresses=["203.0.113.10/32"],
    )
    relay = Sap(world.ready["mx"], tenant.ca_file, "127.0.0.10")
    sender = "sap@contoso.com"
    assert relay.send(sender, INSIDE, f"relay-test:{run_id}") == "250"
    for recipient in (INSIDE, OUTSIDE):
        assert relay.send(sender, recipient, f"From SAP (runbook:{run_id})") == "250"


def test_files_stand_in_the_record(tenant: Tenant) -> None:
    """All of them, listed in SHA256SUMS, with the digests that the step recorded."""
    closed = run(tenant, "plan")
    folder = closed.folder / "relay"
    names = {path.name for path in folder.iterdir()}
    assert {"README.md", "main.cf", "master.cf", "emailproxy.config"} <= names
    sums = (closed.folder / "SHA256SUMS").read_text("utf-8")
    facts = step_ends(closed)["relay-configuration"]["facts"]
    assert isinstance(facts, dict)
    for name in names:
        assert f"{facts[name]}  relay/{name}" in sums


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"networks": "0.0.0.0/0"}, "open relay"),
        ({"networks": "10.0.0.0/8"}, "too wide"),
        ({"senders": "*"}, "neither an address"),
        ({"relays": "2"}, "need a load balancer"),
    ],
)
def test_an_open_relay_is_not_rendered(
    tenant: Tenant, parameters: dict[str, str], reason: str
) -> None:
    """The step fails with the reason, and the record has no file of the relay."""
    closed = run(tenant, "plan", **parameters)
    end = step_ends(closed)["relay-configuration"]
    assert end["outcome"] == "failed"
    assert reason in str(end["problem"])
    assert not (closed.folder / "relay").exists()


def test_too_much_for_a_mailbox(tenant: Tenant) -> None:
    """The sizing fails, and says what to do."""
    closed = run(tenant, "plan", peak_hour="2500")
    end = step_ends(closed)["relay-sizing"]
    assert end["outcome"] == "failed"
    assert "Add mailboxes" in json.dumps(end)


@pytest.mark.parametrize(
    "changes",
    [
        {"relaying for a stranger": "accepted"},
        {"queue": "stands"},
        {"token": "ended"},
        {"certificate": "not trusted"},
        {"TLS": None},
    ],
)
def test_a_bad_relay_fails(
    tenant: Tenant, tmp_path: Path, changes: dict[str, object]
) -> None:
    """Each fault that the relay's host saw fails the step."""
    closed = run(tenant, "plan", probe=probe_file(tmp_path, **changes))
    assert outcomes(closed)["relay-running"] == "failed"
