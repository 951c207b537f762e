"""Who may run which cmdlet: all that are carried out × all that can be missing.

The table of the sandbox's own cmdlets decides what is tried, so that a cmdlet
without an entry in `CHANGING` or `READING` fails.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.exchange_cmdlets import HANDLERS
from runbook_lib.sandbox.exchange_roles import ROLE_GROUPS, ROLES
from runbook_lib.sandbox.keys import signing_key
from tests.sandbox.cmdlet_parameters import CHANGING, READING
from tests.sandbox.mail import MAILBOX
from tests.sandbox.people import People
from tests.sandbox.rows import Checks
from tests.sandbox.world import GRAPH_SCOPE, World

POWERSHELL = "fb78d390-0c51-40cd-8e17-fdbfab77341b"
SCOPE = "https://outlook.office365.com/.default"
OWN_SCOPE = "https://outlook.office365.com/Exchange.Manage"

CHECKS = Checks("exchange", file=__file__)


def prepared(world: World) -> World:
    """Make one of everything that a cmdlet can change or remove."""
    known = {"AppId": "known-app", "ObjectId": "known-object"}
    world.run("New-ServicePrincipal", **known, DisplayName="known")
    for cmdlet, parameters in CHANGING.items():
        if parameters.get("Name") == "other":
            world.run(cmdlet, **{**parameters, "Name": "known"})
    world.run("Add-RoleGroupMember", Identity="known", Member="known-object")
    grants = {"Identity": MAILBOX, "AccessRights": ["FullAccess"]}
    world.run("Add-MailboxPermission", User="inbox@contoso.com", **grants)
    sending = {"Identity": MAILBOX, "AccessRights": ["SendAs"]}
    world.run("Add-RecipientPermission", Trustee="inbox@contoso.com", **sending)
    return world


def changed_token(token: str, **claims: Any) -> str:
    """Return a token with other claims, signed as Entra signs; null removes one."""
    known = jwt.decode(token, options={"verify_signature": False}) | claims
    kept = {name: value for name, value in known.items() if value is not None}
    key = signing_key()
    return jwt.encode(
        kept, key.private, algorithm="RS256", headers={"kid": key.thumbprint}
    )


def person_token(world: World, local: str) -> str:
    """Return a delegated token of a person, for the PowerShell module."""
    tokens = People(world).tokens(local, POWERSHELL, OWN_SCOPE)
    return str(tokens["access_token"])


def tokens_of(world: World) -> dict[str, tuple[str, int]]:
    """Return each insufficient token with the status that it gets."""
    good = world.token()
    other = list(world.sandbox.tenants.values())[1].tenant_id
    person = person_token(world, "user")
    return {
        "no token": ("none", 401),
        "wrong audience": (world.token(scope=GRAPH_SCOPE), 401),
        "expired": (changed_token(good, exp=int(time.time()) - 60), 401),
        "other tenant": (changed_token(good, tid=other), 403),
        "missing app role": (changed_token(good, roles=None), 401),
        "missing directory role": (changed_token(good, wids=[]), 403),
        "missing scope": (changed_token(person, scp="User.Read"), 401),
        "person without role": (person, 403),
    }


@pytest.fixture(scope="module")
def refusing() -> Iterator[tuple[World, dict[str, tuple[str, int]]]]:
    """Give a prepared world, and tokens that are not enough."""
    with World(tenants=2) as world:
        prepared(world)
        yield world, tokens_of(world)


def parameters_of(cmdlet: str) -> dict[str, Any]:
    """Return parameters with which a permitted caller would succeed."""
    return {**CHANGING, **READING}[cmdlet]


def test_every_cmdlet_has_an_entry() -> None:
    """None is left out, and none is listed that is not carried out."""
    assert set(CHANGING) | set(READING) == set(HANDLERS)
    assert not set(CHANGING) & set(READING)


def test_a_permitted_caller_changes_the_configuration() -> None:
    """The parameters of the matrix have an effect, so their refusal means much."""
    with World(tenants=2) as world:
        prepared(world)
        for cmdlet, parameters in CHANGING.items():
            before = dump(world.sandbox, world.tenant)
            world.run(cmdlet, **parameters)
            assert dump(world.sandbox, world.tenant) != before, cmdlet


@pytest.mark.parametrize("cmdlet", sorted(READING))
def test_a_permitted_caller_reads(
    refusing: tuple[World, dict[str, tuple[str, int]]], cmdlet: str
) -> None:
    """The parameters of the matrix find something to read."""
    world, _ = refusing
    assert world.invoke(cmdlet, READING[cmdlet]).status_code == 200


@pytest.mark.parametrize("cmdlet", sorted(HANDLERS))
def test_insufficient_callers_are_refused(
    refusing: tuple[World, dict[str, tuple[str, int]]], cmdlet: str
) -> None:
    """Each with its status; what is configured stays as it is."""
    world, tokens = refusing
    before = dump(world.sandbox, world.tenant)
    found = {
        why: world.status(cmdlet, parameters_of(cmdlet), token=token)
        for why, (token, _) in tokens.items()
    }
    assert found == {why: status for why, (_, status) in tokens.items()}
    assert dump(world.sandbox, world.tenant) == before


@pytest.mark.parametrize("group", ROLE_GROUPS)
def test_each_role_group_runs_what_its_roles_hold(
    refusing: tuple[World, dict[str, tuple[str, int]]],
    monkeypatch: pytest.MonkeyPatch,
    group: str,
) -> None:
    """A member runs the changes of its roles and no other; all groups read."""
    world, _ = refusing
    member = changed_token(world.token(), wids=[], oid="member-of-one-group")
    members = {group: ["member-of-one-group"]}
    monkeypatch.setattr(world.tenant.exchange, "role_group_members", members)
    held = set().union(*(ROLES[role] for role in ROLE_GROUPS[group]))
    for cmdlet in sorted(CHANGING):
        rehearsed = {**CHANGING[cmdlet], "WhatIf": True}
        status = world.status(cmdlet, rehearsed, token=member)
        assert (status == 403) is (cmdlet not in held), (cmdlet, status)
    assert world.status("Get-Mailbox", token=member) == 200


def test_every_change_belongs_to_a_role() -> None:
    """No cmdlet is carried out that no role would allow."""
    assert set(CHANGING) <= set().union(*ROLES.values())


@CHECKS.row("exchange.delegated")
def check_delegated(world: World) -> None:
    """An administrator's token works; without the permission it opens nothing."""
    token = person_token(world, "exchange.admin")
    assert world.status("Get-Mailbox", token=token) == 200
    change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": True}
    assert world.status("Set-CASMailbox", change, token=token) == 200
    bare = changed_token(token, scp="User.Read")
    assert world.status("Get-Mailbox", token=bare) == 401


@CHECKS.row("exchange.role-group")
def check_role_group(world: World) -> None:
    """A custom role group lets an application change mailboxes and nothing else."""
    application = world.application("Exchange.ManageAsApp")
    world.register(application)
    world.run("New-RoleGroup", Name="Mail", Roles=["mail recipients"])
    token = world.token(application)
    change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": True}
    assert world.status("Set-CASMailbox", change, token=token) == 403
    member = {"Identity": "Mail", "Member": application.app_id}
    world.run("Add-RoleGroupMember", **member)
    assert world.status("Set-CASMailbox", change, token=token) == 200
    relay = {"Name": "SAP", "SenderDomains": ["*"]}
    assert world.status("New-InboundConnector", relay, token=token) == 403
    world.run("Remove-RoleGroupMember", **member)
    assert world.status("Get-Mailbox", token=token) == 403


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_role_groups_are_listed_made_and_removed() -> None:
    """Built-in groups stay; a second group of one name and a second member fail."""
    with World() as world:
        made = world.run("New-RoleGroup", Name="Mail", Members=["inbox@contoso.com"])
        assert made[0]["Members"] == ["inbox@contoso.com"]
        names = [entry["Name"] for entry in world.run("Get-RoleGroup")]
        assert names == [*ROLE_GROUPS, "Mail"]
        assert world.run("Get-RoleGroupMember", Identity="Mail")[0]["Name"] == (
            "inbox@contoso.com"
        )
        refused = {
            "New-RoleGroup": {"Name": "hygiene management"},
            "Add-RoleGroupMember": {"Identity": "Mail", "Member": "inbox@contoso.com"},
            "Remove-RoleGroupMember": {"Identity": "Mail", "Member": MAILBOX},
            "Remove-RoleGroup": {"Identity": "Hygiene Management"},
        }
        for cmdlet, parameters in refused.items():
            assert world.invoke(cmdlet, parameters).status_code in (400, 404), cmdlet
        unknown = {"Name": "b", "Roles": ["x"]}
        assert world.invoke("New-RoleGroup", unknown).status_code == 404
        world.run("Remove-RoleGroup", Identity="Mail")
        assert len(world.run("Get-RoleGroup")) == len(ROLE_GROUPS)


def test_dump_shows_role_groups() -> None:
    """What was made by cmdlet is part of the configuration."""
    with World() as world:
        world.run("New-RoleGroup", Name="Mail", Members=[MAILBOX])
        text = json.loads(dump(world.sandbox, world.tenant))
        assert "role_groups" in json.dumps(text)
