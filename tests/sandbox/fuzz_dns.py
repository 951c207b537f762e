"""What the resolver is fuzzed with, and what has to hold for every answer."""

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from hypothesis import strategies as st

from runbook_lib.sandbox.dns import answered
from runbook_lib.sandbox.dump import dump
from tests.sandbox.world import World

NAMES = st.sampled_from(
    [
        "contoso.com.",
        "smtp.office365.com.",
        "contoso-com.mail.protection.outlook.com.",
        "nothing.example.",
        "com.",
        ".",
        "*.contoso.com.",
    ]
)
TYPES = st.sampled_from(["A", "AAAA", "MX", "TXT", "CNAME", "NS", "SOA", "ANY", "PTR"])
KNOWN_CODES = {
    dns.rcode.NOERROR,
    dns.rcode.NXDOMAIN,
    dns.rcode.SERVFAIL,
    dns.rcode.FORMERR,
    dns.rcode.NOTIMP,
    dns.rcode.REFUSED,
}


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    """Make a query, and change some of its octets."""
    query = dns.message.make_query(
        draw(NAMES),
        draw(TYPES),
        use_edns=draw(st.booleans()),
        payload=draw(st.sampled_from([0, 512, 1232, 65_535])),
        id=draw(st.integers(0, 65_535)),
    )
    query.flags |= draw(st.sampled_from([0, dns.flags.CD, dns.flags.AD]))
    octets = bytearray(query.to_wire())
    for place in draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
        octets[place] = draw(st.integers(0, 255))
    return bytes(octets[: draw(st.integers(0, len(octets)) | st.just(len(octets)))])


QUERIES = queries() | queries() | st.binary(max_size=80)


class DnsFuzz:
    """A world and the invariant of each answer."""

    def __init__(self, world: World) -> None:
        """Note the configuration."""
        self.world = world
        self.before = dump(world.sandbox, world.tenant)

    def check(self, octets: bytes) -> None:
        """An answer is well-formed, to the question, and fits; or there is none."""
        for udp in (True, False):
            wire = answered(self.world.sandbox, octets, udp=udp)
            if wire is None:
                continue
            answer = dns.message.from_wire(wire)
            assert answer.id == int.from_bytes(octets[:2], "big")
            assert answer.flags & dns.flags.QR
            assert answer.rcode() in KNOWN_CODES, answer.rcode()
            assert not udp or len(wire) <= 1232
        assert dump(self.world.sandbox, self.world.tenant) == self.before
