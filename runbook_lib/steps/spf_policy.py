"""The SPF policy that a domain should publish, made from the one it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

# From the most permissive to the strictest end of a policy.
ENDS = ("+all", "?all", "~all", "-all")
DEFAULT_END = "~all"


def proposed(records: Sequence[str], address: str, include: str) -> str:
    """Return one policy that also lets `address` send.

    `records` are the published policies: none, one, or several to be merged into
    one. Everything they allow stays allowed, in its order, and the end stays as
    it was; of several ends the most permissive one stays. A stray backslash, as
    in the guide's example, is dropped. `include` is Microsoft's own policy, added
    where nothing leads to it.

    Source: guide, "Step-by-step configuration instructions for SMTP relay in
    Microsoft 365", step 11; RFC 7208 sections 4.5 and 5.
    """
    merging = len(records) > 1
    terms = list(dict.fromkeys(_terms(records, merging)))
    ends = [term for term in terms if _as_end(term)]
    others = [term for term in terms if term not in ends]
    redirects = any(term.lower().startswith("redirect=") for term in others)
    named = any(term.lower().endswith(include.lower()) for term in others)
    first = [f"ip4:{address}"]
    if not named and not redirects:
        first.append(f"include:{include}")
    end = [] if redirects and not ends else [_end(ends)]
    return " ".join(["v=spf1", *(t for t in first if t not in others), *others, *end])


def _terms(records: Sequence[str], merging: bool) -> Iterator[str]:
    for record in records:
        for term in record.replace("\\", "").split()[1:]:
            moved = merging and term.lower().startswith("redirect=")
            yield f"include:{term.partition('=')[2]}" if moved else term


def _as_end(term: str) -> str | None:
    plain = term.lower()
    plain = f"+{plain}" if plain == "all" else plain
    return plain if plain in ENDS else None


def _end(ends: Sequence[str]) -> str:
    found = {_as_end(term) for term in ends}
    return next((end for end in ENDS if end in found), DEFAULT_END)
