"""SCOT > Settings > Default Domain."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runbook_lib.sap.finding import Finding, failed, passed
from runbook_lib.sap.form import Form, empty, read_form
from runbook_lib.sap.sources import DEFAULT_DOMAIN, QUICK_GUIDE

PLACE = "SCOT, Settings, Default Domain"
LABELS = {"default_domain": ("Default Domain", "Domain", "Standarddomäne")}

DOMAIN_SET = passed("DOMAIN_SET", "The default domain is {domain}.", DEFAULT_DOMAIN)
DOMAIN_EMPTY = failed(
    "DOMAIN_EMPTY",
    "The default domain is empty; then SAP has no name for its greeting, and mail of "
    "users without an address does not start.",
    "SCOT > Settings > Default Domain: enter {domain}.",
    f"{DEFAULT_DOMAIN}; {QUICK_GUIDE}",
)
DOMAIN_OTHER = failed(
    "DOMAIN_OTHER",
    "The default domain is {found}, which is not a domain of the tenant: senders made "
    "from it are refused.",
    "SCOT > Settings > Default Domain: enter {domain}.",
    DEFAULT_DOMAIN,
)
DOMAIN_MALFORMED = failed(
    "DOMAIN_MALFORMED",
    "The default domain is {found}, which is not a domain name.",
    "SCOT > Settings > Default Domain: enter {domain}.",
    DEFAULT_DOMAIN,
)

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}")


def read_default_domain(text: str) -> Form:
    """Read the form: one field, or a text that is nothing but a domain name."""
    plain = text.strip().casefold()
    if _DOMAIN.fullmatch(plain):
        return read_form(f"default_domain: {plain}", LABELS, PLACE)
    return read_form(text, LABELS, PLACE)


def judge_default_domain(form: Form, domains: Sequence[str]) -> list[Finding]:
    """Judge the form; `domains` are those of the tenant, the sender's first."""
    if nothing := empty(form):
        return nothing
    field = form.fields["default_domain"]
    values = {"found": field.value, "domain": domains[0]}
    if not field.plain:
        return [form.at("default_domain", DOMAIN_EMPTY, **values)]
    if not _DOMAIN.fullmatch(field.plain):
        return [form.at("default_domain", DOMAIN_MALFORMED, **values)]
    own = [d for d in domains if field.plain == d or field.plain.endswith(f".{d}")]
    if not own:
        return [form.at("default_domain", DOMAIN_OTHER, **values)]
    return [*form.repeated, form.at("default_domain", DOMAIN_SET, domain=field.plain)]
