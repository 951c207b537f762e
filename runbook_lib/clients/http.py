"""Opens the HTTP client that all services share.

Its layers, from the top: `retrying` repeats what may be repeated, `recording`
reports each exchange, `routing` decides address, proxy and trust.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from runbook_lib.clients.pacing import Pace
from runbook_lib.clients.recording import Recorded
from runbook_lib.clients.retrying import Patient
from runbook_lib.clients.routing import Routed
from runbook_lib.clients.wire import Traffic, Wire
from runbook_lib.secret import Mask

__all__ = ["Traffic", "Wire", "open_http"]

USER_AGENT = "sap-exchange-runbooks"


def open_http(
    wire: Wire,
    traffic: Traffic,
    mask: Mask,
    *,
    sleep: Callable[[float], None] = time.sleep,
    transport: httpx.BaseTransport | None = None,
    pace: Pace | None = None,
) -> httpx.Client:
    """Return a client that goes the wire's way and reports every exchange.

    It follows no redirect, reads no environment variable and keeps no cookie. A
    request says with `extensions={"write": …}` whether it changes something.
    `transport` replaces the network, for tests; `pace` is shared with other
    processes that work on the tenant. The caller closes the client.

    Raises, when it sends:
        UntrustedCertificate, Unreachable, OutcomeUnknown, Refused.
    """
    recorded = Recorded(transport or Routed(wire), traffic, mask)
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(
        transport=Patient(recorded, sleep, pace),
        trust_env=False,
        follow_redirects=False,
        timeout=wire.timeout,
        cookies=no_cookies,
        headers={"User-Agent": USER_AGENT},
    )
