"""msmtp as an independent client of SMTP submission: XOAUTH2 over STARTTLS."""

import subprocess
from pathlib import Path

import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.mail import INBOX, MAILBOX, message
from tests.sandbox.outsider import Outsider, has_secret, private_file, require

pytestmark = pytest.mark.ci

PERMISSION_DENIED = 77


def test_message_goes_out(sandbox_process: Running, tmp_path: Path) -> None:
    """The token comes from passwordeval, the message arrives."""
    with Outsider(sandbox_process) as administrator:
        token = administrator.sender_token()
        administrator.enable_smtp()
        result = msmtp(sandbox_process, tmp_path, token)
        assert result.returncode == 0, result.stderr
        for _ in range(3):
            rows = administrator.run("Get-MessageTraceV2", RecipientAddress=INBOX)
    assert [row["Status"] for row in rows] == ["Delivered"]
    assert not has_secret(sandbox_process, token)


def test_disabled_mailbox_is_reported(sandbox_process: Running, tmp_path: Path) -> None:
    """The server's words reach the person who reads msmtp's message."""
    with Outsider(sandbox_process) as administrator:
        token = administrator.sender_token()
        result = msmtp(sandbox_process, tmp_path, token)
    assert result.returncode == PERMISSION_DENIED
    assert "SmtpClientAuthentication is disabled for the Tenant." in result.stderr


def msmtp(
    running: Running, folder: Path, token: str
) -> subprocess.CompletedProcess[str]:
    """Send one message with a configuration of its own."""
    program = require("msmtp", "msmtp")
    host, _, port = running.ready["submission"].partition(":")
    token_file = private_file(folder / "token", token)
    lines = [
        "account default",
        f"host {host}",
        f"port {port}",
        "tls on",
        "tls_starttls on",
        f"tls_trust_file {running.ready['ca_file']}",
        "auth xoauth2",
        f"user {MAILBOX}",
        f"from {MAILBOX}",
        f'passwordeval "cat {token_file}"',
    ]
    config = private_file(folder / "msmtprc", "\n".join(lines) + "\n")
    return subprocess.run(
        [program, f"--file={config}", INBOX],
        input=message().decode(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
