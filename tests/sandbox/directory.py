"""Plain requests to Entra and Graph inside a `World`, without any client library."""

import base64
import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from runbook_lib.sandbox.keys import base64url
from runbook_lib.sandbox.seed_objects import add_application, add_secret, grant
from runbook_lib.sandbox.state import JsonObject, Tenant
from tests.sandbox.world import GRAPH_SCOPE, OUTLOOK_SCOPE, World

LOGIN = "https://login.microsoftonline.com"
GRAPH = "https://graph.microsoft.com/v1.0"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET_END = "2099-12-31T00:00:00Z"


class Directory:
    """The directory of a world's first tenant, as its operator sees it."""

    def __init__(self, world: World) -> None:
        """Speak to `world`; a token is fetched at first use and kept."""
        self.world = world
        self.tenant: Tenant = world.tenant
        self.operator = world.operators[world.tenant.tenant_id]

    @cached_property
    def graph_token(self) -> str:
        """Return the operator's token for Graph."""
        return self.world.token(scope=GRAPH_SCOPE)

    def send(
        self, method: str, path: str, body: Any = None, **options: Any
    ) -> httpx.Response:
        """Send a Graph request; options: token, headers, content."""
        token = options.get("token") or self.graph_token
        url = path if path.startswith("https:") else f"{GRAPH}/{path}"
        headers = {"Authorization": f"Bearer {token}", **options.get("headers", {})}
        if "content" in options:
            content = options["content"]
            return self.world.request(method, url, headers=headers, content=content)
        return self.world.request(method, url, headers=headers, json=body)

    def read(self, path: str, **options: Any) -> Any:
        """Read from Graph what has to be there."""
        answer = self.send("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, path: str, body: JsonObject) -> Any:
        """Create an object, which has to succeed with 201."""
        answer = self.send("POST", path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def new_application(self, name: str = "sap-smtp", **properties: Any) -> Any:
        """Create a single-tenant application."""
        body = {"displayName": name, "signInAudience": "AzureADMyOrg", **properties}
        return self.create("applications", body)

    def new_principal(self, app_id: str) -> Any:
        """Create the service principal of an application."""
        return self.create("servicePrincipals", {"appId": app_id})

    def exchange(self) -> Any:
        """Return the service principal of Exchange Online."""
        return self.read(f"servicePrincipals(appId='{EXCHANGE_APP_ID}')")

    def app_role(self, value: str) -> str:
        """Return the id of an Exchange app role."""
        roles = {role["value"]: role["id"] for role in self.exchange()["appRoles"]}
        return str(roles[value])

    def grant(self, principal: str, value: str = "SMTP.SendAsApp") -> httpx.Response:
        """Grant an Exchange app role to a service principal."""
        body = {
            "principalId": principal,
            "resourceId": self.exchange()["id"],
            "appRoleId": self.app_role(value),
        }
        path = f"servicePrincipals/{principal}/appRoleAssignments"
        return self.send("POST", path, body)

    def sign_in(self, tenant: str | None = None, **form: Any) -> httpx.Response:
        """Send a token request; a form field that is null is left out.

        Without fields it is the operator's request for an Exchange token.
        """
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.operator.client_id,
            "client_secret": self.operator.client_secret,
            "scope": OUTLOOK_SCOPE,
        }
        sent = {name: text for name, text in (fields | form).items() if text}
        url = f"{LOGIN}/{tenant or self.tenant.tenant_id}/oauth2/v2.0/token"
        return self.world.request("POST", url, data=sent)

    def token_with(self, *roles: str) -> str:
        """Return a Graph token of an application with just these app roles."""
        application, principal = add_application(self.tenant, "limited")
        secret = add_secret(self.tenant, application, "test", SECRET_END)
        for role in roles:
            grant(self.tenant, principal, GRAPH_APP_ID, role)
        answer = self.sign_in(
            client_id=application["appId"], client_secret=secret, scope=GRAPH_SCOPE
        )
        return str(answer.json()["access_token"])


class KeyPair:
    """A self-signed certificate as SAP exports one, and assertions signed with it."""

    def __init__(self, days: int = 365) -> None:
        """Make an RSA key and a certificate that is valid for `days` from yesterday."""
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contoso-sap")])
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        self.end = self.start + timedelta(days=days)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.start)
            .not_valid_after(self.end)
            .sign(self.private, hashes.SHA256())
        )

    @property
    def der(self) -> bytes:
        """Return the certificate as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def credential(self, **properties: Any) -> JsonObject:
        """Return the keyCredential that uploads the certificate."""
        key = base64.b64encode(self.der).decode()
        body = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": key}
        return body | properties

    def proof(self, object_id: str, **claims: Any) -> str:
        """Return a proof of possession; `claims` replace the usual ones."""
        now = int(datetime.now(UTC).timestamp())
        usual = {
            "aud": "00000002-0000-0000-c000-000000000000",
            "iss": object_id,
            "nbf": now,
            "exp": now + 600,
        }
        return jwt.encode(usual | claims, self.private, algorithm="RS256")

    def assertion(self, app_id: str, tenant_id: str, **claims: Any) -> str:
        """Return a signed client assertion; `claims` replace the usual ones."""
        now = int(datetime.now(UTC).timestamp())
        usual = {
            "aud": f"{LOGIN}/{tenant_id}/oauth2/v2.0/token",
            "iss": app_id,
            "sub": app_id,
            "jti": str(uuid.uuid4()),
            "nbf": now,
            "iat": now,
            "exp": now + 600,
        }
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.der)
        headers = {"x5t#S256": base64url(digest.finalize())}
        claims = usual | claims
        return jwt.encode(claims, self.private, algorithm="PS256", headers=headers)


def claims_of(token: str) -> Any:
    """Return the claims of a token, for reading only."""
    return jwt.decode(token, options={"verify_signature": False})


def problem_of(answer: httpx.Response) -> tuple[int, int]:
    """Return HTTP status and AADSTS number of a refused sign-in."""
    return answer.status_code, answer.json()["error_codes"][0]


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Return HTTP status, code and message of a Graph refusal."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def equals(name: str, value: str) -> str:
    """Return a $filter query for one value, quoted and encoded."""
    escaped = value.replace("'", "''")
    return "$filter=" + quote(f"{name} eq '{escaped}'")
