"""zeep and curl, independent clients, against the SAP side of a running sandbox."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from runbook_lib.sandbox.sapcontrol_methods import METHODS
from tests.sandbox.conftest import Running
from tests.sandbox.outsider import require
from tests.sandbox.sap_systems import ARRANGEMENTS, envelope

pytestmark = pytest.mark.ci

PROGRAM = """
import json, sys

import requests, zeep
from zeep.exceptions import Fault
from zeep.transports import Transport

given = json.loads(sys.stdin.read())
session = requests.Session()
session.auth = (given["user"], given["password"])
client = zeep.Client(f"{given['url']}/?wsdl", transport=Transport(session=session))
service = client.service


def refusal(call, *arguments):
    try:
        call(*arguments)
    except Fault as fault:
        return [fault.code, fault.message]


said = {
    "methods": sorted(client.wsdl.bindings["{urn:SAPControl}SAPControl"]._operations),
    "port": service.ParameterValue("icm/server_port_1"),
    "hyphens": refusal(service.ParameterValue, "icm/server-port-1"),
    "release": [c.release for c in service.ABAPGetComponentList()][0],
    "version": service.GetVersionInfo()[0].VersionInfo.split(",")[0],
    "trace": len(service.ReadDeveloperTrace("dev_icm", 0).lines.item),
    "access": service.AccessCheck("ReadDeveloperTrace"),
}
session.auth = (given["user"], "wrong")
said["stranger"] = refusal(service.ReadDeveloperTrace, "dev_icm", 0)
print(json.dumps(said))
"""


@pytest.mark.skipif(find_spec("zeep") is None, reason="only in the extra test-clients")
def test_zeep_calls_the_start_service(shared_sandbox: Running) -> None:
    """It learns everything from the description, and gets values and faults."""
    ready, tenant = shared_sandbox.ready, shared_sandbox.tenant
    user = "s4dadm"
    given = {
        "url": tenant["sapcontrol"],
        "user": user,
        "password": tenant["sap_users"][user],
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        env={
            "PATH": os.environ["PATH"],
            "HTTPS_PROXY": ready["proxy"],
            "REQUESTS_CA_BUNDLE": ready["ca_file"],
        },
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "methods": sorted(METHODS),
        "port": "PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1",
        "hyphens": ["SOAP-ENV:Server", "Invalid parameter"],
        "release": "758",
        "version": "793",
        "trace": 3,
        "access": None,
        "stranger": ["SOAP-ENV:Server", "Invalid Credentials"],
    }


def curl(sandbox: Running, url: str, user: str, *options: str) -> tuple[int, str]:
    """Run curl through the proxy; return status and body.

    The password goes in by standard input, so that no process list shows it.
    """
    ready, tenant = sandbox.ready, sandbox.tenant
    through = ["--proxy", ready["proxy"], "--cacert", ready["ca_file"]]
    done = subprocess.run(
        [
            require("curl", "curl"),
            "--silent",
            "--show-error",
            "--globoff",
            *through,
            "--config",
            "-",
            "--write-out",
            "\n%{http_code}",
            *options,
            url,
        ],
        input=f'user = "{user}:{tenant["sap_users"][user]}"\n',
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_curl_calls_a_protected_method(shared_sandbox: Running) -> None:
    """The answer is an envelope; the start service's other port is not there."""
    call = envelope("ReadDeveloperTrace", {"filename": "dev_icm", "size": "0"})
    url = shared_sandbox.tenant["sapcontrol"]
    header = ("--header", "Content-Type: text/xml")
    status, body = curl(shared_sandbox, url, "s4dadm", *header, "--data", call)
    assert status == 200
    assert "<item>[Thr 140112]" in body
    status, body = curl(shared_sandbox, url, "s4dmon", *header, "--data", call)
    assert status == 500
    assert "<faultstring>Permission denied</faultstring>" in body


def test_curl_reads_an_arrangement(shared_sandbox: Running) -> None:
    """With its outbound user and scopes, as OData writes them."""
    service = f"/sap/opu/odata4/sap/{ARRANGEMENTS}/srvd_a2x/sap/{ARRANGEMENTS}/0001"
    query = (
        "$filter=CommunicationScenarioID%20eq%20'SAP_COM_0548'"
        "&$expand=OutboundUser($expand=OutboundUserAuthScopes)&sap-client=100"
    )
    root = shared_sandbox.tenant["communication_management"]
    url = f"{root}{service}/CommunicationArrangements?{query}"
    status, body = curl(shared_sandbox, url, "RUNBOOK_READER")
    assert status == 200
    (arrangement,) = json.loads(body)["value"]
    scopes: list[dict[str, Any]] = arrangement["OutboundUser"]["OutboundUserAuthScopes"]
    assert scopes[0]["AuthScope"] == "https://outlook.office365.com/.default"
    assert curl(shared_sandbox, url, "PRINT_QUEUE")[0] == 403
    assert curl(shared_sandbox, url, "s4dadm")[0] == 401
    assert curl(shared_sandbox, url, "RUNBOOK_READER", "--request", "DELETE")[0] == 403
