"""What an SMTP reply of Exchange Online means for the SAP administrator."""

from __future__ import annotations

import re

from runbook_lib.sap.finding import Rule, failed
from runbook_lib.sap.sources import REPLIES, SMTP_AUTH_BLOG, SMTP_NODE

AUTH = failed(
    "AUTH",
    "Exchange Online did not accept the sign-in.",
    "Run verify: it checks object ID, role SMTP.SendAsApp, mailbox permission and "
    "SMTP AUTH in this order. In SAP compare the OAuth 2.0 client user with the "
    "mailbox.",
    REPLIES,
)
SMTP_AUTH_DISABLED = failed(
    "SMTP_AUTH_DISABLED",
    "SMTP AUTH is off for the tenant or the mailbox; it is not a fault of SAP.",
    "Run apply: it switches Authenticated SMTP on for this mailbox.",
    REPLIES,
)
ACCESS_POLICY = failed(
    "ACCESS_POLICY",
    "Security defaults or Conditional Access refused the sign-in.",
    "Ask the Entra administrator; see the step on security defaults.",
    REPLIES,
)
BASIC_AUTH = failed(
    "BASIC_AUTH",
    "The SMTP node still signs in with user and password.",
    "Set the authentication method of the SMTP node to OAuth2.",
    SMTP_AUTH_BLOG,
)
ANONYMOUS = failed(
    "ANONYMOUS",
    "The SMTP node sent without signing in.",
    "Set authentication OAuth2 and TLS mandatory in the SMTP node.",
    f"{REPLIES}; {SMTP_NODE}",
)
MAILBOX_LOGON = failed(
    "MAILBOX_LOGON",
    "The sign-in worked, but the service principal may not open the mailbox (yet).",
    "Run verify: it checks FullAccess; a new permission takes up to two hours.",
    REPLIES,
)
SEND_AS = failed(
    "SEND_AS",
    "The From address is not the mailbox that SAP signs in as.",
    "Give the sending user the mailbox's address in SU01, or grant Send As for the "
    "From address.",
    REPLIES,
)
LIMIT = failed(
    "LIMIT",
    "A sending limit of Exchange Online was reached.",
    "Send less at a time (30 messages a minute, 3 connections), or use option 3 or 4.",
    REPLIES,
)
TOO_LARGE = failed(
    "TOO_LARGE",
    "The message is larger than Exchange Online takes.",
    "Send it smaller, or as a link.",
    REPLIES,
)
BUSY = failed(
    "BUSY",
    "Exchange Online refused for the moment.",
    "Let SAPconnect try again, and look at SOST later.",
    REPLIES,
)
RECIPIENT = failed(
    "RECIPIENT",
    "The recipient was refused.",
    "Correct the address of the recipient.",
    REPLIES,
)

# The first that fits wins, so the narrow ones stand first.
_MEANINGS: tuple[tuple[str, Rule], ...] = (
    (r"535 5\.7\.139.*SmtpClientAuthentication", SMTP_AUTH_DISABLED),
    (r"535 5\.7\.139", ACCESS_POLICY),
    (r"535 5\.7\.3\b", AUTH),
    (r"550 5\.7\.30\b", BASIC_AUTH),
    (r"530 5\.7\.57\b", ANONYMOUS),
    (r"430 4\.2\.0", MAILBOX_LOGON),
    (r"550 5\.7\.60\b", SEND_AS),
    (r"554 5\.2\.\d+.*SendAsDenied|554 5\.2\.252", SEND_AS),
    (r"554 5\.2\.0.*SubmissionQuota|432 4\.3\.2|45[02] 4\.5\.3|550 5\.1\.90", LIMIT),
    (r"552 5\.3\.4", TOO_LARGE),
    (r"454 4\.7\.0", BUSY),
    (r"550 5\.(?:1\.\d+|4\.1)\b", RECIPIENT),
    (r"\b535\b", AUTH),
)


def meaning(text: str) -> Rule | None:
    """Return the rule for the SMTP reply in a text, or None without a known one."""
    for pattern, rule in _MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return rule
    return None
