"""How Microsoft Graph is asked, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

import httpx

from runbook_lib.clients.recording import masked, named
from runbook_lib.clients.replies import (
    as_mapping,
    as_objects,
    body_or_nothing,
    json_list,
    json_object,
    measured,
    server_fault,
    unknown_reply,
)
from runbook_lib.errors import CannotLook, NotPermitted, ServiceRefused
from runbook_lib.secret import Secret

SERVICE = "Microsoft Graph"

# What may stand in a query or a key as it is.
_PLAIN = "$(),'@:"

_REMEDIES = {
    "CredentialTypeNotAllowedAsPerAppPolicy": (
        "The tenant's app management policy forbids this kind of credential:"
        " use a certificate, or ask for an exemption."
    ),
    "CredentialInvalidLifetimeAsPerAppPolicy": (
        "The tenant's app management policy limits the lifetime: choose an earlier"
        " end date."
    ),
    "NoBackingApplicationObject": (
        "The new application is not replicated yet: wait, then run again."
    ),
    "Directory_ObjectNotFound": (
        "The directory is not replicated yet: wait, then run again."
    ),
    "Request_MultipleObjectsWithSameKeyValue": (
        "The object exists already: look it up instead of creating it."
    ),
}


def segment(value: str) -> str:
    """Return a value as one segment of a path."""
    return quote(value, safe="")


def literal(value: str) -> str:
    """Return a value as an OData string literal.

    Source: OData 4.01 URL conventions, section 5.1.1.6.1 (a quote is doubled).
    """
    return "'" + value.replace("'", "''") + "'"


def by_app_id(app_id: str) -> str:
    """Return the alternate key that stands behind a collection's name.

    Source: Microsoft Graph, application-get and serviceprincipal-get.
    """
    return f"(appId={quote(literal(app_id), safe=_PLAIN)})"


class GraphRequests:
    """Sends requests to one Graph base URL and maps its errors.

    Every method of the clients built on it raises, beside what it names itself:
    NotPermitted (401, 403), ServiceRefused (400, 404, 409, 429), CannotLook (5xx
    of a read), OutcomeUnknown (5xx of a write), UnknownReply, Unreachable,
    UntrustedCertificate.

    Source: Microsoft Graph, "Error responses and resource types".
    """

    def __init__(
        self, http: httpx.Client, *, base: str, token: Callable[[], Secret]
    ) -> None:
        """Ask under `base`, such as https://graph.microsoft.com/v1.0.

        `token` is called for each request; it caches by itself.
        """
        self._http = http
        self._base = base.rstrip("/")
        self._token = token

    def _get(
        self, path: str, *, needs: str, select: Sequence[str] = ()
    ) -> dict[str, object]:
        """Return one object."""
        query = {"$select": ",".join(select)} if select else {}
        return json_object(SERVICE, self._send("GET", path, needs=needs, query=query))

    def _find(
        self, path: str, *, needs: str, select: Sequence[str] = ()
    ) -> dict[str, object] | None:
        """Return one object, or None where Graph itself says that it is not there."""
        query = {"$select": ",".join(select)} if select else {}
        response = self._ask("GET", path, query=query)
        absent = response.status_code == httpx.codes.NOT_FOUND
        if absent and error_code(response):
            return None
        return json_object(SERVICE, self._checked(response, needs))

    def _list(
        self,
        path: str,
        *,
        needs: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[dict[str, object]]:
        """Return all objects of a collection, page after page."""
        pages = self._pages(path, needs, query or {}, headers or {})
        return [item for page in pages for item in json_list(SERVICE, page)]

    def _pages(
        self,
        path: str,
        needs: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Iterator[httpx.Response]:
        seen = {""}
        response = self._send("GET", path, needs=needs, query=query, headers=headers)
        while True:
            yield response
            link = body_or_nothing(response).get("@odata.nextLink")
            if link is None:
                return
            # The link carries our token, so it may not lead to another host.
            if not self._same_place(str(link)) or str(link) in seen:
                raise unknown_reply(SERVICE, response)
            seen.add(str(link))
            response = self._checked(self._request("GET", str(link), headers), needs)

    def _same_place(self, link: str) -> bool:
        base, other = httpx.URL(self._base), httpx.URL(link)
        here = (base.scheme, base.host, base.port)
        return here == (other.scheme, other.host, other.port)

    def _send(
        self,
        method: str,
        path: str,
        *,
        needs: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Return the answer of a request that succeeded."""
        response = self._ask(method, path, query=query, headers=headers, body=body)
        return self._checked(response, needs)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        # Spaces as %20: not every reader of an OData query takes a plus sign.
        parts = [
            f"{name}={quote(text, safe=_PLAIN)}" for name, text in (query or {}).items()
        ]
        url = self._base + path + ("?" + "&".join(parts) if parts else "")
        return self._request(method, url, headers or {}, body)

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self._token().reveal()}"}
        return self._http.request(method, url, headers={**headers, **bearer}, json=body)

    def _checked(self, response: httpx.Response, needs: str) -> httpx.Response:
        if response.is_success:
            return response
        raise fault(response, needs)


def error_code(response: httpx.Response) -> str:
    """Return `error.code` of an answer, or nothing where it has none."""
    error = as_mapping(body_or_nothing(response).get("error"))
    return str(error.get("code") or "")


def fault(response: httpx.Response, needs: str) -> CannotLook:
    """Return our error for an answer of Graph that is not a success.

    `needs` is the least permission that the request asks for.
    """
    error = as_mapping(body_or_nothing(response).get("error"))
    code = error_code(response)
    told = masked(response, str(error.get("message") or ""))
    text = f"{code}: {told}" if code else ""
    if response.status_code in (401, 403):
        return _not_permitted(response, needs, code, text)
    if response.is_server_error:
        return server_fault(SERVICE, response, text)
    if not code:
        return unknown_reply(SERVICE, response)
    details = [str(item.get("code")) for item in as_objects(error.get("details"))]
    remedies = (_REMEDIES[known] for known in (*details, code) if known in _REMEDIES)
    return ServiceRefused(
        f"{SERVICE} refused {named(response.request)}: {text}",
        code=code,
        remedy=next(remedies, None),
        facts={**measured(response), "code": code, "message": told, "details": details},
    )


def _not_permitted(
    response: httpx.Response, needs: str, code: str, text: str
) -> NotPermitted:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        remedy = "Sign in again: the token is missing, expired or for another service."
    else:
        remedy = f"Let an administrator grant the operator {needs}."
    reason = text or "no reason given"
    return NotPermitted(
        f"{SERVICE} does not permit {named(response.request)}"
        f" ({response.status_code}, {reason}); it needs {needs}.",
        remedy=remedy,
        facts={**measured(response), "code": code, "permission": needs},
    )
