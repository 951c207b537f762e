"""A client of a running sandbox that knows nothing but HTTP: sets up a sender."""

import json
import shutil
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.world import EXCHANGE_APP_ID, GRAPH_SCOPE, MAILBOX, OUTLOOK_SCOPE

LOGIN = "https://login.microsoftonline.com"
GRAPH = "https://graph.microsoft.com/v1.0"
EXCHANGE = "https://outlook.office365.com"


class Outsider:
    """An administrator with the operator's secret, an HTTP proxy and a CA file."""

    def __init__(self, running: Running) -> None:
        """Reach the cloud's hosts through the sandbox's CONNECT proxy."""
        context = ssl.create_default_context(cafile=running.ready["ca_file"])
        self._client = httpx.Client(
            proxy=running.ready["proxy"], verify=context, trust_env=False
        )
        self.tenant = running.tenant
        self._ready, self._context = running.ready, context

    def __enter__(self) -> "Outsider":
        """Use the client for the length of a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def token(self, client_id: str, secret: str, scope: str = OUTLOOK_SCOPE) -> str:
        """Return an access token for a client id and secret."""
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": scope,
        }
        url = f"{LOGIN}/{self.tenant['tenant_id']}/oauth2/v2.0/token"
        answer = self._client.post(url, data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def operator_token(self, scope: str = OUTLOOK_SCOPE) -> str:
        """Return the operator's access token."""
        tenant = self.tenant
        secret = tenant["operator_client_secret"]
        return self.token(tenant["operator_client_id"], secret, scope)

    def graph(self, method: str, path: str, body: Any = None) -> Any:
        """Send a Graph request that has to succeed."""
        headers = {"Authorization": f"Bearer {self.operator_token(GRAPH_SCOPE)}"}
        url = f"{GRAPH}/{path}"
        answer = self._client.request(method, url, headers=headers, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def run(self, cmdlet: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run a cmdlet that has to succeed."""
        answer = self._client.post(
            f"{EXCHANGE}/adminapi/beta/{self.tenant['tenant_id']}/InvokeCommand",
            headers={"Authorization": f"Bearer {self.operator_token()}"},
            json=invocation(cmdlet, **parameters),
        )
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    def operate(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Run an operation of the control endpoint, which has to succeed."""
        answer = httpx.post(
            f"{self._ready['https']}/_sandbox/state",
            headers={"Authorization": f"Bearer {self._ready['control_token']}"},
            json={"tenant": self.tenant["domain"], "operation": operation, **arguments},
            verify=self._context,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sender_token(self) -> str:
        """Set up an application that may submit for the mailbox; return its token."""
        return self.token(*self.sender())

    def sender(self) -> tuple[str, str]:
        """Set up an application that may submit; return client id and secret."""
        name = {"displayName": "sap-smtp", "signInAudience": "AzureADMyOrg"}
        made = self.graph("POST", "applications", name)
        principal = self.graph("POST", "servicePrincipals", {"appId": made["appId"]})
        self._consent(principal["id"])
        path = f"applications/{made['id']}/addPassword"
        secret = self.graph("POST", path, {"passwordCredential": {}})["secretText"]
        identifier = principal["id"]
        self.run("New-ServicePrincipal", AppId=made["appId"], ObjectId=identifier)
        self.run(
            "Add-MailboxPermission",
            Identity=MAILBOX,
            User=identifier,
            AccessRights=["FullAccess"],
        )
        return made["appId"], secret

    def enable_smtp(self) -> None:
        """Allow SMTP AUTH for the mailbox."""
        self.run(
            "Set-CASMailbox", Identity=MAILBOX, SmtpClientAuthenticationDisabled=False
        )

    def _consent(self, principal_id: str) -> None:
        """Grant SMTP.SendAsApp, looked up by its value."""
        query = f"servicePrincipals?$filter=appId eq '{EXCHANGE_APP_ID}'"
        resource = self.graph("GET", query)["value"][0]
        ids = {entry["value"]: entry["id"] for entry in resource["appRoles"]}
        body = {
            "principalId": principal_id,
            "resourceId": resource["id"],
            "appRoleId": ids["SMTP.SendAsApp"],
        }
        self.graph("POST", f"servicePrincipals/{principal_id}/appRoleAssignments", body)


def invocation(cmdlet: str, **parameters: Any) -> dict[str, Any]:
    """Return the body of InvokeCommand."""
    return {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}


def require(program: str, package: str) -> str:
    """Return the path of a program, or skip the test and say what is missing."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"needs the program {program} (Debian package {package})")
    return path


def private_file(path: Path, text: str) -> Path:
    """Write a file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def has_secret(running: Running, secret: str) -> bool:
    """Say whether a secret stands in the access log."""
    return secret in json.dumps(running.log())
