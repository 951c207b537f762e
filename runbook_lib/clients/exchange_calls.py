"""How an Exchange Online cmdlet is called over HTTP, and what its errors mean.

The endpoint is the one that Microsoft's own PowerShell module uses. Microsoft
does not document it; what is here comes from public clients of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urljoin

import httpx

from runbook_lib.clients.recording import masked
from runbook_lib.clients.replies import (
    as_mapping,
    as_objects,
    body_or_nothing,
    json_list,
    measured,
    server_fault,
    unknown_reply,
)
from runbook_lib.clients.retrying import unknown_outcome
from runbook_lib.errors import CannotLook, NotPermitted, ServiceRefused
from runbook_lib.secret import Secret

SERVICE = "Exchange Online"
NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"

_MOVED = (302, 307, 308)
_REDIRECTS = 3
_TYPE = re.compile(r"^Ex[0-9A-F]{6}\|(?P<type>[\w.]+)\|", re.IGNORECASE)


def is_read(cmdlet: str) -> bool:
    """Return whether a cmdlet only reads, which its verb tells."""
    return cmdlet.lower().startswith(("get-", "test-"))


class ExchangeCalls:
    """Calls one cmdlet after the other for one tenant.

    Raises, for each cmdlet: NotPermitted (401, 403), ServiceRefused (`code` is the
    .NET type of the error), CannotLook (5xx of a read), OutcomeUnknown (5xx of a
    write), UnknownReply, Unreachable, UntrustedCertificate.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        base: str,
        tenant_id: str,
        anchor: str,
        token: Callable[[], Secret],
    ) -> None:
        """Call under `base`, such as https://outlook.office365.com.

        `anchor` is the routing hint, the whole value of X-AnchorMailbox, such as
        `UPN:admin@contoso.com`. `token` is called for each request.
        """
        self._http = http
        self._base = httpx.URL(base)
        self._tenant_id = tenant_id
        self._anchor = anchor
        self._token = token
        self.warnings: list[str] = []

    def invoke(self, cmdlet: str, /, **parameters: object) -> list[dict[str, object]]:
        """Run a cmdlet and return the objects it wrote; `warnings` is set anew.

        A parameter of None is sent as JSON null, which is PowerShell's `$null`; a
        switch is True or False, a multi-valued parameter a list.
        """
        self.warnings = []
        url = self._base.join(f"/adminapi/beta/{self._tenant_id}/InvokeCommand")
        rows: list[dict[str, object]] = []
        seen = set()
        while True:
            response = self._post(url, cmdlet, parameters)
            rows += self._rows(response)
            link = body_or_nothing(response).get("@odata.nextLink")
            # The next page is asked by running the cmdlet again: for reads only.
            if link is None or not is_read(cmdlet):
                return rows
            url = httpx.URL(str(link))
            if url.host != response.request.url.host or url in seen:
                raise unknown_reply(SERVICE, response)
            seen.add(url)

    def _rows(self, response: httpx.Response) -> list[dict[str, object]]:
        rows = json_list(SERVICE, response)
        warnings = body_or_nothing(response).get("@adminapi.warnings")
        self.warnings += map(str, warnings if isinstance(warnings, list) else [])
        return rows

    def _post(
        self, url: httpx.URL, cmdlet: str, parameters: Mapping[str, object]
    ) -> httpx.Response:
        """Run the cmdlet once, in the tenant's region, and return its success."""
        for _ in range(_REDIRECTS):
            response = self._send(url, cmdlet, parameters)
            if response.status_code not in _MOVED:
                break
            url = self._regional(response)
        if response.is_success and "error" not in _errors(response):
            return response
        raise fault(response, cmdlet)

    def _send(
        self, url: httpx.URL, cmdlet: str, parameters: Mapping[str, object]
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self._token().reveal()}",
            "Accept": "application/json",
            "Prefer": "odata.maxpagesize=1000",
            "X-AnchorMailbox": self._anchor,
            "X-CmdletName": cmdlet,
            "X-ResponseFormat": "json",
        }
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
        write = not is_read(cmdlet)
        return self._http.post(
            url, headers=headers, json=body, extensions={"write": write}
        )

    def _regional(self, response: httpx.Response) -> httpx.URL:
        """Return where a regional redirect leads, and stay there.

        The token goes along on purpose, so the host has to lie in the domain of
        the base URL. Redirects name a back-end port; the API is on 443 there.

        Raises:
            UnknownReply: it leads elsewhere.
        """
        request = response.request.url
        there = httpx.URL(urljoin(str(request), response.headers.get("location", "")))
        if there.scheme != "https" or not _inside(there.host, self._base.host):
            raise unknown_reply(SERVICE, response)
        if there.host != request.host:
            there = there.copy_with(port=None)
            self._base = httpx.URL(f"https://{there.host}")
        return there


def _inside(host: str, base: str) -> bool:
    """Return whether a host lies in the domain that a base host is registered in.

    The hosts of all clouds stand below a name of two labels.
    """
    domain = ".".join(base.split(".")[-2:])
    return host == domain or host.endswith(f".{domain}")


def _errors(response: httpx.Response) -> dict[str, object]:
    """Return the error object of a body, under its one name."""
    body = body_or_nothing(response)
    found = body.get("error") or body.get("@odata.error")
    return {"error": found} if found else {}


def fault(response: httpx.Response, cmdlet: str) -> CannotLook:
    """Return our error for an answer to a cmdlet that is not a success."""
    error = as_mapping(_errors(response).get("error"))
    kind, text = told(error)
    text = masked(response, text)
    facts = {**measured(response), "cmdlet": cmdlet, "code": kind, "message": text}
    if response.status_code in (401, 403):
        return _not_permitted(response, cmdlet, facts)
    if response.is_server_error and not is_read(cmdlet):
        return unknown_outcome(cmdlet, text or str(response.status_code), facts)
    if kind:
        return ServiceRefused(
            f"{SERVICE} refused {cmdlet}: {text}", code=kind, facts=facts
        )
    if response.is_server_error:
        return server_fault(SERVICE, response)
    return unknown_reply(SERVICE, response)


def told(error: Mapping[str, object]) -> tuple[str, str]:
    """Return the code and the text of an error object; both empty without one.

    The code is the .NET type, which stands between bars in the message of a
    detail; the figures before it are a hash and differ. Without one it is
    `error.code`.
    """
    messages = [str(item.get("message")) for item in as_objects(error.get("details"))]
    for message in messages:
        found = _TYPE.match(message)
        if found:
            return found["type"], message.rpartition("|")[2].strip()
    text = messages[0] if messages else str(error.get("message", ""))
    return str(error.get("code", "")), text.rpartition("|")[2].strip()


def _not_permitted(
    response: httpx.Response, cmdlet: str, facts: Mapping[str, object]
) -> NotPermitted:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        remedy = (
            "Sign in again: the token is missing, expired or for another service,"
            " or the application lacks the role Exchange.ManageAsApp."
        )
    else:
        remedy = (
            f"Give the operator a role that contains {cmdlet}: Exchange Administrator"
            " to write, Global Reader to read."
        )
    reason = f"{response.status_code} {facts['message']}".strip()
    return NotPermitted(
        f"{SERVICE} does not permit {cmdlet} ({reason}).",
        remedy=remedy,
        facts=facts,
    )
