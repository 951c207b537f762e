"""The HTTP layer that repeats what may be repeated, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from runbook_lib.clients.pacing import Alone, Pace
from runbook_lib.clients.recording import CLIENT_REQUEST_ID, is_write, named
from runbook_lib.clients.routing import endpoint
from runbook_lib.errors import OutcomeUnknown, Unreachable

PATIENCE = 120.0
REPEATS = 3

_TOO_MANY_REQUESTS = 429
_PASSING = {500, 502, 503, 504}
_BROKEN = (
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.NetworkError,
    httpx.RemoteProtocolError,
)


class Patient(httpx.BaseTransport):
    """Repeats a request when that is safe.

    429 says that nothing was done, so any request is repeated after Retry-After,
    or after 2, 4, 8, … s without it, while the waits add up to 120 s at most. A
    read is repeated three times on 500, 502, 503, 504, a broken connection or a
    time-out. A write is not: it may have happened. A client whose service says by
    such a status what it means, as SOAP does by 500, names it in the request's
    extension `answered`.

    Source: Microsoft Graph throttling guidance; RFC 9110 section 9.2.2.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        sleep: Callable[[float], None],
        pace: Pace | None = None,
    ) -> None:
        """Repeat over `inner`, waiting with `sleep` (seconds).

        `pace` is that of all processes which work on the tenant.
        """
        self._inner = inner
        self._sleep = sleep
        self._pace = pace or Alone()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the first answer that is final.

        Raises:
            OutcomeUnknown: a write was sent and no answer came.
            Unreachable: a read got no answer, however often.
        """
        waited, repeats = 0.0, 0
        while True:
            self._pace.wait(request.url.host, self._sleep)
            outcome = self._attempt(request)
            pause = _pause(request, outcome, repeats)
            if pause is not None and _throttled(outcome):
                self._pace.refused(request.url.host, pause)
            # A Retry-After of 0 counts as a second, so that the loop ends.
            if pause is None or waited + max(pause, 1.0) > PATIENCE:
                if isinstance(outcome, Unreachable):
                    raise outcome
                return outcome
            self._sleep(pause)
            waited += max(pause, 1.0)
            repeats += 1
            request.headers.pop(CLIENT_REQUEST_ID, None)

    def close(self) -> None:
        """Close the connections below."""
        self._inner.close()

    def _attempt(self, request: httpx.Request) -> httpx.Response | Unreachable:
        """Send once; the lack of an answer is returned for a read, raised else."""
        try:
            return self._inner.handle_request(request)
        except _BROKEN as error:
            reason = (str(error) or type(error).__name__).rstrip(".")
            host, port = endpoint(request.url)
            facts: dict[str, object] = {
                "endpoint": f"{host}:{port}",
                "client-request-id": request.headers.get(CLIENT_REQUEST_ID),
                "reason": reason,
            }
            if is_write(request):
                raise unknown_outcome(named(request), reason, facts) from None
            return _no_answer(request, facts)


def unknown_outcome(
    what: str, reason: str, facts: dict[str, object] | None = None
) -> OutcomeUnknown:
    """Return the error for a write whose effect nobody knows."""
    return OutcomeUnknown(
        f"{what} was sent and its effect is unknown: {reason}.",
        remedy="Read the object again before anything is repeated.",
        facts={"request": what, "reason": reason, **(facts or {})},
    )


def _no_answer(request: httpx.Request, facts: dict[str, object]) -> Unreachable:
    return Unreachable(
        f"{facts['endpoint']} gave no answer to {named(request)}, repeats included:"
        f" {facts['reason']}.",
        remedy="Run again later; if it stays, look for a fault on the way there.",
        facts=facts,
    )


def _pause(
    request: httpx.Request, outcome: httpx.Response | Unreachable, repeats: int
) -> float | None:
    """Return the seconds to wait before a repeat; None when this is final."""
    backoff = 2.0 ** (repeats + 1)
    if isinstance(outcome, Unreachable):
        return backoff if repeats < REPEATS else None
    if outcome.status_code == _TOO_MANY_REQUESTS:
        return _retry_after(outcome, backoff)
    answered = request.extensions.get("answered", ())
    passing = outcome.status_code in _PASSING and outcome.status_code not in answered
    passing = passing and not is_write(request)
    return _retry_after(outcome, backoff) if passing and repeats < REPEATS else None


def _throttled(outcome: httpx.Response | Unreachable) -> bool:
    """Tell whether the service said that it has too many requests."""
    return (
        isinstance(outcome, httpx.Response)
        and outcome.status_code == _TOO_MANY_REQUESTS
    )


def _retry_after(response: httpx.Response, backoff: float) -> float:
    """Return Retry-After in seconds, or the back-off where it says nothing.

    A date is taken against the answer's own Date, so that a wrong clock here
    does no harm.

    Source: RFC 9110 section 10.2.3.
    """
    stated = response.headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdigit():
        return float(stated)
    again = _moment(stated)
    if again is None:
        return backoff
    asked = _moment(response.headers.get("date", "")) or datetime.now(UTC)
    return max((again - asked).total_seconds(), 0.0)


def _moment(text: str) -> datetime | None:
    """Return an HTTP date, or None where the text is none."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
