"""The Microsoft Graph SDK for Python, an independent client, in its own process.

It is given proxy and CA by environment variables alone, as any third-party program.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.sandbox.conftest import Running

pytestmark = pytest.mark.ci
REASON = "msgraph-sdk is installed by the extra test-clients only"
pytest.importorskip("msgraph", reason=REASON)
pytest.importorskip("azure.identity", reason=REASON)

PROGRAM = """
import asyncio, json, os, sys

from azure.identity.aio import ClientSecretCredential
from msgraph import GraphServiceClient
from msgraph.generated.applications.item.add_password.add_password_post_request_body \
    import AddPasswordPostRequestBody
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.application import Application
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.models.service_principal import ServicePrincipal
from kiota_abstractions.api_error import APIError

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"


async def main(tenant_id, client_id):
    secret = sys.stdin.read()
    async with ClientSecretCredential(tenant_id, client_id, secret) as credential:
        graph = GraphServiceClient(credential)
        organization = await graph.organization.get()
        application = await graph.applications.post(
            Application(display_name="sdk", sign_in_audience="AzureADMyOrg")
        )
        principal = await graph.service_principals.post(
            ServicePrincipal(app_id=application.app_id)
        )
        exchange = await graph.service_principals_with_app_id(EXCHANGE).get()
        (role,) = [r for r in exchange.app_roles if r.value == "SMTP.SendAsApp"]
        holder = graph.service_principals.by_service_principal_id(principal.id)
        await holder.app_role_assignments.post(
            AppRoleAssignment(
                principal_id=principal.id, resource_id=exchange.id, app_role_id=role.id
            )
        )
        held = await holder.app_role_assignments.get()
        item = graph.applications.by_application_id(application.id)
        password = await item.add_password.post(
            AddPasswordPostRequestBody(
                password_credential=PasswordCredential(display_name="sdk")
            )
        )
        try:
            await holder.app_role_assignments.post(held.value[0])
            refusal = None
        except APIError as error:
            refusal = [error.response_status_code, error.error.code]
        await item.delete()
        print(json.dumps({
            "organization": organization.value[0].display_name,
            "held": [str(entry.app_role_id) for entry in held.value],
            "hint": password.secret_text.startswith(password.hint),
            "refusal": refusal,
        }))


asyncio.run(main(*sys.argv[1:]))
"""


def run_program(sandbox: Running) -> Any:
    """Run the SDK's program against a sandbox and return what it printed."""
    tenant, ready = sandbox.tenant, sandbox.ready
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            tenant["tenant_id"],
            tenant["operator_client_id"],
        ],
        input=tenant["operator_client_secret"],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            "PATH": os.environ["PATH"],
            "HTTPS_PROXY": ready["proxy"],
            "SSL_CERT_FILE": ready["ca_file"],
            "REQUESTS_CA_BUNDLE": ready["ca_file"],
        },
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_sdk_sets_an_application_up(sandbox_process: Running) -> None:
    """Create, consent, secret, refusal and deletion, all by generated code."""
    printed = run_program(sandbox_process)
    assert printed["organization"] == "Contoso"
    assert printed["held"] == ["7146a1f0-8703-45b3-9eae-527a64c00995"]
    assert printed["hint"] is True
    assert printed["refusal"][0] == 400
    statuses = [
        line["status"]
        for line in sandbox_process.log()
        if line["host"] == "graph.microsoft.com" and line["write"]
    ]
    assert statuses == [201, 201, 201, 200, 400, 204]
