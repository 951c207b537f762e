"""azure-identity and azure-keyvault-secrets, independent clients, in their own process.

They are given proxy and CA by environment variables alone, as any other program.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from tests.sandbox.conftest import Running
from tests.sandbox.directory import KeyPair
from tests.sandbox.test_server import client_of

pytestmark = pytest.mark.ci
REASON = "installed by the extra test-clients only"
pytest.importorskip("azure.identity", reason=REASON)
pytest.importorskip("azure.keyvault.secrets", reason=REASON)

PROGRAM = """
import base64, json, os, sys, urllib.parse, urllib.request

import azure.identity as identity
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

given = json.loads(sys.stdin.read())


def claims(credential, scope):
    body = credential.get_token(scope).token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def by_person(uri, code, expires):
    form = {"user_code": code, "login": given["login"], "passwd": given["password"]}
    body = urllib.parse.urlencode(form).encode()
    urllib.request.urlopen(uri, body).read()


graph, vault = "https://graph.microsoft.com/.default", "https://vault.azure.net/.default"
ids = (given["tenant_id"], given["client_id"])
secret = identity.ClientSecretCredential(*ids, given["secret"])
certificate = identity.CertificateCredential(
    given["tenant_id"], given["certificate_id"], given["certificate"]
)
device = identity.DeviceCodeCredential(
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    tenant_id=given["tenant_id"],
    prompt_callback=by_person,
)
managed = identity.ManagedIdentityCredential()
said = {
    "secret": claims(secret, graph)["appidacr"],
    "certificate": claims(certificate, graph)["appidacr"],
    "device": claims(device, graph)["upn"],
    "managed": claims(managed, vault)["app_displayname"],
}
kept = SecretClient(given["vault"], managed)
kept.set_secret("sdk", "one", tags={"a": "b"})
said["read"] = kept.get_secret("sdk").value
said["listed"] = [item.name for item in kept.list_properties_of_secrets()]
kept.begin_delete_secret("sdk").result()
try:
    kept.get_secret("sdk")
except ResourceNotFoundError as error:
    said["deleted"] = error.error.code
kept.begin_recover_deleted_secret("sdk").result()
said["recovered"] = kept.get_secret("sdk").value
kept.begin_delete_secret("sdk").result()
kept.purge_deleted_secret("sdk")
try:
    SecretClient(given["vault"], certificate).get_secret("sdk")
except HttpResponseError as error:
    said["stranger"] = error.status_code
print(json.dumps(said))
"""


def certificate_of(sandbox: Running, folder: Path) -> tuple[str, Path]:
    """Register an application with a certificate; return client id and PEM file."""
    pair, tenant = KeyPair(), sandbox.tenant
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant["operator_client_id"],
        "client_secret": tenant["operator_client_secret"],
        "scope": "https://graph.microsoft.com/.default",
    }
    login = f"https://login.microsoftonline.com/{tenant['tenant_id']}"
    graph = "https://graph.microsoft.com/v1.0"
    body = {"displayName": "sdk", "keyCredentials": [pair.credential()]}
    with client_of(sandbox) as client:
        token = client.post(f"{login}/oauth2/v2.0/token", data=form).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        app_id = client.post(f"{graph}/applications", json=body).json()["appId"]
        client.post(f"{graph}/servicePrincipals", json={"appId": app_id})
    path = folder / "certificate.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        pair.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + pair.certificate.public_bytes(serialization.Encoding.PEM)
    )
    return app_id, path


def run_program(sandbox: Running, folder: Path) -> Any:
    """Run the program against a sandbox and return what it printed."""
    ready, tenant = sandbox.ready, sandbox.tenant
    app_id, path = certificate_of(sandbox, folder)
    login = "app.admin@contoso.onmicrosoft.com"
    given = {
        "tenant_id": tenant["tenant_id"],
        "client_id": tenant["operator_client_id"],
        "secret": tenant["operator_client_secret"],
        "certificate_id": app_id,
        "certificate": str(path),
        "login": login,
        "password": tenant["users"][login],
        "vault": tenant["vault"],
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        env={
            "PATH": os.environ["PATH"],
            "HTTPS_PROXY": ready["proxy"],
            "SSL_CERT_FILE": ready["ca_file"],
            "REQUESTS_CA_BUNDLE": ready["ca_file"],
            "IDENTITY_ENDPOINT": ready["identity_endpoint"],
            "IDENTITY_HEADER": tenant["identity_header"],
        },
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_libraries_of_azure_work(sandbox_process: Running, tmp_path: Path) -> None:
    """Four kinds of credential, and a secret from its making to its purge."""
    assert run_program(sandbox_process, tmp_path) == {
        "secret": "1",
        "certificate": "2",
        "device": "app.admin@contoso.onmicrosoft.com",
        "managed": "runbook-host",
        "read": "one",
        "listed": ["sdk"],
        "deleted": "SecretNotFound",
        "recovered": "one",
        "stranger": 403,
    }
    statuses = {line["status"] for line in sandbox_process.log()}
    assert not [status for status in statuses if isinstance(status, str)]
