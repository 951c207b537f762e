"""Whatever the upstream does: what was acknowledged arrives, or waits with a reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trustme

from runbook_lib.mail_limits import Limits
from tests.relay.burst import Burst, arrived, trust_of
from tests.relay.postfix import Postfix, eventually, running, swaks
from tests.relay.site import Site, free_port

pytestmark = pytest.mark.ci

MANY = ["one", "two", "three"]
REFUSALS = [
    ("CONNECT", "421 4.3.2 Service not available", "421"),
    ("AUTH", "535 5.7.3 Authentication unsuccessful", "535 5.7.3"),
    ("AUTH", "454 4.7.0 Temporary authentication failure", "454 4.7.0"),
    ("MAIL", "432 4.3.2 Concurrent connections limit exceeded", "432 4.3.2"),
    ("MAIL", "530 5.7.57 Client not authenticated to send mail", "530 5.7.57"),
    ("RCPT", "451 4.7.500 Server busy", "451 4.7.500"),
    ("RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied", "5.7.64"),
    ("DATA", "421 4.4.2 Connection dropped", "421"),
    ("MESSAGE", "432 4.3.2 Concurrent connections limit exceeded", "432 4.3.2"),
    ("MESSAGE", "550 5.7.30 Basic authentication is not supported", "5.7.30"),
    ("MESSAGE", "", "lost connection"),
    ("STARTTLS", "454 4.7.0 TLS not available", "TLS"),
]


def hand_over(relay: Postfix, subjects: list[str]) -> None:
    """Hand messages over; each is acknowledged."""
    for subject in subjects:
        done = swaks(relay, "--header", f"Subject: {subject}")
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("verb", "reply", "reason"), REFUSALS)
def test_refusals_wait(site: Site, verb: str, reply: str, reason: str) -> None:
    """All stand in the queue with the upstream's words, and arrive once it is well."""
    with site.upstream() as upstream:
        upstream.refuses(**{verb: reply})
        design = site.relay(submission_port=upstream.port)
        with running(design, site.folder / "relay1") as relay:
            hand_over(relay, MANY)
            assert relay.deferred(reason)
            assert len(relay.queue()) == 3
            lost = len(upstream.seen.messages)
            upstream.refuses()
            relay.emptied()
            assert "status=bounced" not in relay.log()
    subjects = upstream.seen.subjects()
    assert set(subjects) == set(MANY)
    # A lost connection after the message leaves a second copy, and nothing else does.
    assert (len(subjects) > 3) == (lost > 0) == (reply == "")
    assert upstream.seen.clear == []


def test_no_tls_no_mail(site: Site) -> None:
    """An upstream that offers no STARTTLS, or sign-in in the clear, gets nothing."""
    with site.upstream(offers=False) as upstream:
        design = site.relay(submission_port=upstream.port)
        with running(design, site.folder / "relay1") as relay:
            hand_over(relay, ["one"])
            assert relay.deferred("TLS is required, but was not offered")
    seen = upstream.seen
    assert (seen.messages, seen.users, seen.clear) == ([], [], [])


@pytest.mark.parametrize("fault", ["name", "authority"])
def test_unverified_certificate_no_mail(site: Site, fault: str) -> None:
    """Another name or another authority: no sign-in, no message, it waits."""
    name = "mail.fabrikam.example" if fault == "name" else "localhost"
    other = trustme.CA() if fault == "authority" else site.authority
    with Site(site.folder, other).upstream(name) as upstream:
        design = site.relay(submission_port=upstream.port)
        with running(design, site.folder / "relay1") as relay:
            hand_over(relay, ["one"])
            assert relay.deferred("Server certificate not verified")
    assert (upstream.seen.messages, upstream.seen.users) == ([], [])


def test_upstream_away(site: Site) -> None:
    """Nobody listens: all wait; an upstream at that port gets them."""
    port = free_port("127.0.0.1")
    design = site.relay(submission_port=port)
    with running(design, site.folder / "relay1") as relay:
        hand_over(relay, MANY)
        assert relay.deferred("Connection refused")
        assert len(relay.queue()) == 3
        relay.stop()
        with site.upstream(port=port) as upstream:
            relay.start()
            relay.emptied()
    assert sorted(upstream.seen.subjects()) == sorted(MANY)


def test_limit_of_connections_is_kept(site: Site) -> None:
    """At the pace of a mailbox, here twice that, a burst goes over one connection."""
    with site.upstream() as upstream:
        limits = Limits(messages_per_minute=60)
        design = site.relay(submission_port=upstream.port, limits=limits)
        with running(design, site.folder / "relay1") as relay:
            Burst(relay.address, trust_of(site), 8).send()
            eventually(lambda: len(upstream.seen.messages) == 8, why=relay.log)
    assert upstream.seen.peak <= design.own_connections
    assert arrived(upstream.seen.subjects()) == dict.fromkeys(range(8), 1)


def test_half_written_message_does_not_stop_a_start(site: Site) -> None:
    """A power failure leaves a nameless file in the queue; Postfix starts and tells."""
    with site.upstream() as upstream:
        design = site.relay(submission_port=upstream.port)
        with running(design, site.folder / "relay1") as relay:
            relay.stop()
            rotated = Path(design.places.log)
            rotated.rename(rotated.with_suffix(".1"))
            rotated.touch(0o644)
            left = Path(design.places.queue, "incoming", "937001.5392")
            left.touch(0o700)
            shutil.chown(left, "postfix")
            relay.start()
            assert "bogus file name: incoming/937001.5392" in relay.log()


def test_kills_in_a_burst(site: Site) -> None:
    """Postfix is killed four times in 300 messages: none is lost, few come twice."""
    killed_in_a_burst(site, 300, kills=4)


def killed_in_a_burst(site: Site, number: int, *, kills: int) -> None:
    """Send a burst, killing the relay in it; none of the acknowledged is lost.

    A message that was handed on, and not yet crossed off when the relay died, comes
    twice: at most one for each open connection, and one that SAP sent again.
    """
    patience = 60.0 + number / 4
    with site.upstream() as upstream:
        design = site.relay(submission_port=upstream.port)
        with running(design, site.folder / "relay1") as relay:
            trust = trust_of(site)
            burst = Burst(relay.address, trust, number, patience=patience)

            def disturb() -> None:
                for kill in range(1, kills + 1):
                    burst.reached(number * kill // (kills + 1))
                    relay.kill()
                    relay.start()

            burst.send(while_sending=disturb)
            relay.emptied(within=patience)
    count = arrived(upstream.seen.subjects())
    twice = sum(count.values()) - len(count)
    print(f"{number} acknowledged, {len(count)} arrived, {twice} of them twice")
    assert burst.acknowledged == set(range(number))
    assert set(count) == burst.acknowledged
    assert twice <= kills * 8
