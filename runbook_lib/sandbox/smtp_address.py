"""Arguments of MAIL, RCPT and EHLO, and the sender in a message's header.

Source: RFC 5321 section 4.1.2; RFC 5322 section 3.6.2.
"""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTPUTF8
from email.utils import getaddresses

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\]")
_PATH = re.compile(r"(FROM|TO):\s*<([^<>\s]*)>((?:\s+\S+)*)\s*", re.IGNORECASE)

MAIL_PARAMETERS = {"SIZE", "BODY", "RET", "ENVID", "SMTPUTF8", "AUTH"}
RCPT_PARAMETERS = {"NOTIFY", "ORCPT"}


@dataclass(frozen=True)
class Path:
    """The address of MAIL or RCPT, in lower case, and its parameters."""

    address: str
    parameters: dict[str, str]


def is_hello_name(text: str) -> bool:
    """Say whether an EHLO argument is a domain name or an address in brackets."""
    if _LITERAL.fullmatch(text):
        return True
    return is_domain(text)


def read_path(keyword: str, argument: str) -> Path | None:
    """Read `FROM:<address> NAME=VALUE …`; null where it is not of that form."""
    match = _PATH.fullmatch(argument)
    if match is None or match[1].upper() != keyword:
        return None
    pairs = [entry.partition("=") for entry in match[3].split()]
    address = match[2].lower()
    if address and not is_address(address):
        return None
    return Path(address, {name.upper(): value for name, _, value in pairs})


def is_domain(text: str) -> bool:
    """Say whether a text is a domain name."""
    return len(text) <= 255 and _DOMAIN.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Say whether a text is local-part@domain."""
    local, _, domain = text.rpartition("@")
    return bool(local) and _DOMAIN.fullmatch(domain) is not None


def read_message(content: bytes) -> EmailMessage:
    """Read the header fields of a message; the body stays as it is."""
    parser = BytesParser(policy=SMTPUTF8)
    return parser.parsebytes(content, headersonly=True)


def header_text(message: EmailMessage, name: str) -> str:
    """Return a header field as text on one line, empty where it is missing."""
    return " ".join(str(message.get(name, "")).split())


def header_senders(message: EmailMessage) -> list[str]:
    """Return the addresses of the From field in lower case."""
    fields = [str(value) for value in message.get_all("From", [])]
    return [address.lower() for _, address in getaddresses(fields) if address]
