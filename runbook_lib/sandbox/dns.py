"""A DNS resolver over the records of the sandbox, for UDP and TCP on one port.

It answers as a recursive resolver that knows nothing but these records.
Source: RFC 1034 section 4.3.2 (aliases), RFC 1035 section 4.2 (transport),
RFC 2308 (no such name, no such data, their zone), RFC 6891 (larger UDP answers).
"""

import asyncio
import contextlib
import struct
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from runbook_lib.sandbox.http import UNANSWERED
from runbook_lib.sandbox.state import Sandbox

TIME_TO_LIVE = 300
SMALLEST_UDP = 512
LARGEST_UDP = 1232
LARGEST_TCP = 65_535
LONGEST_CHAIN = 16
BIND_TRIES = 20
ROOT = {"SOA": ["a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400"]}
TCP_IDLE_SECONDS = 30.0


class DnsServer:
    """The two listeners of the resolver; `port` is the same for both."""

    def __init__(
        self, port: int, udp: asyncio.DatagramTransport, tcp: asyncio.Server
    ) -> None:
        """Keep what `close` ends."""
        self.port = port
        self._udp = udp
        self._tcp = tcp

    def close(self) -> None:
        """Stop to listen."""
        self._udp.close()
        self._tcp.close()


async def start_dns(sandbox: Sandbox, host: str, port: int) -> DnsServer:
    """Start the resolver; port 0 takes one that is free for UDP and TCP.

    Raises OSError where there is none.
    """
    for _ in range(BIND_TRIES - 1):
        with contextlib.suppress(OSError):
            return await _bound(sandbox, host, port)
    return await _bound(sandbox, host, port)


async def _bound(sandbox: Sandbox, host: str, port: int) -> DnsServer:
    """Bind TCP, then UDP on the same port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve_stream(sandbox, reader, writer)

    tcp = await asyncio.start_server(serve, host, port)
    bound_port = tcp.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    try:
        udp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(sandbox), local_addr=(host, bound_port)
        )
    except OSError:
        tcp.close()
        raise
    return DnsServer(bound_port, udp, tcp)


class _Datagrams(asyncio.DatagramProtocol):
    """Queries over UDP."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Answer from the records of `sandbox`."""
        self._sandbox = sandbox
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query; what is not a query gets no answer."""
        answer = answered(self._sandbox, data, udp=True)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


async def _serve_stream(
    sandbox: Sandbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer queries over one TCP connection until the client ends it."""
    try:
        while True:
            async with asyncio.timeout(TCP_IDLE_SECONDS):
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                data = await reader.readexactly(size)
            answer = answered(sandbox, data, udp=False)
            if answer is None:
                return
            writer.write(struct.pack("!H", len(answer)) + answer)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


def answered(sandbox: Sandbox, data: bytes, *, udp: bool) -> bytes | None:
    """Return the answer to a query in wire form; null for what is no query."""
    try:
        query = dns.message.from_wire(data)
    except (dns.exception.DNSException, ValueError):
        return None
    if query.flags & dns.flags.QR or len(query.question) != 1:
        return None
    response = dns.message.make_response(query, recursion_available=True)
    befalls = sandbox.faults.disturbance("dns")
    if befalls.startswith("stall"):
        _log(sandbox, response, status=UNANSWERED[befalls])
        return None
    try:
        _fill(sandbox, response, fails=befalls == "503-before")
    except dns.exception.DNSException:  # a record that is no record of its type
        response.answer.clear()
        response.set_rcode(dns.rcode.SERVFAIL)
    _log(sandbox, response)
    largest = LARGEST_TCP
    if udp:
        largest = min(max(query.payload, SMALLEST_UDP), LARGEST_UDP)
    return _encoded(sandbox, response, largest)


def _fill(sandbox: Sandbox, response: dns.message.Message, *, fails: bool) -> None:
    """Put the code and the records into an answer, aliases first."""
    if fails or sandbox.faults.take("dns-servfail", "dns"):
        response.set_rcode(dns.rcode.SERVFAIL)
        return
    question = response.question[0]
    name, wanted = question.name, question.rdtype
    for _ in range(LONGEST_CHAIN):
        records = _records_of(sandbox, name)
        if records is None:
            if sandbox.holds("dns.unknown-name"):
                response.set_rcode(dns.rcode.NXDOMAIN)
            _add_authority(sandbox, response, name)
            return
        alias = records.get("CNAME")
        kind = dns.rdatatype.to_text(wanted)
        chased = alias and kind != "CNAME" and sandbox.holds("dns.alias-chain")
        found = _rrset(name, "CNAME" if chased else kind, records)
        if found is None:
            if not sandbox.holds("dns.no-data"):
                response.set_rcode(dns.rcode.NXDOMAIN)
            _add_authority(sandbox, response, name)
            return
        response.answer.append(found)
        if not chased:
            return
        name = found[0].target
    response.answer.clear()
    response.set_rcode(dns.rcode.SERVFAIL)


def _add_authority(
    sandbox: Sandbox, response: dns.message.Message, name: dns.name.Name
) -> None:
    """Say in a negative answer which zone it comes from (RFC 2308 section 3)."""
    if not sandbox.holds("dns.negative-authority"):
        return
    zone = name
    while zone != dns.name.root and not _is_zone(sandbox.dns.get(_plain(zone))):
        zone = zone.parent()
    records = zone_records(_plain(zone)) if zone != dns.name.root else ROOT
    authority = _rrset(zone, "SOA", records)
    if authority is not None:
        response.authority.append(authority)


def _plain(name: dns.name.Name) -> str:
    """Return a name as the records are kept: in lower case, without final dot."""
    return name.to_text(omit_final_dot=True).lower()


def _is_zone(records: dict[str, list[str]] | None) -> bool:
    """Say whether a name is a zone of its own here: mail domains are."""
    return bool(records) and "MX" in (records or {})


def zone_records(zone: str) -> dict[str, list[str]]:
    """Return the records that every zone has."""
    server = f"ns1.{zone}."
    return {
        "SOA": [f"{server} hostmaster.{zone}. 1 3600 600 86400 {TIME_TO_LIVE}"],
        "NS": [server],
    }


def _records_of(sandbox: Sandbox, name: dns.name.Name) -> dict[str, list[str]] | None:
    """Return the records of a name; none for a name between others; null: no name."""
    text = _plain(name)
    records = sandbox.dns.get(text)
    if _is_zone(records):
        return zone_records(text) | (records or {})
    if records is None and any(key.endswith(f".{text}") for key in sandbox.dns):
        return {}
    return records


def _rrset(
    name: dns.name.Name, kind: str, records: dict[str, list[str]]
) -> dns.rrset.RRset | None:
    """Return the records of one type in wire form, null where there are none."""
    texts = records.get(kind)
    if not texts:
        return None
    return dns.rrset.from_text_list(name, TIME_TO_LIVE, "IN", kind, texts)


def _encoded(sandbox: Sandbox, response: dns.message.Message, largest: int) -> bytes:
    """Return an answer in wire form; one that is too large is cut."""
    try:
        return response.to_wire(max_size=largest)
    except dns.exception.TooBig:
        response.answer.clear()
        if sandbox.holds("dns.truncation"):
            response.flags |= dns.flags.TC
        return response.to_wire(max_size=largest)


def _log(
    sandbox: Sandbox, response: dns.message.Message, status: str | None = None
) -> None:
    """Write one query and the code of its answer to the log."""
    question = response.question[0]
    sandbox.log.write(
        protocol="dns",
        host="dns",
        method=dns.rdatatype.to_text(question.rdtype),
        path=question.name.to_text(omit_final_dot=True).lower(),
        status=status or dns.rcode.to_text(response.rcode()),
    )
