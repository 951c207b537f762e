"""Operations of the control endpoint that have to do with mail."""

import ssl
from pathlib import Path
from typing import Any

from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE, certificates, client_tls
from tests.sandbox.test_server_control import changed, control
from tests.sandbox.world import World


def with_certificate(made: dict[str, Any], folder: Path) -> ssl.SSLContext:
    """Return TLS settings with an issued certificate."""
    file = folder / "client.pem"
    file.touch(mode=0o600)
    file.write_text(made["private_key"] + made["certificate"])
    context = client_tls()
    context.load_cert_chain(file)
    return context


def test_issued_certificate_opens_a_connector(tmp_path: Path) -> None:
    """The MX side knows a client by the certificate that the operation made."""
    with World() as world:
        world.sandbox.authority = certificates().authority
        world.run(
            "New-InboundConnector",
            Name="SAP",
            ConnectorType="OnPremises",
            SenderDomains=["*"],
            TlsSenderCertificateName="sap.contoso.com",
        )
        made = changed(world, "issue_certificate", names=["sap.contoso.com"])
        with world.mx() as client:
            client.starttls(context=with_certificate(made, tmp_path))
            client.ehlo()
            client.mail(MAILBOX)
            assert client.rcpt(OUTSIDE)[0] == 250


def test_no_certificate_without_an_authority() -> None:
    """A sandbox without servers of its own has no authority."""
    with World() as world:
        answer = control(world, "issue_certificate", names=["sap.contoso.com"])
        assert answer.status_code == 404


def test_only_known_conditions_are_declared() -> None:
    """A misspelt condition is refused; a known one is kept under its subject."""
    with World() as world:
        wanted = {"subject": "SAP@contoso.com", "condition": "full-mailbox"}
        changed(world, "set_mail_condition", **wanted)
        misspelt = {**wanted, "condition": "full-mailbx"}
        assert control(world, "set_mail_condition", **misspelt).status_code == 404
        assert world.sandbox.mail_conditions == {"sap@contoso.com": {"full-mailbox"}}


def test_a_message_of_sap_is_delivered_traced_and_received() -> None:
    """It comes signed in, under a Message-ID of the server, with a Received field."""
    with World() as world:
        wanted = {"recipient": INBOX, "subject": "Test runbook:example"}
        made = changed(world, "submit_mail", mailbox=MAILBOX, **wanted)
        for _ in range(2):  # the trace lags, and does not know the status at once
            world.run("Get-MessageTraceV2", SenderAddress=MAILBOX)
        (row,) = world.run("Get-MessageTraceV2", SenderAddress=MAILBOX)
        assert "runbook:example" in row["Subject"]
        assert (row["Status"], row["MessageId"]) == ("Delivered", made["messageId"])
        header = changed(world, "received_header", **wanted)["header"]
        assert f"Message-ID: {made['messageId']}" in header
        assert header.startswith("Received: from erp.contoso.com (203.0.113.10) by ")


def test_a_header_of_nobodys_message_is_not_found() -> None:
    """Neither is one in a mailbox that is not there."""
    with World() as world:
        for recipient in (INBOX, "nobody@contoso.com"):
            asked = {"recipient": recipient, "subject": "Test"}
            assert control(world, "received_header", **asked).status_code == 404
        asked = {**asked, "mailbox": "nobody@contoso.com"}
        assert control(world, "submit_mail", **asked).status_code == 404
