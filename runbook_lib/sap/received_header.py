"""The received message: whose it is, how it came, what the receiver says of it.

A header is pasted by a person, so all of it is attested. What it says of SPF, DKIM
and DMARC is shown as the receiver's word and never decides: the message arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runbook_lib.sap.authentication_results import METHODS, Result
from runbook_lib.sap.finding import Finding, failed, passed, unclear, warned
from runbook_lib.sap.header_block import HEADER, HeaderBlock, Hop, read_header
from runbook_lib.sap.sources import INFERENCE

AUTHENTICATION = "RFC 8601, Authentication-Results"
TRACE_FIELDS = "RFC 5321, section 4.4 (Received); RFC 3848 (with)"

HEADER_NOT_READ = unclear(
    "HEADER_NOT_READ",
    "The text is not the header of a message.",
    "Copy the whole header: in Outlook File > Properties > Internet headers, "
    "elsewhere “show original” or “view source”.",
    INFERENCE,
)
OTHER_MESSAGE = failed(
    "OTHER_MESSAGE",
    "The subject does not hold {marker}: it is another message.",
    "Hand in the header of the test message.",
    INFERENCE,
)
OWN_MESSAGE = failed(
    "OWN_MESSAGE",
    "It is the test message of this tool, not one that SAP sent.",
    "Hand in the header of the message that was sent from SAP (SBWP).",
    INFERENCE,
)
OTHER_RECIPIENT = failed(
    "OTHER_ADDRESSEE",
    "The message is to {found}, not to {wanted}.",
    "Hand in the header of the message that {wanted} received.",
    INFERENCE,
)
OTHER_MESSAGE_ID = failed(
    "OTHER_MESSAGE_ID",
    "The Message-ID is {found}; the message trace has this message as {traced}.",
    "Hand in the header of the message that the trace shows, without changes.",
    INFERENCE,
)
FROM_OTHER = warned(
    "FROM_OTHER",
    "From is {found}, which is in no domain of the tenant file.",
    "Compare the sender's address in SU01 and the default domain.",
    "SAP Help, Default Domain",
)
MESSAGE_ID = passed("MESSAGE_ID", "The Message-ID is {found}.", "RFC 5322, 3.6.4")
MESSAGE_ID_MISSING = unclear(
    "MESSAGE_ID_MISSING",
    "The header names no Message-ID.",
    "Copy the whole header.",
    "RFC 5322, 3.6.4",
)
RECEIVED_MISSING = unclear(
    "RECEIVED_MISSING",
    "The header has no Received field, which every server adds.",
    "Copy the whole header, not the summary that the mail program shows.",
    TRACE_FIELDS,
)
FIRST_HOP_TLS = passed(
    "FIRST_HOP_TLS", "{server} took it from {sender} with TLS.", TRACE_FIELDS
)
FIRST_HOP_CLEAR = warned(
    "FIRST_HOP_CLEAR",
    "{server} took it from {sender} without TLS, as far as it says.",
    "Set TLS to mandatory in the SMTP node.",
    TRACE_FIELDS,
)
RESULTS_MISSING = warned(
    "RESULTS_MISSING",
    "The receiver says nothing of SPF, DKIM and DMARC.",
    "Inside one organization that is usual; send to a recipient outside to see it.",
    AUTHENTICATION,
)
RESULTS_NOT_COUNTED = warned(
    "RESULTS_NOT_COUNTED",
    "These results were in the message when it was sent, so anybody may have written "
    "them.",
    "Only results that a server of the receiver added count.",
    AUTHENTICATION,
)
RESULT_PASS = passed(
    "RESULT_PASS", "{method}=pass{domain}, as {server} states.", AUTHENTICATION
)
RESULT_OPEN = warned(
    "RESULT_OPEN",
    "{method}={result}{domain}, as {server} states.",
    "Receivers outside may refuse or hide such mail: see SPF, DKIM and DMARC of the "
    "sender's domain.",
    AUTHENTICATION,
)


@dataclass(frozen=True)
class AskedHeader:
    """What the header has to be about; empty parts are not compared.

    The subject holds `marker` and does not begin with `own`. `domains` are the
    tenant's, `traced` the Message-IDs under which the message trace has it.
    """

    marker: str
    own: str = ""
    recipient: str = ""
    domains: tuple[str, ...] = ()
    traced: tuple[str, ...] = ()


def judge_header(text: str, asked: AskedHeader) -> tuple[Finding, ...]:
    """Judge the header of the received test message."""
    block = read_header(text)
    if block is None or not (block.all("received") or block.all("subject")):
        return (HEADER_NOT_READ.missing("fields Subject and Received", HEADER),)
    return (
        *_identity(block, asked),
        *_message_id(block, asked),
        *_way(block),
        *_results(block),
    )


def _identity(block: HeaderBlock, asked: AskedHeader) -> Iterable[Finding]:
    """Compare subject, recipient and sender with what was asked for."""
    subject = block.first("subject")
    if subject is None:
        yield OTHER_MESSAGE.missing("Subject", HEADER, marker=asked.marker)
    elif asked.marker not in subject.value:
        yield OTHER_MESSAGE.at(subject.line, marker=asked.marker)
    elif asked.own and subject.value.startswith(asked.own):
        yield OWN_MESSAGE.at(subject.line)
    to, addresses = block.first("to"), block.addresses("to")
    wanted = asked.recipient.casefold()
    if to and addresses and wanted and wanted not in addresses:
        yield OTHER_RECIPIENT.at(to.line, found=", ".join(addresses), wanted=wanted)
    sender, senders = block.first("from"), block.addresses("from")
    domains = {address.rpartition("@")[2] for address in senders}
    if sender and asked.domains and not domains & set(asked.domains):
        yield FROM_OTHER.at(sender.line, found=", ".join(senders) or "empty")


def _message_id(block: HeaderBlock, asked: AskedHeader) -> Iterable[Finding]:
    field = block.first("message-id")
    if field is None:
        yield MESSAGE_ID_MISSING.missing("Message-ID", HEADER)
    elif asked.traced and field.value not in asked.traced:
        values = {"found": field.value, "traced": ", ".join(asked.traced)}
        yield OTHER_MESSAGE_ID.at(field.line, **values)
    else:
        yield MESSAGE_ID.at(field.line, found=field.value)


def _way(block: HeaderBlock) -> Iterable[Finding]:
    hops = block.hops()
    if not hops:
        yield RECEIVED_MISSING.missing("Received", HEADER)
        return
    hop = hops[-1]
    values = {"server": hop.server or "a server", "sender": _from(hop)}
    rule = FIRST_HOP_TLS if hop.tls else FIRST_HOP_CLEAR
    yield rule.at(hop.line, **values)


def _from(hop: Hop) -> str:
    named = hop.sender or "a sender without a name"
    return f"{named} ({hop.address})" if hop.address else named


def _results(block: HeaderBlock) -> Iterable[Finding]:
    for field in block.all("authentication-results"):
        if block.sent_with(field):
            yield RESULTS_NOT_COUNTED.at(field.line)
    counted = block.results()
    if counted is None:
        yield RESULTS_MISSING.missing("Authentication-Results", HEADER)
        return
    field, results = counted
    server = results.server or "the receiver, without a name,"
    for method in METHODS:
        result = results.of(method) or Result(method, "not stated")
        rule = RESULT_PASS if result.result == "pass" else RESULT_OPEN
        domain = f" for {result.domain}" if result.domain else ""
        values = {"method": method, "result": result.result, "domain": domain}
        yield rule.at(field.line, server=server, **values)


def header_facts(text: str) -> Mapping[str, object]:
    """Return what a header says, for the proof of delivery; empty if it is none."""
    block = read_header(text)
    if block is None:
        return {}
    counted = block.results()
    first = block.hops()[-1:]
    found: dict[str, object] = {
        "Subject": _value(block, "subject"),
        "From": ", ".join(block.addresses("from")) or None,
        "Message-ID": _value(block, "message-id"),
        "Message-ID as sent": _value(block, "x-microsoft-original-message-id"),
        "first server": first[0].server if first else None,
        "taken from": _from(first[0]) if first else None,
        "TLS to it": first[0].tls if first else None,
        "stated by": counted[1].server if counted else None,
    }
    for method in METHODS:
        result = counted[1].of(method) if counted else None
        found[method] = _shown(result) if result else None
    return found


def _value(block: HeaderBlock, name: str) -> str | None:
    field = block.first(name)
    return field.value if field else None


def _shown(result: Result) -> str:
    return f"{result.result} ({result.domain})" if result.domain else result.result
