"""What all HTTPS services of the sandbox share: call, answer, log and faults.

A service is a plain function from `Call` to `Answer`. `endpoint` turns it into a
Starlette endpoint that logs each request once and plays the transport faults.
"""

import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runbook_lib.sandbox.faults import Faults
from runbook_lib.sandbox.state import Sandbox

RETRY_AFTER_SECONDS = 1

# What the log says of a request that gets no answer, per disturbance.
UNANSWERED_BEFORE = {
    "reset-before": "reset before the effect",
    "stall-before": "stalled before the effect",
}
UNANSWERED_AFTER = {
    "reset-after": "reset after the effect",
    "stall-after": "stalled after the effect",
}
UNANSWERED = {**UNANSWERED_BEFORE, **UNANSWERED_AFTER}


@dataclass(frozen=True)
class Call:
    """One request as a service sees it; `path` is decoded, without the query."""

    sandbox: Sandbox
    host: str
    method: str
    path: str
    query_text: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        """Return the query options, decoded; the last one of a name counts."""
        return dict(parse_qsl(self.query_text, keep_blank_values=True))

    @property
    def bearer(self) -> str | None:
        """Return the bearer token, or null where none was sent."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token else None

    @property
    def content_type(self) -> str:
        """Return the media type of the body, in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass
class Answer:
    """One reply. `body` is a JSON value, bytes, or null for an empty body.

    `tenant` (a tenant id) and `logged` (the body to log where it is not the one
    that was sent) go to the access log only.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    tenant: str | None = None
    logged: Any = None


@dataclass(frozen=True)
class Service:
    """One HTTPS service: its name (the scope of faults) and what it does.

    `unavailable` makes the reply to a throttled or overloaded request in the
    service's own envelope, from the call and the status; it is null for a service
    that no fault touches. `logged` makes the body that the log shows of a request,
    where the body as it came may hold a secret that the log cannot recognise.
    """

    name: str
    handle: Callable[[Call], Answer]
    is_write: Callable[[Call], bool]
    unavailable: Callable[[Call, int], Answer] | None
    logged: Callable[[Call], Any] | None = None


def endpoint(
    sandbox: Sandbox, service: Service
) -> Callable[[Request], Awaitable[Response]]:
    """Return the Starlette endpoint that serves `service`."""

    async def serve(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:  # a client that died amid its request asked nothing
            return Unanswered(request.scope, reset=False)
        call = Call(
            sandbox=sandbox,
            host=request.url.hostname or "",
            method=request.method,
            path=request.scope["path"],
            query_text=request.url.query,
            headers=request.headers,
            body=body,
        )
        with sandbox.lock:
            return _served(call, service, request.scope)

    return serve


def _served(call: Call, service: Service, scope: Scope) -> Response:
    """Answer one call under the faults that were asked for."""
    write = service.is_write(call)
    log_call = partial(_log_call, service)
    faults = Faults() if service.unavailable is None else call.sandbox.faults
    befalls = faults.disturbance(service.name)
    if write and faults.reached("reset-before", service.name):
        befalls = "reset-before"
    if befalls in UNANSWERED_BEFORE:
        log_call(call, Answer(), status=UNANSWERED_BEFORE[befalls], write=write)
        return Unanswered(scope, reset=befalls.startswith("reset"))
    answer = _refused(call, service, befalls) or service.handle(call)
    if write and faults.reached("reset-after", service.name):
        befalls = "reset-after"
    if befalls in UNANSWERED_AFTER:
        log_call(call, answer, status=UNANSWERED_AFTER[befalls], write=write)
        return Unanswered(scope, reset=befalls.startswith("reset"))
    if befalls == "503-after" and service.unavailable:
        answer = service.unavailable(call, 503)
    log_call(call, answer, status=answer.status, write=write)
    if faults.reached("half-answer", service.name):
        return HalfAnswer(rendered(answer), scope)
    return rendered(answer)


def _refused(call: Call, service: Service, befalls: str) -> Answer | None:
    """Return the reply of a throttled or overloaded service, or null."""
    if service.unavailable is None:
        return None
    for status in (429, 503):
        taken = call.sandbox.faults.take(str(status), service.name)
        if taken or befalls in (str(status), f"{status}-date", f"{status}-before"):
            answer = service.unavailable(call, status)
            answer.headers["Retry-After"] = _retry_after(date=befalls.endswith("date"))
            return answer
    return None


def _retry_after(*, date: bool) -> str:
    """Return when to come again: seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    if not date:
        return str(RETRY_AFTER_SECONDS)
    return formatdate(time.time() + RETRY_AFTER_SECONDS, usegmt=True)


def _log_call(
    service: Service, call: Call, answer: Answer, *, status: int | str, write: bool
) -> None:
    """Log a request to a service, whatever became of it."""
    if answer.logged is None and service.logged is not None:
        answer.logged = service.logged(call)
    log_call(call, answer, status=status, write=write)


def log_call(call: Call, answer: Answer, *, status: int | str, write: bool) -> None:
    """Write one HTTPS request to the access log."""
    call.sandbox.log.write(
        protocol="https",
        host=call.host,
        method=call.method,
        path=call.path,
        query=unquote_plus(call.query_text) or None,
        body=logged_body(call) if answer.logged is None else answer.logged,
        status=status,
        tenant=answer.tenant,
        write=write,
    )


def logged_body(call: Call) -> Any:
    """Return the body as the log shows it: JSON, form fields, or text."""
    if not call.body:
        return None
    text = call.body.decode("utf-8", errors="replace")
    if call.content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        return json.loads(text)
    except ValueError:
        return text


def rendered(answer: Answer) -> Response:
    """Turn an answer into a response; JSON unless the service says otherwise."""
    body = answer.body
    content = body if isinstance(body, bytes) else b""
    media_type = None
    if body is not None and not isinstance(body, bytes):
        content = json.dumps(body, ensure_ascii=False).encode()
        media_type = "application/json; charset=utf-8"
    if any(name.lower() == "content-type" for name in answer.headers):
        media_type = None
    response = Response(content, answer.status, media_type=media_type)
    response.headers.update(answer.headers)
    if answer.status == 204:
        del response.headers["content-length"]
    return response


class Unanswered(Response):
    """Not a reply: the connection is reset, or kept open in silence."""

    def __init__(self, scope: Scope, *, reset: bool) -> None:
        """Take the connection from the request's scope."""
        super().__init__(status_code=500)
        self._transport = transport_of(scope)
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset the TCP connection, as a failing load balancer does, or wait."""
        if self._transport is None:
            raise ConnectionResetError("the sandbox does not answer this request")
        if self._reset:
            self._abort()
        await _disconnected(receive)

    def _abort(self) -> None:
        """Send RST in place of FIN."""
        linger = struct.pack("ii", 1, 0)
        peer = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()


class HalfAnswer(Response):
    """A reply that promises its whole length and ends in the middle."""

    def __init__(self, whole: Response, scope: Scope) -> None:
        """Take the reply that is cut off."""
        super().__init__(whole.body, whole.status_code, dict(whole.headers))
        self._transport = transport_of(scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body, then close the connection."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        if self._transport is None:
            raise ConnectionResetError("the sandbox breaks this answer off")
        self._transport.close()
        await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    """Wait until the server knows that the connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue


def transport_of(scope: Scope) -> Any:
    """Return the connection of a request; null where there is none (tests)."""
    return scope.get("state", {}).get("transport")
