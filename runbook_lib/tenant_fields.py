"""What the keys of the tenant file hold: addresses, domains, references to secrets."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict

from runbook_lib.errors import InputError
from runbook_lib.secret import SecretReference

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# A dot-atom (RFC 5322): what Exchange Online allows, and nothing that a header or an
# SMTP command could take for more than one address.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


def _domain(text: str) -> str:
    labels = text.lower().split(".")
    well_formed = all(_LABEL.fullmatch(label) for label in labels)
    if len(labels) < 2 or not well_formed or labels[-1].isdigit():
        raise ValueError("not a domain name such as contoso.com")
    return text.lower()


def _address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not _LOCAL.fullmatch(local):
        raise ValueError("not an email address such as sap@contoso.com")
    return f"{local}@{_domain(domain)}"


def _reference(text: str) -> str:
    try:
        return str(SecretReference.parse(text))
    except InputError as error:
        raise ValueError(f"{error.message}. {error.remedy}") from None


def _time_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key if text else text
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as Europe/Berlin") from None


Domain = Annotated[str, AfterValidator(_domain)]
Address = Annotated[str, AfterValidator(_address)]
Reference = Annotated[str, AfterValidator(_reference)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]


class Model(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
