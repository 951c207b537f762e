"""A sandbox's SAP systems named in the tenant file, and what steps see of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from runbook_lib.clients.private_files import write_private
from runbook_lib.engine.step import Attestation, Evidence, Observation
from runbook_lib.secret import Mask
from runbook_lib.session import Session, open_session
from runbook_lib.tenant import read_tenant
from tests.integration.world import World

ADMINISTRATOR, OBSERVER = "s4dadm", "s4dmon"
READER, STRANGER = "RUNBOOK_READER", "PRINT_QUEUE"


def naming(
    world: World,
    start: str | None = ADMINISTRATOR,
    btp: str = READER,
    **passwords: str,
) -> Path:
    """Write a tenant file that names both systems; return its path.

    `start` and `btp` sign in, with their own passwords unless others are given;
    without `start` nobody signs in at the start service.
    """
    known = {**world.tenant["sap_users"], **passwords}
    content = yaml.safe_load(world.tenant_file.read_text("utf-8"))
    content["sap"] = {
        "sapcontrol": {"url": world.tenant["sapcontrol"]},
        "btp": {
            "url": world.tenant["communication_management"],
            **_credential(world, btp, known),
        },
    }
    if start:
        content["sap"]["sapcontrol"] |= _credential(world, start, known)
    path = world.folder / "with-sap.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    return path


def _credential(
    world: World, user: str, passwords: Mapping[str, str]
) -> dict[str, str]:
    path = world.folder / f"password-{user}"
    write_private(path, passwords[user].encode())
    return {"user": user, "password": f"file:{path}"}


def lead_nowhere(tenant_file: Path, host: str) -> None:
    """Route a host of a tenant file to a port where nobody listens."""
    content = yaml.safe_load(tenant_file.read_text("utf-8"))
    content["connect_to"] = [
        f"{route.partition(' ')[0]} -> 127.0.0.1:1" if route.startswith(host) else route
        for route in content["connect_to"]
    ]
    tenant_file.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


@contextmanager
def lent(
    world: World, tenant_file: Path, traffic: list[Mapping[str, object]] | None = None
) -> Iterator[Session]:
    """Lend a session of such a tenant file."""
    exchanges = [] if traffic is None else traffic
    session = open_session(
        read_tenant(tenant_file),
        run="example",
        environment={},
        traffic=exchanges.append,
        mask=Mask(),
        sink_folder=world.folder,
    )
    yield session
    session.close()


def seen(step: Attestation, session: Session, text: str = "") -> Observation:
    """Return what a step says of what is measured and handed in."""
    measured = step.measure(session)
    who = "A. Basis" if text else ""
    stored = step.redact(session, text)
    return step.validate(session, Evidence(who, "", "", stored, measured=measured))


def requests(world: World, host: str) -> list[dict[str, Any]]:
    """Return what a host of the sandbox was asked for."""
    return [entry for entry in world.log() if entry["host"] == host]
