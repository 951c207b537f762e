"""Personal data and credentials do not reach the record."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from runbook_lib.sap.masking import masked
from runbook_lib.secret import MASKED
from tests.sap import certificates as made
from tests.sap.judging import JUDGES, OF_LETTER
from tests.sap.samples import FOLDER, MAILBOX, MARKER, SCOT_GOOD, sample

TOKEN = "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJodHRwczov.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
BLOB = base64.b64encode(
    f"user={MAILBOX}\x01auth=Bearer {TOKEN}\x01\x01".encode()
).decode()
SECRET = "abc8Q~" + "x1Y2z3" * 6
KEEP = ("ops@example.com", MAILBOX)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"[Thr 1] AUTH XOAUTH2 {BLOB}", BLOB),
        (f"dev_icm {BLOB}", BLOB),
        (f"auth=Bearer {TOKEN}", TOKEN),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"Authorization: Basic {BLOB[:24]}", BLOB[:24]),
        (f"token {TOKEN} in the middle", TOKEN),
        (f"client_secret={SECRET}&scope=x", SECRET),
        (f"the secret is {SECRET}", SECRET),
        ('{"access_token": "abcdef-123"}', "abcdef-123"),
        ("Client Secret: hunter2-hunter2", "hunter2"),
        ("Password: geheim 4711", "geheim"),
        ("PSE PIN = 4711", "4711"),
        ("AUTH PLAIN AHVzZXIAcGFzcw==", "AHVzZXIAcGFzcw"),
    ],
)
def test_credentials_are_masked(text: str, hidden: str) -> None:
    """Whatever a trace or a form holds by mistake is not stored."""
    found = masked(text)
    assert hidden not in found
    assert MASKED in found


def test_a_private_key_is_removed_and_still_known() -> None:
    """The key is not stored, and the certificate step still fails for it."""
    text = made.with_private_key().decode()
    for found in (masked(text), masked(text[:-40])):
        assert "BEGIN PRIVATE" not in found
        assert text.splitlines()[-3] not in found
        (finding,) = JUDGES["certificate"](found)
        assert finding.rule == "PRIVATE_KEY_PRESENT"


@pytest.mark.parametrize(
    "text",
    [
        "client_secret: ********",
        "Client Secret: (hidden)",
        "logon_user: none",
        SCOT_GOOD,
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """A screen's stars are evidence, and so is a form."""
    assert masked(text, keep=KEEP) == text


def test_addresses_keep_their_domain() -> None:
    """Whose mail it was is nobody's business; where it went is."""
    found = masked("From: jane.doe@contoso.com to ops@example.com", keep=KEEP)
    assert found == f"From: {MASKED}@contoso.com to ops@example.com"


def test_users_and_other_messages_are_masked() -> None:
    """A SOST list shows other people's mail; only our row is evidence."""
    foreign = "Sent\t\tINT\tDismissal of J. Doe\tJDOE\tjane@fabrikam.com\t23.11.2026\t"
    text = sample("G1") + foreign + "18:40:00\tDocument sent\n"
    found = masked(text, keep=KEEP, marker=MARKER)
    for personal in ("Dismissal", "JDOE", "SAPMAIL", "jane@"):
        assert personal not in found
    assert "Runbook test 2026-11-23" in found
    assert "ops@example.com" in found


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda p: str(p.name))
def test_masking_changes_no_verdict(path: Path) -> None:
    """What is stored is judged as what was pasted; masking twice is masking once."""
    text = path.read_text("utf-8")
    found = masked(text, keep=KEEP, marker=MARKER)
    judge = JUDGES[OF_LETTER[path.name[0]]]
    assert [f.rule for f in judge(text)] == [f.rule for f in judge(found)]
    assert masked(found, keep=KEEP, marker=MARKER) == found
