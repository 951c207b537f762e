"""STRUST: does the PSE that SAP uses as a client trust DigiCert Global Root G2?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from runbook_lib.sap.finding import Finding, Line, failed, passed, unclear, warned
from runbook_lib.sap.pasted import cleaned, filled
from runbook_lib.sap.sources import DIGICERT, INFERENCE

STRUST = "STRUST, certificate list"
G2_NAME = "DigiCert Global Root G2"
G2_SHA1 = "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4"
G2_SERIAL = "033AF1E6A711A9A0BB2864B11D09FAE5"
G2_SHA256 = "CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F"

G2_TRUSTED = passed("G2_TRUSTED", "{pse} trusts " + G2_NAME + ".", DIGICERT)
G2_MISSING = failed(
    "G2_MISSING",
    "{pse} does not list " + G2_NAME + ".",
    "Import it into SSL client (Standard) and (Anonymous), save, restart ICM.",
    DIGICERT,
)
WRONG_PSE = failed(
    "WRONG_PSE",
    G2_NAME + " stands in {pse}, which SAP does not use when it connects to others.",
    "Import it into SSL client (Standard) and (Anonymous), save, restart ICM.",
    f"{DIGICERT}; {INFERENCE}",
)
G2_OTHER_CERTIFICATE = failed(
    "G2_OTHER_CERTIFICATE",
    "A certificate of that name has another fingerprint or serial number: {found}.",
    "Find out where it came from; import the one whose SHA-1 is " + G2_SHA1 + ".",
    DIGICERT,
)
OTHER_CLIENT_PSE = warned(
    "OTHER_CLIENT_PSE",
    "The text shows the certificate in {pse} only; which PSE is used is set in the "
    "SMTP node and in the OAuth 2.0 client.",
    "Import the certificate into SSL client (Standard) and (Anonymous).",
    "SAP Cloud ALM setup guide",
)
PSE_NOT_SHOWN = unclear(
    "PSE_NOT_SHOWN",
    "The text does not say of which PSE this is the certificate list.",
    "Copy the name of the node in STRUST together with the list.",
    INFERENCE,
)

_CLIENT = re.compile(r"(?i)\bSSL[- ]client\b")
_OTHER = re.compile(r"(?i)^\W*(SSL[- ]server\b.*|system pse\b.*|SNC\b.*|WS security.*)")
_G2 = re.compile(r"(?i)\bCN\s*=\s*DigiCert Global Root G2\s*(?:,|$|\"|\|)")
_DIGEST = re.compile(r"(?i)\b(?:[0-9a-f]{2}[: ]?){15,31}[0-9a-f]{2}\b")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class _Entry:
    """A line about the certificate, and the PSE under whose heading it stands."""

    pse: str
    line: Line


def judge_trust_list(text: str) -> tuple[Finding, ...]:
    """Judge the text of one or more certificate lists, with or without PEM blocks."""
    found = filled(text, STRUST)
    headings = _headings(found)
    entries = _entries(found, headings)
    wrong = [_other_certificate(entry, found) for entry in entries]
    findings = [finding for finding in wrong if finding]
    findings += _impostors(text, found)
    if findings:
        return tuple(findings)
    entries += _from_pem(text, found, headings)
    return tuple(_presence(headings, entries, found))


def _headings(found: Sequence[Line]) -> list[_Entry]:
    """Return the lines that name a PSE, with its name."""
    entries = []
    for line in found:
        other = _OTHER.match(line.text)
        if _CLIENT.search(line.text) and "CN=" not in line.text:
            entries.append(_Entry(" ".join(line.text.split()), line))
        elif other:
            entries.append(_Entry(" ".join(other[1].split()), line))
    return entries


def _entries(found: Sequence[Line], headings: Sequence[_Entry]) -> list[_Entry]:
    lines = [line for line in found if _G2.search(line.text)]
    return [_Entry(_pse_above(line.number, headings), line) for line in lines]


def _pse_above(number: int, headings: Sequence[_Entry]) -> str:
    above = [entry.pse for entry in headings if entry.line.number < number]
    return above[-1] if above else ""


def _other_certificate(entry: _Entry, found: Sequence[Line]) -> Finding | None:
    """Compare a digest or serial number that stands with the subject, if any."""
    after = [line for line in found if line.number >= entry.line.number]
    for line in [after[0], *_until_next_subject(after[1:4])]:
        for match in _DIGEST.finditer(line.text):
            digits = re.sub(r"[: ]", "", match[0]).upper()
            if digits not in {G2_SHA1, G2_SHA256, G2_SERIAL, G2_SERIAL.lstrip("0")}:
                return G2_OTHER_CERTIFICATE.at(line, found=match[0])
    return None


def _until_next_subject(lines: Sequence[Line]) -> list[Line]:
    found = []
    for line in lines:
        if "CN=" in line.text or "-----" in line.text:
            break
        found.append(line)
    return found


def _certificates(text: str) -> list[tuple[x509.Certificate, int]]:
    """Return the PEM certificates that can be read, with the line of each."""
    plain = cleaned(text)
    found = []
    for match in _PEM.finditer(plain):
        try:
            certificate = x509.load_pem_x509_certificate(match[0].encode())
        except ValueError:
            continue
        found.append((certificate, plain.count("\n", 0, match.start()) + 1))
    return found


def _named_g2(certificate: x509.Certificate) -> bool:
    try:
        names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ValueError:
        return False
    return any(name.value == G2_NAME for name in names)


def _impostors(text: str, found: Sequence[Line]) -> list[Finding]:
    findings = []
    for certificate, number in _certificates(text):
        digest = certificate.fingerprint(SHA256()).hex().upper()
        if _named_g2(certificate) and digest != G2_SHA256:
            line = _line(found, number)
            findings.append(G2_OTHER_CERTIFICATE.at(line, found=f"SHA-256 {digest}"))
    return findings


def _from_pem(
    text: str, found: Sequence[Line], headings: Sequence[_Entry]
) -> list[_Entry]:
    return [
        _Entry(_pse_above(number, headings), _line(found, number))
        for certificate, number in _certificates(text)
        if certificate.fingerprint(SHA256()).hex().upper() == G2_SHA256
    ]


def _line(found: Sequence[Line], number: int) -> Line:
    return next(line for line in found if line.number == number)


def _presence(
    headings: Sequence[_Entry], entries: Sequence[_Entry], found: Sequence[Line]
) -> list[Finding]:
    clients = [entry for entry in headings if _CLIENT.search(entry.pse)]
    good = [entry for entry in entries if _CLIENT.search(entry.pse)]
    if good:
        trusted = [G2_TRUSTED.at(entry.line, pse=entry.pse) for entry in good]
        return [*trusted, *_without(clients, good)]
    if not headings:
        what = "name of a PSE, such as SSL client (Standard)"
        return [PSE_NOT_SHOWN.missing(what, STRUST)]
    if entries:
        return [WRONG_PSE.at(entry.line, pse=entry.pse) for entry in entries]
    pse = (clients or headings)[0].pse
    return [G2_MISSING.missing(f"subject CN={G2_NAME}", STRUST, pse=pse)]


def _without(clients: Sequence[_Entry], good: Sequence[_Entry]) -> list[Finding]:
    """Warn where only one client PSE is shown, or one lacks the certificate."""
    having = {entry.pse for entry in good}
    pse = " and ".join(sorted(having))
    if len(clients) == 1:
        return [OTHER_CLIENT_PSE.at(clients[0].line, pse=pse)]
    lacking = [entry for entry in clients if entry.pse not in having]
    return [OTHER_CLIENT_PSE.at(entry.line, pse=pse) for entry in lacking]
