"""One call of a cmdlet, and how it finds the objects that it is given.

Source: Exchange cmdlet reference, descriptions of -Identity, -User and -Trustee.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runbook_lib.sandbox.exchange_contract import Cmdlet
from runbook_lib.sandbox.exchange_errors import object_not_found
from runbook_lib.sandbox.exchange_objects import SELF
from runbook_lib.sandbox.state import (
    ExchangeOrganization,
    JsonObject,
    Mailbox,
    Sandbox,
    Tenant,
)

SECURITY_IDENTIFIER = re.compile(r"S-1-5-21(-\d+){3,}")

MAILBOX_KEYS = (
    "PrimarySmtpAddress",
    "UserPrincipalName",
    "Alias",
    "Name",
    "DisplayName",
    "Guid",
    "ExternalDirectoryObjectId",
    "DistinguishedName",
)

PRINCIPAL_KEYS = ("ObjectId", "AppId", "Name", "Guid", "DistinguishedName", "Sid")

OBJECT_KEYS = ("Name", "Identity", "Guid", "DistinguishedName")


@dataclass
class Invocation:
    """A cmdlet with its bound parameters; `warnings` go into the answer."""

    sandbox: Sandbox
    tenant: Tenant
    cmdlet: Cmdlet
    parameters: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    @property
    def organization(self) -> ExchangeOrganization:
        """Return the Exchange side of the tenant."""
        return self.tenant.exchange

    @property
    def identity(self) -> str | None:
        """Return the parameter Identity; null means: all."""
        value = self.parameters.get("Identity")
        return None if value is None else str(value)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter, or `default` where it was not given."""
        return self.parameters.get(name, default)

    def text(self, name: str) -> str:
        """Return a parameter as text, empty where it was not given or null."""
        return str(self.parameters.get(name) or "")

    def warn(self, text: str) -> None:
        """Add a warning to the answer."""
        self.warnings.append(text)


Handler = Callable[[Invocation], list[JsonObject]]


def same(value: Any, wanted: str) -> bool:
    """Compare two names as Exchange does, without regard to case."""
    return isinstance(value, str) and value.lower() == wanted.lower()


def addresses_of(mailbox: Mailbox) -> list[str]:
    """Return all SMTP addresses of a mailbox in lower case, the primary first."""
    entries = mailbox.mailbox["EmailAddresses"]
    proxies = [entry[5:].lower() for entry in entries if entry[:5].lower() == "smtp:"]
    primary = mailbox.mailbox["PrimarySmtpAddress"].lower()
    return [primary, *(entry for entry in proxies if entry != primary)]


def mailbox_named(tenant: Tenant, identity: str) -> Mailbox | None:
    """Return the mailbox with this address, alias, name or GUID."""
    direct = tenant.exchange.mailboxes.get(identity.lower())
    if direct is not None:
        return direct
    for mailbox in tenant.exchange.mailboxes.values():
        if any(same(mailbox.mailbox.get(key), identity) for key in MAILBOX_KEYS):
            return mailbox
        if identity.lower() in addresses_of(mailbox):
            return mailbox
    return None


def find_mailbox(invocation: Invocation, identity: str) -> Mailbox:
    """Return the mailbox that an identity names.

    Raises CmdletError (object not found).
    """
    mailbox = mailbox_named(invocation.tenant, identity)
    if mailbox is None:
        raise object_not_found(identity)
    return mailbox


def principal_named(tenant: Tenant, identity: str) -> JsonObject | None:
    """Return the Exchange service principal with this id, name or SID."""
    for entry in tenant.exchange.service_principals:
        if any(same(entry.get(key), identity) for key in PRINCIPAL_KEYS):
            return entry
    return None


def find_principal(invocation: Invocation, identity: str) -> JsonObject:
    """Return the service principal that an identity names.

    Raises CmdletError (object not found).
    """
    entry = principal_named(invocation.tenant, identity)
    if entry is None:
        raise object_not_found(identity)
    return entry


def find_authentication_policy(tenant: Tenant, mailbox: Mailbox) -> JsonObject | None:
    """Return the policy of a mailbox's user, else the organisation's, or null."""
    organization = tenant.exchange
    default = organization.organization_config["DefaultAuthenticationPolicy"]
    name = mailbox.authentication_policy or default
    known = (e for e in organization.authentication_policies if e["Name"] == name)
    return next(known, None)


def find_objects(entries: list[JsonObject], identity: str | None) -> list[JsonObject]:
    """Return the objects that an identity names, or all where it is null.

    Raises CmdletError (object not found).
    """
    if identity is None:
        return list(entries)
    found = [e for e in entries if any(same(e.get(k), identity) for k in OBJECT_KEYS)]
    if not found:
        raise object_not_found(identity)
    return found


def account_of(invocation: Invocation, user: str) -> str:
    """Return how an account stands in a permission row.

    A service principal stands there by its SID, a mailbox by its user principal
    name, and a SID without an object as it is. Raises CmdletError.
    """
    principal = principal_named(invocation.tenant, user)
    if principal is not None:
        by_sid = invocation.sandbox.holds("exchange.permission-by-sid")
        return str(principal["Sid" if by_sid else "DisplayName"])
    mailbox = mailbox_named(invocation.tenant, user)
    if mailbox is not None:
        return str(mailbox.mailbox["UserPrincipalName"])
    if same(SELF, user) or SECURITY_IDENTIFIER.fullmatch(user):
        return user
    raise object_not_found(user)
