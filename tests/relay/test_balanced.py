"""Two relays behind a real haproxy, with the PROXY header; one is killed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from runbook_lib.relay.bundle import render
from runbook_lib.relay.design import Balancer, RelayDesign
from tests.relay.burst import Burst, arrived, trust_of
from tests.relay.postfix import Postfix, answers, eventually, refusal, running, swaks
from tests.relay.site import Site, free_port
from tests.relay.tenant import Program
from tests.sandbox.outsider import require

pytestmark = pytest.mark.ci

SAP, STRANGER = "127.0.0.7", "127.0.0.9"


def pair(site: Site, upstream: int) -> tuple[RelayDesign, RelayDesign]:
    """Return two relays that serve SAP's address, with haproxy before them."""
    ports = free_port("127.0.0.1"), free_port("127.0.0.1")
    together = {
        "submission_port": upstream,
        "networks": (f"{SAP}/32",),
        "balancer": Balancer.HAPROXY,
        "balancers": ("127.0.0.1",),
        "balancer_port": free_port("127.0.0.1"),
        "peers": tuple(f"127.0.0.1:{port}" for port in ports),
        "relays": 2,
    }
    one, two = (
        site.relay(f"relay{n}", port=port, **together)
        for n, port in enumerate(ports, start=1)
    )
    return one, two


@contextmanager
def haproxy(design: RelayDesign, folder: Path) -> Iterator[tuple[str, int]]:
    """Run haproxy with the rendered configuration; yield where SAP reaches it."""
    program = require("haproxy", "haproxy")
    config = folder / "haproxy.cfg"
    config.write_text(render(design)["haproxy.cfg"].text, "utf-8")
    checked = subprocess.run(
        [program, "-c", "-f", str(config)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "warning" not in (checked.stdout + checked.stderr).lower()
    running_it = Program(
        [program, "-db", "-f", str(config)], {}, folder / "haproxy.log"
    )
    running_it.start()
    address = design.balancers[0], design.balancer_port
    try:
        eventually(lambda: answers(address), why=running_it.log.read_text)
        yield address
    finally:
        running_it.kill()


def test_one_of_two_is_killed(site: Site) -> None:
    """The other takes over; what was in the dead one's queue comes when it is back."""
    with site.upstream() as upstream:
        first, second = pair(site, upstream.port)
        with (
            running(first, site.folder / "relay1") as one,
            running(second, site.folder / "relay2") as two,
            haproxy(first, site.folder) as address,
        ):
            upstream.refuses(MAIL="432 4.3.2 Concurrent connections limit exceeded")
            burst = Burst(address, trust_of(site), 120, source=SAP)

            def disturb() -> None:
                burst.reached(60)
                one.kill()
                upstream.refuses()

            burst.send(while_sending=disturb)
            two.emptied()
            before = set(arrived(upstream.seen.subjects()))
            one.start()
            one.emptied()
    count = arrived(upstream.seen.subjects())
    assert burst.acknowledged == set(range(120))
    assert before < burst.acknowledged
    assert set(count) == burst.acknowledged


def test_the_client_behind_the_balancer_counts(site: Site) -> None:
    """SAP's address is let in, another one is refused, through the same haproxy."""
    with site.upstream() as upstream:
        first, second = pair(site, upstream.port)
        with (
            running(first, site.folder / "relay1"),
            running(second, site.folder / "relay2"),
            haproxy(first, site.folder) as (host, port),
        ):
            balanced = Postfix(replace(first, listen=host, port=port), site.folder)
            stranger = swaks(balanced, "--local-interface", STRANGER)
            assert (refusal(stranger) or "").startswith("554 5.7.1")
            assert swaks(balanced, "--local-interface", SAP).returncode == 0
            eventually(lambda: len(upstream.seen.messages) == 1)


def test_firewall_is_well_formed(site: Site) -> None:
    """nft reads the rendered rules, for each load balancer."""
    program = require("nft", "nftables")
    first, _ = pair(site, 587)
    for balancer in Balancer:
        design = replace(
            first, balancer=balancer, networks=("10.1.3.0/24", "fd00::/64")
        )
        if balancer is Balancer.NONE:
            design = replace(design, relays=1)
        rules = site.folder / "nftables.conf"
        rules.write_text(render(design)["nftables.conf"].text, "utf-8")
        done = subprocess.run(
            [program, "-c", "-f", str(rules)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
