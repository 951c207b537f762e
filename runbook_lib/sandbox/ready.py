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
from runbook_lib.sandbox.hosts import BTP_SUFFIX, SAP_SUFFIX, Cloud, vault_name
from runbook_lib.sandbox.loopback import LOOPBACK
from runbook_lib.sandbox.seed import Plan
from runbook_lib.sandbox.seed_sap import communication_url, sapcontrol_url
from runbook_lib.sandbox.state import JsonObject, Sandbox

EXTERNAL_RECIPIENT = "postmaster@fabrikam.example"

# libyaml where it is there: thousands of tenant files take a while otherwise.
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# How long a run looks again, in seconds: short, because nothing here is slow.
WINDOWS = {"visibility": 5, "effect": 5, "trace": 10}
# The SAP system that people play; an offset with a change twice a year.
SAP_TIME_ZONE = "Europe/Berlin"


@dataclass(frozen=True)
class Ports:
    """Where the servers of one sandbox listen, all on 127.0.0.1."""

    https: int
    proxy: int
    submission: int
    mx: int
    dns: int
    plain: int


def write_files(
    sandbox: Sandbox,
    ready_file: Path,
    log_file: Path,
    ports: Ports,
    plans: dict[str, Plan],
    authority_pem: str,
    control_token: str,
) -> None:
    """Write the authority, the tenants' files and at last the ready file."""
    folder = ready_file.parent
    ca_file = folder / "ca.pem"
    write_private(ca_file, authority_pem)
    cloud = sandbox.cloud
    tenants = []
    for plan in plans.values():
        tenant_file = _write_tenant(folder, cloud, plan, ports, ca_file)
        tenants.append(_ready_tenant(cloud, plan, tenant_file))
    ready = {
        "cloud": cloud.name,
        "https": f"https://{LOOPBACK}:{ports.https}",
        "proxy": f"http://{LOOPBACK}:{ports.proxy}",
        "submission": f"{LOOPBACK}:{ports.submission}",
        "mx": f"{LOOPBACK}:{ports.mx}",
        "dns": f"{LOOPBACK}:{ports.dns}",
        "identity_endpoint": f"http://{LOOPBACK}:{ports.plain}/msi/token",
        "timestamp_authority": f"http://{LOOPBACK}:{ports.plain}/timestamp",
        "ca_file": str(ca_file),
        "log_file": str(log_file),
        "tenants": tenants,
        "control_token": control_token,
        "pid": os.getpid(),
    }
    write_private(ready_file, json.dumps(ready, indent=1) + "\n")


def _ready_tenant(cloud: Cloud, plan: Plan, tenant_file: Path) -> JsonObject:
    """Return a tenant's entry of the ready file."""
    initial_domain = f"{plan.name}.{cloud.initial_suffix}"
    return {
        "name": plan.name,
        "tenant_id": plan.tenant_id,
        "domain": plan.domain,
        "mailbox": f"sap@{plan.domain}",
        "operator_client_id": plan.operator.client_id,
        "operator_client_secret": plan.operator.client_secret,
        "tenant_file": str(tenant_file),
        "vault": _vault(cloud, plan),
        "identity_header": plan.identity_header,
        "sapcontrol": sapcontrol_url(plan.name),
        "communication_management": communication_url(plan.name),
        "sap_users": plan.sap_users,
        "users": {
            f"{local}@{initial_domain}": password
            for local, password in plan.people.items()
        },
    }


def _vault(cloud: Cloud, plan: Plan) -> str:
    """Return the address of a tenant's vault."""
    return f"https://{vault_name(plan.name)}.{cloud.vault_suffix}"


def _write_tenant(
    folder: Path, cloud: Cloud, plan: Plan, ports: Ports, ca_file: Path
) -> Path:
    """Write secret file and tenant file; return the path of the latter."""
    secret_file = folder / f"operator-secret-{plan.name}"
    write_private(secret_file, plan.operator.client_secret)
    content = {
        "schema": 1,
        "name": plan.name,
        "tenant_id": plan.tenant_id,
        "cloud": cloud.name,
        "target": "sandbox",
        "initial_domain": f"{plan.name}.{cloud.initial_suffix}",
        "domain": plan.domain,
        "mailbox": f"sap@{plan.domain}",
        "operator": {
            "client_id": plan.operator.client_id,
            "secret": f"file:{secret_file}",
        },
        "recipients": {
            "internal": f"inbox@{plan.domain}",
            "external": EXTERNAL_RECIPIENT,
        },
        "secret_sink": f"file:{folder / f'client-secret-{plan.name}'}",
        "sap_time_zone": SAP_TIME_ZONE,
        "windows": dict(WINDOWS),
        "connect_to": _connections(cloud, plan, ports),
        "ca_file": str(ca_file),
    }
    tenant_file = folder / f"{plan.name}.yaml"
    write_private(tenant_file, yaml.dump(content, Dumper=DUMPER, sort_keys=False))
    return tenant_file


def _connections(cloud: Cloud, plan: Plan, ports: Ports) -> list[str]:
    """Return where the cloud's hosts really listen, as `host:port -> address:port`."""
    asked = (
        (cloud.login[0], 443, ports.https),
        (cloud.graph, 443, ports.https),
        (cloud.exchange[0], 443, ports.https),
        (f"{vault_name(plan.name)}.{cloud.vault_suffix}", 443, ports.https),
        (f"{plan.name}.{SAP_SUFFIX}", 50014, ports.https),
        (f"{plan.name}.{BTP_SUFFIX}", 443, ports.https),
        (cloud.submission[0], 587, ports.submission),
        (cloud.mx_name(plan.domain), 25, ports.mx),
        ("dns", 53, ports.dns),
    )
    return [f"{host}:{port} -> {LOOPBACK}:{real}" for host, port, real in asked]
