"""Senders against what may be sent as: own, alias, Send As, accepted domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NotAsExpected
from runbook_lib.session import Session
from runbook_lib.steps.sender_matrix import UNCOVERED, SenderMatrix
from runbook_lib.tenant_sap import SapMail

MAILBOX, PRINCIPAL = "sap@contoso.com", "33333333-aaaa-0000-0000-000000000001"
ALIAS, OTHER = "erp@contoso.com", "fi@contoso.com"


@dataclass
class Exchange:
    """Mailboxes, Send As by address, and whether aliases may send."""

    aliases: bool = True
    granted: dict[str, str] = field(default_factory=dict)

    def mailbox(self, identity: str) -> dict[str, object] | None:
        """Return a mailbox."""
        if identity not in (MAILBOX, OTHER):
            return None
        addresses = [f"SMTP:{identity}"]
        addresses += [f"smtp:{ALIAS}"] if identity == MAILBOX else []
        return {"PrimarySmtpAddress": identity, "EmailAddresses": addresses}

    def organization_config(self) -> dict[str, object]:
        """Return whether aliases may send."""
        return {"SendFromAliasEnabled": self.aliases}

    def service_principal(self, identity: str) -> dict[str, object] | None:
        """Return the service principal."""
        return {"ObjectId": identity} if identity == PRINCIPAL else None

    def recipient_permissions(self, identity: str, *, trustee: str) -> list[Any]:
        """Return what a trustee holds."""
        held = self.granted.get(identity) == trustee
        return [{"AccessRights": ["SendAs"]}] if held else []

    def accepted_domains(self) -> list[dict[str, object]]:
        """Return one domain."""
        return [{"DomainName": "contoso.com"}]


def seen(
    step: SenderMatrix, exchange: Exchange | None = None, *declared: str
) -> dict[str, str]:
    """Return what covers each address."""
    session = session_with(exchange or Exchange(), *declared)
    found = step.observe(session)
    rows = cast("list[dict[str, str]]", found.context["senders"])
    left = [row["address"] for row in rows[:-1] if UNCOVERED in row["covered by"]]
    assert met(step.expect(), found.properties) is (left == [])
    assert found.properties == {UNCOVERED: left}
    return {row["address"]: row["covered by"] for row in rows}


def session_with(exchange: Exchange, *declared: str) -> Session:
    """Return what the step uses of a session."""
    tenant = SimpleNamespace(domain="contoso.com", sap_mail=SapMail(senders=declared))
    return cast("Session", SimpleNamespace(tenant=tenant, exchange=exchange))


BY_MAILBOX = SenderMatrix(option="1", sender=MAILBOX)


def test_own_address_and_alias() -> None:
    """An alias counts only where the organization lets aliases send."""
    assert seen(BY_MAILBOX)[MAILBOX] == "the mailbox itself"
    assert seen(BY_MAILBOX, None, ALIAS)[ALIAS] == "an alias of the mailbox"
    off = seen(BY_MAILBOX, Exchange(aliases=False), ALIAS)[ALIAS]
    assert off == "not covered: an alias, and SendFromAliasEnabled is off"


@pytest.mark.parametrize(
    ("trustee", "covered"),
    [
        (MAILBOX, "Send As of the mailbox"),
        (PRINCIPAL, "Send As of the service principal"),
        ("nobody", "not covered: neither an alias nor Send As"),
    ],
)
def test_send_as_of_either(trustee: str, covered: str) -> None:
    """Who has to hold it is open, so the row says who does."""
    step = SenderMatrix(option="1", sender=MAILBOX, object_id=PRINCIPAL)
    found = seen(step, Exchange(granted={OTHER: trustee}), OTHER)
    assert found[OTHER] == covered


def test_an_address_that_nobody_has_is_not_covered() -> None:
    """Whatever is granted elsewhere."""
    assert UNCOVERED in seen(BY_MAILBOX, None, "gone@contoso.com")["gone@contoso.com"]


def test_users_without_an_address_have_a_row_of_their_own() -> None:
    """SAP makes their address of user name and default domain; it fails nothing."""
    users = seen(BY_MAILBOX)["SAP-USER@contoso.com"]
    assert users.startswith("not covered: give each such user")
    relayed = seen(SenderMatrix(option="3", sender=MAILBOX))["SAP-USER@contoso.com"]
    assert relayed == "an accepted domain; no mailbox is needed"


@pytest.mark.parametrize("option", ["2", "3", "4"])
def test_without_sign_in_the_domain_decides(option: str) -> None:
    """No mailbox is needed; a foreign domain is refused."""
    step = SenderMatrix(option=option, sender=MAILBOX, senders="a@contoso.com, b@x.com")
    found = seen(step)
    assert found["a@contoso.com"] == "an accepted domain; no mailbox is needed"
    assert found["b@x.com"] == "not covered: no accepted domain of the organization"


def test_undeclared_senders_are_an_advice() -> None:
    """Only what was named was judged, and the card says so."""
    advice = BY_MAILBOX.observe(session_with(Exchange())).advice
    assert "names no sap_mail.senders" in str(advice)
    assert BY_MAILBOX.observe(session_with(Exchange(), ALIAS)).advice is None


def test_a_missing_mailbox_is_said() -> None:
    """Nothing can be judged without it."""
    step = SenderMatrix(option="1", sender="gone@contoso.com")
    with pytest.raises(NotAsExpected):
        step.observe(session_with(Exchange()))
