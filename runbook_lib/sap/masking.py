"""Evidence without personal data and credentials, before it is stored.

What a validator needs stays: the shape of the text, the domain of an address,
and the addresses that the tenant file names anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runbook_lib.sap.send_requests import HEADINGS, SOST
from runbook_lib.sap.table import Table, read_table
from runbook_lib.secret import MASKED

_SHORTEST_TITLE = 4

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@((?:[\w-]+\.)+[\w-]+)")
_CREDENTIALS = (
    re.compile(r"(?i)(?<=auth=bearer )[^\s\x01\"']+"),
    re.compile(r"(?i)(?<=authorization: )\S+ \S+"),
    # The XOAUTH2 response in base64 begins with "user=".
    re.compile(r"(?<![A-Za-z0-9+/])dXNlcj[A-Za-z0-9+/]{12,}={0,2}"),
    re.compile(r"eyJ[A-Za-z0-9_-]{6,}\.eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(r"(?i)(?<=auth xoauth2 )\S+"),
    re.compile(r"(?i)(?<=auth plain )\S+"),
    # Three characters, a digit, "Q~": a client secret of Microsoft Entra ID.
    re.compile(r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,}"),
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----(?:.*?-----END \1-----|.*)", re.DOTALL
)
_NAMED = re.compile(
    r"(?im)^(?P<label>[^:=\n]*\b(?:password|passwort|kennwort|pin|client[ _]secret|"
    r"secret)\b[^:=\n]*[:=][ \t]*)(?P<value>\S.*)$"
)
_PARAMETER = re.compile(
    r"(?i)\b(?P<name>client_secret|client_assertion|access_token|password)"
    r"(?P<sign>=|\"\s*:\s*\")(?P<value>[^&\s\"',]+)"
)
_MESSAGE_ID = re.compile(r"(?im)^(?:x-microsoft-original-)?message-id:\s*<([^<>\s]+)>")
_STAYS = re.compile(r"(?i)[*•●.\s]*|\(?(?:set|stored|hidden|yes|none|deleted|empty)\)?")


def masked(text: str, *, keep: Iterable[str] = (), marker: str = "") -> str:
    """Return the text as it may be stored; masking twice changes nothing.

    `keep` are addresses that stay; so do the Message-IDs of a header. In a SOST
    list SAP users are masked, and with a `marker` the titles of messages that do
    not carry it.
    """
    kept = frozenset(address.casefold() for address in keep) | _message_ids(text)
    plain = _without_people(_without_credentials(text), marker)
    return _ADDRESS.sub(lambda match: _address(match, kept), plain)


def _without_credentials(text: str) -> str:
    text = _PRIVATE_KEY.sub("[PRIVATE KEY removed]", text)
    for pattern in _CREDENTIALS:
        text = pattern.sub(MASKED, text)
    text = _PARAMETER.sub(lambda m: f"{m['name']}{m['sign']}{MASKED}", text)
    return _NAMED.sub(_named, text)


def _message_ids(text: str) -> frozenset[str]:
    """Return the names of messages: they look like addresses, and are nobody's."""
    return frozenset(found.casefold() for found in _MESSAGE_ID.findall(text))


def _named(match: re.Match[str]) -> str:
    """Mask a typed secret; a screen's stars, and words for “there is one”, stay."""
    value = match["value"].strip()
    return match[0] if _STAYS.fullmatch(value) else f"{match['label']}{MASKED}"


def _address(match: re.Match[str], kept: frozenset[str]) -> str:
    return match[0] if match[0].casefold() in kept else f"{MASKED}@{match[1]}"


def _without_people(text: str, marker: str) -> str:
    """Mask a SOST list: names of SAP users are people's, titles may be."""
    table = read_table(text, HEADINGS, frozenset({"status", "title"}), SOST)
    if table is None:
        return text
    for title in sorted(_titles(table, marker), key=len, reverse=True):
        text = text.replace(title, MASKED)
    for user in sorted(_users(table), key=len, reverse=True):
        text = re.sub(rf"(?<![\w@.]){re.escape(user)}(?![\w@.])", MASKED, text)
    return text


def _titles(table: Table, marker: str) -> set[str]:
    titles = {
        row["title"] for row in table.rows if marker and marker not in row["title"]
    }
    headings = table.header.text
    foreign = {title for title in titles if marker not in title}
    return {t for t in foreign if len(t) >= _SHORTEST_TITLE and t not in headings}


def _users(table: Table) -> set[str]:
    senders = {row["sender"] for row in table.rows}
    headings = table.header.text
    return {s for s in senders if s and "@" not in s and s not in headings} - {MASKED}
