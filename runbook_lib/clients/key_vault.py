"""Azure Key Vault: secrets of one vault.

A vault's host name says in which cloud it stands, and so for what a token is asked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx

from runbook_lib.clients.replies import (
    as_mapping,
    body_or_nothing,
    json_object,
    measured,
    server_fault,
    unknown_reply,
)
from runbook_lib.errors import InputError, NotPermitted, ServiceRefused
from runbook_lib.secret import Mask, Secret

SERVICE = "Azure Key Vault"
API_VERSION = "7.4"

# Source: Microsoft Learn, "Azure Key Vault keys, secrets, and certificates
# overview", DNS suffixes for object identifiers.
SUFFIXES = ("vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn")

RECOVERY_SECONDS = 30
PAUSE_SECONDS = 1

_VAULT = re.compile(r"[a-z][a-z0-9-]{1,22}[a-z0-9]")
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_DELETED = "ObjectIsDeletedButRecoverable"


@dataclass(frozen=True)
class VaultAddress:
    """A vault, and where the text names one, a secret in it and its version."""

    vault: str
    name: str | None = None
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> VaultAddress:
        """Read `https://VAULT.vault.azure.net[/secrets/NAME[/VERSION]]`.

        Raises:
            InputError: it is no such URL. A token goes to no other host.
        """
        parts = urlsplit(text)
        host, _, suffix = (parts.hostname or "").partition(".")
        path = [part for part in parts.path.split("/") if part]
        plain = parts.scheme == "https" and not (parts.query or parts.fragment)
        if not plain or suffix not in SUFFIXES or not _VAULT.fullmatch(host):
            raise _no_address()
        if parts.netloc.lower() != f"{host}.{suffix}":
            raise _no_address()
        vault = f"https://{host}.{suffix}"
        if not path:
            return cls(vault)
        if path[0] != "secrets" or len(path) > 3 or not all(map(_NAME.fullmatch, path)):
            raise _no_address()
        return cls(vault, *path[1:])

    @property
    def scope(self) -> str:
        """Return the scope of a token for the vault."""
        return f"https://{self.vault.partition('.')[2]}/.default"


class KeyVault:
    """Reads, sets and deletes secrets.

    Beside what a method names, each raises NotPermitted (401, 403), ServiceRefused
    (400, 404, 409, 429), CannotLook and OutcomeUnknown (5xx), UnknownReply,
    Unreachable, UntrustedCertificate.

    Source: Key Vault REST API, Secrets; rest-error-codes.
    """

    def __init__(
        self,
        http: httpx.Client,
        vault: str,
        *,
        token: Callable[[], Secret],
        mask: Mask,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask the vault at this URL. `token` is called for each request."""
        self.vault = vault
        self._http = http
        self._token = token
        self._mask = mask
        self._sleep = sleep

    def read(self, name: str, version: str | None = None) -> Secret | None:
        """Return a secret's newest or named version; None where there is none."""
        response = self._send("GET", _path("secrets", name, version))
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        value = json_object(SERVICE, _granted(response)).get("value")
        if not isinstance(value, str):
            raise unknown_reply(SERVICE, response)
        return self._mask.add(Secret(value))

    def holds(self, name: str) -> bool:
        """Tell whether a secret has versions, without reading one."""
        response = _granted(self._send("GET", _path("secrets", name, "versions")))
        return bool(json_object(SERVICE, response).get("value"))

    def write(
        self, name: str, secret: Secret, *, tags: dict[str, str], enabled: bool = True
    ) -> str:
        """Set a secret and return the URL of the new version.

        A name that is deleted and recoverable is recovered first.
        """
        body = {
            "value": self._mask.add(secret).reveal(),
            "tags": tags,
            "attributes": {"enabled": enabled},
        }
        path = _path("secrets", name)
        response = self._send("PUT", path, body)
        if _inner_code(response) == _DELETED:
            self._recover(name)
            response = self._send("PUT", path, body)
        identifier = json_object(SERVICE, _granted(response)).get("id")
        if not isinstance(identifier, str):
            raise unknown_reply(SERVICE, response)
        return identifier

    def delete(self, name: str) -> None:
        """Delete a secret; the vault keeps it recoverable. Absence is no fault."""
        response = self._send("DELETE", _path("secrets", name))
        if response.status_code != httpx.codes.NOT_FOUND:
            _granted(response)

    def _recover(self, name: str) -> None:
        """Recover a deleted secret and wait until it is there."""
        _granted(self._send("POST", _path("deletedsecrets", name, "recover")))
        for _ in range(RECOVERY_SECONDS // PAUSE_SECONDS):
            if self.holds(name):
                return
            self._sleep(PAUSE_SECONDS)

    def _send(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response:
        return self._http.request(
            method,
            f"{self.vault}/{path}",
            params={"api-version": API_VERSION},
            headers={"Authorization": f"Bearer {self._token().reveal()}"},
            json=body,
            extensions={"secret_members": ("value",)},
        )


def _path(collection: str, name: str, rest: str | None = None) -> str:
    """Return the path of a secret."""
    parts = [
        collection,
        quote(name, safe=""),
        *([quote(rest, safe="")] if rest else []),
    ]
    return "/".join(parts)


def _inner_code(response: httpx.Response) -> object:
    """Return the code inside an error, None where there is none."""
    error = as_mapping(body_or_nothing(response).get("error"))
    return as_mapping(error.get("innererror")).get("code")


def _granted(response: httpx.Response) -> httpx.Response:
    """Return an answer that succeeded, or raise what it says."""
    status = response.status_code
    if response.is_success:
        return response
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise server_fault(SERVICE, response)
    error = as_mapping(body_or_nothing(response).get("error"))
    code = _inner_code(response) or error.get("code")
    if not isinstance(code, str):
        raise unknown_reply(SERVICE, response)
    facts = measured(response) | {"code": code}
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise NotPermitted(
            f"{SERVICE} does not permit this: {code}.",
            remedy="Give the signed-in identity the role Key Vault Secrets Officer on"
            " the vault (to read only: Key Vault Secrets User).",
            facts=facts,
        )
    raise ServiceRefused(
        f"{SERVICE} refused with {status} {code}.", code=code, facts=facts
    )


def _no_address() -> InputError:
    """Return the error for a text that names no vault; it is not repeated."""
    return InputError(
        "The keyvault: reference is no URL of a vault.",
        remedy="Write keyvault:https://VAULT.vault.azure.net, and for a source"
        " /secrets/NAME behind it.",
    )
