"""May this token sign in to SMTP for this mailbox?

Order: the blob is readable; the token is Entra's, for Outlook and not expired; its
principal is registered in Exchange; the mailbox is there; SMTP AUTH is enabled;
security defaults are off; the principal has access. Which of two failing conditions
shows is not published: the order of the last three is uncertain.
Source: Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth",
"Enable or disable authenticated client SMTP submission", "RBAC for Applications".
"""

import base64
from dataclasses import dataclass
from typing import Any

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.exchange_application_roles import in_scope
from runbook_lib.sandbox.exchange_invocation import addresses_of, mailbox_named, same
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.state import JsonObject, Mailbox, Sandbox, Tenant
from runbook_lib.sandbox.tokens import (
    GRAPH_AUDIENCES,
    OUTLOOK_AUDIENCES,
    TokenProblem,
    verify_access_token,
)

SEND_AS_APP = "SMTP.SendAsApp"


@dataclass(frozen=True)
class SignedIn:
    """Who signed in: the mailbox that was named and the service principal."""

    tenant: Tenant
    mailbox: Mailbox
    principal: JsonObject

    @property
    def address(self) -> str:
        """Return the primary address of the mailbox."""
        return str(self.mailbox.mailbox["PrimarySmtpAddress"])


def judge(sandbox: Sandbox, blob: str) -> SignedIn | Reply:
    """Judge an XOAUTH2 blob; return who signed in, or the refusal."""
    parts = read_blob(blob)
    if parts is None:
        return replies.SIGN_IN_FAILED
    user, token = parts
    audiences = OUTLOOK_AUDIENCES
    if not sandbox.holds("smtp.token-audience"):
        audiences = OUTLOOK_AUDIENCES + GRAPH_AUDIENCES
    claims = verify_access_token(sandbox, token, audiences)
    if isinstance(claims, TokenProblem):
        return replies.SIGN_IN_FAILED
    return _judge_claims(sandbox, claims, user)


def read_blob(blob: str) -> tuple[str, str] | None:
    """Return user and token of `user=…^Aauth=Bearer …^A^A` in base64, or null."""
    try:
        text = base64.b64decode(blob, validate=True).decode("utf-8")
    except ValueError:  # no base64, no ASCII or no UTF-8
        return None
    fields = dict(entry.partition("=")[::2] for entry in text.split("\x01") if entry)
    scheme, _, token = fields.get("auth", "").partition(" ")
    well_formed = text.endswith("\x01\x01") and scheme.lower() == "bearer"
    user = fields.get("user", "")
    return (user, token) if well_formed and user and token else None


def _judge_claims(
    sandbox: Sandbox, claims: dict[str, Any], user: str
) -> SignedIn | Reply:
    """Judge a valid token for a mailbox."""
    tenant = sandbox.tenants[claims["tid"]]
    principal = _registered(sandbox, tenant, claims)
    mailbox = _mailbox(sandbox, tenant, user)
    if principal is None or mailbox is None:
        return replies.SIGN_IN_FAILED
    disabled = disabled_refusal(sandbox, tenant, mailbox)
    if disabled is not None:
        return disabled
    if tenant.security_defaults_enabled and sandbox.holds("smtp.security-defaults"):
        return replies.SECURITY_DEFAULTS
    if not _has_access(sandbox, tenant, claims, principal, mailbox):
        return replies.SIGN_IN_FAILED
    return SignedIn(tenant, mailbox, principal)


def _registered(
    sandbox: Sandbox, tenant: Tenant, claims: dict[str, Any]
) -> JsonObject | None:
    """Return the Exchange service principal whose ObjectId is the token's oid."""
    known = tenant.exchange.service_principals
    by_id = (entry for entry in known if same(entry["ObjectId"], claims["oid"]))
    found = next(by_id, None)
    if found is None and not sandbox.holds("smtp.registered-principal"):
        by_app = (entry for entry in known if same(entry["AppId"], claims["appid"]))
        found = next(by_app, None)
    return found


def _mailbox(sandbox: Sandbox, tenant: Tenant, user: str) -> Mailbox | None:
    """Return the mailbox with this address or user principal name."""
    mailbox = mailbox_named(tenant, user)
    if mailbox is None and not sandbox.holds("smtp.known-mailbox"):
        return next(iter(tenant.exchange.mailboxes.values()))
    named = mailbox is not None and (
        user.lower() in addresses_of(mailbox)
        or same(mailbox.mailbox["UserPrincipalName"], user)
    )
    return mailbox if named else None


def disabled_refusal(
    sandbox: Sandbox, tenant: Tenant, mailbox: Mailbox
) -> Reply | None:
    """Return the refusal where SMTP AUTH is off: the mailbox's value wins."""
    own = mailbox.cas["SmtpClientAuthenticationDisabled"]
    if own is True and sandbox.holds("smtp.disabled-for-mailbox"):
        return replies.disabled_for("Mailbox")
    everywhere = tenant.exchange.transport_config["SmtpClientAuthenticationDisabled"]
    if own is None and everywhere and sandbox.holds("smtp.disabled-for-tenant"):
        return replies.disabled_for("Tenant")
    return None


def _has_access(
    sandbox: Sandbox,
    tenant: Tenant,
    claims: dict[str, Any],
    principal: JsonObject,
    mailbox: Mailbox,
) -> bool:
    """Say whether the principal may use the mailbox.

    With SMTP.SendAsApp in the token the mailbox permission decides, without it
    the role assignments do.
    """
    if SEND_AS_APP in claims.get("roles", []):
        return _has_full_access(sandbox, principal, mailbox)
    if not sandbox.holds("smtp.application-role"):
        return True
    return any(
        entry["App"] == principal["ObjectId"]
        and in_scope(tenant, entry, mailbox)
        and not sandbox.faults.lagging("application-role", str(entry["Guid"]))
        for entry in tenant.exchange.role_assignments
    )


def _has_full_access(sandbox: Sandbox, principal: JsonObject, mailbox: Mailbox) -> bool:
    """Say whether FullAccess is there and has reached SMTP."""
    if not sandbox.holds("smtp.full-access"):
        return True
    accounts = {principal["Sid"], principal["DisplayName"], principal["ObjectId"]}
    allowed = any(
        row["User"] in accounts and "FullAccess" in row["AccessRights"]
        for row in mailbox.permissions
        if not row["Deny"]
    )
    key = f"{mailbox.mailbox['Guid']}/{principal['Sid']}"
    return allowed and not sandbox.faults.lagging("mailbox-permission", key)
