"""Who sends at the MX side: greeting, SPF, DMARC, IPv6, and the fields it leaves."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runbook_lib.sandbox.mx import start_mx
from runbook_lib.sandbox.mx_sender import dmarc_policy, spf_result
from tests.sandbox.mail import (
    INBOX,
    MAILBOX,
    OUTSIDE,
    certificates,
    client_tls,
    message,
    send,
)
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

STRANGER = "someone@fabrikam.example"
OWN_SPF = '"v=spf1 ip4:203.0.113.10 include:spf.protection.outlook.com ~all"'

CHECKS = Checks("mx", file=__file__)


def publish(world: World, name: str, *texts: str) -> None:
    """Add TXT records to a name."""
    world.sandbox.dns.setdefault(name, {})["TXT"] = list(texts)


def trace_status(world: World) -> str:
    """Return the final status of the newest row of the trace."""
    return str(world.tenant.exchange.traces[-1].row["Status"])


def sent_directly(world: World, source: str, sender: str = MAILBOX) -> tuple[int, str]:
    """Send one message to the inbox from an address."""
    with world.mx(source) as client:
        return send(client, message(sender), sender, INBOX)


@contextmanager
def over_ipv6(world: World) -> Iterator[smtplib.SMTP]:
    """Open a connection to the MX side over ::1."""
    server = world.wait(start_mx(world.sandbox, "::1", 0, certificates().edge))
    port = server.sockets[0].getsockname()[1]
    client = smtplib.SMTP("::1", port, "erp.contoso.com")
    try:
        client.ehlo()
        yield client
    finally:
        client.close()
        world.loop.call_soon_threadsafe(server.close)


@CHECKS.row("mx.relay-stranger")
def check_relay_stranger(world: World) -> None:
    """Nobody's sender from nobody's address is told that this is no relay."""
    with world.mx() as client:
        client.mail(STRANGER)
        code, text = client.rcpt(OUTSIDE)
        assert (code, text[:25]) == (550, b"5.4.1 Relay Access Denied")


@CHECKS.row("mx.bad-hello")
def check_bad_hello(world: World) -> None:
    """A client that calls itself the MX endpoint is refused; another is not."""
    with world.mx() as client:
        client.ehlo("contoso-com.mail.protection.outlook.com")
        assert client.mail(STRANGER)[1].startswith(b"5.7.506 Access Denied, Bad HELO")
        client.ehlo("erp.contoso.com")
        assert client.mail(STRANGER)[0] == 250


@CHECKS.row("mx.dmarc-reject")
def check_dmarc_reject(world: World) -> None:
    """A subdomain inherits the policy; an SPF pass of the domain satisfies it."""
    publish(world, "_dmarc.fabrikam.example", '"v=DMARC1; p=reject"')
    publish(world, "mail.fabrikam.example", '"v=spf1 ip4:203.0.113.10 -all"')
    sender = "a@mail.fabrikam.example"
    code, text = sent_directly(world, "127.0.0.11", sender)
    assert (code, text[:40]) == (550, "5.7.509 Access denied, sending domain mai"[:40])
    assert sent_directly(world, "127.0.0.10", sender)[0] == 250


@CHECKS.row("mx.spoof-junk")
def check_spoof_junk(world: World) -> None:
    """What SPF does not prove is junk, what it proves is not."""
    publish(world, "contoso.com", OWN_SPF)
    assert sent_directly(world, "127.0.0.11")[0] == 250
    assert trace_status(world) == "FilteredAsSpam"
    assert len(world.mailbox(INBOX).junk) == 1
    assert sent_directly(world, "127.0.0.10")[0] == 250
    assert trace_status(world) == "Delivered"
    assert len(world.mailbox(INBOX).inbox) == 1


@CHECKS.row("mx.ipv6-source")
def check_ipv6(world: World) -> None:
    """First the reverse name is missing, then SPF, then nothing."""
    with over_ipv6(world) as client:
        assert send(client, message(), MAILBOX, INBOX)[1].startswith("5.7.25 ")
        reverse = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
        world.sandbox.dns[f"{reverse}.ip6.arpa"] = {"PTR": ["erp.contoso.com."]}
        code, text = send(client, message(), MAILBOX, INBOX)
        assert (code, text[:7]) == (450, "4.7.26 ")
        publish(world, "contoso.com", '"v=spf1 ip6:2001:db8::1 -all"')
        assert send(client, message(), MAILBOX, INBOX)[0] == 250


@CHECKS.row("mx.header-firewall")
def check_header_firewall(world: World) -> None:
    """Nobody outside declares a message internal."""
    forged = b"X-MS-Exchange-Organization-AuthAs: Internal\r\n folded\r\n" + message(
        STRANGER
    )
    with world.mx() as client:
        assert send(client, forged, STRANGER, INBOX)[0] == 250
    content = world.mailbox(INBOX).inbox[0]["content"]
    assert "AuthAs: Internal" not in content
    assert "folded" not in content
    assert "X-MS-Exchange-Organization-AuthAs: Anonymous" in content


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_fields_tell_where_a_message_came_from() -> None:
    """Client, greeting, server, TLS, and the results of SPF and DMARC."""
    with World() as world:
        publish(world, "contoso.com", OWN_SPF)
        with world.mx("127.0.0.10") as client:
            client.starttls(context=client_tls())
            client.ehlo()
            assert send(client, message(), MAILBOX, INBOX)[0] == 250
        head = world.mailbox(INBOX).inbox[0]["content"].partition("\r\n\r\n")[0]
    fields = head.splitlines()
    (trail,) = [field for field in fields if field.startswith("Received: ")]
    assert trail.startswith(
        "Received: from erp.contoso.com (203.0.113.10) by "
        "AM0PEPF00000001.mail.protection.outlook.com with Microsoft SMTP Server "
        "(version=TLS1_3, cipher=TLS_"
    )
    assert fields[0] == (
        "Authentication-Results: spf=pass (sender IP is 203.0.113.10) "
        "smtp.mailfrom=contoso.com; dkim=none (message not signed) "
        "header.d=none;dmarc=bestguesspass action=none "
        "header.from=contoso.com;compauth=pass"
    )
    assert fields.index(trail) > 1
    assert fields[1].startswith("Received-SPF: Pass (protection.outlook.com: domain")


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ("v=spf1 ip4:203.0.113.10 -all", "pass"),
        ("v=spf1 ip4:203.0.113.0/28 -all", "pass"),
        ("v=spf1 -all", "fail"),
        ("v=spf1 ~all", "softfail"),
        ("v=spf1 ?all", "neutral"),
        ("v=spf1 mx -all", "fail"),
        ("v=spf1 a:host.fabrikam.example -all", "pass"),
        ("v=spf1 include:alias.fabrikam.example -all", "pass"),
        (r"v=spf1 ip4:203.0.113.10 \~all", "permerror"),
        ("v=spf1 include:missing.fabrikam.example -all", "permerror"),
        ("v=spf1 a:a.example a:b.example a:c.example -all", "permerror"),
        ("v=spf1 include:loop.fabrikam.example -all", "permerror"),
        ("hello", "none"),
    ],
)
def test_spf_is_evaluated_over_the_sandboxs_records(record: str, wanted: str) -> None:
    """Each result of RFC 7208, with aliases, void lookups and loops."""
    text = record.replace("\\", "\\\\")
    with World() as world:
        publish(world, "fabrikam.example", f'"{text[:9]}" "{text[9:]}"')
        world.sandbox.dns["fabrikam.example"]["MX"] = ["0 host6.fabrikam.example."]
        world.sandbox.dns |= {
            "host.fabrikam.example": {"A": ["203.0.113.10"]},
            "host6.fabrikam.example": {"AAAA": ["2001:db8::5"]},
            "alias.fabrikam.example": {"CNAME": ["spf.fabrikam.example."]},
            "spf.fabrikam.example": {"TXT": ['"v=spf1 ip4:203.0.113.10 -all"']},
            "loop.fabrikam.example": {
                "TXT": ['"v=spf1 include:loop.fabrikam.example -all"']
            },
        }
        found = spf_result(world.sandbox, "203.0.113.10", STRANGER, "erp.contoso.com")
    assert found == wanted


def test_null_sender_is_judged_by_the_greeting() -> None:
    """A bounce has no domain but the one of its server."""
    with World() as world:
        publish(world, "erp.contoso.com", '"v=spf1 ip4:203.0.113.10 -all"')
        arguments = ("203.0.113.10", "", "erp.contoso.com")
        assert spf_result(world.sandbox, *arguments) == "pass"


def test_dmarc_policy_is_read_from_the_domain_or_above() -> None:
    """Tags in any order; what is no DMARC record is none."""
    with World() as world:
        publish(world, "_dmarc.fabrikam.example", '"x=1"', '"v=DMARC1; p=Quarantine"')
        assert dmarc_policy(world.sandbox, "a.b.fabrikam.example") == "quarantine"
        assert dmarc_policy(world.sandbox, "contoso.com") is None
