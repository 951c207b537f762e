"""SPF: cases of RFC 7208, damaged records, and faults of DNS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook_lib.clients.dns import Resolver
from runbook_lib.clients.spf import LOOKUP_LIMIT, evaluate, published, whole_cost
from runbook_lib.errors import CannotLook, Unreachable
from tests.clients.spf_zone import FAILING, SILENT, ZoneResolver
from tests.clients.test_dns import NameServer

DOMAIN = "contoso.com"
HERE, THERE, SIX = "203.0.113.10", "198.51.100.7", "2001:db8::10"

# What the mechanisms of the cases lead to.
HOSTS: dict[str, dict[str, list[str]]] = {
    "mail.contoso.com": {"A": [HERE], "AAAA": [SIX]},
    "a.fabrikam.com": {"A": [THERE]},
    "mx.fabrikam.com": {"MX": ["10 mail.contoso.com"]},
    "spf.fabrikam.com": {"TXT": [f"v=spf1 ip4:{HERE} -all"]},
    "fail.fabrikam.com": {"TXT": ["v=spf1 -all"]},
    "soft.fabrikam.com": {"TXT": ["v=spf1 ~all"]},
    "open.fabrikam.com": {"TXT": ["v=spf1"]},
    "broken.fabrikam.com": {"TXT": ["v=spf1 ipv4:203.0.113.10 -all"]},
    "no-spf.fabrikam.com": {"TXT": ["site-verification=1"]},
    "10.203.0.113.sender.contoso.com": {"A": ["127.0.0.2"]},
    "203.0.113.10.sender.contoso.com": {"A": ["127.0.0.2"]},
    "contoso.com.by-domain.fabrikam.com": {"A": [HERE]},
    "10.113.0.203.in-addr.arpa": {"PTR": ["mail.contoso.com"]},
    **{
        f"c{n}.fabrikam.com": {"TXT": [f"v=spf1 include:c{n + 1}.fabrikam.com -all"]}
        for n in range(1, 12)
    },
    "c12.fabrikam.com": {"TXT": [f"v=spf1 ip4:{HERE} -all"]},
    "loop.fabrikam.com": {"TXT": ["v=spf1 include:loop.fabrikam.com -all"]},
}

# Policy, address, result, and the section of RFC 7208 that says so.
CASES = [
    ("v=spf1 ip4:203.0.113.10 -all", HERE, "pass", "5.6"),
    ("v=spf1 ip4:203.0.113.0/24 -all", HERE, "pass", "5.6"),
    ("v=spf1 ip4:203.0.113.11 -all", HERE, "fail", "5.1"),
    ("v=spf1 ip4:203.0.113.11 ~all", HERE, "softfail", "4.6.2"),
    ("v=spf1 ip4:203.0.113.11 ?all", HERE, "neutral", "4.6.2"),
    ("v=spf1 ip4:203.0.113.11", HERE, "neutral", "4.7"),
    ("v=spf1", HERE, "neutral", "4.7"),
    ("V=SPF1 IP4:203.0.113.10 -ALL", HERE, "pass", "4.6.1"),
    ("v=spf1 -ip4:203.0.113.10 +all", HERE, "fail", "4.6.2"),
    ("v=spf1 +all", HERE, "pass", "5.1"),
    ("v=spf1 -all ip4:203.0.113.10", HERE, "fail", "5.1"),
    ("v=spf1 a:mail.contoso.com -all", HERE, "pass", "5.3"),
    ("v=spf1 a:mail.contoso.com/24 -all", "203.0.113.99", "pass", "5.3"),
    ("v=spf1 a:a.fabrikam.com -all", HERE, "fail", "5.3"),
    ("v=spf1 a:mail.contoso.com -all", SIX, "pass", "5.3"),
    ("v=spf1 ip6:2001:db8::/32 -all", SIX, "pass", "5.6"),
    ("v=spf1 ip4:203.0.113.10 -all", SIX, "fail", "5.6"),
    ("v=spf1 mx:mx.fabrikam.com -all", HERE, "pass", "5.4"),
    ("v=spf1 mx:mx.fabrikam.com -all", THERE, "fail", "5.4"),
    ("v=spf1 ptr:contoso.com -all", HERE, "pass", "5.5"),
    ("v=spf1 exists:%{i}.sender.contoso.com -all", HERE, "pass", "5.7"),
    ("v=spf1 exists:%{i}.sender.contoso.com -all", THERE, "fail", "5.7"),
    ("v=spf1 a:%{d}.by-domain.fabrikam.com -all", HERE, "pass", "7.2"),
    ("v=spf1 include:spf.fabrikam.com -all", HERE, "pass", "5.2"),
    ("v=spf1 include:spf.fabrikam.com ~all", THERE, "softfail", "5.2"),
    ("v=spf1 include:fail.fabrikam.com ?all", HERE, "neutral", "5.2"),
    ("v=spf1 include:soft.fabrikam.com -all", HERE, "fail", "5.2"),
    ("v=spf1 include:no-spf.fabrikam.com -all", HERE, "permerror", "5.2"),
    ("v=spf1 include:broken.fabrikam.com -all", HERE, "permerror", "5.2"),
    ("v=spf1 redirect=spf.fabrikam.com", HERE, "pass", "6.1"),
    ("v=spf1 redirect=spf.fabrikam.com", THERE, "fail", "6.1"),
    ("v=spf1 -all redirect=spf.fabrikam.com", HERE, "fail", "6.1"),
    ("v=spf1 redirect=no-spf.fabrikam.com", HERE, "permerror", "6.1"),
    ("v=spf1 exp=why.fabrikam.com -all", HERE, "fail", "6.2"),
    ("v=spf1 note=anything ip4:203.0.113.10 -all", HERE, "pass", "6"),
    ("v=spf1  ip4:203.0.113.10   -all ", HERE, "pass", "4.6.1"),
    ("v=spf1 include:loop.fabrikam.com -all", HERE, "permerror", "4.6.4"),
    ("v=spf1 include:c3.fabrikam.com -all", HERE, "pass", "4.6.4"),
    ("v=spf1 include:c2.fabrikam.com -all", HERE, "permerror", "4.6.4"),
    ("v=spf1 a:no1.example a:no2.example ip4:203.0.113.10", HERE, "pass", "4.6.4"),
    (
        "v=spf1 a:no1.example a:no2.example a:no3.example ip4:203.0.113.10",
        HERE,
        "permerror",
        "4.6.4",
    ),
]


def resolver(*policies: str) -> ZoneResolver:
    """Return a resolver whose domain publishes these TXT records."""
    return ZoneResolver({**HOSTS, DOMAIN: {"TXT": list(policies)}})


@pytest.mark.parametrize(
    ("policy", "address", "result", "section"), CASES, ids=[c[0] for c in CASES]
)
def test_case_of_rfc_7208(policy: str, address: str, result: str, section: str) -> None:
    """The result is the one that the section demands."""
    found = evaluate(resolver(policy), DOMAIN, address)
    assert found.result == result, section


MALFORMED = [
    r"v=spf1 ip4:203.0.113.10 include:spf.fabrikam.com \~all",
    r"v=spf1 ip4:203.0.113.10 \-all",
    "v=spf1 ip4:203.0.113.10; -all",
    "v=spf1 ip4:203.0.113.10, -all",
    "v=spf1 ipv4:203.0.113.10 -all",
    "v=spf1 ip4=203.0.113.10 ip4:nothing -all",
    "v=spf1 ip4:203.0.113.256 -all",
    "v=spf1 ip4:203.0.113 -all",
    "v=spf1 ip4:203.0.113.10/33 -all",
    "v=spf1 ip4:203.0.113.10/ -all",
    "v=spf1 ip4:203.0.113.10/-1 -all",
    "v=spf1 ip4:2001:db8::10 -all",
    "v=spf1 ip4: -all",
    "v=spf1 ip4 -all",
    "v=spf1 ip4:mail.contoso.com -all",
    "v=spf1 ip6:203.0.113.10 -all",
    "v=spf1 ip6:2001:db8::10/129 -all",
    "v=spf1 ip6:2001:db8:::10 -all",
    "v=spf1 ip4:203.0.113.10,203.0.113.11 -all",
    "v=spf1 ip4:203.0.113.10-20 -all",
    "v=spf1 ip:203.0.113.10 -all",
    "v=spf1 203.0.113.10 -all",
    "v=spf1 include -all",
    "v=spf1 include: -all",
    "v=spf1 include:spf.fabrikam.com/24 -all",
    "v=spf1 includes:spf.fabrikam.com -all",
    "v=spf1 include=spf.fabrikam.com include:x y -all",
    "v=spf1 a: -all",
    "v=spf1 a:mail.contoso.com/33 -all",
    "v=spf1 a:mail.contoso.com//129 -all",
    "v=spf1 mx: -all",
    "v=spf1 exists -all",
    "v=spf1 exists: -all",
    "v=spf1 exists:%{x}.contoso.com -all",
    "v=spf1 include:%{d -all",
    "v=spf1 exists:%i.contoso.com -all",
    "v=spf1 a:%{ -all",
    "v=spf1 all: -all",
    "v=spf1 all/8",
    "v=spf1 all=no -all:x",
    "v=spf1 --all",
    "v=spf1 +-all",
    "v=spf1 !all",
    "v=spf1 –all",
    "v=spf1 “ip4:203.0.113.10” -all",
    "v=spf1 ip4:203.0.113.10 -all redirect=",
    "v=spf1 redirect=spf.fabrikam.com redirect=spf.fabrikam.com",
    "v=spf1 exp=a.b exp=c.d -all",
    "v=spf1 <ip4:203.0.113.10> -all",
    "v=spf1 ip4:203.0.113.10 v=spf1 :all",
]


@pytest.mark.parametrize("policy", MALFORMED)
def test_damaged_policy_never_passes(policy: str) -> None:
    """Damage is a result of its own: no pass, and no fault of this program."""
    assert evaluate(resolver(policy), DOMAIN, THERE).result == "permerror"


def test_open_macro_matches_nothing() -> None:
    """The library overlooks the missing brace; the term never lets anybody send."""
    zone = resolver("v=spf1 exists:%{i.contoso.com -all")
    assert evaluate(zone, DOMAIN, HERE).result == "fail"


def test_there_are_fifty_damaged_policies() -> None:
    """Each is another one."""
    assert len(set(MALFORMED)) == 50


NO_POLICY = [
    "",
    "v=spf1, +all",
    "v=spf10 +all",
    "v=spf2.0/pra +all",
    "spf1 +all",
    '"v=spf1 +all"',
]


@pytest.mark.parametrize("text", NO_POLICY)
def test_what_is_no_policy_is_none(text: str) -> None:
    """Another TXT record does not count, so that there is no policy."""
    zone = resolver(text)
    assert published(zone, DOMAIN) == ()
    assert evaluate(zone, DOMAIN, HERE).result == "none"


def test_two_policies_are_an_error() -> None:
    """Even if each alone would pass. Source: RFC 7208 section 4.5."""
    policy = f"v=spf1 ip4:{HERE} -all"
    zone = resolver(policy, policy, "site-verification=1")
    assert published(zone, DOMAIN) == (policy, policy)
    assert evaluate(zone, DOMAIN, HERE).result == "permerror"


def test_missing_domain_has_no_policy() -> None:
    """NXDOMAIN is an answer, and says none."""
    assert evaluate(ZoneResolver({}), DOMAIN, HERE).result == "none"


def test_early_match_does_not_hide_the_cost() -> None:
    """The address passes at once; others run over the limit."""
    zone = resolver(f"v=spf1 ip4:{HERE} include:c1.fabrikam.com -all")
    assert evaluate(zone, DOMAIN, HERE).lookups == 0
    whole = whole_cost(zone, DOMAIN)
    assert (whole.result, whole.lookups) == ("permerror", LOOKUP_LIMIT + 1)


def test_lookups_and_voids_are_counted() -> None:
    """Terms that ask DNS count, and answers without a record."""
    zone = resolver("v=spf1 a:mail.contoso.com a:no1.example mx:mx.fabrikam.com -all")
    found = whole_cost(zone, DOMAIN)
    assert (found.result, found.lookups, found.voids) == ("fail", 3, 1)


def test_a_proposed_policy_is_judged_in_place_of_the_published() -> None:
    """What is to be published can be tried before."""
    zone = resolver("v=spf1 -all")
    assert evaluate(zone, DOMAIN, HERE).result == "fail"
    proposed = f"v=spf1 ip4:{HERE} -all"
    assert evaluate(zone, DOMAIN, HERE, proposed).result == "pass"


@pytest.mark.parametrize("fault", [SILENT, FAILING], ids=["silent", "failing"])
@pytest.mark.parametrize("name", [DOMAIN, "spf.fabrikam.com"])
def test_a_fault_of_dns_is_no_result(name: str, fault: CannotLook) -> None:
    """Time-out and SERVFAIL say nothing about the policy, at any depth."""
    records = {"TXT": ["v=spf1 include:spf.fabrikam.com -all"]}
    zone = ZoneResolver({**HOSTS, DOMAIN: records}, {name: fault})
    with pytest.raises(type(fault)):
        evaluate(zone, DOMAIN, HERE)


def test_lookups_go_through_the_recorded_resolver(traffic: list[Any]) -> None:
    """A real server's answers are evaluated, and stand in the traffic."""
    with NameServer() as server:
        asking = Resolver(traffic.append, server=server.address, timeout=0.5)
        assert evaluate(asking, DOMAIN, "203.0.113.1").result == "pass"
        assert [(t["name"], t["type"]) for t in traffic] == [(DOMAIN, "TXT")]
        with pytest.raises(CannotLook, match="SERVFAIL"):
            evaluate(asking, "broken.contoso.com", HERE)
        with pytest.raises(Unreachable):
            evaluate(asking, "silent.contoso.com", HERE)
    assert json.dumps(traffic)


def test_names_of_an_address() -> None:
    """PTR is asked at the reversed address."""
    zone = resolver()
    assert zone.ptr(HERE).values == ("mail.contoso.com",)
    assert zone.asked == [("10.113.0.203.in-addr.arpa", "PTR")]
