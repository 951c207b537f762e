"""The certificate of SAP's JWT signing key, as SOAUTH2_CLIENT or STRUST exports it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook_lib.errors import InputError
from runbook_lib.sap.certificate import (
    PrivateKeyHandedIn,
    SigningCertificate,
    parse_certificate,
)
from runbook_lib.sap.finding import Finding, Line, failed, passed, warned
from runbook_lib.sap.pasted import cleaned
from runbook_lib.sap.sources import GUIDE, INFERENCE

CERTIFICATE = "exported certificate"
NEAR_EXPIRY = timedelta(days=30)
_ENTRA = "Microsoft Learn, Microsoft identity platform certificate credentials"

CERTIFICATE_USABLE = passed(
    "CERTIFICATE_USABLE",
    "An RSA certificate of {bits} bits, valid until {until}; SHA-1 {sha1}.",
    f"{GUIDE}; {_ENTRA}",
)
CERTIFICATE_REFUSED = failed("CERTIFICATE_REFUSED", "{why}.", "{remedy}", _ENTRA)
PRIVATE_KEY_PRESENT = failed(
    "PRIVATE_KEY_PRESENT",
    "There is a private key in it. It was disclosed.",
    "Make a new key pair in STRUST, and export the certificate only.",
    _ENTRA,
)
NEARLY_EXPIRED = warned(
    "NEARLY_EXPIRED",
    "The certificate expires on {until}.",
    "Plan its renewal: upload the new one before SAP switches.",
    _ENTRA,
)
NO_ARMOR = warned(
    "NO_ARMOR",
    "The lines BEGIN CERTIFICATE and END CERTIFICATE are missing.",
    "Nothing has to be done here; export with the format Base64 next time.",
    GUIDE,
)
BINARY = passed("BINARY", "The file is binary (DER); it was converted.", GUIDE)
SUBJECT_OTHER_SYSTEM = warned(
    "SUBJECT_OTHER_SYSTEM",
    "The subject {subject} does not hold the system ID {sid}.",
    "Make sure that it is the certificate of this system.",
    INFERENCE,
)


@dataclass(frozen=True)
class ExportedCertificate:
    """The certificate that was handed in, or None; and the findings."""

    certificate: SigningCertificate | None
    findings: tuple[Finding, ...]


def judge_certificate(
    data: bytes, *, now: datetime, sid: str = ""
) -> ExportedCertificate:
    """Judge what was exported; `now` has an offset, `sid` is the system ID.

    A private key stops the reading: nothing of the data is returned then.
    """
    binary = data[:1] == b"\x30"
    if not binary:
        data = cleaned(data.decode("utf-8", errors="replace")).encode()
    if b"PRIVATE KEY" in data:
        return _nothing(PRIVATE_KEY_PRESENT.at(_line("PRIVATE KEY")))
    try:
        found = parse_certificate(data, now=now)
    except PrivateKeyHandedIn:
        return _nothing(PRIVATE_KEY_PRESENT.at(_line("a private key")))
    except InputError as error:
        why = error.message.removeprefix("certificate: ")
        line = _line("the file as it was handed in")
        values = {"why": why[:1].upper() + why[1:], "remedy": error.remedy}
        return _nothing(CERTIFICATE_REFUSED.at(line, **values))
    form = [BINARY] if binary else [] if b"-----BEGIN " in data else [NO_ARMOR]
    line = _line(f"subject {found.subject}")
    notes = [rule.at(line) for rule in form]
    return ExportedCertificate(found, (*notes, *_judged(found, line, now, sid)))


def _line(text: str) -> Line:
    return Line(1, text, CERTIFICATE)


def _nothing(finding: Finding) -> ExportedCertificate:
    return ExportedCertificate(None, (finding,))


def _judged(
    found: SigningCertificate, line: Line, now: datetime, sid: str
) -> list[Finding]:
    until = found.not_after.date()
    values = {"bits": found.bits, "until": until, "sha1": found.thumbprint}
    findings = [CERTIFICATE_USABLE.at(line, **values)]
    if found.not_after - now < NEAR_EXPIRY:
        findings.append(NEARLY_EXPIRED.at(line, until=until))
    if sid and sid.casefold() not in found.subject.casefold():
        values = {"subject": found.subject, "sid": sid}
        findings.append(SUBJECT_OTHER_SYSTEM.at(line, **values))
    return findings
