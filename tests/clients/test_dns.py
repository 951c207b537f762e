"""DNS lookups against a small name server."""

from __future__ import annotations

import json
import socket
import threading
from types import TracebackType
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from runbook_lib.clients.dns import Resolver
from runbook_lib.errors import CannotLook, InputError, Unreachable

RECORDS = {
    ("mail.contoso.com.", "A"): ["192.0.2.2", "192.0.2.1"],
    ("mail.contoso.com.", "AAAA"): ["2001:db8::1"],
    ("four.contoso.com.", "A"): ["192.0.2.4"],
    ("six.contoso.com.", "AAAA"): ["2001:db8::6"],
    ("contoso.com.", "MX"): ["20 b.contoso.com.", "5 a.contoso.com.", "100 c.d."],
    ("null.contoso.com.", "MX"): ["0 ."],
    ("contoso.com.", "TXT"): ['"v=spf1 ip4:203.0.113.1 " "-all"', '"a=1"'],
}
ALIASES = {
    "smtp.contoso.com.": "mail.contoso.com.",
    "lost.contoso.com.": "gone.contoso.com.",
}


class NameServer:
    """Answers from the tables above over UDP; one name fails, one is silent."""

    def __enter__(self) -> Self:
        """Bind to a free port and answer in a thread."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop by a packet of nothing."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as farewell:
            farewell.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> tuple[str, int]:
        """Return where it listens."""
        return "127.0.0.1", self._socket.getsockname()[1]

    def _serve(self) -> None:
        while True:
            packet, client = self._socket.recvfrom(4096)
            if not packet:
                return
            reply = self._reply(dns.message.from_wire(packet))
            if reply is not None:
                self._socket.sendto(reply.to_wire(), client)

    def _reply(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text().lower()
        if name.startswith("silent."):
            return None
        reply = dns.message.make_response(query)
        if name.startswith("broken."):
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        if name in ALIASES:
            alias = dns.rrset.from_text(name, 60, "IN", "CNAME", ALIASES[name])
            reply.answer.append(alias)
            name = ALIASES[name]
        kind = dns.rdatatype.to_text(question.rdtype)
        if values := RECORDS.get((name, kind)):
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *values))
        elif not any(known == name for known, _ in RECORDS):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply


@pytest.fixture
def resolver(traffic: list[Any]) -> Any:
    """Return a resolver that asks the small name server."""
    with NameServer() as server:
        yield Resolver(traffic.append, server=server.address, timeout=0.5)


def test_addresses_of_both_kinds(resolver: Resolver, traffic: list[Any]) -> None:
    """IPv4 and IPv6 are one answer, sorted, with the end of the aliases."""
    answer = resolver.addresses("smtp.contoso.com")
    assert answer.values == ("192.0.2.1", "192.0.2.2", "2001:db8::1")
    assert answer.canonical_name == "mail.contoso.com"
    assert (answer.name, answer.type) == ("smtp.contoso.com", "A+AAAA")
    assert answer.status == "NOERROR"
    assert answer.server.startswith("127.0.0.1:")
    assert json.loads(json.dumps(traffic)) == [
        {
            "protocol": "dns",
            "write": False,
            "name": "smtp.contoso.com",
            "type": "A+AAAA",
            "values": ["192.0.2.1", "192.0.2.2", "2001:db8::1"],
            "canonical_name": "mail.contoso.com",
            "server": answer.server,
            "status": "NOERROR",
            "error": None,
        }
    ]


@pytest.mark.parametrize(
    ("host", "address"),
    [("four.contoso.com", "192.0.2.4"), ("six.contoso.com", "2001:db8::6")],
)
def test_one_kind_is_enough(resolver: Resolver, host: str, address: str) -> None:
    """A host with IPv4 or IPv6 alone has addresses."""
    answer = resolver.addresses(host)
    assert (answer.status, answer.values) == ("NOERROR", (address,))


def test_mail_exchangers_by_preference(resolver: Resolver) -> None:
    """Preferences are numbers; the null MX of RFC 7505 stays visible."""
    values = resolver.mx("contoso.com").values
    assert values == ("5 a.contoso.com", "20 b.contoso.com", "100 c.d")
    assert resolver.mx("null.contoso.com").values == ("0 .",)


def test_strings_of_a_txt_record_are_joined(resolver: Resolver) -> None:
    """An SPF policy in two strings is one policy."""
    values = resolver.txt("contoso.com").values
    assert values == ("a=1", "v=spf1 ip4:203.0.113.1 -all")


def test_no_data_and_no_name_are_told_apart(resolver: Resolver) -> None:
    """An existing name without the type is not a missing name."""
    assert resolver.mx("mail.contoso.com").status == "NODATA"
    missing = resolver.addresses("fabrikam.com")
    assert (missing.status, missing.values) == ("NXDOMAIN", ())
    lost = resolver.txt("lost.contoso.com")
    assert (lost.status, lost.canonical_name) == ("NXDOMAIN", "gone.contoso.com")


def test_a_failing_server_is_no_answer(resolver: Resolver, traffic: list[Any]) -> None:
    """SERVFAIL says nothing about the name, so nothing is concluded."""
    with pytest.raises(CannotLook, match="SERVFAIL") as caught:
        resolver.txt("broken.contoso.com")
    assert not isinstance(caught.value, Unreachable)
    assert caught.value.facts["name"] == "broken.contoso.com"
    assert traffic[0]["error"].startswith("CannotLook")
    assert traffic[0]["status"] is None


def test_a_silent_server_is_unreachable(resolver: Resolver) -> None:
    """A time-out is told with the server that was asked."""
    with pytest.raises(Unreachable, match=r"asked 127\.0\.0\.1:"):
        resolver.mx("silent.contoso.com")


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".com", ".".join(["abc"] * 80)])
def test_an_odd_name_is_an_input_error(resolver: Resolver, name: str) -> None:
    """What is no DNS name is not sent."""
    with pytest.raises(InputError, match="no DNS name"):
        resolver.txt(name)


def test_the_search_list_is_not_used(resolver: Resolver) -> None:
    """A name is asked for as it is written."""
    assert resolver.addresses("mail").status == "NXDOMAIN"
