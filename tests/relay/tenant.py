"""A sandbox tenant that is set up for a relay, and programs that get its tokens."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from runbook_lib.relay.design import Application, RelayDesign
from runbook_lib.relay.lookup_tables import LOCAL_PASSWORD
from runbook_lib.relay.token_sources import (
    CLIENT_SECRET,
    LENT,
    relay_token_config,
)
from runbook_lib.secret import Mask
from runbook_lib.session import Session, open_session
from runbook_lib.tenant import read_tenant
from tests.integration.world import World
from tests.relay.postfix import answers, eventually
from tests.relay.site import Site, free_port

LOGIN = "login.microsoftonline.com"
MAILBOX = "sap@contoso.com"


@dataclass
class Registered:
    """An application of the tenant that may send as the mailbox."""

    application: Application
    object_id: str
    principal_id: str
    secret: str


@dataclass
class Tenant:
    """The sandbox's first tenant, as a relay sees it."""

    world: World

    @property
    def submission(self) -> int:
        """Return the port of the submission endpoint, on localhost."""
        return int(self.world.ready["submission"].rpartition(":")[2])

    @property
    def mx(self) -> int:
        """Return the port of the MX side, on localhost."""
        return int(self.world.ready["mx"].rpartition(":")[2])

    @property
    def ca_file(self) -> Path:
        """Return the authority of the sandbox."""
        return Path(self.world.ready["ca_file"])

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open the operator's clients."""
        found = open_session(
            read_tenant(self.world.tenant_file),
            run="by-hand",
            environment={},
            traffic=lambda exchange: None,
            mask=Mask(),
            sink_folder=self.world.folder,
        )
        try:
            yield found
        finally:
            found.close()

    def register(self) -> Registered:
        """Do what option 1 does: application, consent, mailbox, SMTP AUTH."""
        made = self.world.break_tenant(
            "add_application",
            display_name="SAP relay",
            permissions=["SMTP.SendAsApp"],
            secret=True,
        )
        principal = made["servicePrincipalId"]
        run = self.world.exchange
        run("New-ServicePrincipal", AppId=made["appId"], ObjectId=principal)
        self.give_access(principal)
        run("Set-CASMailbox", Identity=MAILBOX, SmtpClientAuthenticationDisabled=False)
        known = Application(
            tenant_id=str(self.world.tenant["tenant_id"]),
            client_id=made["appId"],
            credential="secret",
            login=LOGIN,
            scope="https://outlook.office365.com/.default",
        )
        return Registered(known, made["id"], principal, made["secretText"])

    def give_access(self, principal: str) -> None:
        """Give the service principal the mailbox."""
        rights = {"User": principal, "AccessRights": ["FullAccess"]}
        self.world.exchange("Add-MailboxPermission", Identity=MAILBOX, **rights)

    def take_access(self, principal: str) -> None:
        """Take the mailbox away again: sign-ins get 535 5.7.3."""
        self.world.break_tenant(
            "remove_mailbox_permission", mailbox=MAILBOX, user=principal
        )

    def upload(self, registered: Registered, certificate: x509.Certificate) -> None:
        """Give the application a certificate."""
        der = certificate.public_bytes(serialization.Encoding.DER)
        key = {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": base64.b64encode(der).decode(),
        }
        with self.session() as session:
            change = {"keyCredentials": [key]}
            session.graph.update_application(registered.object_id, change)

    def trace(self, recipient: str) -> list[dict[str, Any]]:
        """Return the rows of the message trace for a recipient."""
        now = datetime.now(UTC)
        with self.session() as session:
            return session.exchange.message_trace(
                recipient=recipient,
                start=f"{now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
                end=f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            )

    def relay(self, site: Site, name: str = "relay1", **changes: Any) -> RelayDesign:
        """Return a design whose upstream is this tenant."""
        design = site.relay(
            name,
            submission_port=self.submission,
            mx_port=self.mx,
            proxy_port=free_port("127.0.0.1"),
            **changes,
        )
        (site.folder / "ca.pem").write_bytes(self.ca_file.read_bytes())
        return design


def put_secrets(design: RelayDesign, secret: str) -> None:
    """Put the secrets into the files as the README says."""
    table = Path(design.places.config, "sasl_passwd")
    local = base64.b32encode(os.urandom(15)).decode()
    table.write_text(table.read_text("utf-8").replace(LOCAL_PASSWORD, local), "utf-8")
    config = Path(design.places.proxy_config)
    config.write_text(config.read_text("utf-8").replace(CLIENT_SECRET, secret), "utf-8")


def put_key(design: RelayDesign, authority: trustme.CA) -> x509.Certificate:
    """Put a key and its certificate to their places; return the certificate."""
    # The proxy signs RS256.
    leaf = authority.issue_cert("relay1.contoso.com", key_type=trustme.KeyType.RSA)
    leaf.private_key_pem.write_to_path(design.places.proxy_key)
    leaf.cert_chain_pems[0].write_to_path(design.places.proxy_certificate)
    return x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())


@dataclass
class Program:
    """A program that a test starts, kills, stalls and ends."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it says goes into the log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=log
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP stalls, SIGCONT resumes."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it without warning."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None


@contextmanager
def emailproxy(design: RelayDesign, tenant: Tenant) -> Iterator[Program]:
    """Run email-oauth2-proxy with the rendered configuration."""
    config = design.places.proxy_config
    program = Program(
        [program_path("emailproxy"), "--no-gui", "--config-file", config],
        {
            **os.environ,
            "SSL_CERT_FILE": design.places.trust,
            "https_proxy": tenant.world.ready["proxy"],
        },
        Path(config).with_suffix(".log"),
    )
    program.start()
    try:
        eventually(lambda: answers(("127.0.0.1", design.proxy_port)))
        yield program
    finally:
        program.kill()


def program_path(name: str) -> str:
    """Return a program of this Python's environment, or of the system."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"needs the Python package {name}")
    return found


def token_settings(design: RelayDesign, tenant: Tenant, secret: str) -> Path:
    """Write relay-token's settings as rendered, led to the sandbox."""
    path = Path(design.places.token).parent.parent / "relay-token.yaml"
    lent = path.with_name("application")
    lent.write_text(secret, "utf-8")
    lent.chmod(0o600)
    rendered = relay_token_config(design).replace(LENT, str(lent))
    https = tenant.world.ready["https"].partition("//")[2]
    sandbox = f'connect_to: ["{LOGIN}:443 -> {https}"]\nca_file: {tenant.ca_file}\n'
    path.write_text(rendered + sandbox, "utf-8")
    return path


def with_certificate(registered: Registered) -> Application:
    """Return the application with a certificate in place of a secret."""
    return replace(registered.application, credential="certificate")
