"""Sign-in with name and password: always refused, and why.

No mailbox of the sandbox has a password. Where Basic authentication is allowed
for a mailbox, each password is wrong.
Source: Microsoft Learn, "Deprecation of Basic authentication in Exchange Online",
"Enable or disable authenticated client SMTP submission", "Fix issues with
printers, scanners, and LOB applications that send email".
"""

import base64

from runbook_lib.sandbox import smtp_replies as replies
from runbook_lib.sandbox.exchange_invocation import find_authentication_policy
from runbook_lib.sandbox.mx_attribution import accepting_tenant, domain_of
from runbook_lib.sandbox.smtp_authentication import disabled_refusal
from runbook_lib.sandbox.smtp_conditions import condition_at
from runbook_lib.sandbox.smtp_delivery import recipient_mailbox
from runbook_lib.sandbox.smtp_replies import Reply
from runbook_lib.sandbox.state import Mailbox, Sandbox, Tenant


def password_refusal(sandbox: Sandbox, encoded_name: str) -> Reply:
    """Return why a sign-in with this name (in base64) and any password fails."""
    name = _decoded(encoded_name).lower()
    tenant = accepting_tenant(sandbox, domain_of(name))
    mailbox = recipient_mailbox(tenant, name) if tenant else None
    if tenant is None or mailbox is None:
        return replies.BASIC_DISABLED
    return (
        condition_at(sandbox, "password", "tenant", tenant.domain)
        or disabled_refusal(sandbox, tenant, mailbox)
        or _policy_refusal(sandbox, tenant, mailbox)
    )


def _policy_refusal(sandbox: Sandbox, tenant: Tenant, mailbox: Mailbox) -> Reply:
    """Return what security defaults or an authentication policy say."""
    if tenant.security_defaults_enabled:
        return replies.SECURITY_DEFAULTS
    policy = find_authentication_policy(tenant, mailbox)
    if policy is None or not sandbox.holds("smtp.authentication-policy"):
        return replies.BASIC_DISABLED
    if policy["AllowBasicAuthSmtp"]:
        return replies.WRONG_CREDENTIALS
    return replies.CRITERIA_NOT_MET


def _decoded(text: str) -> str:
    """Return a base64 text, empty where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:  # no base64, no ASCII or no UTF-8
        return ""
