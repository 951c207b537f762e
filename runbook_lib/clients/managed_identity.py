"""Tokens of a managed identity, where the machine has one.

A host of Azure App Service, Functions or Container Apps names its own endpoint in
IDENTITY_ENDPOINT and proves itself with IDENTITY_HEADER.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from runbook_lib.errors import CannotLook, InputError, UnknownReply
from runbook_lib.secret import Mask, Secret

ENDPOINT, HEADER = "IDENTITY_ENDPOINT", "IDENTITY_HEADER"
API_VERSION = "2019-08-01"
TIMEOUT = 10  # seconds


class ManagedIdentity:
    """Asks the machine's own endpoint for tokens.

    Source: Azure App Service, "How to use managed identities", REST endpoint
    reference.
    """

    def __init__(
        self, environment: Mapping[str, str], mask: Mask, timeout: float = TIMEOUT
    ) -> None:
        """Read where the endpoint is; nothing is sent yet.

        Raises:
            InputError: the machine has none, or it is not on the machine itself.
        """
        url, header = environment.get(ENDPOINT, ""), environment.get(HEADER, "")
        if not url or not header:
            raise InputError(
                "This machine has no managed identity to open the vault with.",
                remedy=f"Run where {ENDPOINT} and {HEADER} are set, or name an env:,"
                " file: or keyring: reference for the operator's secret.",
            )
        if not _is_own(urlsplit(url).hostname or ""):
            raise InputError(f"{ENDPOINT} does not lead to this machine.")
        self._url = url
        self._header = mask.add(Secret(header))
        self._mask = mask
        self._timeout = timeout

    def token(self, scope: str) -> Secret:
        """Return an access token for a scope that ends in /.default.

        Raises:
            CannotLook: the endpoint does not answer, or refuses.
            UnknownReply: it answers something else than a token.
        """
        query = {
            "resource": scope.removesuffix("/.default"),
            "api-version": API_VERSION,
        }
        headers = {"X-IDENTITY-HEADER": self._header.reveal()}
        try:
            # Not the run's client: the endpoint is on the machine and without TLS.
            with httpx.Client(trust_env=False, timeout=self._timeout) as client:
                answer = client.get(self._url, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise CannotLook(
                f"The managed identity's endpoint gives no answer:"
                f" {type(error).__name__}."
            ) from None
        if answer.status_code != httpx.codes.OK:
            raise CannotLook(
                f"The managed identity's endpoint refuses with {answer.status_code}."
            )
        return self._mask.add(Secret(_access_token(answer)))


def _access_token(answer: httpx.Response) -> str:
    """Return the token of an answer."""
    try:
        text = answer.json()["access_token"]
    except (ValueError, KeyError, TypeError):
        text = None
    if not isinstance(text, str) or not text:
        raise UnknownReply("The managed identity's endpoint answers without a token.")
    return text


def _is_own(host: str) -> bool:
    """Tell whether a host name means the machine itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return address.is_loopback or address.is_link_local
