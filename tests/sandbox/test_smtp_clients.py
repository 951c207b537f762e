"""openssl and swaks as independent clients of the SMTP servers; how they end."""

import contextlib
import smtplib
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE
from tests.sandbox.outsider import Outsider, private_file, require

SAP = ("--local-interface", "127.0.0.10")


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
    """Direct Send over TLS is junk until SPF names the address, then it arrives."""
    found = []
    with Outsider(sandbox_process) as administrator:
        for policy in ("v=spf1 -all", "v=spf1 ip4:203.0.113.10 -all"):
            records = {"TXT": [f'"{policy}"']}
            administrator.operate("set_dns", name="contoso.com", records=records)
            result = swaks(sandbox_process, "mx", "--tls", *SAP, "--to", INBOX)
            assert result.returncode == 0, result.stdout
            assert "Queued mail for delivery" in result.stdout
            for _ in range(3):
                rows = administrator.run("Get-MessageTraceV2", RecipientAddress=INBOX)
            found.append(sorted((row["FromIP"], row["Status"]) for row in rows))
    junk = ("203.0.113.10", "FilteredAsSpam")
    assert found == [[junk], [("203.0.113.10", "Delivered"), junk]]


@pytest.mark.ci
def test_swaks_relays_by_address(sandbox_process: Running) -> None:
    """A connector for SAP's public address lets it send outside, and nobody else."""
    with Outsider(sandbox_process) as administrator:
        relay = {"ConnectorType": "OnPremises", "SenderDomains": ["*"]}
        administrator.run(
            "New-InboundConnector",
            Name="SAP",
            SenderIPAddresses=["203.0.113.10"],
            **relay,
        )
    outside = ("--to", OUTSIDE)
    assert swaks(sandbox_process, "mx", *SAP, *outside).returncode == 0
    assert "550 5.7.64" in swaks(sandbox_process, "mx", *outside).stdout


@pytest.mark.ci
def test_swaks_relays_by_certificate(sandbox_process: Running, tmp_path: Path) -> None:
    """A connector for a certificate's domain lets whoever has its key send outside."""
    with Outsider(sandbox_process) as administrator:
        administrator.run(
            "New-InboundConnector",
            Name="SAP",
            ConnectorType="OnPremises",
            SenderDomains=["*"],
            TlsSenderCertificateName="sap.contoso.com",
        )
        made = administrator.operate("issue_certificate", names=["sap.contoso.com"])
    certificate = private_file(tmp_path / "sap.crt", made["certificate"])
    key = private_file(tmp_path / "sap.key", made["private_key"])
    shown = ("--tls-cert", str(certificate), "--tls-key", str(key))
    result = swaks(sandbox_process, "mx", "--tls", *shown, "--to", OUTSIDE)
    assert result.returncode == 0, result.stdout
    assert "550 5.7.64" in swaks(sandbox_process, "mx", "--tls", "--to", OUTSIDE).stdout


@pytest.mark.ci
def test_swaks_does_not_relay(sandbox_process: Running) -> None:
    """An external recipient is refused at RCPT."""
    result = swaks(sandbox_process, "mx", "--to", OUTSIDE)
    assert "550 5.7.64 TenantAttribution; Relay Access Denied" in result.stdout
    assert result.returncode != 0


@pytest.mark.ci
def test_swaks_cannot_use_a_password(sandbox_process: Running) -> None:
    """Basic authentication ends in 535 5.7.139."""
    with Outsider(sandbox_process) as administrator:
        administrator.enable_smtp()
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
