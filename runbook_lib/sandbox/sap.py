"""A server that plays SAP: it hands mail to the MX side, without signing in.

It comes from a loopback address of its own, which stands for a public one (see
`smtp_source.py`), says EHLO with a full host name and uses STARTTLS where it is
offered, as the SMTP node of SAP does with TLS “if possible”.
"""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

EHLO_NAME = "erp.contoso.com"


@dataclass(frozen=True)
class Sap:
    """SAP at a loopback address.

    `mx` is host:port of the MX side, `certificate` a PEM file with key and
    certificate where SAP has one.
    """

    mx: str
    ca_file: Path
    address: str = "127.0.0.10"
    certificate: Path | None = None

    def send(self, sender: str, recipient: str, subject: str) -> str:
        """Send one mail; return `250`, or the refusal of the recipient."""
        host, _, port = self.mx.rpartition(":")
        source = (self.address, 0)
        with smtplib.SMTP(host, int(port), EHLO_NAME, source_address=source) as client:
            client.ehlo()
            if client.has_extn("starttls"):
                client.starttls(context=self._trust())
                client.ehlo()
            try:
                client.send_message(mail_of(sender, recipient, subject))
            except smtplib.SMTPRecipientsRefused as refused:
                code, text = refused.recipients[recipient]
                return f"{code} {text.decode(errors='replace')}"
        return "250"

    def _trust(self) -> ssl.SSLContext:
        """Trust the sandbox's authority alone; show a certificate if there is one."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate)
        return context


def mail_of(sender: str, recipient: str, subject: str) -> EmailMessage:
    """Return a mail as a person writes one in the SAP Business Workplace."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Message-ID"] = f"<{subject.encode().hex()}.{recipient}>"
    message.set_content("Test from SAP.\n")
    return message
