"""SMTP replies of Exchange Online, word for word where a transcript shows them.

Refusals carry `[host timestamp id]`, which Microsoft's support asks for.
Source: transcripts of smtp.office365.com and of mail.protection.outlook.com;
Microsoft Learn, "Fix issues with printers, scanners, and LOB applications that
send email"; RFC 5321 and RFC 4954 for the rest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

FRONT_HOST = "AM0PR01CA0001.eurprd01.prod.outlook.com"
FRONT_BANNER_HOST = "AM0PR01CA0001.outlook.office365.com"
BACK_HOST = "AM0PR01MB0001.eurprd01.prod.outlook.com"
EDGE_HOST = "AM0PEPF00000001.mail.protection.outlook.com"

LARGEST_MESSAGE = 157_286_400


@dataclass(frozen=True)
class Reply:
    """One reply; `lines` are the texts after the code."""

    code: int
    lines: tuple[str, ...]

    @property
    def refused(self) -> bool:
        """Say whether the client's request was not carried out."""
        return self.code >= 400

    def encoded(self, stamp: str) -> bytes:
        """Return the octets on the wire; a refusal gets `stamp` in brackets."""
        lines = list(self.lines)
        if self.refused:
            lines[-1] += f" [{stamp}]"
        marks = ["-"] * (len(lines) - 1) + [" "]
        texts = [
            f"{self.code}{m}{line}\r\n" for m, line in zip(marks, lines, strict=True)
        ]
        return "".join(texts).encode("ascii", errors="replace")


def reply(code: int, *lines: str) -> Reply:
    """Return a reply of one line or more."""
    return Reply(code, lines)


def stamp(session_id: str, host: str = FRONT_HOST) -> str:
    """Return host, real time and session id, as refusals end."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    return f"{host} {moment.replace('+00:00', 'Z')} {session_id}"


def banner(host: str, session_id: str) -> Reply:
    """Return the greeting of a server."""
    moment = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return reply(
        220, f"{host} Microsoft ESMTP MAIL Service ready at {moment} [{session_id}]"
    )


def extensions(host: str, peer: str, offer: str | None) -> Reply:
    """Return the EHLO reply; `offer` is STARTTLS, the AUTH line, or null."""
    lines = [f"{host} Hello [{peer}]", f"SIZE {LARGEST_MESSAGE}", "PIPELINING", "DSN"]
    lines.append("ENHANCEDSTATUSCODES")
    lines.extend([offer] if offer else [])
    return reply(250, *lines, "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8")


READY_FOR_TLS = reply(220, "2.0.0 SMTP server ready")
OK = reply(250, "2.0.0 OK")
RESETTING = reply(250, "2.0.0 Resetting")
SENDER_OK = reply(250, "2.1.0 Sender OK")
RECIPIENT_OK = reply(250, "2.1.5 Recipient OK")
START_INPUT = reply(354, "Start mail input; end with <CRLF>.<CRLF>")
CLOSING = reply(221, "2.0.0 Service closing transmission channel")
CANNOT_VERIFY = reply(252, "2.1.5 Cannot VRFY user")
SIGNED_IN = reply(235, "2.7.0 Authentication successful")
CHALLENGE = reply(334, "")
ASK_NAME = reply(334, "VXNlcm5hbWU6")
ASK_PASSWORD = reply(334, "UGFzc3dvcmQ6")
HELP = reply(
    214,
    "This server supports the following commands:",
    "HELO EHLO STARTTLS RCPT DATA RSET MAIL QUIT HELP AUTH BDAT",
)

UNRECOGNIZED = reply(500, "5.3.3 Unrecognized command 'unknown'")
INVALID_DOMAIN = reply(501, "5.5.4 Invalid domain name")
INVALID_ARGUMENTS = reply(501, "5.5.4 Invalid arguments")
INVALID_SENDER = reply(501, "5.1.7 Invalid address")
INVALID_RECIPIENT = reply(501, "5.1.3 Invalid address")
CANCELLED = reply(501, "5.7.0 Authentication cancelled")
HELLO_FIRST = reply(503, "5.5.2 Send hello first")
NEED_MAIL = reply(503, "5.5.2 Need mail command")
NEED_RECIPIENT = reply(503, "5.5.2 Need rcpt command")
SENDER_GIVEN = reply(503, "5.5.2 Sender already specified")
ONLY_ONCE = reply(503, "5.5.2 Bad sequence of commands")
UNKNOWN_MECHANISM = reply(504, "5.7.4 Unrecognized authentication type")
NOT_SIGNED_IN = reply(530, "5.7.57 Client not authenticated to send mail.")
SIGN_IN_FAILED = reply(535, "5.7.3 Authentication unsuccessful")
BASIC_DISABLED = reply(
    535, "5.7.139 Authentication unsuccessful, basic authentication is disabled."
)
WRONG_CREDENTIALS = reply(
    535,
    "5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
)
CRITERIA_NOT_MET = reply(
    535,
    "5.7.139 Authentication unsuccessful, the request did not meet the criteria to be "
    "authenticated successfully. Contact your administrator.",
)
SECURITY_DEFAULTS = reply(
    535,
    "5.7.139 Authentication unsuccessful, user is locked by your organization's "
    "security defaults policy. Contact your administrator.",
)
QUOTA_EXCEEDED = reply(
    554,
    "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to "
    "process message due to a permanent exception with message The message can't be "
    "submitted because the sender's submission quota was exceeded.",
)
TOO_MANY_RECIPIENTS = reply(452, "4.5.3 Too many recipients")
TOO_LARGE = reply(552, "5.3.4 Message size exceeds fixed maximum message size")
TOO_MANY_CONNECTIONS = reply(
    432,
    "4.3.2 Concurrent connections limit exceeded. Visit "
    "https://aka.ms/concurrent_sending for more information.",
)
SERVICE_UNAVAILABLE = reply(421, "4.3.2 Service not available")
TIMED_OUT = reply(421, "4.4.1 Connection timed out")
TRY_AGAIN = reply(451, "4.7.0 Temporary server error. Please try again later. PRX2")
LOGON_FAILURE = reply(
    430,
    "4.2.0 STOREDRV; mailbox logon failure; STOREDRV.Submission.Exception:"
    "ConnectionFailedTransientException.MapiExceptionLogonFailed; Failed to process "
    "message due to a transient exception with message Cannot open mailbox.",
)


def not_signed_in(cause: Reply | None) -> Reply:
    """Return the refusal of MAIL; `cause` is what sign-in was refused with."""
    if cause is None:
        return NOT_SIGNED_IN
    return reply(
        530, f"{NOT_SIGNED_IN.lines[0]} [Error: {cause.code} {cause.lines[0]}]"
    )


def disabled_for(what: str) -> Reply:
    """Return the refusal where SMTP AUTH is off for the Tenant or the Mailbox."""
    return reply(
        535,
        "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled "
        f"for the {what}. Visit https://aka.ms/smtp_auth_disabled for more "
        "information.",
    )


def send_as_denied(signed_in: str, sender: str) -> Reply:
    """Return the refusal of a sender address that the mailbox may not use."""
    return reply(
        554,
        f"5.2.252 SendAsDenied; {signed_in} not allowed to send as {sender}; "
        "STOREDRV.Submission.Exception:SendAsDeniedException."
        "MapiExceptionSendAsDenied; Failed to process message due to a permanent "
        "exception with message [BeginDiagnosticData]Cannot submit message. "
        "[EndDiagnosticData]",
    )


def submitted(message_id: str) -> Reply:
    """Return the final reply of submission: the Message-ID that the server gave."""
    return reply(250, f"2.0.0 OK {message_id} [Hostname={BACK_HOST}]")


def queued(message_id: str, internal_id: int, size: int) -> Reply:
    """Return the final reply of the MX side."""
    return reply(
        250,
        f"2.6.0 {message_id} [InternalId={internal_id}, Hostname={BACK_HOST}] {size} "
        "bytes in 0.100, 10.000 KB/sec Queued mail for delivery",
    )


UNKNOWN_RECIPIENT = reply(550, "5.4.1 Recipient address rejected: Access denied")
RELAY_UNKNOWN = reply(550, "5.4.1 Relay Access Denied")
BAD_HELLO = reply(550, "5.7.506 Access Denied, Bad HELO")
NO_REVERSE_NAME = reply(
    550,
    "5.7.25 Service unavailable, sending IPv6 address must have reverse DNS record",
)
IPV6_UNAUTHENTICATED = reply(
    450,
    "4.7.26 Service temporarily unavailable, message sent over IPv6 must pass either "
    "SPF or DKIM validation",
)
RELAY_DENIED = reply(550, "5.7.64 TenantAttribution; Relay Access Denied")
DIRECT_SEND_REJECTED = reply(
    550,
    "5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization "
    "from unauthorized sources",
)
GROUP_NEEDS_AUTHENTICATION = reply(
    550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; sender not authenticated"
)
EXTERNAL_LIMIT = reply(
    550,
    "5.7.233 Your message can't be sent because your tenant has exceeded its daily "
    "limit for sending email to external recipients (tenant external recipient rate "
    "limit)",
)
PARTNER_RESTRICTED = reply(
    550,
    "5.7.51 TenantInboundAttribution; There is a partner connector configured that "
    "matched the message's recipient domain. The connector had either the "
    "RestrictDomainsToIPAddresses or RestrictDomainsToCertificate set",
)
TLS_REQUIRED = reply(451, "5.7.3 STARTTLS is required to send mail")


def dmarc_rejected(domain: str) -> Reply:
    """Return the refusal of a sender whose domain asks for it by DMARC."""
    return reply(
        550,
        f"5.7.509 Access denied, sending domain {domain} does not pass DMARC "
        "verification and has a DMARC policy of reject.",
    )
