"""Header fields that a server puts in front of a message: where it came from.

Source: RFC 5321 section 4.4 (Received); Microsoft Learn, "Anti-spam message
headers in Microsoft 365" (Authentication-Results, Received-SPF, SCL, AuthAs);
headers of public mailing lists for the form.
"""

import re
from datetime import UTC, datetime

from runbook_lib.sandbox.mx_sender import Verdict
from runbook_lib.sandbox.smtp_source import Source

SERVICE = "Microsoft SMTP Server"
ORGANIZATION = "X-MS-Exchange-Organization-"

SPF_WORDS = {
    "pass": "designates {ip} as permitted sender",
    "fail": "does not designate {ip} as permitted sender",
    "softfail": "discourages use of {ip} as permitted sender",
    "neutral": "{ip} is neither permitted nor denied by domain of {domain}",
    "none": "does not designate permitted sender hosts",
}


def received(source: Source, hello: str, host: str, session_id: str) -> str:
    """Return the Received field of this server for a client."""
    moment = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    tls = f" ({source.cipher})" if source.tls else ""
    return (
        f"Received: from {hello} ({source.address}) by {host} with {SERVICE}{tls} "
        f"id {session_id}; {moment}"
    )


def origin(*, internal: bool) -> tuple[str, ...]:
    """Return the field that says whether the organisation vouches for a message."""
    return (f"{ORGANIZATION}AuthAs: {'Internal' if internal else 'Anonymous'}",)


def authentication(
    source: Source, hello: str, verdict: Verdict, junk: bool
) -> tuple[str, ...]:
    """Return the fields with the results of SPF and DMARC, and the spam level."""
    words = SPF_WORDS.get(verdict.spf, "had an error in its record")
    said = words.format(ip=source.address, domain=verdict.mail_from)
    composite = "pass" if verdict.authentic else "fail" if junk else "none"
    action = "none" if verdict.authentic else verdict.policy or "none"
    return (
        (
            f"Authentication-Results: spf={verdict.spf} "
            f"(sender IP is {source.address}) smtp.mailfrom={verdict.mail_from}; "
            f"dkim=none (message not signed) header.d=none;dmarc={verdict.dmarc} "
            f"action={action} header.from={verdict.header_from};compauth={composite}"
        ),
        (
            f"Received-SPF: {verdict.spf.capitalize()} "
            f"(protection.outlook.com: domain of {verdict.mail_from} {said}) "
            f"receiver=protection.outlook.com; client-ip={source.address}; "
            f"helo={hello};"
        ),
        f"{ORGANIZATION}SCL: {5 if junk else 1}",
    )


def in_front(content: bytes, *fields: str) -> bytes:
    """Return a message with fields in front of it, the newest first."""
    head = "".join(f"{field}\r\n" for field in fields)
    return head.encode("utf-8", errors="replace") + content


def without_organization_fields(content: bytes) -> bytes:
    """Return a message without the fields that only the organisation may set.

    Source: Microsoft Learn, "Header firewall" (Exchange Server).
    """
    head, separator, body = content.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    mark = ORGANIZATION.lower().encode()
    kept = [field for field in fields if not field.lower().startswith(mark)]
    return b"\r\n".join(kept) + separator + body
