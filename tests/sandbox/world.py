"""A whole sandbox inside the test's own process, spoken to over its protocols.

HTTP goes through the services' Starlette endpoints; SMTP and DNS listen on
loopback in a thread. Applications, secrets, consent and tokens are made with plain
HTTP requests, as any client would.
"""

import asyncio
import base64
import functools
import io
import json
import smtplib
import ssl
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import httpx

from runbook_lib.sandbox.certificates import Certificates, make_certificates
from runbook_lib.sandbox.dns import DnsServer, start_dns
from runbook_lib.sandbox.faults import Faults, parse_fault
from runbook_lib.sandbox.log import AccessLog
from runbook_lib.sandbox.mx import start_mx
from runbook_lib.sandbox.seed import seed_tenants
from runbook_lib.sandbox.smtp import start_submission
from runbook_lib.sandbox.state import Mailbox, Sandbox, Tenant
from runbook_lib.sandbox.web import make_app

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
OUTLOOK_SCOPE = "https://outlook.office365.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
MAILBOX = "sap@contoso.com"
INBOX = "inbox@contoso.com"
OUTSIDE = "postmaster@fabrikam.example"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Application:
    """An application of the tenant: client id, service principal, secret."""

    app_id: str
    principal_id: str
    secret: str


@functools.cache
def certificates() -> Certificates:
    """Return one authority for all tests of the process."""
    return make_certificates()


class World:
    """One sandbox with one or more tenants, and clients of it."""

    def __init__(
        self, *, broken: str | None = None, faults: str = "", tenants: int = 1
    ) -> None:
        """Seed the tenants; servers start when they are first asked for."""
        self.log_file = io.StringIO()
        self.sandbox = Sandbox(
            seed=1,
            log=AccessLog(self.log_file),
            faults=Faults(tuple(parse_fault(text) for text in faults.split())),
            broken=frozenset({broken} if broken else ()),
        )
        self.operators = seed_tenants(self.sandbox, tenants)
        self.tenant = next(iter(self.sandbox.tenants.values()))
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server | DnsServer] = []

    def __enter__(self) -> Self:
        """Use the world for the length of a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the servers."""
        self.close()

    # HTTP

    @functools.cached_property
    def client(self) -> httpx.AsyncClient:
        """Return an HTTP client that reaches all hosts of the cloud."""
        app = make_app(self.sandbox, "control-token")
        return httpx.AsyncClient(transport=httpx.ASGITransport(app))

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send an HTTP request and return the whole answer."""
        return self._wait(self.client.request(method, url, **options))

    def token(
        self, client: Application | None = None, scope: str = OUTLOOK_SCOPE
    ) -> str:
        """Return an access token; the operator's, unless a client is given."""
        operator = self.operators[self.tenant.tenant_id]
        form = {
            "grant_type": "client_credentials",
            "client_id": client.app_id if client else operator.client_id,
            "client_secret": client.secret if client else operator.client_secret,
            "scope": scope,
        }
        url = f"https://login.microsoftonline.com/{self.tenant.tenant_id}"
        answer = self.request("POST", f"{url}/oauth2/v2.0/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def graph(self, method: str, path: str, body: Any = None) -> Any:
        """Send a Graph request as the operator; return the parsed answer."""
        answer = self.request(
            method,
            f"https://graph.microsoft.com/v1.0/{path}",
            headers={"Authorization": f"Bearer {self.token(scope=GRAPH_SCOPE)}"},
            json=body,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def invoke(
        self, cmdlet: str, parameters: dict[str, Any] | None = None, **options: Any
    ) -> httpx.Response:
        """Send InvokeCommand; options: token, tenant_id, version, headers, query."""
        request = self.invocation(cmdlet, parameters or {}, options)
        return self._wait(self.client.send(request))

    def status(
        self, cmdlet: str, parameters: dict[str, Any] | None = None, **options: Any
    ) -> int:
        """Send InvokeCommand and return the status alone.

        The body of a 403 calls itself gzip and is none: it cannot be read.
        """
        return self.raw_answer(self.invocation(cmdlet, parameters or {}, options))[0]

    def raw_answer(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        """Send a request; return status, headers and the body as it came."""

        async def read() -> tuple[int, httpx.Headers, bytes]:
            answer = await self.client.send(request, stream=True)
            body = b"".join([part async for part in answer.aiter_raw()])
            return answer.status_code, answer.headers, body

        return self._wait(read())

    def run(self, cmdlet: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run a cmdlet that has to succeed; return its objects."""
        answer = self.invoke(cmdlet, parameters)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    def application(self, *roles: str) -> Application:
        """Make an application with service principal, consent and secret."""
        name = {"displayName": "sap-smtp", "signInAudience": "AzureADMyOrg"}
        made = self.graph("POST", "applications", name)
        app_id = made["appId"]
        principal = self.graph("POST", "servicePrincipals", {"appId": app_id})
        for role in roles:
            self._consent(principal["id"], role)
        path = f"applications/{made['id']}/addPassword"
        secret = self.graph("POST", path, {"passwordCredential": {}})
        return Application(app_id, principal["id"], secret["secretText"])

    def sender(self, *, enable: bool = True) -> Application:
        """Make an application that may submit mail for the SAP mailbox."""
        application = self.application("SMTP.SendAsApp")
        self.register(application)
        self.run(
            "Add-MailboxPermission",
            Identity=MAILBOX,
            User=application.principal_id,
            AccessRights=["FullAccess"],
        )
        if enable:
            self.set_smtp_disabled(False)
        return application

    def register(self, application: Application) -> dict[str, Any]:
        """Make the Exchange service principal of an application."""
        return self.run(
            "New-ServicePrincipal",
            AppId=application.app_id,
            ObjectId=application.principal_id,
            DisplayName="sap-smtp",
        )[0]

    def set_smtp_disabled(self, value: bool | None) -> None:
        """Set SmtpClientAuthenticationDisabled of the SAP mailbox."""
        self.run(
            "Set-CASMailbox", Identity=MAILBOX, SmtpClientAuthenticationDisabled=value
        )

    def mailbox(self, address: str = MAILBOX) -> Mailbox:
        """Return a mailbox of the first tenant."""
        return self.tenant.exchange.mailboxes[address]

    def other_tenant(self) -> Tenant:
        """Return the second tenant."""
        return list(self.sandbox.tenants.values())[1]

    def logged(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the log entries with these values."""
        lines = self.log_file.getvalue().splitlines()
        entries = [json.loads(line) for line in lines]
        return [e for e in entries if wanted.items() <= e.items()]

    # SMTP and DNS

    @functools.cached_property
    def submission_port(self) -> int:
        """Return the port of the submission server; it starts now."""
        context = certificates().server
        return self._started(start_submission(self.sandbox, "127.0.0.1", 0, context))

    @functools.cached_property
    def mx_port(self) -> int:
        """Return the port of the MX server; it starts now."""
        context = certificates().server
        return self._started(start_mx(self.sandbox, "127.0.0.1", 0, context))

    @functools.cached_property
    def dns_port(self) -> int:
        """Return the port of the DNS server; it starts now."""
        server = self._wait(start_dns(self.sandbox, "127.0.0.1", 0))
        self._servers.append(server)
        return server.port

    @contextmanager
    def smtp(self, *, tls: bool = True) -> Iterator[smtplib.SMTP]:
        """Open a connection to submission, greeted, under TLS unless said."""
        client = smtplib.SMTP("127.0.0.1", self.submission_port, "client.contoso.com")
        try:
            client.ehlo()
            if tls:
                client.starttls(context=client_tls())
                client.ehlo()
            yield client
        finally:
            client.close()

    @contextmanager
    def signed_in(self, application: Application) -> Iterator[smtplib.SMTP]:
        """Open a connection that is signed in for the SAP mailbox."""
        with self.signed_in_with(self.token(application)) as client:
            yield client

    @contextmanager
    def signed_in_with(self, token: str) -> Iterator[smtplib.SMTP]:
        """Open a connection that is signed in with this token."""
        with self.smtp() as client:
            code, text = sign_in(client, token)
            assert code == 235, text
            yield client

    def sign_in_code(self, token: str, user: str = MAILBOX) -> tuple[int, str]:
        """Return code and text of one sign-in."""
        with self.smtp() as client:
            return sign_in(client, token, user)

    @contextmanager
    def mx(self, source: str = "127.0.0.1") -> Iterator[smtplib.SMTP]:
        """Open a connection to the MX side from a loopback address."""
        client = smtplib.SMTP(
            "127.0.0.1", self.mx_port, "erp.contoso.com", source_address=(source, 0)
        )
        try:
            client.ehlo()
            yield client
        finally:
            client.close()

    def close(self) -> None:
        """End the servers and their loop."""
        self._wait(self._close_servers())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def invocation(
        self, cmdlet: str, parameters: dict[str, Any], options: dict[str, Any]
    ) -> httpx.Request:
        """Return the request that `invoke` sends."""
        token = options.get("token") or self.token()
        tenant_id = options.get("tenant_id", self.tenant.tenant_id)
        version = options.get("version", "beta")
        path = f"/adminapi/{version}/{tenant_id}/InvokeCommand"
        return self.client.build_request(
            "POST",
            f"https://outlook.office365.com{path}{options.get('query', '')}",
            headers={"Authorization": f"Bearer {token}", **options.get("headers", {})},
            json={"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}},
        )

    def _consent(self, principal_id: str, role: str) -> None:
        """Grant an app role of Exchange Online, looked up by its value."""
        query = f"servicePrincipals?$filter=appId eq '{EXCHANGE_APP_ID}'"
        resource = self.graph("GET", query)["value"][0]
        ids = {entry["value"]: entry["id"] for entry in resource["appRoles"]}
        body = {
            "principalId": principal_id,
            "resourceId": resource["id"],
            "appRoleId": ids[role],
        }
        self.graph("POST", f"servicePrincipals/{principal_id}/appRoleAssignments", body)

    def _started(self, start: Coroutine[Any, Any, asyncio.Server]) -> int:
        server = self._wait(start)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        future: Future[Result] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(timeout=30)

    async def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
        own = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not own]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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


def error_of(answer: httpx.Response) -> tuple[str, str]:
    """Return .NET type and sentence of a cmdlet's refusal."""
    code, kind, text = answer.json()["error"]["details"][0]["message"].split("|", 2)
    assert code.startswith("Ex")
    assert len(code) == 8
    return kind, text


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    """Wait until a condition holds; fail where it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.01)
