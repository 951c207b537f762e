"""The open clients of one tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from runbook_lib.clients.basic_sign_in import BasicSignIn
from runbook_lib.clients.btp_communication import BtpCommunication
from runbook_lib.clients.dns import Resolver
from runbook_lib.clients.entra import AccessToken, EntraClient
from runbook_lib.clients.exchange import ExchangeClient
from runbook_lib.clients.graph import GraphClient
from runbook_lib.clients.http import Traffic, Wire, open_http
from runbook_lib.clients.key_vault import KeyVault, VaultAddress
from runbook_lib.clients.managed_identity import ManagedIdentity
from runbook_lib.clients.pacing import Pace, SharedPace
from runbook_lib.clients.sapcontrol import SapControl
from runbook_lib.clients.sinks import Sink, open_sink, resolve_secret
from runbook_lib.clients.smtp import SubmissionClient
from runbook_lib.secret import Mask, Secret, SecretReference, mask_logging
from runbook_lib.tenant import Tenant
from runbook_lib.tenant_sap import BtpEnvironment, SapControlService

MARK = "runbook:"
PACE = "RUNBOOK_PACE"  # the variable that names the folder of the shared pace


@dataclass(frozen=True)
class Session:
    """Clients signed in as the operator, and what a step may know of its run.

    `run` is the run id, `now` the clock. Steps use no other clock, no
    environment and no file but through here. `sapcontrol` and `btp` are None where
    the tenant file names no such service.
    """

    tenant: Tenant
    run: str
    mask: Mask
    http: httpx.Client
    entra: EntraClient
    graph: GraphClient
    exchange: ExchangeClient
    submission: SubmissionClient
    resolver: Resolver
    sink: Sink
    now: Callable[[], datetime]
    sapcontrol: SapControl | None = None
    btp: BtpCommunication | None = None

    @property
    def mark(self) -> str:
        """Return the text by which an object that this run made is recognised."""
        return f"{MARK}{self.run}"

    def application_client(self, app_id: str, credential: Secret) -> EntraClient:
        """Return a client that asks for tokens as the SAP application."""
        return EntraClient(
            self.http,
            authority=authority(self.tenant),
            tenant_id=str(self.tenant.tenant_id),
            client_id=app_id,
            credential=self.mask.add(credential),
            mask=self.mask,
            instance_discovery=self.tenant.target == "real",
        )

    def operator_token(self, resource: str) -> AccessToken:
        """Return the operator's token for `graph` or `exchange`."""
        return self.entra.token(scope(self.tenant, resource))

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def authority(tenant: Tenant) -> str:
    """Return the authority URL of the tenant's directory."""
    return f"https://{tenant.endpoints.login}/{tenant.tenant_id}"


def scope(tenant: Tenant, resource: str) -> str:
    """Return the `.default` scope of `graph` or `exchange` in the tenant's cloud."""
    if resource == "graph":
        return f"https://{tenant.endpoints.graph}/.default"
    return tenant.endpoints.exchange_scope


def wire_of(tenant: Tenant, proxy: str | None) -> Wire:
    """Return how the tenant's hosts are reached."""
    return Wire(
        connect_to={
            (r.host, r.port): (r.address, r.address_port) for r in tenant.routes()
        },
        ca_file=Path(tenant.ca_file) if tenant.ca_file else None,
        proxy=tenant.proxy or proxy,
        direct=tenant.sap.within(),
        plain=tenant.sap.without_tls(),
    )


def pace_of(tenant: Tenant, environment: Mapping[str, str]) -> Pace | None:
    """Return the pace that a batch shares among its processes; None without one."""
    folder = environment.get(PACE)
    return SharedPace(Path(folder), str(tenant.tenant_id)) if folder else None


def open_session(
    tenant: Tenant,
    *,
    run: str,
    environment: Mapping[str, str],
    traffic: Traffic,
    mask: Mask,
    sink_folder: Path,
    proxy: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Session:
    """Resolve the operator's secret and open the clients; nothing is sent yet.

    `sink_folder` is where sealed files of an `age:` sink go.

    Raises:
        InputError: the secret or the sink cannot be used as referred to.
    """
    mask_logging(mask)
    wire = wire_of(tenant, proxy)
    http = open_http(wire, traffic, mask, pace=pace_of(tenant, environment))
    reference = SecretReference.parse(tenant.operator.secret)
    identity = partial(_vault_by_identity, http, environment, mask)
    secret_of = partial(_secret, environment, identity)
    credential = mask.add(resolve_secret(reference, environment, identity))
    entra = EntraClient(
        http,
        authority=authority(tenant),
        tenant_id=str(tenant.tenant_id),
        client_id=str(tenant.operator.client_id),
        credential=credential,
        mask=mask,
        instance_discovery=tenant.target == "real",
    )
    return Session(
        tenant=tenant,
        run=run,
        mask=mask,
        http=http,
        entra=entra,
        graph=_graph(tenant, http, entra),
        exchange=_exchange(tenant, http, entra),
        submission=SubmissionClient(wire, traffic, mask),
        resolver=Resolver(traffic, server=wire.connect_to.get(("dns", 53))),
        sink=open_sink(
            SecretReference.parse(tenant.secret_sink),
            sandbox=tenant.target == "sandbox",
            directory=sink_folder,
            open_vault=partial(_vault_by_operator, http, entra, mask),
        ),
        now=now,
        sapcontrol=_sapcontrol(tenant.sap.sapcontrol, http, secret_of, mask),
        btp=_btp(tenant.sap.btp, http, secret_of, mask),
    )


SecretOf = Callable[[str], Secret]


def _secret(
    environment: Mapping[str, str],
    open_vault: Callable[[VaultAddress], KeyVault],
    reference: str,
) -> Secret:
    """Return the secret of a reference, when it is needed."""
    return resolve_secret(SecretReference.parse(reference), environment, open_vault)


def _sapcontrol(
    service: SapControlService | None,
    http: httpx.Client,
    secret_of: SecretOf,
    mask: Mask,
) -> SapControl | None:
    if service is None:
        return None
    if service.user is None or service.password is None:
        return SapControl(http, service.url)
    password = partial(secret_of, service.password)
    return SapControl(http, service.url, BasicSignIn(service.user, password, mask))


def _btp(
    environment: BtpEnvironment | None,
    http: httpx.Client,
    secret_of: SecretOf,
    mask: Mask,
) -> BtpCommunication | None:
    if environment is None:
        return None
    password = partial(secret_of, environment.password)
    sign_in = BasicSignIn(environment.user, password, mask)
    return BtpCommunication(http, environment.url, sign_in)


def _graph(tenant: Tenant, http: httpx.Client, entra: EntraClient) -> GraphClient:
    return GraphClient(
        http,
        base=f"https://{tenant.endpoints.graph}/v1.0",
        token=lambda: entra.token(scope(tenant, "graph")).secret,
    )


def _exchange(tenant: Tenant, http: httpx.Client, entra: EntraClient) -> ExchangeClient:
    return ExchangeClient(
        http,
        base=f"https://{tenant.endpoints.exchange}",
        tenant_id=str(tenant.tenant_id),
        anchor=anchor(tenant),
        token=lambda: entra.token(scope(tenant, "exchange")).secret,
    )


def _vault_by_identity(
    http: httpx.Client,
    environment: Mapping[str, str],
    mask: Mask,
    address: VaultAddress,
) -> KeyVault:
    """Open a vault as the machine's managed identity: the operator has no secret yet.

    Raises:
        InputError: the machine has none.
    """
    identity = ManagedIdentity(environment, mask)
    token = partial(identity.token, address.scope)
    return KeyVault(http, address.vault, token=token, mask=mask)


def _vault_by_operator(
    http: httpx.Client, entra: EntraClient, mask: Mask, address: VaultAddress
) -> KeyVault:
    """Open a vault as the operator."""
    return KeyVault(
        http,
        address.vault,
        token=lambda: entra.token(address.scope).secret,
        mask=mask,
    )


def anchor(tenant: Tenant) -> str:
    """Return the routing hint of an app-only session.

    Source: the system mailbox that the Exchange Online module names.
    """
    mailbox = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
    return f"UPN:{mailbox}@{tenant.initial_domain}"
