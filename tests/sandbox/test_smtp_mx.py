"""Rows of the MX side, and what it shares with submission."""

from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE, client_tls, message, send
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("mx", file=__file__)
STRANGER = "someone@fabrikam.example"


@CHECKS.row("mx.no-auth")
def check_no_auth(world: World) -> None:
    """TLS is offered, sign-in never."""
    with world.mx() as client:
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        client.starttls(context=client_tls())
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "LOGIN")[0] == 504


@CHECKS.row("mx.unknown-recipient")
def check_unknown_recipient(world: World) -> None:
    """A recipient that is not in the directory is refused at once."""
    with world.mx() as client:
        client.mail(STRANGER)
        code, text = client.rcpt("nobody@contoso.com")
        assert code == 550
        assert text.startswith(b"5.4.1 Recipient address rejected: Access denied [")
        assert client.rcpt(INBOX)[0] == 250


@CHECKS.row("mx.relay-denied")
def check_relay_denied(world: World) -> None:
    """Nobody relays to the outside without a connector."""
    with world.mx() as client:
        client.mail(MAILBOX)
        code, text = client.rcpt(OUTSIDE)
        assert code == 550
        assert text.startswith(b"5.7.64 TenantAttribution; Relay Access Denied [")


@CHECKS.row("mx.reject-direct-send")
def check_reject_direct_send(world: World) -> None:
    """An own sender is refused once the organisation says so; a stranger is not."""
    with world.mx() as client:
        assert send(client, message(), MAILBOX, INBOX)[0] == 250
        world.run("Set-OrganizationConfig", RejectDirectSend=True)
        client.mail(MAILBOX)
        code, text = client.rcpt(INBOX)
        assert code == 550
        assert text.startswith(b"5.7.68 TenantInboundAttribution; Direct Send not")
        client.rset()
        assert send(client, message(STRANGER), STRANGER, INBOX)[0] == 250


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_mail_is_delivered_and_traced_under_its_own_message_id() -> None:
    """The MX side keeps the sender's Message-ID, and no copy goes to Sent Items."""
    with World() as world:
        with world.mx() as client:
            code, text = send(client, message(STRANGER), STRANGER, INBOX)
        assert code == 250
        assert text.startswith("2.6.0 <own@client.contoso.com> [InternalId=")
        assert text.endswith("Queued mail for delivery")
        stored = world.mailbox(INBOX).inbox[0]
        assert stored["internetMessageId"] == "<own@client.contoso.com>"
        assert world.mailbox().sent == []
        entry = world.tenant.exchange.traces[0]
        assert [event["Event"] for event in entry.details] == ["RECEIVE", "DELIVER"]


def test_log_names_the_endpoint_of_the_tenant() -> None:
    """Protocol mx, host as in the MX record, message marked as a write."""
    with World() as world:
        with world.mx() as client:
            send(client, message(STRANGER), STRANGER, INBOX)
        entry = world.logged(protocol="mx", method="RCPT")[0]
        assert entry["host"] == "contoso-com.mail.protection.outlook.com"
        assert [e["write"] for e in world.logged(protocol="mx", method="DATA")] == [
            True
        ]


def test_mail_for_two_tenants_reaches_both() -> None:
    """One message, two tenants, one copy and one trace row for each."""
    with World(tenants=2) as world:
        with world.mx() as client:
            recipients = (INBOX, "inbox@fabrikam.com")
            assert send(client, message(STRANGER), STRANGER, *recipients)[0] == 250
        for tenant in world.sandbox.tenants.values():
            address = f"inbox@{tenant.domain}"
            assert len(tenant.exchange.mailboxes[address].inbox) == 1
            rows = [entry.row["RecipientAddress"] for entry in tenant.exchange.traces]
            assert rows == [address]
