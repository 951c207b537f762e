"""Imports and uses what every tenant's process will use.

Without secrets, without a network, without threads. What is done here is done
once for a batch instead of once for each tenant; a test compares the modules
of a tenant's process with those loaded here.
"""

from __future__ import annotations

import importlib
import json
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runbook_lib import opening
from runbook_lib.batch.shell import NotebookShell
from runbook_lib.clients.http import Wire, open_http
from runbook_lib.engine.chain import Event, encode_json, json_value, parse_line
from runbook_lib.secret import Mask, mask_logging
from runbook_lib.views.cards import card_html, card_text

NAME = "warm.example"
AUTHORITY = "https://login.example/00000000-0000-0000-0000-000000000000"

# Python runs code faster once it has run a few times; so do the forks then.
TIMES = 10

EVENT: Event = {
    "schema": 1,
    "seq": 1,
    "time": "2026-01-01T00:00:00.000Z",
    "mode": "plan",
    "event": "step.end",
    "step": "warm",
    "title": "Warm",
    "kind": "Change",
    "outcome": "planned",
    "before": {"one": None, "two": ["a", "b"]},
    "expected": {"one": True, "two": {"including": ["a"]}},
    "after": {},
    "problem": "Nothing `is` wrong.",
    "context": {"three": "3"},
}

# Loaded by name at their first use, in every process.
LATE = (
    "IPython.core.completerlib",
    "IPython.core.magics.execution",
    "dns.rdtypes.ANY.CNAME",
    "dns.rdtypes.IN.A",
    "encodings.idna",
    "encodings.utf_16_be",
    "httpcore",
    "h11",
    "socks",
    "stringprep",
    "unicodedata",
    # What a notebook imports; importing it watches the cells of this shell.
    "runbook_lib.notebook",
    "runbook_lib.steps.catalogue",
)


def warm_up(shell: NotebookShell) -> None:
    """Import everything, and use it a few times."""
    for name in LATE:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    opening.library_digest()
    opening.library_version()
    _handshake()
    for _ in range(TIMES):
        _show(shell)
        _request()
        _token()
        _draw()


def _draw() -> None:
    """Write an event as a line, read it, and draw its card, as for each step."""
    event = cast("Event", Mask().value(json_value(EVENT)))
    parse_line(encode_json(event))
    card_html(event)
    card_text(event)


def _request() -> None:
    """Send a request that ends in this process, through every layer of ours."""
    reply = httpx.MockTransport(lambda _: httpx.Response(200, json={"value": []}))
    mask = Mask()
    mask_logging(mask)
    with open_http(Wire(), lambda _: None, mask, transport=reply) as client:
        client.get("https://graph.example/v1.0/x", params={"a": "b"}).json()
        client.post("https://graph.example/v1.0/x", json={"a": 1}).json()
    httpx.HTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).close()


class _NoNetwork:
    """Answers MSAL as Entra ID would, without asking it."""

    def get(self, _url: str, **_ignored: object) -> SimpleNamespace:
        """Return the metadata of the authority."""
        return self._reply(
            token_endpoint=f"{AUTHORITY}/token",
            authorization_endpoint=f"{AUTHORITY}/authorize",
            issuer=AUTHORITY,
        )

    def post(self, _url: str, **_ignored: object) -> SimpleNamespace:
        """Return a token that opens nothing."""
        return self._reply(**{"access_token": "none", "expires_in": 3599})

    def close(self) -> None:
        """Close nothing."""

    def _reply(self, **body: Any) -> SimpleNamespace:
        text = json.dumps(body)
        return SimpleNamespace(
            status_code=200, text=text, headers={}, raise_for_status=lambda: None
        )


def _token() -> None:
    application = msal.ConfidentialClientApplication(
        "00000000-0000-0000-0000-000000000000",
        client_credential="none",
        authority=AUTHORITY,
        validate_authority=False,
        instance_discovery=False,
        http_client=_NoNetwork(),
    )
    application.acquire_token_for_client(["https://graph.example/.default"])


def _handshake() -> None:
    """Do a TLS handshake between two ends in memory: OpenSSL loads what it needs."""
    with TemporaryDirectory() as folder:
        certificate = Path(folder, "certificate.pem")
        certificate.write_bytes(_self_signed())
        client = ssl.create_default_context(cafile=str(certificate))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=NAME),
        server.wrap_bio(up, down, server_side=True),
    ]
    for end in (*ends, *ends):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    ends[0].getpeercert(binary_form=True)


def _self_signed() -> bytes:
    """Return a key that nobody uses, and its certificate (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, form, serialization.NoEncryption())
    return secret + made.public_bytes(pem)


def _show(shell: Any) -> None:
    """Run a cell that does nothing and format a value, as for each cell."""
    shell.run_cell("pass", store_history=False, silent=True)
    shell.run_cell("None", store_history=False)
    shell.display_formatter.format({"a": 1})
    shell.logger.log("pass", "pass")
