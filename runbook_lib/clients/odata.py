"""OData V4: the entities of a set, from all pages, read with a user and a password."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx

from runbook_lib.clients.basic_sign_in import BasicSignIn
from runbook_lib.clients.replies import (
    as_mapping,
    body_or_nothing,
    json_list,
    json_object,
    measured,
    server_fault,
    unknown_reply,
)
from runbook_lib.errors import NotPermitted, ServiceRefused

MOST_PAGES = 50

Row = Mapping[str, object]

_UNAUTHORIZED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
# What a release without such an entity, or with other names in it, answers.
_NOT_OFFERED = (httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND)
# Who made or changed an object is nobody's business here.
_PEOPLE = re.compile(r'("\w*(?:Created|Changed)By\w*"\s*:\s*)"(?:[^"\\]|\\.)*"')


class ODataReader:
    """Reads entity sets of one service.

    Each method raises NotPermitted (401, 403), ServiceRefused, CannotLook,
    UnknownReply, Unreachable, UntrustedCertificate.

    Source: OData Version 4.01, Part 1: Protocol; Part 2: URL Conventions.
    """

    def __init__(
        self,
        http: httpx.Client,
        service: str,
        sign_in: BasicSignIn,
        *,
        permission: str,
    ) -> None:
        """Read as a user; `permission` says what to do where it may not."""
        self._http = http
        self._service = service
        self._sign_in = sign_in
        self._permission = permission

    def rows(self, entities: str, filtered: str) -> list[Row] | None:
        """Return the entities of a set that a filter lets through, from all pages.

        None means that the service does not offer them so: 400 or 404.
        """
        target = httpx.URL(entities).copy_merge_params({"$filter": filtered})
        rows: list[Row] = []
        for _ in range(MOST_PAGES):
            response = self._get(target)
            if response.status_code in _NOT_OFFERED:
                return None
            rows += json_list(self._service, response)
            link = json_object(self._service, response).get("@odata.nextLink")
            if link is None:
                return rows
            target = self._next(target, link, response)
        raise unknown_reply(self._service, response)

    def _next(
        self, target: httpx.URL, link: object, response: httpx.Response
    ) -> httpx.URL:
        """Return the next page; the password goes to no other host."""
        following = target.join(str(link))
        place = (following.scheme, following.host, following.port)
        if place != (target.scheme, target.host, target.port):
            raise unknown_reply(self._service, response)
        return following

    def _get(self, target: httpx.URL) -> httpx.Response:
        """Return an answer that succeeded, or one that says “not offered”."""
        if self._sign_in.refused:
            raise self._denied(target.host, "refused before, and not sent again", {})
        response = self._http.get(
            target,
            headers={
                "Accept": "application/json",
                "Authorization": self._sign_in.header(),
            },
            extensions={"write": False, "redact": _without_people},
        )
        status = response.status_code
        if status in _UNAUTHORIZED:
            self._sign_in.refused = status == httpx.codes.UNAUTHORIZED
            raise self._denied(target.host, str(status), measured(response))
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise server_fault(self._service, response)
        if not response.is_success and status not in _NOT_OFFERED:
            raise self._refused(response)
        return response

    def _denied(self, host: str, why: str, facts: Mapping[str, object]) -> NotPermitted:
        return NotPermitted(
            f"{self._service} at {host} does not permit this to {self._sign_in.user}: "
            f"{why}.",
            remedy=self._permission,
            facts=facts,
        )

    def _refused(self, response: httpx.Response) -> ServiceRefused:
        error = as_mapping(body_or_nothing(response).get("error"))
        code = str(error.get("code") or response.status_code)
        return ServiceRefused(
            f"{self._service} refused with {response.status_code} {code}.",
            code=code,
            facts={**measured(response), "code": code},
        )


def _without_people(text: str) -> str:
    return _PEOPLE.sub(r'\1"•••"', text)
