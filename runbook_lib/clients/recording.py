"""The HTTP layer that reports each exchange, masked, and learns secrets first."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import parse_qs

import httpx

from runbook_lib.clients.certificates import tls_facts
from runbook_lib.clients.routing import endpoint
from runbook_lib.clients.wire import Traffic
from runbook_lib.secret import Mask, Secret

BODY_LIMIT = 64 * 1024
CLIENT_REQUEST_ID = "client-request-id"

_NEVER_RECORDED = {"authorization", "proxy-authorization", "cookie"}
_OF_INTEREST = {
    *("request-id", CLIENT_REQUEST_ID, "retry-after", "date", "content-type"),
    *("content-encoding", "location", "www-authenticate", "x-warnings"),
}
_FAMILIES = ("x-ms-", "rate-limit-")
_SECRET_FIELDS = ("client_secret", "client_assertion", "refresh_token", "device_code")
_SECRET_MEMBERS = re.compile(
    r'"(?:secretText|access_token|refresh_token|id_token|device_code)"'
    r'\s*:\s*("(?:[^"\\]|\\.)*")'
)


def is_write(request: httpx.Request) -> bool:
    """Return whether the client says that a request changes something.

    A client says so in the request's extension `write`; without it every method
    but GET and HEAD is a write.
    """
    stated = request.extensions.get("write")
    return request.method not in ("GET", "HEAD") if stated is None else bool(stated)


def named(request: httpx.Request) -> str:
    """Return method, path and, for Exchange, the cmdlet; without the query."""
    cmdlet = request.headers.get("x-cmdletname")
    return f"{request.method} {request.url.path}" + (f" ({cmdlet})" if cmdlet else "")


def masked(response: httpx.Response, text: str) -> str:
    """Return a text masked with what the run of this response knows as secret."""
    mask = response.extensions.get("mask")
    return mask.text(text) if isinstance(mask, Mask) else Mask().text(text)


def clipped(text: str) -> str:
    """Return at most 64 KB of a text that is already masked."""
    return text.encode()[:BODY_LIMIT].decode(errors="ignore")


class Recorded(httpx.BaseTransport):
    """Reports every exchange to the receiver, with or without an answer.

    Beside what every exchange has: method, url, host, port, peer, proxy, tls,
    request_headers, request_body, request_bytes, request_sha256, status,
    response_headers, response_body, response_bytes, response_sha256. Bodies are
    masked and cut at 64 KB; sizes and digests are of the whole as sent, after
    content decoding. `peer` is the address that was connected to, which is the
    proxy's where there is one. A client whose service answers more than may be
    kept gives a function from text to text in the request's extension `redact`.
    """

    def __init__(self, inner: httpx.BaseTransport, traffic: Traffic, mask: Mask):
        """Report to `traffic` what goes through `inner`."""
        self._inner = inner
        self._traffic = traffic
        self._mask = mask

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, read the whole answer, report, and return the answer."""
        if CLIENT_REQUEST_ID not in request.headers:
            request.headers[CLIENT_REQUEST_ID] = str(uuid.uuid4())
        request.read()
        self._learn_from_request(request)
        self._learn_members(
            request.content, request.extensions.get("secret_members", ())
        )
        asked = self._asked(request)
        try:
            response = _whole(self._inner.handle_request(request))
        except BaseException as error:  # an interrupted request was sent as well
            reason = self._mask.text(f"{type(error).__name__}: {error}")
            self._traffic({**asked, **_UNANSWERED, "error": reason})
            raise
        self._learn_from_response(response)
        self._learn_members(
            response.content, request.extensions.get("secret_members", ())
        )
        self._traffic({**asked, **self._answered(request, response), "error": None})
        response.extensions["mask"] = self._mask
        return response

    def close(self) -> None:
        """Close the connections below."""
        self._inner.close()

    def _learn_from_request(self, request: httpx.Request) -> None:
        """Add to the mask what a request carries as secret, by its field."""
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self._mask.add(Secret(credential))
        kind = request.headers.get("content-type", "")
        if kind.startswith("application/x-www-form-urlencoded"):
            form = parse_qs(request.content.decode(errors="replace"))
            for field in _SECRET_FIELDS:
                for value in form.get(field, []):
                    self._mask.add(Secret(value))

    def _learn_from_response(self, response: httpx.Response) -> None:
        """Add to the mask what an answer carries as secret, by its member.

        A pattern, not a parser: a half-written answer discloses as well.
        """
        for literal in _SECRET_MEMBERS.findall(_text(response.content)):
            self._learn_literal(literal)

    def _learn_members(self, content: bytes, names: Iterable[str]) -> None:
        """Add to the mask the members of a body that the client names as secret.

        A client says so in the request's extension `secret_members`.
        """
        for name in names:
            pattern = rf'"{re.escape(name)}"\s*:\s*("(?:[^"\\]|\\.)*")'
            for literal in re.findall(pattern, _text(content)):
                self._learn_literal(literal)

    def _learn_literal(self, literal: str) -> None:
        """Add a JSON string: as it stands in the body, and as it is meant."""
        self._mask.add(Secret(literal[1:-1]))
        with suppress(ValueError):
            self._mask.add(Secret(json.loads(literal)))

    def _asked(self, request: httpx.Request) -> dict[str, object]:
        host, port = endpoint(request.url)
        headers = {
            name: self._mask.text(value)
            for name, value in request.headers.items()
            if name not in _NEVER_RECORDED
        }
        return {
            "protocol": request.url.scheme,
            "method": request.method,
            "url": self._mask.text(str(request.url)),
            "host": host,
            "port": port,
            "write": is_write(request),
            "request_headers": headers,
            **self._body("request", request.content, request),
        }

    def _answered(
        self, request: httpx.Request, response: httpx.Response
    ) -> dict[str, object]:
        headers = {
            name: self._mask.text(value)
            for name, value in response.headers.items()
            if name in _OF_INTEREST or name.startswith(_FAMILIES)
        }
        return {
            "peer": response.extensions.get("peer"),
            "proxy": response.extensions.get("proxy"),
            "tls": response.extensions.get("tls"),
            "status": response.status_code,
            "response_headers": headers,
            **self._body("response", response.content, request),
        }

    def _body(
        self, side: str, content: bytes, request: httpx.Request
    ) -> dict[str, object]:
        # Masked before it is cut: half a secret would not be recognised.
        redact = request.extensions.get("redact", str)
        return {
            f"{side}_body": clipped(redact(self._mask.text(_text(content)))),
            f"{side}_bytes": len(content),
            f"{side}_sha256": hashlib.sha256(content).hexdigest(),
        }


_UNANSWERED: dict[str, object] = dict.fromkeys(
    (
        *("peer", "proxy", "tls", "status", "response_headers"),
        *("response_body", "response_bytes", "response_sha256"),
    )
)


def _text(content: bytes) -> str:
    return content.decode(errors="backslashreplace")


def _whole(response: httpx.Response) -> httpx.Response:
    """Read an answer to its end and decode it, even when it is mislabelled.

    Exchange answers some refusals with a body that is said to be gzip and is not
    (field report); the bytes are kept as they came then.
    """
    if response.is_stream_consumed:  # the transport below had it whole
        return response
    extensions = {**response.extensions, **_connection_facts(response)}
    try:
        raw = b"".join(response.iter_raw())
    finally:
        response.close()
    status, headers = response.status_code, response.headers
    try:
        return httpx.Response(
            status, headers=headers, content=raw, extensions=extensions
        )
    except httpx.DecodingError:
        kept = httpx.Response(status, content=raw, extensions=extensions)
        kept.headers = headers
        return kept


def _connection_facts(response: httpx.Response) -> dict[str, object]:
    """Return peer and TLS facts; they are gone once the connection is closed."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return {}
    host, port = stream.get_extra_info("server_addr")[:2]
    secured = stream.get_extra_info("ssl_object")
    return {
        "peer": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "tls": tls_facts(secured) if secured else None,
    }
