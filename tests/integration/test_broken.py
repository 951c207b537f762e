"""Verify after a good apply, with one thing broken in the tenant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
import trustme
import yaml

from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import Ends, ends
from runbook_lib.engine.record import EVENTS
from tests.batch.world import Batch, Many
from tests.integration.world import World, drive, run_notebook, running, step_ends

TROUBLESHOOTING = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


@dataclass(frozen=True)
class Broken:
    """One fault: how it is made, and what verify must say of it."""

    make: Callable[[World, Ends], None]
    step: str
    outcome: str
    remedy: str


def app_id(apply: Ends) -> str:
    """Return the application that an apply made, from the ends of its steps."""
    return str(cast("Event", apply["register-application"]["after"])["appId"])


def wrong_secret(world: World, apply: Ends) -> None:
    """Put another text in the place of the client secret."""
    for path in world.sink.iterdir():
        path.write_text("not-the-secret-0123456789", "utf-8")


def expired_secret(world: World, apply: Ends) -> None:
    """Let the secret expire."""
    world.break_tenant(
        "expire_secret", app_id=app_id(apply), end="2020-01-01T00:00:00Z"
    )


def application_deleted(world: World, apply: Ends) -> None:
    """Delete the application."""
    world.break_tenant("delete_application", app_id=app_id(apply))


def consent_missing(world: World, apply: Ends) -> None:
    """Revoke the role."""
    world.break_tenant(
        "remove_app_role_assignment", app_id=app_id(apply), value="SMTP.SendAsApp"
    )


def full_access_missing(world: World, apply: Ends) -> None:
    """Remove the mailbox permission."""
    mailbox = str(world.tenant["mailbox"])
    world.break_tenant("remove_mailbox_permission", mailbox=mailbox, user=app_id(apply))


def smtp_auth_off(world: World, apply: Ends) -> None:
    """Forbid SMTP AUTH for the mailbox."""
    _set_flag(world, value=True)


def smtp_auth_inherited(world: World, apply: Ends) -> None:
    """Let the mailbox take the organization's value, which forbids it."""
    _set_flag(world, value=None)


def _set_flag(world: World, *, value: bool | None) -> None:
    world.break_tenant(
        "set_cas",
        mailbox=world.tenant["mailbox"],
        name="SmtpClientAuthenticationDisabled",
        value=value,
    )


def wrong_tenant(world: World, apply: Ends) -> None:
    """Name another directory in the tenant file."""
    _edit(world, tenant_id="99999999-9999-4999-8999-999999999999")


def untrusted_certificate(world: World, apply: Ends) -> None:
    """Trust a CA that did not issue the sandbox's certificate."""
    other = world.folder / "other-ca.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    _edit(world, ca_file=str(other))


def _edit(world: World, **values: object) -> None:
    found = yaml.safe_load(world.tenant_file.read_text("utf-8"))
    world.tenant_file.write_text(yaml.safe_dump({**found, **values}), "utf-8")


def mailbox_missing(world: World, apply: Ends) -> None:
    """Delete the mailbox."""
    world.break_tenant("delete_mailbox", mailbox=world.tenant["mailbox"])


TABLE = {
    "wrong secret": Broken(
        wrong_secret, "obtain-access-token", "failed", "token-wrong-secret"
    ),
    "expired secret": Broken(
        expired_secret, "create-client-secret", "failed", "token-expired-secret"
    ),
    "application deleted": Broken(
        application_deleted, "register-application", "failed", "register-application"
    ),
    "consent missing": Broken(
        consent_missing, "grant-admin-consent", "failed", "token-roles-missing"
    ),
    "FullAccess missing": Broken(
        full_access_missing,
        "grant-mailbox-full-access",
        "failed",
        "grant-mailbox-full-access",
    ),
    "SMTP AUTH off for the mailbox": Broken(
        smtp_auth_off,
        "enable-authenticated-smtp",
        "failed",
        "smtp-auth-disabled-mailbox",
    ),
    "null with the organization off": Broken(
        smtp_auth_inherited,
        "enable-authenticated-smtp",
        "failed",
        "smtp-auth-disabled-tenant",
    ),
    "wrong tenant": Broken(
        wrong_tenant, "operator-permissions", "error", "token-wrong-tenant"
    ),
    "untrusted certificate": Broken(
        untrusted_certificate, "operator-permissions", "error", "untrusted-certificate"
    ),
    "mailbox missing": Broken(
        mailbox_missing, "sender-mailbox", "failed", "mailbox-missing"
    ),
}


Found = tuple[object, ...]


def expected(broken: Broken) -> Found:
    """Return what the record and the command line have to say."""
    return (broken.step, broken.outcome, broken.remedy, "failed", 1)


def test_verify_names_what_is_broken(tmp_path: Path) -> None:
    """The first step that is not ok is the broken one, with its remedy.

    Ten tenants, each with another fault, through the command line, each in a
    process of its own.
    """
    with running(tmp_path, "--tenants", str(len(TABLE))) as world:
        there = Many(world, world.tenant_file.parent)
        applied = there.batch(mode="apply")
        assert set(results(applied)) == {"incomplete"}  # SAP is still to come
        for one, broken in zip(alone(world), TABLE.values(), strict=True):
            broken.make(one, steps_of(there, applied, str(one.tenant["name"])))
        written, stored = len(world.writes()), there.dumps()
        verified = there.batch(mode="verify")
        assert not re.search(r"Traceback|Error:", verified.stderr)
        names = [str(one.tenant["name"]) for one in alone(world)]
        found = {
            fault: said(there, verified, name)
            for fault, name in zip(TABLE, names, strict=True)
        }
        assert found == {fault: expected(broken) for fault, broken in TABLE.items()}
        assert (len(world.writes()), there.dumps()) == (written, stored)


def test_remedies_have_their_place() -> None:
    """Each remedy's anchor exists."""
    text = TROUBLESHOOTING.read_text("utf-8")
    assert [b.remedy for b in TABLE.values() if f'id="{b.remedy}"' not in text] == []


def alone(world: World) -> list[World]:
    """Return the sandbox once for each of its tenants."""
    tenants = world.ready["tenants"]
    return [replace(world, ready={**world.ready, "tenants": [t]}) for t in tenants]


def results(batch: Batch) -> list[str]:
    """Return the results of all tenants."""
    return [str(tenant["result"]) for tenant in batch.tenants.values()]


def steps_of(there: Many, batch: Batch, name: str) -> Ends:
    """Return the last end of each step of a tenant's run."""
    record = there.outputs / name / str(batch.tenants[name]["tenant_run"])
    return ends(read_chain(record / EVENTS).events)


def said(there: Many, batch: Batch, name: str) -> Found:
    """Return the first step that is wrong, and how the tenant's run ended.

    Nobody hands anything in from SAP, so those steps are pending.
    """
    well = ("ok", "skipped", "pending")
    steps = steps_of(there, batch, name).values()
    bad = next(end for end in steps if end["outcome"] not in well)
    tenant = batch.tenants[name]
    told = (bad["step"], bad["outcome"], bad["remedy_id"])
    return (*told, tenant["result"], tenant["exit_code"])


@pytest.mark.ci
@pytest.mark.parametrize("name", ["wrong secret", "wrong tenant", "mailbox missing"])
def test_command_line_names_what_is_broken(world: World, name: str) -> None:
    """The same through papermill and a kernel, without a stack."""
    broken = TABLE[name]
    applied = drive(world, "apply", evidence=world.evidence())
    broken.make(world, step_ends(applied))
    found = run_notebook(world, "verify", evidence=world.evidence())
    bad = next(s for s in found["steps"] if s["outcome"] not in ("ok", "skipped"))
    told = (bad["id"], bad["outcome"], bad["remedy"])
    assert (*told, found["result"], found["exit_code"]) == expected(broken)
    assert not re.search(r"Traceback|Error:", found["stderr"])
