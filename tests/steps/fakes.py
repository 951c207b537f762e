"""A session whose services are mappings: strict about calls, and writing them down.

Each fake has only methods that its real client has, with the same parameters;
a test compares both. `calls` are the names of the methods used, in order.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any, cast

from runbook_lib.clients.btp_communication import BtpCommunication
from runbook_lib.clients.dns import Answer
from runbook_lib.clients.entra import AccessToken
from runbook_lib.clients.sapcontrol import SapControl
from runbook_lib.clients.smtp import Dialogue, EndpointFacts
from runbook_lib.errors import InputError, ServiceRefused
from runbook_lib.secret import Secret
from runbook_lib.session import Session

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
# Not the role's id in any real tenant: it must be looked up, never assumed.
ROLE = "aaaaaaaa-0000-0000-0000-000000000001"
RESOURCE = "bbbbbbbb-0000-0000-0000-000000000001"
APP = "11111111-aaaa-0000-0000-000000000001"
OBJECT = "22222222-aaaa-0000-0000-000000000001"
PRINCIPAL = "33333333-aaaa-0000-0000-000000000001"
MAILBOX = "sap@contoso.com"
HOST = "smtp.office365.com"
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
RUN = "example"
MARK = f"runbook:{RUN}"

Row = dict[str, object]
Calls = list[tuple[str, tuple[object, ...]]]


def send_as_app_role(**changes: object) -> Row:
    """Return SMTP.SendAsApp as Exchange Online offers it."""
    role: Row = {"id": ROLE, "value": "SMTP.SendAsApp", "isEnabled": True}
    return {**role, "allowedMemberTypes": ["Application"], **changes}


def new_application(**changes: object) -> Row:
    """Return an application that this run made."""
    return {
        "id": OBJECT,
        "appId": APP,
        "displayName": "SAP",
        "signInAudience": "AzureADMyOrg",
        "notes": MARK,
        "requiredResourceAccess": [],
        "passwordCredentials": [],
        "keyCredentials": [],
        **changes,
    }


@dataclass
class FakeGraph:
    """Applications, service principals, grants and policies of one tenant."""

    calls: Calls = field(default_factory=list)
    applications: list[Row] = field(default_factory=list)
    principals: list[Row] = field(
        default_factory=lambda: [
            {
                "id": RESOURCE,
                "appId": EXCHANGE_ONLINE,
                "accountEnabled": True,
                "appRoles": [send_as_app_role()],
            }
        ]
    )
    assignments: list[Row] = field(default_factory=list)
    grants: list[Row] = field(default_factory=list)
    owners: list[Row] = field(default_factory=list)
    roles: list[Row] = field(default_factory=list)
    policy: Row = field(default_factory=dict)
    security_defaults: bool = False

    def _note(self, name: str, *arguments: object) -> None:
        self.calls.append((name, copy.deepcopy(arguments)))

    def _one(self, rows: list[Row], name: str, value: str) -> Row | None:
        found = [row for row in rows if row.get(name) == value]
        return copy.deepcopy(found[0]) if found else None

    def _stored(self, object_id: str) -> Row:
        for row in self.applications:
            if row["id"] == object_id:
                return row
        raise ServiceRefused("not found", code="Request_ResourceNotFound")

    def applications_named(self, display_name: str) -> list[Row]:
        """Return the applications of that name."""
        self._note("applications_named", display_name)
        rows = [a for a in self.applications if a["displayName"] == display_name]
        return copy.deepcopy(rows)

    def application_by_app_id(self, app_id: str) -> Row | None:
        """Return an application by its appId."""
        self._note("application_by_app_id", app_id)
        return self._one(self.applications, "appId", app_id)

    def application(self, object_id: str) -> Row | None:
        """Return an application by its object ID."""
        self._note("application", object_id)
        return self._one(self.applications, "id", object_id)

    def application_owners(self, object_id: str) -> list[Row]:
        """Return the owners."""
        self._note("application_owners", object_id)
        return copy.deepcopy(self.owners)

    def create_application(self, body: Mapping[str, object]) -> Row:
        """Create an application."""
        self._note("create_application", body)
        made = new_application(**{"notes": None, **body})
        self.applications.append(made)
        return copy.deepcopy(made)

    def update_application(self, object_id: str, changes: Mapping[str, object]) -> None:
        """Change an application."""
        self._note("update_application", object_id, changes)
        self._stored(object_id).update(copy.deepcopy(dict(changes)))

    def delete_application(self, object_id: str) -> None:
        """Delete an application."""
        self._note("delete_application", object_id)
        self.applications.remove(self._stored(object_id))

    def add_password(
        self, object_id: str, *, display_name: str, end: str
    ) -> tuple[Row, Secret]:
        """Add a client secret."""
        self._note("add_password", object_id, display_name, end)
        held = cast("list[Row]", self._stored(object_id)["passwordCredentials"])
        number = sum(name == "add_password" for name, _ in self.calls)
        made: Row = {
            "keyId": f"key-{number}",
            "displayName": display_name,
            "endDateTime": end,
        }
        held.append(made)
        return dict(made), Secret(f"value-of-key-{number}")

    def remove_password(self, object_id: str, key_id: str) -> None:
        """Remove a client secret."""
        self._note("remove_password", object_id, key_id)
        stored = self._stored(object_id)
        held = cast("list[Row]", stored["passwordCredentials"])
        if key_id not in [c["keyId"] for c in held]:
            raise ServiceRefused("no such key", code="Request_BadRequest")
        stored["passwordCredentials"] = [c for c in held if c["keyId"] != key_id]

    def service_principal_by_app_id(self, app_id: str) -> Row | None:
        """Return a service principal by its appId."""
        self._note("service_principal_by_app_id", app_id)
        return self._one(self.principals, "appId", app_id)

    def service_principal(self, object_id: str) -> Row | None:
        """Return a service principal by its object ID."""
        self._note("service_principal", object_id)
        return self._one(self.principals, "id", object_id)

    def create_service_principal(self, body: Mapping[str, object]) -> Row:
        """Create a service principal."""
        self._note("create_service_principal", body)
        made: Row = {"id": PRINCIPAL, "accountEnabled": True, **body}
        self.principals.append(made)
        return dict(made)

    def delete_service_principal(self, object_id: str) -> None:
        """Delete a service principal."""
        self._note("delete_service_principal", object_id)
        self.principals = [p for p in self.principals if p["id"] != object_id]

    def app_role_assignments(self, object_id: str) -> list[Row]:
        """Return what a service principal is granted."""
        self._note("app_role_assignments", object_id)
        return copy.deepcopy(self.assignments)

    def grant_app_role(
        self, object_id: str, *, resource_id: str, app_role_id: str
    ) -> Row:
        """Grant an app role."""
        self._note("grant_app_role", object_id, resource_id, app_role_id)
        made: Row = {
            "id": "assignment-1",
            "principalId": object_id,
            "resourceId": resource_id,
            "appRoleId": app_role_id,
        }
        self.assignments.append(made)
        return dict(made)

    def revoke_app_role(self, object_id: str, assignment_id: str) -> None:
        """Revoke an app role."""
        self._note("revoke_app_role", object_id, assignment_id)
        self.assignments = [a for a in self.assignments if a["id"] != assignment_id]

    def delegated_grants(self, object_id: str) -> list[Row]:
        """Return the delegated grants."""
        self._note("delegated_grants", object_id)
        return copy.deepcopy(self.grants)

    def directory_roles(self, object_id: str) -> list[Row]:
        """Return the directory roles."""
        self._note("directory_roles", object_id)
        return copy.deepcopy(self.roles)

    def default_app_management_policy(self) -> Row:
        """Return the tenant's policy for credentials."""
        self._note("default_app_management_policy")
        return copy.deepcopy(self.policy)

    def security_defaults_enabled(self) -> bool:
        """Return whether security defaults are on."""
        self._note("security_defaults_enabled")
        return self.security_defaults


@dataclass
class FakeExchange:
    """Mailbox, service principals, permissions and traces of one organization."""

    calls: Calls = field(default_factory=list)
    mailboxes: dict[str, Row] = field(default_factory=dict)
    cas: dict[str, Row] = field(default_factory=dict)
    transport: Row = field(default_factory=dict)
    domains: list[Row] = field(default_factory=list)
    principals: list[Row] = field(default_factory=list)
    permissions: list[Row] = field(default_factory=list)
    send_as: set[tuple[str, str]] = field(default_factory=set)
    organization: Row = field(default_factory=dict)
    traces: list[Row] = field(default_factory=list)

    def _note(self, name: str, *arguments: object) -> None:
        self.calls.append((name, copy.deepcopy(arguments)))

    def mailbox(self, identity: str) -> Row | None:
        """Return a mailbox."""
        self._note("mailbox", identity)
        return copy.deepcopy(self.mailboxes.get(identity))

    def cas_mailbox(self, identity: str) -> Row | None:
        """Return a mailbox's protocol settings."""
        self._note("cas_mailbox", identity)
        return copy.deepcopy(self.cas.get(identity))

    def set_cas_mailbox(self, identity: str, **settings: object) -> None:
        """Change protocol settings."""
        self._note("set_cas_mailbox", identity, settings)
        self.cas[identity].update(settings)

    def transport_config(self) -> Row:
        """Return the organization's transport settings."""
        self._note("transport_config")
        return copy.deepcopy(self.transport)

    def accepted_domains(self) -> list[Row]:
        """Return the accepted domains."""
        self._note("accepted_domains")
        return copy.deepcopy(self.domains)

    def service_principal(self, identity: str) -> Row | None:
        """Return a service principal by AppId or ObjectId."""
        self._note("service_principal", identity)
        for row in self.principals:
            if identity in (row["AppId"], row["ObjectId"]):
                return copy.deepcopy(row)
        return None

    def new_service_principal(
        self, *, app_id: str, object_id: str, display_name: str
    ) -> Row:
        """Register a service principal."""
        self._note("new_service_principal", app_id, object_id, display_name)
        made: Row = {
            "AppId": app_id,
            "ObjectId": object_id,
            "DisplayName": display_name,
            "Sid": "S-1-5-21-1",
        }
        self.principals.append(made)
        return dict(made)

    def remove_service_principal(self, identity: str) -> None:
        """Remove a service principal."""
        self._note("remove_service_principal", identity)
        self.principals = [p for p in self.principals if p["ObjectId"] != identity]

    def mailbox_permissions(self, identity: str) -> list[Row]:
        """Return the permission rows."""
        self._note("mailbox_permissions", identity)
        return copy.deepcopy(self.permissions)

    def add_mailbox_permission(
        self, identity: str, *, user: str, rights: Sequence[str], auto_mapping: bool
    ) -> None:
        """Add a permission; the row shows the service principal's SID."""
        self._note("add_mailbox_permission", identity, user, rights, auto_mapping)
        row: Row = {"User": "S-1-5-21-1", "AccessRights": list(rights)}
        self.permissions.append({**row, "IsInherited": False, "Deny": False})

    def remove_mailbox_permission(
        self, identity: str, *, user: str, rights: Sequence[str]
    ) -> None:
        """Remove a permission."""
        self._note("remove_mailbox_permission", identity, user, rights)
        self.permissions = [p for p in self.permissions if p["User"] != "S-1-5-21-1"]

    def recipient_permissions(self, identity: str, *, trustee: str) -> list[Row]:
        """Return the trustee's row, under another name than it was given."""
        self._note("recipient_permissions", identity, trustee)
        row: Row = {"Trustee": "S-1-5-21-1", "AccessRights": ["SendAs"]}
        held = (identity, trustee) in self.send_as
        return [{**row, "AccessControlType": "Allow"}] if held else []

    def add_recipient_permission(self, identity: str, *, trustee: str) -> None:
        """Grant Send As."""
        self._note("add_recipient_permission", identity, trustee)
        self.send_as.add((identity, trustee))

    def remove_recipient_permission(self, identity: str, *, trustee: str) -> None:
        """Take Send As."""
        self._note("remove_recipient_permission", identity, trustee)
        self.send_as.remove((identity, trustee))

    def organization_config(self) -> Row:
        """Return the organization's settings."""
        self._note("organization_config")
        return copy.deepcopy(self.organization)

    def set_organization_config(self, **settings: object) -> None:
        """Change them."""
        self._note("set_organization_config", settings)
        self.organization.update(settings)

    def message_trace(
        self,
        *,
        start: str,
        end: str,
        message_id: str | None = None,
        recipient: str | None = None,
        subject: str | None = None,
    ) -> list[Row]:
        """Return traces."""
        self._note("message_trace", start, end, message_id, recipient, subject)
        return copy.deepcopy(self.traces)


@dataclass
class FakeSubmission:
    """An SMTP host."""

    calls: Calls = field(default_factory=list)
    facts: EndpointFacts | Exception | None = None
    refusal: Exception | None = None
    refusals: dict[str, Exception] = field(default_factory=dict)
    sent: list[EmailMessage] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    text: str = "2.0.0 OK"

    def observe_endpoint(self, host: str, port: int = 587) -> EndpointFacts:
        """Return what the endpoint shows."""
        self.calls.append(("observe_endpoint", (host, port)))
        if not isinstance(self.facts, EndpointFacts):
            raise self.facts or AssertionError("not prepared")
        return self.facts

    def sign_in(
        self,
        host: str,
        port: int = 587,
        *,
        mailbox: str,
        token: Secret,
        initial_response: bool = False,
    ) -> Dialogue:
        """Sign in."""
        self.calls.append(("sign_in", (host, port, mailbox, token.reveal())))
        if self.refusal is not None:
            raise self.refusal
        return Dialogue(("S: 235 2.7.0",), 235, "2.7.0", "ok", {})

    def send(
        self,
        host: str,
        port: int = 587,
        *,
        mailbox: str,
        token: Secret,
        message: EmailMessage,
        recipients: Sequence[str],
        sending: Callable[[], None] = lambda: None,
        sender: str | None = None,
    ) -> Dialogue:
        """Send a message."""
        self.calls.append(("send", (host, port, mailbox, tuple(recipients))))
        refusal = self.refusal or self.refusals.get(sender or mailbox)
        if refusal is not None:
            raise refusal
        self.envelopes.append(sender or mailbox)
        sending()
        self.sent.append(message)
        return Dialogue(("S: 250 2.0.0",), 250, "2.0.0", self.text, {})


@dataclass
class FakeResolver:
    """A DNS server."""

    values: tuple[str, ...] = ("203.0.113.66",)
    calls: Calls = field(default_factory=list)

    def addresses(self, host: str) -> Answer:
        """Return the addresses of a host."""
        self.calls.append(("addresses", (host,)))
        status = "NOERROR" if self.values else "NXDOMAIN"
        return Answer(host, "A+AAAA", self.values, f"{host}.", "dns:53", status)


@dataclass
class FakeSink:
    """A place for secrets; `readable` is false for a sealed one."""

    reference: str = "file:/sink"
    values: dict[str, Secret] = field(default_factory=dict)
    readable: bool = True
    writable: bool = True
    full: bool = False
    calls: Calls = field(default_factory=list)

    def prove_writable(self) -> None:
        """Refuse if the sink is not writable."""
        self.calls.append(("prove_writable", ()))
        if not self.writable:
            raise InputError("the sink cannot be written")

    def store(self, name: str, secret: Secret) -> Mapping[str, object]:
        """Store a secret."""
        self.calls.append(("store", (name,)))
        if self.full:
            raise InputError("no space left")
        self.values[name] = secret
        return {"reference": self.reference}

    def holds(self, name: str) -> bool:
        """Tell whether a secret is there."""
        return name in self.values

    def read(self, name: str) -> Secret | None:
        """Return a secret."""
        return self.values.get(name) if self.readable else None

    def remove(self, name: str) -> None:
        """Remove a secret."""
        self.calls.append(("remove", (name,)))
        self.values.pop(name, None)


@dataclass
class FakeEntra:
    """A token endpoint for one application."""

    claims: Mapping[str, object] | Exception
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def token(self, scope: str, *, fresh: bool = False) -> AccessToken:
        """Return a token."""
        self.asked.append((scope, fresh))
        if isinstance(self.claims, Exception):
            raise self.claims
        return AccessToken(
            Secret("the-token"), self.claims, {"kid": "k"}, "a" * 64, 3600
        )


@dataclass
class FakeSession:
    """What a step may use of a session."""

    run: str = RUN
    graph: FakeGraph = field(default_factory=FakeGraph)
    exchange: FakeExchange = field(default_factory=FakeExchange)
    submission: FakeSubmission = field(default_factory=FakeSubmission)
    resolver: FakeResolver = field(default_factory=FakeResolver)
    sink: FakeSink = field(default_factory=FakeSink)
    operator: dict[str, FakeEntra] = field(default_factory=dict)
    sap: FakeEntra = field(default_factory=lambda: FakeEntra({}))
    clients: list[tuple[str, str]] = field(default_factory=list)
    now: Callable[[], datetime] = lambda: NOW
    sapcontrol: SapControl | None = None
    btp: BtpCommunication | None = None

    @property
    def mark(self) -> str:
        """Return the mark of the run."""
        return f"runbook:{self.run}"

    @property
    def tenant(self) -> SimpleNamespace:
        """Return what steps use of a tenant: its endpoints."""
        endpoints = SimpleNamespace(
            graph="graph.microsoft.com",
            exchange_scope="https://outlook.office365.com/.default",
        )
        return SimpleNamespace(endpoints=endpoints)

    def operator_token(self, resource: str) -> AccessToken:
        """Return the operator's token."""
        return self.operator[resource].token(resource)

    def application_client(self, app_id: str, credential: Secret) -> FakeEntra:
        """Return a client that signs in as the SAP application."""
        self.clients.append((app_id, credential.reveal()))
        return self.sap

    def calls(self) -> list[str]:
        """Return the names of all methods that were called, by service."""
        services: dict[str, Any] = {
            "graph": self.graph,
            "exchange": self.exchange,
            "submission": self.submission,
            "resolver": self.resolver,
            "sink": self.sink,
        }
        return [f"{s}.{name}" for s, f in services.items() for name, _ in f.calls]


def seen_as(fake: FakeSession) -> Session:
    """Return a fake as the session that a step expects."""
    return cast("Session", fake)
