"""A whole sandbox inside the test's own process, spoken to over its protocols.

HTTP goes through the sandbox's ASGI application; SMTP and DNS listen on loopback
in a thread. Applications, secrets, consent and tokens are made with plain HTTP
requests, as any client would.
"""

import functools
import io
import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from runbook_lib.sandbox.faults import Faults, parse_fault
from runbook_lib.sandbox.hosts import CLOUDS
from runbook_lib.sandbox.log import AccessLog
from runbook_lib.sandbox.seed import seed_tenants
from runbook_lib.sandbox.state import Mailbox, Sandbox, Tenant
from runbook_lib.sandbox.web import make_app, make_plain_app
from tests.sandbox.listeners import Listeners
from tests.sandbox.mail import MAILBOX as MAILBOX

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
OUTLOOK_SCOPE = "https://outlook.office365.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"


@dataclass(frozen=True)
class Application:
    """An application of the tenant: client id, service principal, secret."""

    app_id: str
    principal_id: str
    secret: str


class World(Listeners):
    """One sandbox with one or more tenants, and clients of it."""

    def __init__(
        self,
        *,
        broken: str | None = None,
        faults: str = "",
        tenants: int = 1,
        cloud: str = "global",
    ) -> None:
        """Seed the tenants; servers start when they are first asked for."""
        self.log_file = io.StringIO()
        sandbox = Sandbox(
            seed=1,
            log=AccessLog(self.log_file),
            faults=Faults(tuple(parse_fault(text) for text in faults.split())),
            broken=frozenset({broken} if broken else ()),
            cloud=CLOUDS[cloud],
        )
        self.plans = seed_tenants(sandbox, tenants)
        self.operators = {key: plan.operator for key, plan in self.plans.items()}
        self.tenant = next(iter(sandbox.tenants.values()))
        super().__init__(sandbox)

    @functools.cached_property
    def client(self) -> httpx.AsyncClient:
        """Return an HTTP client that reaches all hosts of the cloud."""
        app = make_app(self.sandbox, "control-token")
        return httpx.AsyncClient(transport=httpx.ASGITransport(app))

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send an HTTP request and return the whole answer."""
        return self.wait(self.client.request(method, url, **options))

    def plain(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request to what is spoken without TLS."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(make_plain_app(self.sandbox))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(
                    method, f"http://127.0.0.1{path}", **options
                )

        return self.wait(send())

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
        return self.wait(self.client.send(request))

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

        return self.wait(read())

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

    @contextmanager
    def signed_in(self, application: Application) -> Iterator[smtplib.SMTP]:
        """Open a connection that is signed in for the SAP mailbox."""
        with self.signed_in_with(self.token(application)) as client:
            yield client

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


def error_of(answer: httpx.Response) -> tuple[str, str]:
    """Return .NET type and sentence of a cmdlet's refusal."""
    code, kind, text = answer.json()["error"]["details"][0]["message"].split("|", 2)
    assert code.startswith("Ex")
    assert len(code) == 8
    return kind, text
