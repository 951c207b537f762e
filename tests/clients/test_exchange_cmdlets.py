"""One method per cmdlet, with the documented parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.clients.exchange import ExchangeClient
from runbook_lib.errors import (
    ServiceRefused,
    UnknownReply,
)
from tests.clients.conftest import Opened
from tests.clients.exchange_replies import (
    MAILBOX,
    NOT_FOUND,
    Exchange,
    client_of,
    error,
    rows,
)

# Cmdlet -> parameter -> [type, required, parameter sets], as Microsoft documents.
CMDLETS: dict[str, dict[str, list[Any]]] = json.loads(
    (Path(__file__).parent / "data" / "exchange_cmdlets.json").read_text()
)

Call = Callable[[ExchangeClient], object]

SEND_AS: dict[str, object] = {
    "Identity": MAILBOX,
    "Trustee": "o-1",
    "AccessRights": ["SendAs"],
    "Confirm": False,
}

CALLS: dict[str, tuple[Call, dict[str, object]]] = {
    "Get-Mailbox": (lambda x: x.mailbox(MAILBOX), {"Identity": MAILBOX}),
    "Get-CASMailbox": (lambda x: x.cas_mailbox(MAILBOX), {"Identity": MAILBOX}),
    "Set-CASMailbox": (
        lambda x: x.set_cas_mailbox(MAILBOX, SmtpClientAuthenticationDisabled=None),
        {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": None},
    ),
    "Get-TransportConfig": (lambda x: x.transport_config(), {}),
    "Get-OrganizationConfig": (lambda x: x.organization_config(), {}),
    "Get-AcceptedDomain": (lambda x: x.accepted_domains(), {}),
    "Get-ServicePrincipal": (lambda x: x.service_principal("o-1"), {"Identity": "o-1"}),
    "New-ServicePrincipal": (
        lambda x: x.new_service_principal(
            app_id="a-1", object_id="o-1", display_name="SAP"
        ),
        {"AppId": "a-1", "ObjectId": "o-1", "DisplayName": "SAP"},
    ),
    "Remove-ServicePrincipal": (
        lambda x: x.remove_service_principal("o-1"),
        {"Identity": "o-1", "Confirm": False},
    ),
    "Get-MailboxPermission": (
        lambda x: x.mailbox_permissions(MAILBOX),
        {"Identity": MAILBOX},
    ),
    "Add-MailboxPermission": (
        lambda x: x.add_mailbox_permission(
            MAILBOX, user="o-1", rights=("FullAccess",), auto_mapping=False
        ),
        {
            "Identity": MAILBOX,
            "User": "o-1",
            "AccessRights": ["FullAccess"],
            "InheritanceType": "All",
            "AutoMapping": False,
            "Confirm": False,
        },
    ),
    "Remove-MailboxPermission": (
        lambda x: x.remove_mailbox_permission(
            MAILBOX, user="o-1", rights=("FullAccess",)
        ),
        {
            "Identity": MAILBOX,
            "User": "o-1",
            "AccessRights": ["FullAccess"],
            "Confirm": False,
        },
    ),
    "Get-RecipientPermission": (
        lambda x: x.recipient_permissions(MAILBOX, trustee="o-1"),
        {"Identity": MAILBOX, "Trustee": "o-1"},
    ),
    "Add-RecipientPermission": (
        lambda x: x.add_recipient_permission(MAILBOX, trustee="o-1"),
        SEND_AS,
    ),
    "Remove-RecipientPermission": (
        lambda x: x.remove_recipient_permission(MAILBOX, trustee="o-1"),
        SEND_AS,
    ),
    "Set-OrganizationConfig": (
        lambda x: x.set_organization_config(SendFromAliasEnabled=True),
        {"SendFromAliasEnabled": True},
    ),
    "Get-MessageTraceV2": (
        lambda x: x.message_trace(
            message_id="<1@contoso.com>", start="2026-01-01T00:00:00Z", end="z"
        ),
        {
            "MessageId": "<1@contoso.com>",
            "StartDate": "2026-01-01T00:00:00Z",
            "EndDate": "z",
        },
    ),
    "Get-MessageTraceDetailV2": (
        lambda x: x.message_trace_detail(trace_id="t-1", recipient=MAILBOX),
        {"MessageTraceId": "t-1", "RecipientAddress": MAILBOX},
    ),
}


@pytest.mark.parametrize("cmdlet", CALLS)
def test_each_method_sends_its_cmdlet(
    open_client: Opened, traffic: list[Any], cmdlet: str
) -> None:
    """The parameters are exactly these; only Get-* is no write."""
    call, parameters = CALLS[cmdlet]
    exchange = Exchange(rows({"Name": "x"}))
    call(client_of(open_client, exchange))
    assert exchange.requests[0].headers["x-cmdletname"] == cmdlet
    assert exchange.parameters() == parameters
    assert traffic[0]["write"] is not cmdlet.startswith("Get-")


@pytest.mark.parametrize("cmdlet", CALLS)
def test_each_method_keeps_to_the_documented_parameters(cmdlet: str) -> None:
    """Names and types exist, and what a set requires is sent."""
    _, sent = CALLS[cmdlet]
    documented = CMDLETS[cmdlet]
    assert sent.keys() <= documented.keys()
    required = {
        name
        for name, (_, needed, sets) in documented.items()
        if needed and sets == "(All)"
    } - {"ServiceId"}  # deprecated twin of ObjectId
    assert required <= sent.keys()
    for name, value in sent.items():
        kind = documented[name][0]
        if kind != "MultiValuedProperty":  # takes one value or many
            assert isinstance(value, list) == kind.endswith("[]")
        if kind == "SwitchParameter":
            assert isinstance(value, bool)


def test_a_trace_is_sought_by_what_is_given(open_client: Opened) -> None:
    """A part of the subject is sought as such; the rest is not asked for."""
    exchange = Exchange(rows())
    client_of(open_client, exchange).message_trace(
        start="2026-01-01T00:00:00Z", end="z", recipient=MAILBOX, subject="run-1"
    )
    assert exchange.parameters() == {
        "StartDate": "2026-01-01T00:00:00Z",
        "EndDate": "z",
        "RecipientAddress": MAILBOX,
        "Subject": "run-1",
        "SubjectFilterType": "Contains",
    }
    assert exchange.parameters().keys() <= CMDLETS["Get-MessageTraceV2"].keys()


def test_null_is_sent_as_null(open_client: Opened) -> None:
    """None restores an inherited value, so it must not be left out."""
    exchange = Exchange(rows())
    client_of(open_client, exchange).set_cas_mailbox(
        MAILBOX, SmtpClientAuthenticationDisabled=None
    )
    assert b'"SmtpClientAuthenticationDisabled":null' in exchange.requests[0].content


LOOKUPS: list[Call] = [
    lambda x: x.mailbox(MAILBOX),
    lambda x: x.cas_mailbox(MAILBOX),
    lambda x: x.service_principal("o-1"),
]


@pytest.mark.parametrize("look", LOOKUPS)
def test_a_lookup_returns_none_for_a_missing_object(
    open_client: Opened, look: Call
) -> None:
    """The .NET type tells it; any other refusal is raised."""
    other = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException"
    exchange = Exchange(
        error(404, NOT_FOUND, "couldn't be found"),
        error(400, other, "matches several"),
    )
    client = client_of(open_client, exchange)
    assert look(client) is None
    with pytest.raises(ServiceRefused) as caught:
        look(client)
    assert caught.value.code == other


@pytest.mark.parametrize("found", [[], [{"Name": "1"}, {"Name": "2"}]])
def test_a_lookup_expects_one_object(
    open_client: Opened, found: list[dict[str, str]]
) -> None:
    """Neither nothing nor several are taken for the object."""
    with pytest.raises(UnknownReply, match=f"{len(found)} objects"):
        client_of(open_client, Exchange(rows(*found))).mailbox(MAILBOX)


def test_a_missing_mailbox_has_no_permissions_to_list(open_client: Opened) -> None:
    """A list of a missing object is refused, not empty."""
    exchange = Exchange(error(404, NOT_FOUND, "object 'x' couldn't be found"))
    with pytest.raises(ServiceRefused) as caught:
        client_of(open_client, exchange).mailbox_permissions(MAILBOX)
    assert caught.value.code == NOT_FOUND
    assert caught.value.message.endswith("object 'x' couldn't be found")
    assert caught.value.facts["cmdlet"] == "Get-MailboxPermission"
    assert caught.value.facts["status"] == 404
