"""Jakarta Mail and email-oauth2-proxy as independent clients of submission."""

import contextlib
import os
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.mail import INBOX, MAILBOX, message, wait_until
from tests.sandbox.outsider import Outsider, private_file, require

pytestmark = pytest.mark.ci

JARS = [
    Path("/usr/share/java") / name
    for name in ("jakarta-mail.jar", "jakarta-activation.jar")
]
SOURCE = Path(__file__).with_name("java") / "SendMail.java"


class Java:
    """The compiled class, and what trusts the sandbox."""

    def __init__(self, folder: Path, running: Running) -> None:
        """Compile, and make a trust store of the sandbox's authority."""
        if not all(jar.exists() for jar in JARS):
            pytest.skip("needs Jakarta Mail (Debian package libjakarta-mail-java)")
        self._folder, self._running = folder, running
        self._classes = os.pathsep.join(map(str, [folder, *JARS]))
        javac = require("javac", "default-jdk-headless")
        _run([javac, "-cp", self._classes, "-d", str(folder), str(SOURCE)])
        self._store = folder / "trust.p12"
        given = ["-importcert", "-noprompt", "-alias", "sandbox"]
        where = ["-file", running.ready["ca_file"], "-keystore", str(self._store)]
        keytool = require("keytool", "default-jdk-headless")
        _run([keytool, *given, *where, "-storepass", "public", "-storetype", "PKCS12"])

    def send(
        self, token: str, *, trusting: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Send one message to the inbox."""
        port = self._running.ready["submission"].rpartition(":")[2]
        trust = [
            f"-Djavax.net.ssl.trustStore={self._store}",
            "-Djavax.net.ssl.trustStorePassword=public",
        ]
        command = ["java", *(trust if trusting else []), "-cp", self._classes]
        return subprocess.run(
            [*command, "SendMail", port, MAILBOX, INBOX],
            input=f"{token}\n",
            capture_output=True,
            text=True,
            timeout=60,
        )


def test_jakarta_mail_sends(sandbox_process: Running, tmp_path: Path) -> None:
    """A good token sends, a bad one is refused, an unknown authority is not trusted."""
    java = Java(tmp_path, sandbox_process)
    with Outsider(sandbox_process) as administrator:
        token = administrator.sender_token()
        administrator.enable_smtp()
        sent = java.send(token)
        assert sent.stdout == "sent\n", sent.stderr
        refused = java.send("a.b.c")
        assert "AuthenticationFailedException: 535 5.7.3" in refused.stderr
        assert "SSLHandshakeException" in java.send(token, trusting=False).stderr
        assert traced_subjects(administrator) == ["From Java"]


def test_email_oauth2_proxy_sends(sandbox_process: Running, tmp_path: Path) -> None:
    """A client with a password reaches Exchange Online through the proxy."""
    if find_spec("emailproxy") is None:
        pytest.skip("needs the package emailproxy (extra test-clients)")
    with Outsider(sandbox_process) as administrator:
        client_id, secret = administrator.sender()
        administrator.enable_smtp()
        settings = configuration(sandbox_process, client_id, secret)
        with (
            mail_proxy(sandbox_process, tmp_path, settings) as port,
            smtplib.SMTP("127.0.0.1", port, "sap.contoso.com") as client,
        ):
            client.login(MAILBOX, "any password")
            client.sendmail(MAILBOX, [INBOX], message(subject="Through a proxy"))
        assert traced_subjects(administrator) == ["Through a proxy"]


def traced_subjects(administrator: Outsider) -> list[str]:
    """Return the subjects of delivered messages, after the lag of the trace."""
    for _ in range(3):
        rows = administrator.run("Get-MessageTraceV2", Status=["Delivered"])
    return [row["Subject"] for row in rows]


def configuration(running: Running, client_id: str, secret: str) -> str:
    """Return the settings of the proxy, with `PORT` for its own port."""
    tenant = running.tenant["tenant_id"]
    login = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
    return "\n".join(
        [
            "[Server setup]",
            "[SMTP-PORT]",
            "local_address = 127.0.0.1",
            "server_address = localhost",
            f"server_port = {running.ready['submission'].rpartition(':')[2]}",
            "server_starttls = True",
            "[Account setup]",
            f"[{MAILBOX}]",
            f"token_url = {login}/token",
            "oauth2_scope = https://outlook.office365.com/.default",
            "oauth2_flow = client_credentials",
            "redirect_uri = http://localhost",
            f"client_id = {client_id}",
            f"client_secret = {secret}",
            "",
        ]
    )


@contextlib.contextmanager
def mail_proxy(running: Running, folder: Path, settings: str) -> Iterator[int]:
    """Run the proxy; give its port. It trusts the sandbox's authority alone."""
    port = free_port()
    file = private_file(
        folder / "proxy.config", settings.replace("SMTP-PORT", f"SMTP-{port}")
    )
    environment = {
        **os.environ,
        "SSL_CERT_FILE": running.ready["ca_file"],
        "https_proxy": running.ready["proxy"],
        "no_proxy": "localhost,127.0.0.1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "emailproxy", "--no-gui", "--config-file"]
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, str(file)], env=environment, stdout=log, stderr=log
        )
        try:
            wait_until(lambda: is_open(port), seconds=20)
            yield port
        finally:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def is_open(port: int) -> bool:
    """Say whether somebody listens."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def _run(command: list[str]) -> None:
    """Run a command that has to succeed."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
