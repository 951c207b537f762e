"""The Microsoft Entra ID client: app-only access tokens through MSAL."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msal

from runbook_lib.clients.entra_refusals import token_refused
from runbook_lib.clients.replies import (
    body_or_nothing,
    server_fault,
    unknown_reply,
)
from runbook_lib.errors import InputError, UnknownReply
from runbook_lib.secret import Mask, Secret

SERVICE = "Microsoft Entra ID"

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class AccessToken:
    """An access token and what it says about itself.

    `claims` and `header` are decoded for display only: a token is opaque to a
    client, and nobody verified its signature here. Both are empty when it is no
    JWT. `sha256` (hex) identifies it in a record; `expires_in` is in seconds.
    """

    secret: Secret
    claims: Mapping[str, object]
    header: Mapping[str, object]
    sha256: str
    expires_in: int


class EntraClient:
    """Gets access tokens for one application of one tenant.

    Source: Microsoft identity platform, OAuth 2.0 client credentials flow.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        authority: str,
        tenant_id: str,
        client_id: str,
        credential: Secret,
        mask: Mask,
        instance_discovery: bool = True,
    ) -> None:
        """Prepare; the first request goes out with the first token.

        `authority` is such as https://login.microsoftonline.com, with or without
        the tenant ID behind it. `credential` is a client secret, or a PEM text with
        a private key and its certificate. Instance discovery asks Microsoft's own
        host about others, so it is off for the sandbox.
        """
        self._http = _MsalHttp(http)
        self._authority = _with_tenant(authority, tenant_id)
        self._client_id = client_id
        self._credential = mask.add(credential)
        self._mask = mask
        self._instance_discovery = instance_discovery
        self._application: Any = None

    def token(self, scope: str, *, fresh: bool = False) -> AccessToken:
        """Return a token for a scope that ends in /.default.

        A token that is still good is used again, unless it is to be `fresh`: after
        a consent only a new token carries the new role.

        Raises:
            TokenRefused: Entra said no; `code` is AADSTS and a number.
            UnknownReply, CannotLook, Unreachable, UntrustedCertificate.
        """
        if self._application is None:
            self._application = self._open()
        if fresh:
            self._application.remove_tokens_for_client()
        result = self._application.acquire_token_for_client([scope])
        if not isinstance(result.get("access_token"), str):
            raise UnknownReply(
                f"{SERVICE} answered without a token and without a reason.",
                facts={"members": sorted(result)},
            )
        return self._read(result)

    def _open(self) -> Any:
        try:
            return msal.ConfidentialClientApplication(
                self._client_id,
                authority=self._authority,
                client_credential=_msal_credential(self._credential.reveal()),
                instance_discovery=None if self._instance_discovery else False,
                http_client=self._http,
                http_cache={},
                token_cache=msal.TokenCache(),
            )
        except ValueError as error:
            raise InputError(
                self._mask.text(f"MSAL cannot use authority or credential: {error}"),
                remedy="Check the cloud, the tenant ID and the operator's credential.",
            ) from None

    def _read(self, result: Mapping[str, Any]) -> AccessToken:
        secret = self._mask.add(Secret(result["access_token"]))
        header, claims = decoded(secret)
        digest = hashlib.sha256(secret.reveal().encode()).hexdigest()
        return AccessToken(secret, claims, header, digest, int(result["expires_in"]))


def _with_tenant(authority: str, tenant_id: str) -> str:
    has_tenant = urlsplit(authority).path.strip("/")
    return authority if has_tenant else f"{authority.rstrip('/')}/{tenant_id}"


def decoded(token: Secret) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return header and claims of a JWT, unverified; both empty if it is none.

    Source: RFC 7519 section 7.2.
    """
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return {}, {}
    try:
        header, claims = (json.loads(_base64url(part)) for part in parts[:2])
    except ValueError:
        return {}, {}
    return header, claims


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_KEY = re.compile(
    r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", flags=re.DOTALL
)
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", flags=re.DOTALL
)


def _msal_credential(text: str) -> str | dict[str, str]:
    """Return a credential as MSAL takes it.

    With the certificate and without a thumbprint MSAL signs PS256 and names the
    key by its SHA-256, as Microsoft recommends.
    """
    key, certificate = _KEY.search(text), _CERTIFICATE.search(text)
    if key is None:
        return text
    if certificate is None:
        raise InputError(
            "The operator's credential is a private key without its certificate.",
            remedy="Put the certificate (PEM) behind the key, in the same secret.",
        )
    return {"private_key": key[0], "public_certificate": certificate[0]}


class _MsalHttp:
    """MSAL's HTTP client, over ours: one record, one proxy, one trust.

    A refusal is raised here, so MSAL never stores one: its own cache answers a
    repeated request from an earlier 400 for a minute and an earlier 5xx for
    seconds, which would hide that a service has caught up.

    Source: MSAL Python, `msal.oauth2cli.http`, `ThrottledHttpClient`.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **unused: object,
    ) -> httpx.Response:
        """Get the metadata of the authority."""
        return _accepted(self._http.get(url, params=params, headers=_stated(headers)))

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str | bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        **unused: object,
    ) -> httpx.Response:
        """Ask for a token. It changes nothing in the tenant, so it is no write."""
        # MSAL hands an assertion over as bytes, which httpx would write as b'…'.
        response = self._http.post(
            url,
            params=params,
            content=urlencode(data or {}),
            headers={**_FORM, **_stated(headers)},
            extensions={"write": False},
        )
        return _accepted(response)

    def close(self) -> None:
        """Leave the client to whoever opened it."""


def _stated(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return the headers that have a value; MSAL hands over empty ones."""
    return {name: value for name, value in (headers or {}).items() if value is not None}


def _accepted(response: httpx.Response) -> httpx.Response:
    """Return an answer that MSAL can read.

    Raises:
        TokenRefused, CannotLook, UnknownReply.
    """
    body = body_or_nothing(response)
    if response.is_success and body:
        return response
    if response.is_server_error:
        raise server_fault(SERVICE, response)
    if "error" in body:
        raise token_refused(response, body)
    raise unknown_reply(SERVICE, response)
