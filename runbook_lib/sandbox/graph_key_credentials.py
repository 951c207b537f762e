"""Certificates of an application: what PATCH keyCredentials accepts and keeps.

Source: Microsoft Learn, "keyCredential resource type", "Update application";
texts of refusals as quoted in field reports.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_errors import bad_request
from runbook_lib.sandbox.graph_policies import check_key_lifetime
from runbook_lib.sandbox.state import JsonObject, date_text

# A client writes whole seconds; a certificate's last second still counts.
_TOLERANCE = timedelta(seconds=1)


def checked_key_credentials(
    graph: GraphCall, application: JsonObject, sent: list[JsonObject]
) -> list[JsonObject]:
    """Return the collection that replaces the old one.

    Every entry must carry its key bytes: those of the old collection that are not
    sent again are lost. A new key starts its lag.
    """
    known = {entry["key"] for entry in application["keyCredentials"]}
    kept = [_credential(graph, application, entry) for entry in sent]
    for credential in kept:
        if credential["key"] not in known:
            graph.sandbox.faults.start_lag("certificate", credential["keyId"])
    return kept


def _credential(
    graph: GraphCall, application: JsonObject, sent: JsonObject
) -> JsonObject:
    """Return one key credential as the service keeps it."""
    if sent.get("type") != "AsymmetricX509Cert" or sent.get("usage") != "Verify":
        raise bad_request(
            "Key credential type or usage is invalid.",
            code="KeyCredentialsInvalidType",
            target="keyCredentials",
        )
    der = base64.b64decode(sent.get("key") or "")
    start, end = _validity(graph, sent, _certificate(der))
    check_key_lifetime(graph, application, end - start)
    return {
        "customKeyIdentifier": sent.get("customKeyIdentifier") or _thumbprint(der),
        "displayName": sent.get("displayName"),
        "endDateTime": date_text(end),
        "key": base64.b64encode(der).decode(),
        "keyId": sent.get("keyId") or graph.tenant.ids.guid(),
        "startDateTime": date_text(start),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def _certificate(der: bytes) -> x509.Certificate:
    """Read a certificate, or refuse what is none."""
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        raise bad_request(
            "Invalid credential value. Error: Cannot find the requested object.\r\n"
        ) from None


def _validity(
    graph: GraphCall, sent: JsonObject, certificate: x509.Certificate
) -> tuple[datetime, datetime]:
    """Return start and end: as sent where inside the certificate's, else its own."""
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    start, end = _moment(sent, "startDateTime"), _moment(sent, "endDateTime")
    checked = graph.sandbox.holds("graph.certificate-dates")
    if checked and end and end > last + _TOLERANCE:
        raise _invalid_end("Key credential end date is invalid.")
    if start and start < first - _TOLERANCE:
        raise bad_request(
            "Key credential start date is invalid.",
            code="KeyCredentialsInvalidStartDate",
            target="keyCredentials",
        )
    if (end or last) <= graph.sandbox.now():
        raise _invalid_end("Key credential end date is in the past.")
    return start or first, end or last


def _moment(sent: JsonObject, name: str) -> datetime | None:
    """Return a date of the request in UTC, or null where it is absent."""
    value: Any = sent.get(name)
    return datetime.fromisoformat(value).astimezone(UTC) if value else None


def _invalid_end(message: str) -> Exception:
    """Return the refusal of an end date."""
    return bad_request(
        message, code="KeyCredentialsInvalidEndDate", target="keyCredentials"
    )


def _thumbprint(der: bytes) -> str:
    """Return what the service fills in: the SHA-1 thumbprint in upper case."""
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
