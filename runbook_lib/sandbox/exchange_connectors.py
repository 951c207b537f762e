"""Inbound connectors: Get-, New-, Set- and Remove-InboundConnector.

What a connector does to mail stands in `mx_attribution.py`.
Source: Exchange cmdlet reference, New-InboundConnector and Set-InboundConnector;
"Configure mail flow using connectors in Exchange Online" (Microsoft Learn).
"""

import ipaddress
import re

from runbook_lib.sandbox.exchange_errors import INVALID, CmdletError, already_exists
from runbook_lib.sandbox.exchange_invocation import Handler, Invocation, find_objects
from runbook_lib.sandbox.exchange_mailboxes import change_settings, settings_of
from runbook_lib.sandbox.exchange_objects import (
    distinguished_name,
    inbound_connector_object,
)
from runbook_lib.sandbox.exchange_types import ENUMERATIONS, changed_list, exact_names
from runbook_lib.sandbox.exchange_unsupported import refuse_parameters
from runbook_lib.sandbox.smtp_address import is_domain
from runbook_lib.sandbox.state import JsonObject

# Listed, and without any effect on mail here: a value would promise something.
NOT_BUILT = {
    "AssociatedAcceptedDomains",
    "ClientHostNames",
    "ScanAndDropRecipients",
    "TrustedOrganizations",
}

LONGEST_NAME = 64

SENDER_DOMAIN = re.compile(r"(?:smtp:)?(?P<domain>[^;:\s]+)(?:;(?P<cost>\d+))?", re.I)


def get_inbound_connector(invocation: Invocation) -> list[JsonObject]:
    """Get-InboundConnector: one connector, or all; a new organisation has none."""
    refuse_parameters(invocation, set(settings_of(invocation)) - {"ResultSize"})
    known = invocation.organization.inbound_connectors
    return [dict(entry) for entry in find_objects(known, invocation.identity)]


def new_inbound_connector(invocation: Invocation) -> list[JsonObject]:
    """New-InboundConnector: a Partner connector unless ConnectorType says another."""
    settings = settings_of(invocation)
    name = _free_name(invocation, str(settings.pop("Name")))
    entry = inbound_connector_object(invocation.sandbox, invocation.tenant, name)
    entry.update(_read(invocation, entry, settings))
    _check(invocation, entry)
    invocation.organization.inbound_connectors.append(entry)
    return [dict(entry)]


def set_inbound_connector(invocation: Invocation) -> list[JsonObject]:
    """Set-InboundConnector: a list is replaced, or changed by a hash table."""
    target = _named(invocation)
    settings = _read(invocation, target, settings_of(invocation))
    name = settings.get("Name")
    if name is not None and name != target["Name"]:
        settings |= _identity(invocation, _free_name(invocation, str(name), target))
    _check(invocation, {**target, **settings})
    change_settings(invocation, target, settings)
    return []


def remove_inbound_connector(invocation: Invocation) -> list[JsonObject]:
    """Remove-InboundConnector: its mail is treated as anybody's from now on."""
    invocation.organization.inbound_connectors.remove(_named(invocation))
    return []


def _named(invocation: Invocation) -> JsonObject:
    """Return the connector that Identity names; raises CmdletError."""
    known = invocation.organization.inbound_connectors
    return find_objects(known, invocation.text("Identity"))[0]


def _free_name(
    invocation: Invocation, name: str, target: JsonObject | None = None
) -> str:
    """Return a name that no other connector has; raises CmdletError."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise CmdletError(INVALID, f"The name must have 1 to {LONGEST_NAME} letters.")
    for entry in invocation.organization.inbound_connectors:
        taken = entry is not target and str(entry["Name"]).lower() == name.lower()
        if taken and invocation.sandbox.holds("exchange.connector-name"):
            raise already_exists("inbound connector", name)
    return name


def _identity(invocation: Invocation, name: str) -> JsonObject:
    """Return the properties that follow from a connector's name."""
    full = distinguished_name(invocation.tenant, name)
    return {"Name": name, "Identity": name, "Id": name, "DistinguishedName": full}


def _read(
    invocation: Invocation, before: JsonObject, settings: JsonObject
) -> JsonObject:
    """Return settings as a connector shows them; raises CmdletError for a bad one."""
    refuse_parameters(invocation, {key for key in NOT_BUILT if settings.get(key)})
    read = {key: changed_list(before[key], value) for key, value in settings.items()}
    if "SenderDomains" in read:
        read["SenderDomains"] = _sender_domains(invocation, read["SenderDomains"])
    if "SenderIPAddresses" in read:
        for text in read["SenderIPAddresses"]:
            _check_address(invocation, text)
    for key, kind in (
        ("ConnectorType", "TenantConnectorType"),
        ("ConnectorSource", "TenantConnectorSource"),
    ):
        if read.get(key):
            read[key] = exact_names([read[key]], ENUMERATIONS[kind])[0]
    if read.get("TlsSenderCertificateName"):
        _check_certificate_name(str(read["TlsSenderCertificateName"]))
    return read


def _sender_domains(invocation: Invocation, entries: list[str]) -> list[str]:
    """Return domains in the form smtp:DOMAIN;COST; `*` stands for all."""
    found = []
    for entry in entries:
        match = SENDER_DOMAIN.fullmatch(entry)
        if match is None or not _is_domain_pattern(match["domain"]):
            raise CmdletError(INVALID, f"'{entry}' isn't a valid sender domain.")
        found.append(f"smtp:{match['domain'].lower()};{match['cost'] or 1}")
    if not found:
        raise CmdletError(INVALID, "SenderDomains must name at least one domain.")
    normalised = invocation.sandbox.holds("exchange.connector-sender-domains")
    return found if normalised else entries


def _is_domain_pattern(text: str) -> bool:
    """Say whether a text is `*`, a domain, or `*.` and a domain."""
    return text == "*" or is_domain(text.removeprefix("*."))


def _check_address(invocation: Invocation, text: str) -> None:
    """Refuse what is no IPv4 address and no CIDR range from /24 to /32."""
    if not invocation.sandbox.holds("exchange.connector-addresses"):
        return
    try:
        interface = ipaddress.IPv4Interface(text)
    except ValueError:
        interface = None
    plain = re.fullmatch(r"[\d.]+(/\d{1,2})?", text) is not None
    if interface is None or not plain or interface.network.prefixlen < 24:
        raise CmdletError(
            INVALID,
            f"'{text}' isn't a valid sender IP address: use an IPv4 address, or a "
            "CIDR range with a mask from /24 to /32. (sandbox wording)",
        )


def _check_certificate_name(text: str) -> None:
    """Refuse a certificate name that is no domain, with `*.` in front or without."""
    if not is_domain(text.removeprefix("*.")):
        raise CmdletError(INVALID, f"'{text}' isn't a valid certificate domain.")


def _check(invocation: Invocation, entry: JsonObject) -> None:
    """Refuse settings that exclude each other; raises CmdletError."""
    if not invocation.sandbox.holds("exchange.connector-internal"):
        return
    internal = entry["TreatMessagesAsInternal"] is True
    hybrid = entry["CloudServicesMailEnabled"] is True
    if internal and (hybrid or entry["ConnectorType"] != "OnPremises"):
        raise CmdletError(
            INVALID,
            "TreatMessagesAsInternal needs ConnectorType OnPremises and "
            "CloudServicesMailEnabled false. (sandbox wording)",
        )


CMDLETS: dict[str, Handler] = {
    "Get-InboundConnector": get_inbound_connector,
    "New-InboundConnector": new_inbound_connector,
    "Set-InboundConnector": set_inbound_connector,
    "Remove-InboundConnector": remove_inbound_connector,
}
