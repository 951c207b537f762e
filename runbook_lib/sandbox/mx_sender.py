"""Does a message come from whom it says it does? SPF, DMARC and addresses.

SPF is evaluated by the library pyspf over the records of the sandbox. DMARC asks
for an SPF pass of the From domain: a DKIM signature counts as none, because no
signature is verified here.
Source: RFC 7208; RFC 7489; Microsoft Learn, "Email authentication in Microsoft
365", "Anti-spoofing protection", "Email non-delivery reports in Exchange Online".
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

import spf

from runbook_lib.sandbox.mx_attribution import domain_of
from runbook_lib.sandbox.state import Sandbox

LONGEST_CHAIN = 10
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Verdict:
    """What SPF and DMARC say of a message.

    `spf` is a result of RFC 7208 in lower case; `dmarc` is pass, fail, none (no
    policy) or bestguesspass (no policy, and it would pass); `policy` is the policy
    of the From domain, null without one.
    """

    spf: str
    mail_from: str
    dmarc: str
    header_from: str
    policy: str | None

    @property
    def authentic(self) -> bool:
        """Say whether the From domain is proven."""
        return self.dmarc in ("pass", "bestguesspass")


def judge_sender(
    sandbox: Sandbox, address: str, sender: str, hello: str, header_from: str
) -> Verdict:
    """Judge who sent a message; `header_from` is its From address."""
    result = spf_result(sandbox, address, sender, hello)
    mail_from, shown = domain_of(sender) or hello.lower(), domain_of(header_from)
    proven = result == "pass" and _aligned(mail_from, shown)
    policy = dmarc_policy(sandbox, shown)
    if policy is None:
        dmarc = "bestguesspass" if proven else "none"
    else:
        dmarc = "pass" if proven else "fail"
    return Verdict(result, mail_from, dmarc, shown, policy)


def spf_result(sandbox: Sandbox, address: str, sender: str, hello: str) -> str:
    """Return the SPF result for a client's address, as RFC 7208 names it."""

    def records(
        name: str, kind: str, cnames: Any = None, ignore_void: bool = False
    ) -> list[Any]:
        found = _records(sandbox, str(name).rstrip(".").lower(), kind)
        if not found and not ignore_void:
            _count_void(query)
        return found

    query = spf.query(i=address, s=sender, h=hello or "unknown", strict=True)
    query.dns = records
    result, _, _ = query.check()
    return str(result).lower()


def dmarc_policy(sandbox: Sandbox, domain: str) -> str | None:
    """Return the DMARC policy of a domain: none, quarantine, reject, or null.

    A domain without a record takes the one of the domain above it.
    """
    while "." in domain:
        for text in _texts(sandbox, f"_dmarc.{domain}"):
            tags = dict(tag.strip().partition("=")[::2] for tag in text.split(";"))
            if tags.get("v", "").strip() == "DMARC1":
                return tags.get("p", "none").strip().lower()
        domain = domain.partition(".")[2]
    return None


def has_reverse_name(sandbox: Sandbox, address: str) -> bool:
    """Say whether an address has a PTR record."""
    name = ipaddress.ip_address(address).reverse_pointer
    return bool(sandbox.dns.get(name, {}).get("PTR"))


def _aligned(mail_from: str, header_from: str) -> bool:
    """Say whether two domains are one, or one below the other (relaxed)."""
    pairs = ((mail_from, header_from), (header_from, mail_from))
    return any(one == other or one.endswith(f".{other}") for one, other in pairs)


def _count_void(query: Any) -> None:
    """Count a lookup that found nothing; raises PermError for the third."""
    query.void_lookups += 1
    if query.void_lookups > spf.MAX_VOID_LOOKUPS:
        raise spf.PermError("too many void lookups")


def _records(sandbox: Sandbox, name: str, kind: str) -> list[Any]:
    """Return the records of a name as pyspf takes them; aliases are followed."""
    for _ in range(LONGEST_CHAIN):
        known = sandbox.dns.get(name, {})
        if "CNAME" not in known:
            return [_value(kind, text) for text in known.get(kind, [])]
        name = known["CNAME"][0].rstrip(".").lower()
    return []


def _value(kind: str, text: str) -> Any:
    """Return one record: an address, a name, (preference, name), or octets."""
    if kind == "TXT":
        return tuple(part.encode() for part in _strings(text))
    if kind == "MX":
        preference, _, name = text.partition(" ")
        return int(preference), name.rstrip(".")
    return text.rstrip(".")


def _texts(sandbox: Sandbox, name: str) -> list[str]:
    """Return the TXT records of a name, each as one text."""
    return ["".join(_strings(t)) for t in sandbox.dns.get(name, {}).get("TXT", [])]


def _strings(text: str) -> list[str]:
    """Return the strings of a TXT record in zone-file form."""
    quoted = [re.sub(r"\\(.)", r"\1", part) for part in QUOTED.findall(text)]
    return quoted or [text]
