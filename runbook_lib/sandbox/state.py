"""What the sandbox knows: plain data, no input or output.

All servers run in one event loop of one process and share one `Sandbox`.
A handler that reads and then writes does so without an `await` in between, or
holds `sandbox.lock`; nothing else guards the data.

**Shapes.** Whatever a service shows is kept as the JSON object that the service
returns, under the service's own property names (`appId`, `AccessRights`).
What a service never shows (the hash of a secret, a lag that is still running)
is kept beside it, never inside.

**Sandbox** — `tenants` by tenant id, `tenant("contoso.com")` by id or verified
domain, `now()` for every stored date, `ids` for ids outside a tenant, `faults`
(see `faults.py`), `log` (see `log.py`), `broken` and `holds(ROW)` (see
`behaviours.py`), `dns` (name in lower case without final dot -> record type ->
rdata texts in zone-file form, for example
`{"contoso.com": {"MX": ["0 contoso-com.mail.protection.outlook.com."]}}`).

**Tenant** — the Entra side, and `exchange` for the Exchange side:

* `applications`, `service_principals`: object id -> object as Graph returns it.
* `secret_hashes`: keyId -> SHA-256 of the secret text.
* `directory_role_assignments`: `principalId`, `roleDefinitionId` (the template
  id); `role_templates_of(principal)` gives the ids. The `wids` claim of a token
  holds the same list as it was when the token was issued.

**ExchangeOrganization** — `mailboxes` by primary address in lower case. Each
`Mailbox` holds `mailbox` (Get-Mailbox), `cas` (Get-CASMailbox; the value
`SmtpClientAuthenticationDisabled` null means: as the organisation says),
`permissions` (Get-MailboxPermission rows), `recipient_permissions`
(Get-RecipientPermission rows), `sent` and `inbox` (messages as the SMTP side
keeps them). `service_principals`, `role_assignments`, `management_scopes`,
`inbound_connectors` are lists of objects as their Get- cmdlets return them.

**How servers are written.** `server.py` starts, in its loop,

* `smtp.start_submission(sandbox, host, port, ssl_context) -> asyncio.Server`
* `mx.start_mx(sandbox, host, port, ssl_context) -> asyncio.Server`
* `dns.start_dns(sandbox, host, port)` -> an object with `.port` and `.close()`
* `exchange.exchange_routes(sandbox) -> list[starlette.routing.BaseRoute]`, served
  for the host outlook.office365.com

and gives port 0 when any port will do. Bearer tokens are judged by
`tokens.verify_access_token(sandbox, text, audiences)`.
"""

import threading
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import trustme

from runbook_lib.sandbox.behaviours import known_rows
from runbook_lib.sandbox.faults import Faults
from runbook_lib.sandbox.hosts import GLOBAL, Cloud
from runbook_lib.sandbox.ids import IdSource
from runbook_lib.sandbox.log import AccessLog
from runbook_lib.sandbox.sap_system import SapSide
from runbook_lib.sandbox.sign_ins import SignIns

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class SentShare:
    """One submitted message: when it came and when it goes on (by the clock)."""

    at: float
    turn: float
    recipients: int


@dataclass
class HeldMessage:
    """A message above the rate: `folder` gets it at `turn`."""

    turn: float
    folder: list[JsonObject]
    message: JsonObject


@dataclass
class Mailbox:
    """One mailbox as the Exchange cmdlets see it, and the mail in it.

    `shares` are the messages that count for its limits, the newest last;
    `authentication_policy` is the name that Get-User shows.
    """

    mailbox: JsonObject
    cas: JsonObject
    permissions: list[JsonObject] = field(default_factory=list)
    recipient_permissions: list[JsonObject] = field(default_factory=list)
    sent: list[JsonObject] = field(default_factory=list)
    inbox: list[JsonObject] = field(default_factory=list)
    junk: list[JsonObject] = field(default_factory=list)
    shares: list[SentShare] = field(default_factory=list)
    authentication_policy: str | None = None


@dataclass
class TraceEntry:
    """One message and recipient in the message trace.

    `row` is what Get-MessageTraceV2 shows once the message has arrived at its end,
    `details` what Get-MessageTraceDetailV2 shows. `arrived` is the real moment;
    `reads_left` counts the reads that do not see the row yet, `interim` is the
    status shown by the read after these. Until the clock is at `turn` the message
    is pending.
    """

    row: JsonObject
    details: list[JsonObject]
    arrived: datetime
    reads_left: int = 0
    interim: str | None = None
    turn: float = 0.0


@dataclass
class ExchangeOrganization:
    """The Exchange Online side of one tenant.

    `group_members` maps the GUID of a group to the GUIDs of its mailboxes. `licenses`
    is how many of Exchange Online there are, 0 for a trial; `external` counts external
    recipients: when by the clock, and how many.
    """

    transport_config: JsonObject = field(default_factory=dict)
    organization_config: JsonObject = field(default_factory=dict)
    accepted_domains: list[JsonObject] = field(default_factory=list)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    service_principals: list[JsonObject] = field(default_factory=list)
    management_scopes: list[JsonObject] = field(default_factory=list)
    role_assignments: list[JsonObject] = field(default_factory=list)
    inbound_connectors: list[JsonObject] = field(default_factory=list)
    authentication_policies: list[JsonObject] = field(default_factory=list)
    groups: list[JsonObject] = field(default_factory=list)
    group_members: dict[str, list[str]] = field(default_factory=dict)
    traces: list[TraceEntry] = field(default_factory=list)
    held: list[HeldMessage] = field(default_factory=list)
    role_groups: list[JsonObject] = field(default_factory=list)
    role_group_members: dict[str, list[str]] = field(default_factory=dict)
    licenses: int = 25
    external: list[tuple[float, int]] = field(default_factory=list)


@dataclass
class KeyVault:
    """The one vault of a tenant.

    `secrets` maps a name in lower case to its versions, the newest last; `deleted`
    holds what was deleted and not purged. `values` maps the id of a version to its
    text. `roles` maps the object id of a principal to its Azure role.
    """

    secrets: dict[str, list[JsonObject]] = field(default_factory=dict)
    deleted: dict[str, list[JsonObject]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)


@dataclass
class Tenant:
    """One tenant: its Entra directory and its Exchange organisation.

    `name` is the short name (contoso), `initial_domain` the onmicrosoft.com one,
    `domain` the default mail domain. `owners` maps an application's object id to
    the object ids of its owners. `app_management_policies` maps an application's
    object id to the policies assigned to it; `default_app_management_policy` is
    the one that holds where none is assigned. `directory_role_ids` maps a role
    template id to the id of the tenant's own directory role. `users` are the people
    who can sign in; `password_hashes` maps their ids to SHA-256 of the password.
    `sap` is null until somebody looks at the SAP side (`seed_sap.sap_side`).
    """

    tenant_id: str
    name: str
    display_name: str
    initial_domain: str
    domain: str
    ids: IdSource
    created: datetime
    applications: dict[str, JsonObject] = field(default_factory=dict)
    service_principals: dict[str, JsonObject] = field(default_factory=dict)
    app_role_assignments: dict[str, JsonObject] = field(default_factory=dict)
    oauth2_permission_grants: dict[str, JsonObject] = field(default_factory=dict)
    secret_hashes: dict[str, str] = field(default_factory=dict)
    owners: dict[str, list[str]] = field(default_factory=dict)
    directory_role_assignments: dict[str, JsonObject] = field(default_factory=dict)
    directory_role_ids: dict[str, str] = field(default_factory=dict)
    domains: dict[str, JsonObject] = field(default_factory=dict)
    service_configuration_records: dict[str, list[JsonObject]] = field(
        default_factory=dict
    )
    security_defaults_enabled: bool = False
    default_app_management_policy: JsonObject = field(default_factory=dict)
    app_management_policies: dict[str, list[JsonObject]] = field(default_factory=dict)
    deleted_items: dict[str, JsonObject] = field(default_factory=dict)
    users: dict[str, JsonObject] = field(default_factory=dict)
    password_hashes: dict[str, str] = field(default_factory=dict)
    vault: KeyVault = field(default_factory=KeyVault)
    sap: SapSide | None = None
    exchange: ExchangeOrganization = field(default_factory=ExchangeOrganization)

    def application_by_app_id(self, app_id: str) -> JsonObject | None:
        """Return the application with this client id."""
        return _by_app_id(self.applications, app_id)

    def service_principal_by_app_id(self, app_id: str) -> JsonObject | None:
        """Return the service principal with this client id."""
        return _by_app_id(self.service_principals, app_id)

    def role_templates_of(self, principal_id: str) -> list[str]:
        """Return the template ids of the directory roles that a principal holds."""
        return sorted(
            assignment["roleDefinitionId"]
            for assignment in self.directory_role_assignments.values()
            if assignment["principalId"] == principal_id
        )


@dataclass
class Sandbox:
    """Everything one sandbox process knows.

    `stored_now` is null for the real time, or the fixed moment that stands in
    every stored date. TLS and tokens never use it. `tenant_ids` maps a verified
    domain to its tenant, so that nobody looks through all tenants; `identity_headers`
    maps the header value of a managed identity to its tenant; `sap_users` a tenant
    to the users of its SAP systems with their passwords. `stamper` is the key
    of the time stamping authority, null before its first use.
    `authority` issues certificates for mail servers that play a client of the MX
    side; null in tests without it.
    `mail_conditions`: see `smtp_conditions.py`. `clock` counts the seconds of
    sending limits.
    """

    seed: int
    log: AccessLog
    faults: Faults = field(default_factory=Faults)
    broken: frozenset[str] = frozenset()
    stored_now: datetime | None = None
    cloud: Cloud = GLOBAL
    tenants: MutableMapping[str, Tenant] = field(default_factory=dict)
    tenant_ids: dict[str, str] = field(default_factory=dict)
    sign_ins: SignIns = field(default_factory=SignIns)
    identity_headers: dict[str, str] = field(default_factory=dict)
    sap_users: dict[str, dict[str, str]] = field(default_factory=dict)
    stamper: Any = None
    dns: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    authority: trustme.CA | None = None
    clock: Callable[[], float] = time.monotonic
    mail_conditions: dict[str, set[str]] = field(default_factory=dict)
    ids: IdSource = field(init=False)

    def __post_init__(self) -> None:
        """Start the ids that belong to no tenant."""
        self.ids = IdSource(f"{self.seed}/sandbox")

    def now(self) -> datetime:
        """Return the moment that a stored date gets, in UTC."""
        return self.stored_now or datetime.now(UTC)

    def tenant(self, identifier: str) -> Tenant | None:
        """Return the tenant with this id or verified domain."""
        wanted = identifier.lower()
        tenant = self.tenants.get(self.tenant_ids.get(wanted, wanted))
        known = tenant is not None and wanted in (tenant.tenant_id, *tenant.domains)
        return tenant if known else None

    def holds(self, row: str) -> bool:
        """Say whether the behaviour `row` of docs/sandbox.md is in force.

        Raises KeyError for a row that is not listed.
        """
        if row not in known_rows():
            raise KeyError(row)
        return row not in self.broken


def _by_app_id(objects: dict[str, JsonObject], app_id: str) -> JsonObject | None:
    """Return the first object whose appId is `app_id`, whatever its case."""
    wanted = app_id.lower()
    found = (entry for entry in objects.values() if entry["appId"] == wanted)
    return next(found, None)


def date_text(moment: datetime) -> str:
    """Write a moment the way Graph writes stored dates: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
