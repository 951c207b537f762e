"""openssl and swaks as independent clients of the SMTP servers; how they end."""

import contextlib
import smtplib
import socket
import ssl
import subprocess

import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE
from tests.sandbox.outsider import Outsider, require


@pytest.mark.parametrize("server", ["submission", "mx"])
def test_openssl_verifies_the_certificate(
    sandbox_process: Running, server: str
) -> None:
    """STARTTLS ends in TLS 1.2 or 1.3 with a certificate for the real name."""
    names = {
        "submission": "smtp.office365.com",
        "mx": "contoso-com.mail.protection.outlook.com",
    }
    options = ["-verify_hostname", names[server], "-verify_return_error"]
    result = openssl(sandbox_process, server, *options)
    assert result.returncode == 0, result.stderr
    assert "Verify return code: 0 (ok)" in result.stdout
    assert "TLSv1.3" in result.stdout


def test_openssl_is_refused_below_tls_1_2(sandbox_process: Running) -> None:
    """TLS 1.1 does not come about, whatever the client would accept."""
    options = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
    result = openssl(sandbox_process, "submission", *options)
    assert result.returncode != 0


@pytest.mark.ci
def test_swaks_sends_directly(sandbox_process: Running) -> None:
    """Direct Send over TLS arrives and stands in the trace."""
    result = swaks(sandbox_process, "mx", "--tls", "--to", INBOX)
    assert result.returncode == 0, result.stdout
    assert "Queued mail for delivery" in result.stdout
    with Outsider(sandbox_process) as administrator:
        for _ in range(3):
            rows = administrator.run("Get-MessageTraceV2", RecipientAddress=INBOX)
    assert [row["Status"] for row in rows] == ["Delivered"]


@pytest.mark.ci
def test_swaks_does_not_relay(sandbox_process: Running) -> None:
    """An external recipient is refused at RCPT."""
    result = swaks(sandbox_process, "mx", "--to", OUTSIDE)
    assert "550 5.7.64 TenantAttribution; Relay Access Denied" in result.stdout
    assert result.returncode != 0


@pytest.mark.ci
def test_swaks_cannot_use_a_password(sandbox_process: Running) -> None:
    """Basic authentication ends in 535 5.7.139."""
    options = ["--tls", "--auth", "LOGIN", "--auth-user", MAILBOX]
    options += ["--auth-password", "not-a-secret", "--to", INBOX]
    result = swaks(sandbox_process, "submission", *options)
    assert "basic authentication is disabled" in result.stdout
    assert result.returncode != 0


def test_process_ends_while_clients_are_there(sandbox_process: Running) -> None:
    """Open connections, in whatever state, do not delay the end or disturb it."""
    ready = sandbox_process.ready
    host, _, port = ready["submission"].partition(":")
    context = ssl.create_default_context(cafile=ready["ca_file"])
    with contextlib.ExitStack() as stack:
        greeted, half, whole = (
            stack.enter_context(contextlib.closing(smtplib.SMTP(host, int(port))))
            for _ in range(3)
        )
        assert greeted.ehlo()[0] == 250
        half.ehlo()
        assert half.docmd("STARTTLS")[0] == 220
        whole.starttls(context=context)
        for name in ("mx", "dns"):
            host, _, port = ready[name].partition(":")
            stack.enter_context(socket.create_connection((host, int(port))))
        assert sandbox_process.stop() == (0, b"")


def openssl(
    running: Running, server: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run openssl s_client with STARTTLS until the handshake is done."""
    command = [require("openssl", "openssl"), "s_client", "-starttls", "smtp"]
    connect = ["-connect", running.ready[server], "-CAfile", running.ready["ca_file"]]
    return subprocess.run(
        [*command, *connect, *options],
        input="QUIT\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def swaks(
    running: Running, server: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run swaks against one of the servers."""
    host, _, port = running.ready[server].partition(":")
    command = [require("swaks", "swaks"), "--server", host, "--port", port]
    return subprocess.run(
        [*command, "--from", MAILBOX, "--ehlo", "erp.contoso.com", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
