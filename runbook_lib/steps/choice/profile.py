"""What is known of a system and its mail; null where nobody knows it yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook_lib.sap.release import Product


@dataclass(frozen=True)
class Profile:
    """The facts that the rules look at; None means unknown, never a default.

    `sap_basis` is 750 for 7.50. `credential` is `secret` or `certificate` where
    only that one is allowed. `tls12` says whether SAP can use TLS 1.2 or higher
    for outgoing mail. Volumes count recipients, not messages: in a day, outside
    the organization in a day; `messages_per_minute` is the peak. `licenses` are
    the tenant's Exchange Online licenses, 0 for a trial. `senders` are different
    From addresses. Ports are as seen from the SAP host. `smtp_auth` says
    whether one mailbox may use SMTP AUTH, `direct_send_rejected` is
    RejectDirectSend. `hub_network` says that all mail leaves through one
    central host. `relay_server` says whether there is one, or may be one.
    """

    product: Product | None = None
    sap_basis: int | None = None
    credential: str | None = None
    notes: bool | None = None
    tls12: bool | None = None
    external: bool | None = None
    recipients_per_day: int | None = None
    external_per_day: int | None = None
    messages_per_minute: int | None = None
    licenses: int | None = None
    senders: int | None = None
    application_servers: int | None = None
    hub_network: bool | None = None
    port_587: bool | None = None
    port_25: bool | None = None
    static_address: bool | None = None
    tls_certificate: bool | None = None
    smtp_auth: bool | None = None
    direct_send_rejected: bool | None = None
    relay_server: bool | None = None


QUESTIONS: Mapping[str, str] = {
    "product": "Which SAP product is it?",
    "sap_basis": "Which release does SAP_BASIS have (System > Status)?",
    "tls12": "Which releases have the kernel and CommonCryptoLib (STRUST > "
    "Environment > Display SSF Version)?",
    "external": "Does SAP send to recipients outside the organization?",
    "recipients_per_day": "How many recipients does SAP send to on its busiest day?",
    "external_per_day": "How many of them are outside the organization?",
    "licenses": "How many Exchange Online licenses does the tenant have?",
    "hub_network": "Does mail of several systems leave through one central host?",
    "application_servers": "How many application servers send mail?",
    "port_587": "Is port 587 to the SMTP host open from the SAP host (runbook probe)?",
    "port_25": "Is port 25 to the MX endpoint open from the SAP host (runbook probe)?",
    "static_address": "Do you have a static public IPv4 address of your own for it?",
    "tls_certificate": "Can SAP present a certificate for one of your domains?",
    "smtp_auth": "May SMTP AUTH be switched on for one mailbox?",
    "direct_send_rejected": "Does the organization reject Direct Send?",
    "relay_server": "Is there a mail server that may relay, or may there be one?",
}


def conjunction(*values: bool | None) -> bool | None:
    """Return true if all are, false if one is not, else unknown."""
    if False in values:
        return False
    return None if None in values else True


def disjunction(*values: bool | None) -> bool | None:
    """Return true if one is, false if none is, else unknown."""
    if True in values:
        return True
    return None if None in values else False


def negation(value: bool | None) -> bool | None:
    """Return the contrary; unknown stays unknown."""
    return None if value is None else not value
