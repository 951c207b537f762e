"""How parameters are bound: names, sets, types."""

from typing import Any

import pytest

from runbook_lib.sandbox.exchange_cmdlets import HANDLERS
from runbook_lib.sandbox.exchange_contract import bind, cmdlets
from runbook_lib.sandbox.exchange_errors import CmdletError
from runbook_lib.sandbox.exchange_types import changed_list
from tests.sandbox.cmdlet_parameters import FULL
from tests.sandbox.mail import INBOX, MAILBOX


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_full_parameters_bind_and_fewer_do_not(name: str) -> None:
    """The listed parameters are enough, and each of them is needed."""
    cmdlet, full = cmdlets()[name.lower()], FULL.get(name, {})
    assert bind(cmdlet, full) == full
    for left_out in full:
        fewer = {key: value for key, value in full.items() if key != left_out}
        with pytest.raises(CmdletError, match="missing mandatory parameters"):
            bind(cmdlet, fewer)


def test_parameters_of_two_sets_do_not_go_together() -> None:
    """A parameter of one set excludes those of another."""
    given = {"Identity": MAILBOX, "Owner": INBOX, "User": INBOX, "AccessRights": "x"}
    given["AccessRights"] = "FullAccess"
    with pytest.raises(CmdletError, match="Parameter set cannot be resolved"):
        bind(cmdlets()["add-mailboxpermission"], given)


def test_parameter_names_have_no_case() -> None:
    """A parameter is found in any spelling, and named as the cmdlet names it."""
    bound = bind(cmdlets()["get-mailbox"], {"identity": MAILBOX})
    assert bound == {"Identity": MAILBOX}


@pytest.mark.parametrize(
    ("cmdlet", "name", "value"),
    [
        ("Set-CASMailbox", "PopEnabled", None),
        ("Set-CASMailbox", "PopEnabled", 1),
        ("Set-CASMailbox", "Identity", 7),
        ("Set-CASMailbox", "Confirm", "true"),
        ("Get-MessageTraceV2", "ResultSize", "5"),
        ("Get-MessageTraceV2", "ResultSize", True),
        ("Get-MessageTraceV2", "StartDate", "yesterday"),
        ("Get-MessageTraceV2", "MessageTraceId", "not-a-guid"),
        ("Get-MessageTraceV2", "SenderAddress", {"add": "x"}),
        ("Get-MessageTraceV2", "SenderAddress", [1]),
        ("Get-Mailbox", "ResultSize", "many"),
        ("Add-MailboxPermission", "InheritanceType", "Everything"),
        ("Add-RecipientPermission", "AccessRights", ["FullAccess"]),
        ("New-DistributionGroup", "Type", "Dynamic"),
    ],
)
def test_wrong_value_is_refused(cmdlet: str, name: str, value: Any) -> None:
    """A value that the parameter's type does not take is refused by name."""
    with pytest.raises(CmdletError, match=f"on parameter '{name}'"):
        bind(cmdlets()[cmdlet.lower()], {**FULL.get(cmdlet, {}), name: value})


@pytest.mark.parametrize(
    ("cmdlet", "name", "value"),
    [
        ("Set-CASMailbox", "SmtpClientAuthenticationDisabled", None),
        ("Get-Mailbox", "Identity", None),
        ("Get-Mailbox", "ResultSize", "Unlimited"),
        ("Get-Mailbox", "ResultSize", 10),
        ("Get-MessageTraceV2", "StartDate", "2026-01-02T03:04:05Z"),
        (
            "Get-MessageTraceV2",
            "SenderAddress",
            {"@odata.type": "#Exchange.GenericHashTable", "add": MAILBOX},
        ),
        ("Add-MailboxPermission", "AccessRights", ["fullaccess", "ReadPermission"]),
    ],
)
def test_right_value_is_taken(cmdlet: str, name: str, value: Any) -> None:
    """A value of the parameter's type is taken as it is."""
    given = {**FULL.get(cmdlet, {}), name: value}
    assert bind(cmdlets()[cmdlet.lower()], given)[name] == value


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        (["a"], ["b", "c"], ["b", "c"]),
        (["a"], "b", ["b"]),
        (["a"], None, []),
        (["a"], {"@odata.type": "#Exchange.GenericHashTable", "add": "b"}, ["a", "b"]),
        (["a", "b"], {"Remove": ["A"], "add": ["b", "c"]}, ["b", "c"]),
        (None, {"add": ["b"]}, ["b"]),
        ("a", "b", "b"),
        (False, None, None),
    ],
)
def test_lists_are_replaced_or_changed(before: Any, value: Any, after: Any) -> None:
    """An array replaces a list, a hash table adds and removes, the rest is set."""
    assert changed_list(before, value) == after
