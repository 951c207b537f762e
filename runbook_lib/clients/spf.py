"""SPF: whether a domain's published policy lets an address send for it.

The evaluation is pyspf's, which passes the test suite of RFC 7208; every DNS
lookup goes through our resolver, so that it is recorded, and so that a server
that does not answer is a fault and no result.
"""

from __future__ import annotations

from dataclasses import dataclass

import spf

from runbook_lib.clients.dns import Resolver
from runbook_lib.errors import InputError

# RFC 7208 section 4.6.4: terms that cause lookups, and lookups without an answer.
LOOKUP_LIMIT = spf.MAX_LOOKUP
VOID_LIMIT = spf.MAX_VOID_LOOKUPS

# "This network" (RFC 1122): no policy names it, so that every term is looked at.
NOBODY = "0.0.0.1"


@dataclass(frozen=True)
class Evaluation:
    """What a policy says of one address.

    `result` is pass, fail, softfail, neutral, none or permerror; `explanation`
    says why. `lookups` and `voids` count up to the term that decided.
    """

    domain: str
    address: str
    result: str
    explanation: str
    lookups: int
    voids: int


def published(resolver: Resolver, domain: str) -> tuple[str, ...]:
    """Return the TXT records of a domain that claim to be an SPF policy.

    There must be one at most. A record that merely begins alike (`v=spf10`) is
    none.

    Raises:
        Unreachable, CannotLook.

    Source: RFC 7208 section 4.5.
    """
    records = resolver.txt(domain).values
    return tuple(text for text in records if text.lower().split(" ")[0] == "v=spf1")


def evaluate(
    resolver: Resolver, domain: str, address: str, policy: str | None = None
) -> Evaluation:
    """Evaluate a domain's policy for mail from `address`, as a receiver would.

    `policy` is judged in the place of the published record.

    Raises:
        Unreachable, CannotLook: DNS did not answer, so nothing is known. A
            receiver would say `temperror`.

    Source: RFC 7208 section 4.
    """
    query = _Query(resolver, domain, address)
    result, _, explanation = query.check(policy)
    return Evaluation(
        domain, address, result, explanation, query.lookups, query.void_lookups
    )


def whole_cost(
    resolver: Resolver, domain: str, policy: str | None = None
) -> Evaluation:
    """Evaluate a policy to its last term, and so count all of its lookups.

    A term that matches early hides the ones after it from `evaluate`; other
    senders of the domain still run into them.

    Raises:
        Unreachable, CannotLook.
    """
    return evaluate(resolver, domain, NOBODY, policy)


class _Query(spf.query):  # type: ignore[misc]
    """pyspf's evaluation with our lookups in the place of its own."""

    def __init__(self, resolver: Resolver, domain: str, address: str) -> None:
        """Ask about mail of `domain` from `address`."""
        super().__init__(i=address, s=f"postmaster@{domain}", h=domain)
        self._resolver = resolver

    def dns(
        self,
        name: str,
        qtype: str,
        cnames: object = None,
        ignore_void: bool = False,
    ) -> list[object]:
        """Return the records of a name; count it where there are none.

        Source: RFC 7208 section 4.6.4 (void lookups).
        """
        found = self._found(str(name).rstrip(".").lower(), qtype)
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > VOID_LIMIT:
                raise spf.PermError(f"Void lookup limit of {VOID_LIMIT} exceeded")
        return found

    def _found(self, name: str, kind: str) -> list[object]:
        try:
            return self._looked_up(name, kind)
        except InputError:  # a macro made a name that DNS cannot hold
            return []

    def _looked_up(self, name: str, kind: str) -> list[object]:
        if kind == "TXT":
            return [(text.encode(),) for text in self._resolver.txt(name).values]
        if kind == "MX":
            pairs = (value.split() for value in self._resolver.mx(name).values)
            return [(int(preference), host) for preference, host in pairs]
        if kind == "PTR":
            return list(self._resolver.ptr(self.c).values)
        wanted = ":" if kind == "AAAA" else "."
        return [a for a in self._resolver.addresses(name).values if wanted in a]
