"""Mail as the tests send it: addresses, sign-in, a message, and waiting."""

import base64
import functools
import smtplib
import ssl
import time
from collections.abc import Callable

from runbook_lib.sandbox.certificates import Certificates, make_certificates

MAILBOX = "sap@contoso.com"
INBOX = "inbox@contoso.com"
OUTSIDE = "postmaster@fabrikam.example"


@functools.cache
def certificates() -> Certificates:
    """Return one authority for all tests of the process."""
    return make_certificates()


def client_tls() -> ssl.SSLContext:
    """Return TLS settings that trust the sandbox's authority alone."""
    return ssl.create_default_context(cadata=certificates().authority_pem)


def xoauth2(token: str, user: str = MAILBOX) -> str:
    """Return the SASL blob of a token."""
    text = f"user={user}\x01auth=Bearer {token}\x01\x01"
    return base64.b64encode(text.encode()).decode()


def sign_in(client: smtplib.SMTP, token: str, user: str = MAILBOX) -> tuple[int, str]:
    """Sign in with one line; return code and text."""
    code, text = client.docmd("AUTH", f"XOAUTH2 {xoauth2(token, user)}")
    return code, text.decode()


def message(
    sender: str = MAILBOX, subject: str = "Test", recipient: str = INBOX
) -> bytes:
    """Return a small message."""
    lines = [
        f"From: SAP <{sender}>",
        f"To: {recipient}",
        f"Subject: {subject}",
        "Message-ID: <own@client.contoso.com>",
        "",
        "Hello",
    ]
    return "\r\n".join(lines).encode() + b"\r\n"


def send(
    client: smtplib.SMTP, content: bytes, sender: str = MAILBOX, *recipients: str
) -> tuple[int, str]:
    """Send one message; return code and text of the first refusal or of the end."""
    code, text = client.mail(sender)
    for recipient in recipients or (INBOX,):
        if code == 250:
            code, text = client.rcpt(recipient)
    if code == 250:
        code, text = client.data(content)
    return code, text.decode()


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until a condition holds; fail where it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.01)


def assert_failed(result: tuple[int, str]) -> None:
    """Require the refusal that tells nothing but that sign-in failed."""
    assert result[0] == 535
    assert result[1].startswith("5.7.3 Authentication unsuccessful [")
