"""Verify after a good apply, with one thing broken in the tenant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
import yaml

from runbook_lib.evidence.close import Closed
from tests.integration.world import World, drive, run_notebook, step_ends

TROUBLESHOOTING = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


@dataclass(frozen=True)
class Broken:
    """One fault: how it is made, and what verify must say of it."""

    make: Callable[[World, Closed], None]
    step: str
    outcome: str
    remedy: str


def app_id(apply: Closed) -> str:
    """Return the application that an apply made."""
    return str(step_ends(apply)["register-application"]["after"]["appId"])  # type: ignore[index]


def wrong_secret(world: World, apply: Closed) -> None:
    """Put another text in the place of the client secret."""
    for path in world.sink.iterdir():
        path.write_text("not-the-secret-0123456789", "utf-8")


def expired_secret(world: World, apply: Closed) -> None:
    """Let the secret expire."""
    world.break_tenant(
        "expire_secret", app_id=app_id(apply), end="2020-01-01T00:00:00Z"
    )


def application_deleted(world: World, apply: Closed) -> None:
    """Delete the application."""
    world.break_tenant("delete_application", app_id=app_id(apply))


def consent_missing(world: World, apply: Closed) -> None:
    """Revoke the role."""
    world.break_tenant(
        "remove_app_role_assignment", app_id=app_id(apply), value="SMTP.SendAsApp"
    )


def full_access_missing(world: World, apply: Closed) -> None:
    """Remove the mailbox permission."""
    mailbox = str(world.tenant["mailbox"])
    world.break_tenant("remove_mailbox_permission", mailbox=mailbox, user=app_id(apply))


def smtp_auth_off(world: World, apply: Closed) -> None:
    """Forbid SMTP AUTH for the mailbox."""
    _set_flag(world, value=True)


def smtp_auth_inherited(world: World, apply: Closed) -> None:
    """Let the mailbox take the organization's value, which forbids it."""
    _set_flag(world, value=None)


def _set_flag(world: World, *, value: bool | None) -> None:
    world.break_tenant(
        "set_cas",
        mailbox=world.tenant["mailbox"],
        name="SmtpClientAuthenticationDisabled",
        value=value,
    )


def wrong_tenant(world: World, apply: Closed) -> None:
    """Name another directory in the tenant file."""
    _edit(world, tenant_id="99999999-9999-4999-8999-999999999999")


def untrusted_certificate(world: World, apply: Closed) -> None:
    """Trust a CA that did not issue the sandbox's certificate."""
    other = world.folder / "other-ca.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    _edit(world, ca_file=str(other))


def _edit(world: World, **values: object) -> None:
    found = yaml.safe_load(world.tenant_file.read_text("utf-8"))
    world.tenant_file.write_text(yaml.safe_dump({**found, **values}), "utf-8")


def mailbox_missing(world: World, apply: Closed) -> None:
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


@pytest.mark.parametrize("name", TABLE)
def test_verify_names_what_is_broken(world: World, name: str) -> None:
    """The first step that is not ok is the broken one, with its remedy."""
    broken = TABLE[name]
    written, stored = made(broken, world)
    found = drive(world, "verify", evidence=world.evidence())
    bad = [
        end
        for end in step_ends(found).values()
        if end["outcome"] not in ("ok", "skipped")
    ]
    first = (bad[0]["step"], bad[0]["outcome"], bad[0]["remedy_id"])
    assert first == (broken.step, broken.outcome, broken.remedy)
    assert (found.result, found.exit_code) == ("failed", 1)
    assert (len(world.writes()), world.dump()) == (written, stored)
    assert f'id="{broken.remedy}"' in TROUBLESHOOTING.read_text("utf-8")


@pytest.mark.ci
@pytest.mark.parametrize("name", ["wrong secret", "wrong tenant", "mailbox missing"])
def test_command_line_names_what_is_broken(world: World, name: str) -> None:
    """The same through a kernel, without a stack."""
    broken = TABLE[name]
    made(broken, world)
    found = run_notebook(world, "verify", evidence=world.evidence())
    bad = [s for s in found["steps"] if s["outcome"] not in ("ok", "skipped")]
    first = (bad[0]["id"], bad[0]["outcome"], bad[0]["remedy"])
    assert first == (broken.step, broken.outcome, broken.remedy)
    assert (found["result"], found["exit_code"]) == ("failed", 1)
    assert not re.search(r"Traceback|Error:", found["stderr"])


def made(broken: Broken, world: World) -> tuple[int, bytes]:
    """Break something after a good apply; return the writes so far, and the dump."""
    applied = drive(world, "apply", evidence=world.evidence())
    assert applied.result == "incomplete"
    broken.make(world, applied)
    return len(world.writes()), world.dump()
