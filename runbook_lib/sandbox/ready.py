"""The files a sandbox leaves for whoever started it, all of mode 0600.

Beside the ready file stand the authority's certificate, and for each tenant a
tenant file and a file with the operator's secret. The ready file is written last
and at once: when it is there, every port answers.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from runbook_lib.sandbox.files import write_private
from runbook_lib.sandbox.hosts import EXCHANGE, GRAPH, LOGIN, SUBMISSION, mx_name
from runbook_lib.sandbox.seed import Operator
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

LOOPBACK = "127.0.0.1"
EXTERNAL_RECIPIENT = "postmaster@fabrikam.example"

# How long a run looks again, in seconds: short, because nothing here is slow.
WINDOWS = {"visibility": 5, "effect": 5, "trace": 10}


@dataclass(frozen=True)
class Ports:
    """Where the servers of one sandbox listen, all on 127.0.0.1."""

    https: int
    proxy: int
    submission: int
    mx: int
    dns: int


def write_files(
    sandbox: Sandbox,
    ready_file: Path,
    log_file: Path,
    ports: Ports,
    operators: dict[str, Operator],
    authority_pem: str,
    control_token: str,
) -> None:
    """Write the authority, the tenants' files and at last the ready file."""
    folder = ready_file.parent
    ca_file = folder / "ca.pem"
    write_private(ca_file, authority_pem)
    tenants = []
    for tenant in sandbox.tenants.values():
        operator = operators[tenant.tenant_id]
        tenant_file = _write_tenant(folder, tenant, operator, ports, ca_file)
        tenants.append(_ready_tenant(tenant, operator, tenant_file))
    ready = {
        "https": f"https://{LOOPBACK}:{ports.https}",
        "proxy": f"http://{LOOPBACK}:{ports.proxy}",
        "submission": f"{LOOPBACK}:{ports.submission}",
        "mx": f"{LOOPBACK}:{ports.mx}",
        "dns": f"{LOOPBACK}:{ports.dns}",
        "ca_file": str(ca_file),
        "log_file": str(log_file),
        "tenants": tenants,
        "control_token": control_token,
        "pid": os.getpid(),
    }
    write_private(ready_file, json.dumps(ready, indent=1) + "\n")


def _ready_tenant(tenant: Tenant, operator: Operator, tenant_file: Path) -> JsonObject:
    """Return a tenant's entry of the ready file."""
    return {
        "name": tenant.name,
        "tenant_id": tenant.tenant_id,
        "domain": tenant.domain,
        "mailbox": f"sap@{tenant.domain}",
        "operator_client_id": operator.client_id,
        "operator_client_secret": operator.client_secret,
        "tenant_file": str(tenant_file),
    }


def _write_tenant(
    folder: Path, tenant: Tenant, operator: Operator, ports: Ports, ca_file: Path
) -> Path:
    """Write secret file and tenant file; return the path of the latter."""
    secret_file = folder / f"operator-secret-{tenant.name}"
    write_private(secret_file, operator.client_secret)
    content = {
        "schema": 1,
        "name": tenant.name,
        "tenant_id": tenant.tenant_id,
        "cloud": "global",
        "target": "sandbox",
        "initial_domain": tenant.initial_domain,
        "domain": tenant.domain,
        "mailbox": f"sap@{tenant.domain}",
        "operator": {
            "client_id": operator.client_id,
            "secret": f"file:{secret_file}",
        },
        "recipients": {
            "internal": f"inbox@{tenant.domain}",
            "external": EXTERNAL_RECIPIENT,
        },
        "secret_sink": f"file:{folder / f'client-secret-{tenant.name}'}",
        "windows": dict(WINDOWS),
        "connect_to": _connections(tenant, ports),
        "ca_file": str(ca_file),
    }
    tenant_file = folder / f"{tenant.name}.yaml"
    write_private(tenant_file, yaml.safe_dump(content, sort_keys=False))
    return tenant_file


def _connections(tenant: Tenant, ports: Ports) -> list[str]:
    """Return where the cloud's hosts really listen, as `host:port -> address:port`."""
    asked = (
        (LOGIN[0], 443, ports.https),
        (GRAPH[0], 443, ports.https),
        (EXCHANGE[0], 443, ports.https),
        (SUBMISSION[0], 587, ports.submission),
        (mx_name(tenant.domain), 25, ports.mx),
        ("dns", 53, ports.dns),
    )
    return [f"{host}:{port} -> {LOOPBACK}:{real}" for host, port, real in asked]
