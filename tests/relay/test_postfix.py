"""A real Postfix from the rendered files: who may relay, encrypted, signed in."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runbook_lib.mail_limits import Limits
from runbook_lib.relay.design import Balancer, RelayDesign
from runbook_lib.relay.design import Upstream as Kind
from tests.relay.postfix import Postfix, eventually, refusal, running, swaks
from tests.relay.site import Site, free_port
from tests.relay.upstream import Upstream

pytestmark = pytest.mark.ci

ALL = [*Kind]


@dataclass
class Standing:
    """A relay that runs, and the upstream it hands to."""

    relay: Postfix
    upstream: Upstream

    def arrives(self, number: int = 1) -> None:
        """Wait for messages, and for an empty queue."""
        self.relay.emptied()
        eventually(
            lambda: len(self.upstream.seen.messages) == number, why=self.relay.log
        )


@pytest.fixture
def standing(site: Site) -> Iterator[Standing]:
    """Run a relay that signs in with a password."""
    with site.upstream() as upstream:
        design = site.relay(submission_port=upstream.port)
        with running(design, site.folder / "relay1") as relay:
            yield Standing(relay, upstream)


def test_message_arrives_unchanged(standing: Standing) -> None:
    """Signed in, encrypted, once, with SAP's own Message-ID."""
    done = swaks(standing.relay, "--header", "Message-Id: <sap-1@contoso.com>")
    assert done.returncode == 0, done.stdout
    standing.arrives()
    seen = standing.upstream.seen
    assert b"\r\nMessage-Id: <sap-1@contoso.com>\r\n" in seen.messages[0]
    assert seen.envelopes == [("sap@contoso.com", "inbox@contoso.com")]
    assert seen.users == ["sap@contoso.com"]
    assert (seen.clear, seen.anonymous) == ([], [])


@pytest.mark.parametrize("recipient", ["inbox@contoso.com", "a@fabrikam.example"])
def test_foreign_network_is_refused(standing: Standing, recipient: str) -> None:
    """A host that is not named hands nothing over, wherever the mail is for."""
    stranger = ("--local-interface", "127.0.0.9")
    done = swaks(standing.relay, *stranger, recipient=recipient)
    assert (refusal(done) or "").startswith("554 5.7.1"), done.stdout + done.stderr
    assert standing.relay.queue() == []


@pytest.mark.parametrize(
    "sender",
    ["ceo@contoso.com", "sap@erp.contoso.com", "sap@fabrikam.example", "<>", "sap"],
)
def test_foreign_sender_is_refused(standing: Standing, sender: str) -> None:
    """Only the senders that were named: no other, none below, and not nobody."""
    done = swaks(standing.relay, sender=sender)
    assert re.match(r"5\d\d 5\.[57]\.", refusal(done) or ""), done.stdout + done.stderr
    assert standing.relay.queue() == []


def test_clear_text_is_refused(standing: Standing) -> None:
    """SAP hands over by TLS; where a host cannot, the operator has to say so."""
    done = swaks(standing.relay, "--tls-optional-strict", "--tls-protocol", "no_tlsv1")
    assert done.returncode == 0
    host, port = standing.relay.address
    with socket.create_connection((host, port), timeout=10) as plain:
        talk = plain.makefile("rwb")
        with talk:
            lines = [talk.readline()]
            for command in (
                b"EHLO sap1.contoso.com\r\n",
                b"MAIL FROM:<sap@contoso.com>\r\n",
            ):
                talk.write(command)
                talk.flush()
                while (line := talk.readline())[3:4] == b"-":
                    pass
                lines.append(line)
    assert lines[-1].startswith(b"530 5.7.0"), lines


def test_nobody_signs_in_where_the_table_is_wrong(standing: Standing) -> None:
    """Without its row the relay is refused, waits, and never sends unsigned."""
    table = Path(standing.relay.config, "sasl_passwd")
    good = table.read_text("utf-8")
    table.write_text(good.replace("localhost", "other.contoso.com"), "utf-8")
    standing.relay.postfix("reload")
    swaks(standing.relay)
    assert "5.7.139" in standing.relay.deferred()
    assert standing.upstream.seen.anonymous == []
    assert standing.upstream.seen.users[0] == "nobody@sign-in.invalid"
    table.write_text(good, "utf-8")
    standing.relay.postfix("reload")
    standing.arrives()


def test_messages_keep_their_distance(site: Site) -> None:
    """Thirty a minute over two relays: each waits four seconds between two."""
    with site.upstream() as upstream:
        design = site.relay(
            submission_port=upstream.port,
            limits=Limits(messages_per_minute=30),
            relays=2,
            balancer=Balancer.AZURE,
        )
        with running(design, site.folder / "relay1") as relay:
            for _ in range(3):
                swaks(relay)
            eventually(lambda: len(upstream.seen.messages) == 3, why=relay.log)
    first, second, third = upstream.seen.times
    assert min(second - first, third - second) > 3.0
    assert upstream.seen.peak == 1


def test_reports_go_to_the_mx_endpoint(site: Site) -> None:
    """The report about an unknown recipient is nobody's, so the mailbox sends none."""
    with site.upstream() as submission, site.upstream(asks=False) as mx:
        submission.refuses(RCPT="550 5.1.10 RESOLVER.ADR.RecipientNotFound")
        design = site.relay(submission_port=submission.port, mx_port=mx.port)
        with running(design, site.folder / "relay1") as relay:
            swaks(relay, recipient="nobody@contoso.com")
            eventually(lambda: bool(mx.seen.messages), why=relay.log)
            relay.emptied()
    assert mx.seen.envelopes == [("", "sap@contoso.com")]
    assert b"nobody@contoso.com" in mx.seen.messages[0]
    assert (mx.seen.users, mx.seen.clear) == ([], [])
    assert [sender for sender, _ in submission.seen.envelopes] == ["sap@contoso.com"]


@pytest.mark.parametrize("balancer", [*Balancer])
@pytest.mark.parametrize("kind", ALL)
def test_postfix_finds_nothing_to_say(
    site: Site, kind: Kind, balancer: Balancer
) -> None:
    """`postfix check` is silent, and no parameter is unknown or not used."""
    design = behind(site.relay(upstream=kind), balancer)
    relay = Postfix(design, site.folder / "relay1")
    relay.install()
    done = relay.postfix("check")
    assert (done.returncode, done.stdout, done.stderr, relay.log()) == (0, "", "", "")
    assert relay.parameters().stderr == ""


def behind(design: RelayDesign, balancer: Balancer) -> RelayDesign:
    """Return a design for two relays behind a load balancer."""
    if balancer is Balancer.NONE:
        return design
    peers = ("127.0.0.1:2501", "127.0.0.1:2502")
    return replace(
        design, balancer=balancer, relays=2, peers=peers, balancers=("127.0.0.4",)
    )


def test_without_the_header_nobody_gets_in(site: Site) -> None:
    """Behind haproxy a client that comes directly is cut off, known or not."""
    design = behind(
        site.relay(submission_port=free_port("127.0.0.1")), Balancer.HAPROXY
    )
    with running(design, site.folder / "relay1") as relay:
        assert swaks(relay).returncode != 0
        assert relay.queue() == []
