"""Option 1 with further senders: an alias, another mailbox, and Send As for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_certificate import outcomes
from tests.integration.world import (
    World,
    attempt,
    close,
    drive,
    events,
    running,
    step_ends,
)

OTHER = "basis@contoso.com"
SENT = "send-from-further-senders"


def alias_of(world: World) -> str:
    """Return the address that the mailbox has beside its own."""
    entries = mailboxes(world)["sap@contoso.com"]["mailbox"]["EmailAddresses"]
    return next(str(e)[5:] for e in entries if str(e).startswith("smtp:"))


def mailboxes(world: World) -> dict[str, Any]:
    """Return the mailboxes of the dump."""
    found: dict[str, Any] = json.loads(world.dump())["exchange"]["mailboxes"]
    return found


def chosen(world: World, **more: str) -> dict[str, str]:
    """Return the parameters: an alias and another mailbox as further senders."""
    both = f"{alias_of(world)}, {OTHER}"
    return {"evidence": world.evidence(), "senders": both, **more}


@pytest.fixture(params=["service-principal", "mailbox"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Return a sandbox in which only one of the two counts; `folder` names it."""
    wanted = str(request.param)
    other = {"service-principal": "mailbox", "mailbox": "principal"}[wanted]
    folder = tmp_path / wanted
    folder.mkdir()
    with running(folder, "--break", f"smtp.send-as-{other}") as world:
        yield world


def test_all_modes_with_further_senders(asked: World) -> None:
    """Granted to the one that counts, each sender's message is delivered."""
    given = chosen(asked, send_as=asked.folder.name, alias_sending="enable")
    before = asked.dump()
    plan = drive(asked, "plan", **given)
    assert outcomes(plan)["sender-addresses"] == "ok"
    for step in ("grant-send-as", "allow-alias-sending", SENT):
        assert outcomes(plan)[step] == "planned"
    assert asked.dump() == before

    applied = drive(asked, "apply", **given)
    assert applied.result == "incomplete", outcomes(applied)
    assert outcomes(applied)["grant-send-as"] == "changed"
    assert outcomes(applied)[SENT] == "ok"
    stored = asked.dump()
    verify = drive(asked, "verify", **given)
    assert outcomes(verify)["grant-send-as"] == "ok"
    assert outcomes(verify)[SENT] == "skipped"
    assert asked.dump() == stored

    drive(asked, "rollback", record=applied.folder.name)
    assert asked.dump() == before


def test_granted_to_the_wrong_one_the_message_says_so(tmp_path: Path) -> None:
    """The probe proves: a row for the one that does not count is as good as none."""
    with running(tmp_path, "--break", "smtp.send-as-mailbox") as world:
        given = chosen(world, send_as="mailbox", senders=OTHER)
        applied = drive(world, "apply", **given)
    assert outcomes(applied)["grant-send-as"] == "changed"
    end = step_ends(applied)[SENT]
    assert end["outcome"] == "failed"
    assert end["remedy_id"] == "smtp-send-as-denied"
    assert "554 5.2.252" in str(end["problem"])


def test_nothing_is_asked_for_by_default(world: World) -> None:
    """The steps are left out, and nothing is read for them."""
    applied = drive(world, "apply", evidence=world.evidence())
    for step in ("sender-addresses", "alias-sending", "grant-send-as", SENT):
        end = step_ends(applied)[step]
        assert (end["outcome"], end["reason"]) == ("skipped", "not_applicable")
    asked_for = json.dumps([line["body"] for line in world.log()])
    assert "Get-CASMailbox" in asked_for
    assert "RecipientPermission" not in asked_for
    assert "OrganizationConfig" not in asked_for


def test_an_alias_and_an_address_of_nobody_stop_before_any_write(world: World) -> None:
    """The setting counts for everybody, so it is not switched on unasked."""
    applied = drive(world, "apply", **chosen(world))
    assert step_ends(applied)["alias-sending"]["outcome"] == "failed"
    applied = drive(world, "apply", **chosen(world, senders="nobody@contoso.com"))
    end = step_ends(applied)["sender-addresses"]
    assert (end["outcome"], end["remedy_id"]) == ("failed", "sender-addresses")
    assert "nobody@contoso.com is null" in str(end["problem"])
    assert [e for e in world.writes() if e["host"] != "login.microsoftonline.com"] == []


def test_only_the_refused_sender_is_tried_again(tmp_path: Path) -> None:
    """The alias is taken, the other mailbox refused until the right one is let in."""
    with running(tmp_path, "--break", "smtp.send-as-mailbox") as world:
        senders = f"{OTHER} {alias_of(world)}"
        given = chosen(
            world, alias_sending="enable", send_as="mailbox", senders=senders
        )
        assert attempt(world, "apply", run_id="run", **given) == "raised"
        (principal,) = json.loads(world.dump())["exchange"]["service_principals"]
        world.exchange(
            "Add-RecipientPermission",
            Identity=OTHER,
            Trustee=principal["ObjectId"],
            AccessRights=["SendAs"],
        )
        ended = attempt(world, "apply", run_id="run", **given)
        closed = close(world, "run", ended)
        data = [e["status"] for e in world.log() if e["method"] == "DATA"]
    assert outcomes(closed)[SENT] == "ok"
    first, *_ = [e for e in events(closed) if e.get("outcome") == "failed"]
    assert (first["step"], first["remedy_id"]) == (SENT, "smtp-send-as-denied")
    assert f"No message from {OTHER}: " in str(first["problem"])
    assert data == [250, 250, 554, 250, 250]
