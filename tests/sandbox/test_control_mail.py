"""Operations of the control endpoint that have to do with mail."""

import ssl
from pathlib import Path
from typing import Any

from tests.sandbox.mail import MAILBOX, OUTSIDE, certificates, client_tls
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
