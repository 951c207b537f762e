"""Designs of relays that the tests start from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runbook_lib.relay.design import Application, RelayDesign, Upstream

APPLICATION = Application(
    tenant_id="11111111-2222-3333-4444-555555555555",
    client_id="66666666-7777-8888-9999-000000000000",
    credential="secret",
    login="login.microsoftonline.com",
    scope="https://outlook.office365.com/.default",
)
BASIS = RelayDesign(
    hostname="relay1.contoso.com",
    listen="10.1.2.4",
    networks=("10.1.3.0/24",),
    senders=("sap@contoso.com",),
    mailbox="sap@contoso.com",
    upstream=Upstream.OAUTH_PROXY,
    submission="smtp.office365.com",
    mx="contoso-com.mail.protection.outlook.com",
    application=APPLICATION,
)


def design(**changes: Any) -> RelayDesign:
    """Return the usual design with some values replaced."""
    return replace(BASIS, **changes)
