"""Connectors at the MX side: by address, by certificate, and of partners."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runbook_lib.sandbox.certificates import issue_client_certificate
from tests.sandbox.mail import (
    INBOX,
    MAILBOX,
    OUTSIDE,
    certificates,
    client_tls,
    message,
    send,
)
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

RELAY = "127.0.0.10"
STRANGER = "someone@fabrikam.example"

CHECKS = Checks("mx", file=__file__)


def connect_by(world: World, **settings: Any) -> None:
    """Make the relay connector with these settings, OnPremises unless said."""
    basis = {"Name": "SAP", "ConnectorType": "OnPremises", "SenderDomains": ["*"]}
    world.run("New-InboundConnector", **{**basis, **settings})


@contextmanager
def mx_with(world: World, *names: str, source: str = RELAY) -> Iterator[smtplib.SMTP]:
    """Open a connection to the MX side under TLS, with a certificate for names."""
    context = client_tls()
    if names:
        load_certificate(context, list(names))
    with world.mx(source) as client:
        client.starttls(context=context)
        client.ehlo()
        yield client


def load_certificate(context: ssl.SSLContext, names: list[str]) -> None:
    """Give a client a certificate of the sandbox's authority for some names."""
    leaf = certificates().authority.issue_cert(*names, common_name=names[0])
    leaf.configure_cert(context)


def refusal(client: smtplib.SMTP, sender: str, recipient: str) -> str:
    """Return code and status of the answer to one recipient."""
    client.rset()
    client.mail(sender)
    code, text = client.rcpt(recipient)
    return f"{code} {text.split()[0].decode()}"


@CHECKS.row("mx.connector-by-address")
def check_connector(world: World) -> None:
    """From the connector's address relay and Direct Send work, from another not."""
    world.run("Set-OrganizationConfig", RejectDirectSend=True)
    connect_by(world, SenderIPAddresses=["203.0.113.10/32"])
    with world.mx(RELAY) as client:
        assert send(client, message(), MAILBOX, INBOX, OUTSIDE)[0] == 250
        assert refusal(client, STRANGER, OUTSIDE) == "550 5.7.64"
    with world.mx() as client:
        assert refusal(client, MAILBOX, INBOX) == "550 5.7.68"
        assert refusal(client, MAILBOX, OUTSIDE) == "550 5.7.64"
    world.run("Set-InboundConnector", Identity="SAP", Enabled=False)
    with world.mx(RELAY) as client:
        assert refusal(client, MAILBOX, OUTSIDE) == "550 5.7.64"


@CHECKS.row("mx.connector-by-certificate")
def check_certificate(world: World) -> None:
    """The certificate's domain counts, whatever the address and the sender are."""
    world.run("Set-OrganizationConfig", RejectDirectSend=True)
    connect_by(world, TlsSenderCertificateName="*.contoso.com")
    with mx_with(world, "sap.contoso.com") as client:
        assert refusal(client, MAILBOX, INBOX) == "250 2.1.5"
        assert refusal(client, MAILBOX, OUTSIDE) == "250 2.1.5"
        assert refusal(client, STRANGER, OUTSIDE) == "250 2.1.5"
    for names in ((), ("sap.fabrikam.example",)):
        with mx_with(world, *names) as client:
            assert refusal(client, MAILBOX, INBOX) == "550 5.7.68"
            assert refusal(client, MAILBOX, OUTSIDE) == "550 5.7.64"


@CHECKS.row("mx.partner-restriction")
def check_partner_restriction(world: World) -> None:
    """Whoever sends as the partner has to come from the partner's address."""
    connect_by(
        world,
        ConnectorType="Partner",
        SenderDomains=["fabrikam.example"],
        SenderIPAddresses=["203.0.113.10"],
        RestrictDomainsToIPAddresses=True,
        RequireTls=False,
    )
    with world.mx() as client:
        assert refusal(client, STRANGER, INBOX) == "550 5.7.51"
        assert refusal(client, "a@fabrikam.net", INBOX) == "250 2.1.5"
    with world.mx(RELAY) as client:
        assert refusal(client, STRANGER, INBOX) == "250 2.1.5"
        assert refusal(client, STRANGER, OUTSIDE).startswith("550 ")


@CHECKS.row("mx.partner-tls")
def check_partner_tls(world: World) -> None:
    """A connector as New-InboundConnector makes it requires TLS of its domains."""
    connect_by(world, ConnectorType="Partner", SenderDomains=["*.example"])
    with world.mx() as client:
        assert refusal(client, STRANGER, INBOX) == "451 5.7.3"
    with mx_with(world) as client:
        assert refusal(client, STRANGER, INBOX) == "250 2.1.5"


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_trace_shows_the_public_address() -> None:
    """A client at 127.0.0.10 is seen as 203.0.113.10, in greeting and trace."""
    with World() as world:
        connect_by(world, SenderIPAddresses=["203.0.113.10"])
        with world.mx(RELAY) as client:
            assert client.ehlo()[1].splitlines()[0].endswith(b"Hello [203.0.113.10]")
            assert send(client, message(), MAILBOX, OUTSIDE)[0] == 250
        assert world.tenant.exchange.traces[0].row["FromIP"] == "203.0.113.10"


def test_foreign_certificate_relays_for_its_own_tenant_only() -> None:
    """A certificate whose domain no tenant has gives no right to relay."""
    with World() as world:
        connect_by(world, TlsSenderCertificateName="mail.fabrikam.example")
        with mx_with(world, "mail.fabrikam.example") as client:
            assert refusal(client, MAILBOX, OUTSIDE) == "250 2.1.5"
            assert refusal(client, STRANGER, OUTSIDE).startswith("550 ")


def test_partner_connector_covers_direct_send_by_address() -> None:
    """A Partner connector that knows the address lifts Direct Send rejection."""
    with World() as world:
        world.run("Set-OrganizationConfig", RejectDirectSend=True)
        connect_by(
            world,
            ConnectorType="Partner",
            SenderDomains=["contoso.com"],
            SenderIPAddresses=["203.0.113.10"],
            RequireTls=False,
        )
        with world.mx(RELAY) as client:
            assert refusal(client, MAILBOX, INBOX) == "250 2.1.5"
            assert refusal(client, MAILBOX, OUTSIDE) == "550 5.7.64"


def test_authority_issues_certificates_with_their_key() -> None:
    """What the control operation returns is a chain and its private key."""
    made = issue_client_certificate(certificates().authority, ["sap.contoso.com"])
    assert made["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE KEY" in made["private_key"]
