"""Rows of the DNS resolver, asked with dnspython and with dig."""

import shutil
import socket
import subprocess

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("dns")
SUBMISSION = "smtp.office365.com"


@CHECKS.row("dns.alias-chain")
def check_alias_chain(world: World) -> None:
    """The submission host is an alias; its address comes with the aliases."""
    response = ask(world, SUBMISSION, "A")
    kinds = [rrset.rdtype.name for rrset in response.answer]
    assert kinds == ["CNAME", "CNAME", "A"]
    assert response.answer[0].name.to_text() == f"{SUBMISSION}."
    assert response.answer[-1][0].to_text() == "127.0.0.1"


@CHECKS.row("dns.unknown-name")
def check_unknown_name(world: World) -> None:
    """A name that nobody has does not exist."""
    response = ask(world, "nowhere.contoso.com", "A")
    assert response.rcode() == dns.rcode.NXDOMAIN


@CHECKS.row("dns.no-data")
def check_no_data(world: World) -> None:
    """The domain is there and has no address; so is what lies above a name."""
    for name in ("contoso.com", "protection.outlook.com"):
        response = ask(world, name, "AAAA")
        assert response.rcode() == dns.rcode.NOERROR
        assert response.answer == []


@CHECKS.row("dns.negative-authority")
def check_negative_authority(world: World) -> None:
    """Below a mail domain it is that one, elsewhere the root; it can be asked for."""
    for name, zone in (
        ("nowhere.contoso.com", "contoso.com."),
        ("contoso.com", "contoso.com."),
        ("nowhere.example", "."),
    ):
        authority = ask(world, name, "AAAA").authority
        named = [(entry.name.to_text(), entry.rdtype.name) for entry in authority]
        assert named == [(zone, "SOA")]
    for kind in ("SOA", "NS"):
        assert ask(world, "contoso.com", kind).answer


@CHECKS.row("dns.truncation")
def check_truncation(world: World) -> None:
    """What does not fit a datagram comes over TCP."""
    world.sandbox.dns["long.contoso.com"] = {
        "TXT": [f'"{letter * 250}"' for letter in "abc"]
    }
    query = dns.message.make_query("long.contoso.com", "TXT")
    short = dns.query.udp(query, "127.0.0.1", 5, world.dns_port)
    assert short.flags & dns.flags.TC
    assert short.answer == []
    whole = dns.query.tcp(query, "127.0.0.1", 5, world.dns_port)
    assert len(whole.answer) == 1


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_mx_and_spf_of_a_tenant() -> None:
    """A stub resolver finds the MX endpoint and the SPF record."""
    with World() as world:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], world.dns_port
        exchange = resolver.resolve("contoso.com", "MX")[0]
        assert exchange.to_text() == "0 contoso-com.mail.protection.outlook.com."
        spf = resolver.resolve("CONTOSO.com", "TXT")[0].to_text()
        assert spf.startswith('"v=spf1 include:spf.protection.outlook.com')


def test_alias_that_leads_nowhere() -> None:
    """The aliases come along with the news that the last name does not exist."""
    with World() as world:
        world.sandbox.dns["old.contoso.com"] = {"CNAME": ["gone.contoso.com."]}
        response = ask(world, "old.contoso.com", "A")
        assert response.rcode() == dns.rcode.NXDOMAIN
        assert [rrset.rdtype.name for rrset in response.answer] == ["CNAME"]


def test_alias_that_leads_to_itself_ends() -> None:
    """A loop of aliases is an answer, not an endless one."""
    with World() as world:
        world.sandbox.dns["loop.contoso.com"] = {"CNAME": ["loop.contoso.com."]}
        assert ask(world, "loop.contoso.com", "A").rcode() == dns.rcode.SERVFAIL


def test_record_that_is_none_is_a_failure() -> None:
    """A record that somebody put in wrongly is SERVFAIL, not silence."""
    with World() as world:
        world.sandbox.dns["bad.contoso.com"] = {"A": ["not an address"]}
        assert ask(world, "bad.contoso.com", "A").rcode() == dns.rcode.SERVFAIL


def test_servfail_on_request_and_the_log() -> None:
    """The fault answers once; each query is in the log with its code."""
    with World(faults="dns-servfail=1") as world:
        codes = [ask(world, "contoso.com", "MX").rcode() for _ in range(2)]
        assert codes == [dns.rcode.SERVFAIL, dns.rcode.NOERROR]
        logged = world.logged(protocol="dns", method="MX", path="contoso.com")
        assert [entry["status"] for entry in logged] == ["SERVFAIL", "NOERROR"]


def test_garbage_gets_no_answer() -> None:
    """What is no query is not answered, and the resolver goes on."""
    with World() as world:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            client.sendto(b"garbage", ("127.0.0.1", world.dns_port))
            with pytest.raises(TimeoutError):
                client.recv(100)
        assert ask(world, SUBMISSION, "A").rcode() == dns.rcode.NOERROR


@pytest.mark.ci
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_dig_agrees(transport: str) -> None:
    """An independent client reads the same answer, over UDP and TCP."""
    if shutil.which("dig") is None:
        pytest.skip("needs the program dig (Debian package bind9-dnsutils)")
    with World() as world:
        command = ["dig", "@127.0.0.1", "-p", str(world.dns_port), "+short", transport]
        result = subprocess.run(
            [*command, SUBMISSION, "A"], capture_output=True, text=True, check=True
        )
        assert result.stdout.splitlines()[-1] == "127.0.0.1"
        assert len(result.stdout.splitlines()) == 3


def ask(world: World, name: str, kind: str) -> dns.message.Message:
    """Send one query over UDP and return the answer."""
    query = dns.message.make_query(name, kind)
    return dns.query.udp(query, "127.0.0.1", 5, world.dns_port)
