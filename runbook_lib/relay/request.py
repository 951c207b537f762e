"""A design and a load from the texts of a notebook's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from runbook_lib.errors import InputError
from runbook_lib.relay.design import Application, Balancer, RelayDesign, Upstream
from runbook_lib.relay.sizing import Load
from runbook_lib.tenant import Tenant

E = TypeVar("E", bound=StrEnum)


def designed(tenant: Tenant, values: Mapping[str, str]) -> RelayDesign:
    """Return the design that a notebook's parameters ask for.

    Lists are separated by blanks or commas. Hosts of Exchange Online come from the
    tenant's cloud, the mailbox from the tenant file.

    Raises:
        InputError: a value is none of those that are known, or is no number.
    """
    upstream = _one_of(Upstream, values, "upstream")
    return RelayDesign(
        hostname=values["relay_host"].strip(),
        listen=values["listen"].strip(),
        networks=_list(values["networks"]),
        senders=_list(values["senders"]) or (tenant.mailbox,),
        mailbox=tenant.mailbox,
        upstream=upstream,
        submission=tenant.endpoints.smtp,
        mx=tenant.endpoints.mx,
        application=_application(tenant, values) if upstream.by_token else None,
        relays=_number(values, "relays"),
        balancer=_one_of(Balancer, values, "balancer"),
        balancers=_list(values["balancers"]),
        peers=_list(values["peers"]),
        clear_from_sap=values["clear_from_sap"].strip().lower() == "yes",
    )


def loaded(values: Mapping[str, str]) -> Load:
    """Return the load that a notebook's parameters state.

    Raises:
        InputError: a value is no number.
    """
    connector = _one_of(Upstream, values, "upstream").by_connector
    return Load(
        peak_hour=_number(values, "peak_hour"),
        day=_number(values, "day"),
        size=_number(values, "size"),
        outage=_number(values, "outage"),
        mailboxes=0 if connector else 1,
    )


def _application(tenant: Tenant, values: Mapping[str, str]) -> Application:
    return Application(
        tenant_id=str(tenant.tenant_id),
        client_id=values["application_id"].strip(),
        credential=values["credential"].strip(),
        login=tenant.endpoints.login,
        scope=tenant.endpoints.exchange_scope,
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _number(values: Mapping[str, str], name: str) -> int:
    text = values[name].strip()
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"{name}: {text!r} is no number", remedy="Write digits only.")
    return int(text)


def _one_of(kind: type[E], values: Mapping[str, str], name: str) -> E:
    try:
        return kind(values[name].strip())
    except ValueError:
        known = ", ".join(kind)
        raise InputError(
            f"{name}: {values[name]!r} is not known", remedy=f"Write one of {known}."
        ) from None
