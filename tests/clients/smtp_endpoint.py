"""A submission endpoint on this machine, good but for what a test changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trustme

from runbook_lib.clients.smtp import SubmissionClient
from runbook_lib.clients.wire import Wire
from runbook_lib.secret import Mask, Secret
from tests.clients.servers import SmtpServer, server_context

HOST = "smtp.office365.com"
MAILBOX = "sap@contoso.com"
TOKEN = "opaque-token_0123456789." + "x" * 3000
PLAIN = "250-contoso Hello [203.0.113.7]\n250-SIZE 157286400\n250 STARTTLS"

SECURED = "250-contoso Hello\n250-SIZE 157286400\n250-AUTH LOGIN XOAUTH2\n250 SMTPUTF8"
ID = "08DE95BEBBF63F52"
SESSION = f"[PA7P264CA0408.PROD.OUTLOOK.COM 2026-04-09T12:13:06.348Z {ID}]"

GOOD: dict[str, str | list[str]] = {
    "220": f"220 SY5.outlook.office365.com Microsoft ESMTP ready [{ID}]",
    "EHLO": [PLAIN, SECURED],
    "STARTTLS": "220 2.0.0 SMTP server ready",
    "AUTH": "334 ",
    "": "235 2.7.0 Authentication successful",
    "MAIL": "250 2.1.0 Sender OK",
    "RCPT": "250 2.1.5 Recipient OK",
    "DATA": "354 Start mail input",
    ".": "250 2.0.0 OK <1@contoso.com> [Hostname=DB9PR.prod.outlook.com]",
    "QUIT": "221 2.0.0 Bye",
}


class Endpoint:
    """A server by a table, and a client that reaches it by its real name."""

    def __init__(
        self,
        ca: trustme.CA,
        ca_file: Path,
        traffic: list[Any],
        mask: Mask,
    ) -> None:
        """Take what every test needs."""
        self._ca = ca
        self._ca_file = ca_file
        self._traffic = traffic
        self._mask = mask

    def server(self, name: str = HOST, /, **changes: str | list[str]) -> SmtpServer:
        """Return a server that is good but for the changes, by line start."""
        starts = {
            {"greeting": "220", "message": ".", "blob": ""}.get(key, key.upper()): value
            for key, value in changes.items()
        }
        return SmtpServer(server_context(self._ca, name), {**GOOD, **starts})

    def client(self, server: SmtpServer, timeout: float = 5.0) -> SubmissionClient:
        """Return a client for the server."""
        wire = Wire(connect_to={(HOST, 587): server.address}, ca_file=self._ca_file)
        return SubmissionClient(
            wire,
            self._traffic.append,
            self._mask,
            helo="sap.contoso.com",
            timeout=timeout,
        )


def sign_in(client: SubmissionClient, **options: bool) -> Any:
    """Sign in as every test does."""
    return client.sign_in(HOST, mailbox=MAILBOX, token=Secret(TOKEN), **options)
