"""DNS lookups: addresses, MX, TXT and PTR, each with where it was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
import dns.reversename

from runbook_lib.clients.wire import Traffic
from runbook_lib.errors import CannotLook, InputError, Unreachable


@dataclass(frozen=True)
class Answer:
    """What DNS says of a name.

    `type` is A+AAAA, MX, TXT or PTR. `values` are sorted: addresses, `10 host` with the
    preference, or the strings of a TXT record joined. `canonical_name` is where
    the aliases end. `server` is who was asked, `address:port`. `status` is NOERROR
    (there are values), NODATA (the name exists, this type does not) or NXDOMAIN.
    """

    name: str
    type: str
    values: tuple[str, ...]
    canonical_name: str
    server: str
    status: str


class Resolver:
    """Asks one DNS server, or the ones that this machine uses.

    Every lookup is reported once: name, type, values, canonical_name, server,
    status. What a machine inside sees may differ from what Microsoft sees.

    Source: RFC 1034; RFC 2308 (NODATA and NXDOMAIN).
    """

    def __init__(
        self, traffic: Traffic, *, server: tuple[str, int] | None, timeout: float = 5.0
    ) -> None:
        """Ask `server` (address, port); None asks this machine's resolvers.

        `timeout` is in seconds, for each lookup with its repeats.
        """
        self._traffic = traffic
        self._server = server
        self._timeout = timeout

    def addresses(self, host: str) -> Answer:
        """Return the IPv4 and IPv6 addresses of a host.

        Raises:
            Unreachable: no server answered in time; CannotLook: a server failed.
        """
        return self._ask(host, "A", "AAAA")

    def mx(self, domain: str) -> Answer:
        """Return the mail exchangers of a domain, most preferred first.

        Raises:
            Unreachable, CannotLook.

        Source: RFC 5321 section 5.1.
        """
        return self._ask(domain, "MX")

    def txt(self, name: str) -> Answer:
        """Return the TXT records of a name, such as its SPF policy.

        Raises:
            Unreachable, CannotLook.

        Source: RFC 7208 section 3.3 (strings are joined without a space).
        """
        return self._ask(name, "TXT")

    def ptr(self, address: str) -> Answer:
        """Return the names of an address, which its owner has set.

        Raises:
            Unreachable, CannotLook.

        Source: RFC 1035 section 3.5; RFC 3596 section 2.5.
        """
        return self._ask(dns.reversename.from_address(address).to_text(), "PTR")

    def _ask(self, name: str, *types: str) -> Answer:
        """Look up all types of a name as one answer, and report it."""
        kind = "+".join(types)
        try:
            answer = _joined(name, kind, [self._lookup(name, one) for one in types])
        except CannotLook as error:
            self._report(name, kind, {"error": f"{type(error).__name__}: {error}"})
            raise
        self._report(name, kind, {**asdict(answer), "values": list(answer.values)})
        return answer

    def _report(self, name: str, kind: str, found: dict[str, object]) -> None:
        blank = dict.fromkeys(
            ("values", "canonical_name", "server", "status", "error"), None
        )
        asked = {"protocol": "dns", "write": False, "name": name, "type": kind}
        self._traffic({**asked, **blank, **found})

    def _lookup(self, name: str, kind: str) -> Answer:
        resolver = self._resolver()
        try:
            found = resolver.resolve(
                dns.name.from_text(name), kind, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN as error:
            end = _plain(error.canonical_name)
            return Answer(name, kind, (), end, _servers(resolver), "NXDOMAIN")
        except dns.resolver.LifetimeTimeout:
            raise _unanswered(name, kind, _servers(resolver)) from None
        except dns.resolver.NoNameservers as error:
            raise _failed(name, kind, _servers(resolver), str(error)) from None
        except (dns.exception.SyntaxError, dns.exception.FormError):
            raise InputError(
                f"{name!r} is no DNS name.", remedy="Write it as mail.contoso.com."
            ) from None
        values = _values(found.rrset or ())
        end = _plain(found.canonical_name)
        server = f"{found.nameserver}:{found.port}"
        return Answer(name, kind, values, end, server, _status(values))

    def _resolver(self) -> dns.resolver.Resolver:
        try:
            resolver = dns.resolver.Resolver(configure=self._server is None)
        except dns.resolver.NoResolverConfiguration as error:
            raise CannotLook(
                f"This machine names no DNS resolver: {error}.",
                remedy="Run the lookup where name resolution works.",
            ) from None
        if self._server is not None:
            resolver.nameservers = [self._server[0]]
            resolver.port = self._server[1]
        resolver.lifetime = self._timeout
        return resolver


def _joined(name: str, kind: str, answers: list[Answer]) -> Answer:
    """Return several types of a name as one answer.

    A name exists for all types or for none, so NXDOMAIN stands only alone.
    """
    values = tuple(value for answer in answers for value in answer.values)
    last = answers[-1]
    status = last.status if last.status == "NXDOMAIN" else _status(values)
    return Answer(name, kind, values, last.canonical_name, last.server, status)


def _status(values: tuple[str, ...]) -> str:
    return "NOERROR" if values else "NODATA"


def _values(records: Iterable[Any]) -> tuple[str, ...]:
    """Return the values of records of one type, in an order that stays."""
    ranked = [(getattr(one, "preference", 0), _value(one)) for one in records]
    return tuple(value for _, value in sorted(ranked))


def _value(record: Any) -> str:
    match dns.rdatatype.to_text(record.rdtype):
        case "MX":
            return f"{record.preference} {_plain(record.exchange)}"
        case "TXT":
            return b"".join(record.strings).decode(errors="backslashreplace")
        case "PTR":
            return _plain(record.target)
    return str(record.address)


def _plain(name: dns.name.Name) -> str:
    """Return a name without its last dot; the root stays a dot."""
    return name.to_text(omit_final_dot=True)


def _servers(resolver: dns.resolver.Resolver) -> str:
    return ", ".join(f"{server}:{resolver.port}" for server in resolver.nameservers)


def _unanswered(name: str, kind: str, server: str) -> Unreachable:
    return Unreachable(
        f"No DNS server answered for {kind} of {name} in time; asked {server}.",
        remedy="Check the way to the DNS server, then run again.",
        facts={"name": name, "type": kind, "server": server, "reason": "time-out"},
    )


def _failed(name: str, kind: str, server: str, reason: str) -> CannotLook:
    return CannotLook(
        f"DNS failed for {kind} of {name}: {reason}",
        remedy="Run again later, or ask another DNS server.",
        facts={"name": name, "type": kind, "server": server, "reason": reason},
    )
