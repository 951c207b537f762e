"""What an SMTP refusal says, beyond its code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runbook_lib.clients.smtp_dialogue import Conversation, Reply
from runbook_lib.errors import SmtpRefused

REMEDIES: Mapping[str, str] = {
    "535 5.7.3": (
        "Check in this order: the token's audience and roles, Exchange's service"
        " principal and its ObjectId, the mailbox permission; a new permission takes"
        " up to two hours."
    ),
    "535 5.7.139": (
        "Read the text: where it says SmtpClientAuthentication is disabled, enable"
        " Authenticated SMTP for this mailbox; else look for the policy it names."
    ),
    "530 5.7.57": "Sign in before MAIL: the sender is not set to authenticate.",
    "554 5.2.252": "Send from the mailbox itself, or grant Send As for the address.",
    "550 5.7.60": "Send from the mailbox itself, or grant Send As for the address.",
    "430 4.2.0": "A new permission takes up to two hours; after that check it.",
    "432 4.3.2": "Send over at most three connections to this mailbox at once.",
    "501 5.5.4": "Give a full host name in EHLO, such as host.contoso.com.",
}

# A host name, so neither an address alone nor a word in brackets.
_SESSION = re.compile(
    r"\[(?P<host>(?![\d.]+[\] ])[\w-]+\.[\w.-]+)"
    r"(?: (?P<timestamp>\S+Z) (?P<id>[0-9A-F]{16}))?\]",
    re.IGNORECASE,
)
_HOSTNAME = re.compile(r"\[Hostname=(?P<host>[\w.-]+)\]", re.IGNORECASE)
_GREETING = re.compile(r"(?P<host>\S+) .*\[(?P<id>[0-9A-F]{16})\]", re.IGNORECASE)


def session_of(*texts: str) -> dict[str, str]:
    """Return host, timestamp and id of the server's session, as far as told.

    Microsoft's support finds a session by them. A refusal ends in
    `[host timestamp id]`, an acceptance names the host, a greeting host and id;
    the first text that tells anything is taken.
    """
    for text in texts:
        for pattern in (_SESSION, _HOSTNAME, _GREETING):
            found = pattern.search(text)
            if found:
                return {k: v for k, v in found.groupdict().items() if v is not None}
    return {}


def refused(conversation: Conversation, stage: str, reply: Reply) -> SmtpRefused:
    """Return the error for a reply that is no success.

    Source: Microsoft Learn, "Fix issues with printers, scanners, and LOB
    applications"; RFC 5321 section 4.2.
    """
    return SmtpRefused(
        f"{conversation.where} refused {stage}: {reply} {reply.text}".rstrip(),
        code=str(reply),
        remedy=REMEDIES.get(str(reply)),
        facts={
            "endpoint": conversation.where,
            "stage": stage,
            "reply": reply.code,
            "enhanced": reply.enhanced,
            "text": reply.text,
            "session": session_of(reply.text),
            "lines": list(conversation.lines),
        },
    )
