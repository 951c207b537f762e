"""Sign-in with name and password, as both SAP services take it.

Source: RFC 7617.
"""

import base64
import binascii
import hmac

from runbook_lib.sandbox.http import Call
from runbook_lib.sandbox.sap_system import SapSide
from runbook_lib.sandbox.tokens import secret_hash


def credentials_of(call: Call) -> tuple[str, str] | None:
    """Return name and password of a request; null where it has none."""
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        plain = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, separator, password = plain.partition(":")
    return (name, password) if separator else None


def signed_in_user(call: Call, side: SapSide) -> str | None:
    """Return the user whose password a request proves, or null."""
    sent = credentials_of(call)
    if sent is None:
        return None
    known = side.password_hashes.get(sent[0], "")
    return sent[0] if hmac.compare_digest(known, secret_hash(sent[1])) else None
