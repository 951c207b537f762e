"""Processor time of an SMTP sign-in, with one tenant and with 2,000.

Server and client share the process: the figures are the sum of both, and the
ratio is what is judged.
"""

from __future__ import annotations

import smtplib
import time

from tests.benchmarks.performance_page import write_table
from tests.sandbox.mail import client_tls, sign_in
from tests.sandbox.world import World

SIGN_INS = 60
FLEET = 2_000
LARGEST_RATIO = 1.5


class SignIns:
    """A world whose sender signs in again and again."""

    def __init__(self, world: World) -> None:
        """Prepare the sender and warm everything that is made once."""
        self._port = world.submission_port
        self._token = world.token(world.sender())
        self._context = client_tls()
        self.milliseconds(5)

    def milliseconds(self, count: int = SIGN_INS) -> float:
        """Return the processor time of one connection with TLS and sign-in."""
        begun = time.process_time()
        for _ in range(count):
            self._sign_in()
        return (time.process_time() - begun) * 1000 / count

    def _sign_in(self) -> None:
        """Connect, begin TLS, sign in, and quit."""
        with smtplib.SMTP("127.0.0.1", self._port, "client.contoso.com") as client:
            client.starttls(context=self._context)
            client.ehlo()
            code, text = sign_in(client, self._token)
            assert code == 235, text


def test_sign_in_costs_the_same_in_a_fleet() -> None:
    """Nothing is looked for through all tenants."""
    with World(tenants=1) as one, World(tenants=FLEET) as many:
        alone, fleet = SignIns(one), SignIns(many)
        pairs = [(alone.milliseconds(), fleet.milliseconds()) for _ in range(3)]
    small, large = (min(column) for column in zip(*pairs, strict=True))
    ratio = large / small
    measure = f"SMTP sign-in: processor time at {FLEET:,} tenants ÷ at 1"
    result = f"{ratio:.1f} ({small:.1f} ms at 1)"
    head = ("measure", "result", "limit")
    write_table("smtp", [head, (measure, result, str(LARGEST_RATIO))])
    assert ratio <= LARGEST_RATIO, (small, large)
