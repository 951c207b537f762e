"""Fuzzing by time: Hypothesis makes the requests, in batches of one fixed seed each.

A batch that fails names its seed; `run_batch` with that seed repeats it.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.sandbox.world import World

LONGEST_ANSWER = 5  # seconds until a request counts as hung
BATCH = 100

Example = TypeVar("Example")


def fuzz(
    seconds: float, examples: st.SearchStrategy[Example], send: Callable[[Example], Any]
) -> int:
    """Send examples for some seconds; return how many batches there were.

    `send` raises AssertionError for what must not happen.
    """
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        run_batch(number, examples, send)
        number += 1
    return number


def run_batch(
    number: int, examples: st.SearchStrategy[Example], send: Callable[[Example], Any]
) -> None:
    """Send the examples of one seed."""

    @seed(number)
    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(examples)
    def batch(example: Example) -> None:
        """Send one example."""
        send(example)

    batch()


def answered(world: World, request: httpx.Request) -> httpx.Response:
    """Send a request; it has to be answered soon, and not with a server error.

    An exception inside the sandbox comes out here as itself.
    """
    begin = time.monotonic()
    answer = world.wait(world.client.send(request))
    assert time.monotonic() - begin < LONGEST_ANSWER, request.url
    assert answer.status_code < 500, (request.method, request.url, answer.text)
    return answer


def request_of(
    method: str, host: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> httpx.Request:
    """Return a request whose path and query may be any text."""
    target = (
        "/"
        + quote(path.removeprefix("/"), safe="/$()'=,:@%")
        + (f"?{query}" if query else "")
    )
    url = httpx.URL(scheme="https", host=host, raw_path=target.encode())
    return httpx.Request(method, url, headers=headers, content=body)


def texts(*known: str) -> st.SearchStrategy[str]:
    """Return texts: mostly known ones, sometimes any."""
    return st.one_of(
        st.sampled_from(known), st.sampled_from(known), st.text(max_size=20)
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)

METHODS = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"])
MEDIA_TYPES = texts(
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/x-www-form-urlencoded",
).filter(lambda text: text.isascii() and text.isprintable())
