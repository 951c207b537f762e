"""The SAP side of a new tenant: one instance and one arrangement, both right.

Everything here is invented, in the forms that SAP's pages show. Ids come from a seed
of their own, so that all other ids stay what they were.
"""

import secrets
from typing import Any

from runbook_lib.sandbox.hosts import BTP_SUFFIX, SAP_SUFFIX, Cloud
from runbook_lib.sandbox.ids import IdSource
from runbook_lib.sandbox.sap_system import Entity, SapInstance, SapSide, Tables
from runbook_lib.sandbox.state import Sandbox, Tenant
from runbook_lib.sandbox.tokens import secret_hash

ADMINISTRATOR = "s4dadm"
OBSERVER = "s4dmon"
READER = "RUNBOOK_READER"
OTHER_READER = "PRINT_QUEUE"
USERS = (ADMINISTRATOR, OBSERVER, READER, OTHER_READER)

MANAGEMENT_SCENARIO = "SAP_COM_0A48"
MAIL_SCENARIO = "SAP_COM_0548"

PARAMETERS = {
    "SAPSYSTEMNAME": "S4D",
    "SAPSYSTEM": "00",
    "INSTANCE_NAME": "D00",
    "rdisp/start_icman": "true",
    "icm/server_port_0": "PROT=HTTPS,PORT=44300,TIMEOUT=60,PROCTIMEOUT=600",
    "icm/server_port_1": "PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1",
    "is/SMTP/virt_host_0": "*:25000;",
    "ssl/client_ciphersuites": "150:PFS:HIGH::EC_X25519:EC_P256:EC_HIGH",
    "icm/HTTPS/client_sni_enabled": "TRUE",
    "ssl/client_sni_enabled": "TRUE",
    "service/protectedwebmethods": "SDEFAULT",
}
COMPONENTS = (
    ("SAP_BASIS", "758", "0002", "S", "SAP Basis Component"),
    ("SAP_ABA", "75I", "0002", "S", "Cross-Application Component"),
    ("S4CORE", "108", "0002", "R", "S4CORE"),
)
KERNEL = (
    "793, patch 200, changelist 2191543, RKS compatibility level 1,"
    " opt (Feb  5 2024, 21:16:33), linuxx86_64"
)
TRACE = (
    'trc file: "dev_icm", trc level: 1, release: "793"',
    "[Thr 140112] *** SMTP port 25000 state changed: LISTEN",
    "[Thr 140112] IcmAddService: Service SMTP:25000 added",
)


def new_sap_passwords() -> dict[str, str]:
    """Return a password for each user of the SAP systems, random in each run."""
    return {name: secrets.token_urlsafe(12) for name in USERS}


def sapcontrol_url(tenant_name: str) -> str:
    """Return the address of the start service of a tenant's SAP instance."""
    return f"https://{tenant_name}.{SAP_SUFFIX}:50014"


def communication_url(tenant_name: str) -> str:
    """Return the address of a tenant's BTP ABAP environment."""
    return f"https://{tenant_name}.{BTP_SUFFIX}"


def sap_side(sandbox: Sandbox, tenant: Tenant) -> SapSide:
    """Return the SAP side of a tenant; it is made when somebody first looks at it.

    Most tenants of a fleet are never looked at there, and need no memory for it.
    """
    if tenant.sap is None:
        users = sandbox.sap_users.get(tenant.tenant_id, {})
        tenant.sap = new_side(sandbox, tenant)
        tenant.sap.password_hashes = {name: secret_hash(users[name]) for name in users}
    return tenant.sap


def new_side(sandbox: Sandbox, tenant: Tenant) -> SapSide:
    """Return instance and arrangement as they are at the beginning, without users."""
    ids = IdSource(f"{sandbox.seed}/{tenant.name}/sap")
    return SapSide(
        instance=new_instance(tenant.name),
        communication=new_communication(sandbox.cloud, tenant, ids),
        scenarios={READER: [MANAGEMENT_SCENARIO], OTHER_READER: ["SAP_COM_0466"]},
    )


def new_instance(tenant_name: str) -> SapInstance:
    """Return an instance that is ready to send."""
    instance = SapInstance(host=f"{tenant_name}.{SAP_SUFFIX}")
    instance.parameters = {**PARAMETERS, "SAPLOCALHOSTFULL": instance.host}
    names = ("component", "release", "patchlevel", "componenttype", "description")
    instance.components = [dict(zip(names, row, strict=True)) for row in COMPONENTS]
    folder = f"/usr/sap/{instance.sid}/{instance.name}/exe"
    instance.versions = [
        {
            "Filename": f"{folder}/{program}",
            "VersionInfo": KERNEL,
            "Time": "2024 02 06 10:11:12",
        }
        for program in ("sapstartsrv", "disp+work", "icman")
    ]
    instance.traces = {"dev_icm": list(TRACE)}
    return instance


def new_communication(cloud: Cloud, tenant: Tenant, ids: IdSource) -> Tables:
    """Return system and arrangement for mail, ready but for the client id.

    The client id is one that no application has: whoever sets SAP up puts in theirs.
    """
    login = f"{cloud.login[0]}/{tenant.tenant_id}/oauth2/v2.0"
    system, user, arrangement, client = (ids.guid() for _ in range(4))
    systems = _systems(system, user, client, cloud.submission[0], login)
    return {
        "aps_com_cs_a4c_odata": systems,
        "aps_com_ca_a4c_odata": _arrangements(
            arrangement,
            user,
            f"{cloud.exchange_resources[0]}/.default",
            f"sap@{tenant.domain}",
        ),
    }


def _systems(system: str, user: str, client: str, host: str, login: str) -> Any:
    """Return the tables of communication systems."""
    return {
        "CommunicationSystems": [
            {
                "UUID": system,
                "ID": "EXO_SMTP",
                "Name": "EXO_SMTP",
                "Description": "Exchange Online",
                "Type": "customer_managed",
                "HostName": host,
                "TCPPort": 587,
                "IsInboundOnly": False,
                "IsOwnSystem": False,
                "IsSAPCloudConnectorActive": False,
                "CipherSuites": "TLS_1_2_to_1_3",
                "OAuth2AuthorizationEndpoint": f"{login}/authorize",
                "OAuth2TokenEndpoint": f"{login}/token",
            }
        ],
        "OutboundUsers": [
            {
                "UUID": user,
                "CommunicationSystemUUID": system,
                "Name": "",
                "AuthenticationMethod": "oauth2",
                "OAuth2ClientID": client,
                "OAuth2ClientAuthenticationMethod": "jwt",
                "CertificateID": "CLIENT_DEFAULT",
            }
        ],
    }


def _arrangements(arrangement: str, user: str, scope: str, mailbox: str) -> Any:
    """Return the tables of communication arrangements."""
    key: Entity = {"CommunicationArrangementUUID": arrangement}
    return {
        "CommunicationArrangements": [
            {
                "UUID": arrangement,
                "Name": "EXO_SMTP",
                "Description": "",
                "CommunicationScenarioID": MAIL_SCENARIO,
                "CommunicationSystemID": "EXO_SMTP",
            }
        ],
        "OutboundUsers": [{**key, "CommunicationSystemOutboundUserUUID": user}],
        "OutboundUserAuthScopes": [{**key, "AuthScope": scope}],
        "Properties": [{**key, "ID": "OAUTH_USER"}],
        "PropertyValues": [{**key, "PropertyID": "OAUTH_USER", "Value": mailbox}],
        "OutboundServices": [{**key, "ID": "SMTP_OUT", "Status": "active"}],
    }
