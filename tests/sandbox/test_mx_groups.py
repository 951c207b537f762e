"""Mail to groups at the MX side, certificates of other authorities, recipients."""

import smtplib
import ssl

import pytest
import trustme

from tests.sandbox.mail import INBOX, MAILBOX, client_tls, message, send
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("mx", file=__file__)
GROUP = "team@contoso.com"
STRANGER = "someone@fabrikam.example"


def new_group(world: World, **settings: object) -> None:
    """Make a group with one member."""
    world.run("New-DistributionGroup", Name="team", Members=[INBOX], **settings)


def answer_to(world: World, sender: str, source: str = "127.0.0.1") -> str:
    """Send one message to the group; return code and status of the answer."""
    with world.mx(source) as client:
        code, text = send(client, message(sender), sender, GROUP)
    return f"{code} {text.split()[0]}"


@CHECKS.row("mx.group-needs-authentication")
def check_group(world: World) -> None:
    """Nobody signs in at the MX side; an own sender is an outsider there too."""
    new_group(world)
    assert answer_to(world, STRANGER) == "550 5.7.133"
    assert answer_to(world, MAILBOX) == "550 5.7.133"
    world.run("Set-DistributionGroup", Identity=GROUP, DisplayName="Team")
    change = {"RequireSenderAuthenticationEnabled": False}
    world.run("Set-DistributionGroup", Identity=GROUP, **change)
    assert answer_to(world, STRANGER) == "250 2.6.0"
    assert len(world.mailbox(INBOX).inbox) == 1


@CHECKS.row("mx.foreign-certificate")
def check_foreign_certificate(world: World) -> None:
    """Without a certificate, and with one of the known authority, TLS works."""
    leaf = trustme.CA().issue_cert("sap.contoso.com")
    context = client_tls()
    leaf.configure_cert(context)
    with world.mx() as client:
        client.starttls(context=client_tls())
        assert client.ehlo()[0] == 250
    with world.mx() as client:
        assert ends(client, context)


def ends(client: smtplib.SMTP, context: ssl.SSLContext) -> bool:
    """Begin TLS and greet; say whether the server ended the connection over it."""
    try:
        client.starttls(context=context)
        client.ehlo()
    except (OSError, smtplib.SMTPException):
        return True
    return False


@CHECKS.row("mx.recipient-limit")
def check_recipient_limit(world: World) -> None:
    """The first 200 are taken."""
    with world.mx() as client:
        client.mail(STRANGER)
        codes = [client.rcpt(INBOX)[0] for _ in range(201)]
    assert codes == [250] * 200 + [452]


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize(
    ("internal", "wanted"), [(True, "250 2.6.0"), (False, "550 5.7.133")]
)
def test_connector_that_declares_mail_internal(internal: bool, wanted: str) -> None:
    """TreatMessagesAsInternal makes a sender one who is signed in."""
    with World() as world:
        new_group(world)
        world.run(
            "New-InboundConnector",
            Name="SAP",
            ConnectorType="OnPremises",
            SenderDomains=["*"],
            SenderIPAddresses=["203.0.113.10"],
            TreatMessagesAsInternal=internal,
        )
        assert answer_to(world, MAILBOX, "127.0.0.10") == wanted


def test_group_can_be_made_open() -> None:
    """New-DistributionGroup takes the setting too."""
    with World() as world:
        new_group(world, RequireSenderAuthenticationEnabled=False)
        assert answer_to(world, STRANGER) == "250 2.6.0"


def test_submission_reaches_a_group() -> None:
    """Whoever signed in is no outsider."""
    with World() as world:
        new_group(world)
        with world.signed_in(world.sender()) as client:
            assert send(client, message(), MAILBOX, GROUP)[0] == 250
        assert len(world.mailbox(INBOX).inbox) == 1
