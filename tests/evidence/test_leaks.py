"""The leak search: first every planted form is found, then clean text gives none."""

import base64
import gzip
import hashlib
import html
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from runbook_lib.evidence.leaks import PIECE, find, find_patterns
from runbook_lib.evidence.patterns import PATTERNS
from runbook_lib.evidence.unwrap import BASE64_TEXT, LARGEST_MEMBER, long_runs
from runbook_lib.secret import Secret

# Each has what some form escapes: quotes, slashes, spaces, signs, other letters.
SECRETS = {
    "client secret": "Ab38Q~x.Y_z-0123456789abcdefghijklmnopqr",
    "password": "p\"a\\s/s <w>ö&r'd %41+/=?",
    "token": "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
    "six": "Zx9~k2",
}


def noise(size: int) -> bytes:
    """Return bytes that look random and are always the same."""
    return hashlib.shake_256(b"noise").digest(size)


def in_text(text: str) -> bytes:
    """Return a longer text around a value."""
    return f"before {text} after\n".encode()


def base64_within(
    before: int, *, url: bool = False, after: str = "", width: int = 1000
) -> Callable[[str], bytes]:
    """Return a maker of base64 in which the value begins after some bytes.

    `after` are base64 characters that stand before it without a space, so that
    nobody can tell where it begins; `width` is the length of a line.
    """

    def make(text: str) -> bytes:
        raw = b"x" * before + text.encode() + b"tail" * 40
        encoded = base64.urlsafe_b64encode(raw) if url else base64.b64encode(raw)
        whole = after + encoded.decode()
        lines = [whole[at : at + width] for at in range(0, len(whole), width)]
        return in_text("\r\n".join(lines))

    return make


def xoauth2(text: str) -> str:
    """Return the initial client response of XOAUTH2."""
    blob = f"user=sap@contoso.com\x01auth=Bearer {text}\x01\x01"
    return base64.b64encode(blob.encode()).decode()


def unicode_escaped(text: str) -> str:
    """Return a text of JSON escapes only."""
    units = text.encode("utf-16-be")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02X}{low:02x}" for high, low in pairs)


def as_form(text: str) -> str:
    """Return what an HTML page of jinja2 shows."""
    return html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;")


BASE64: dict[str, Any] = {
    "": {},
    "url": {"url": True},
    " within other characters": {"after": "Zz"},
    "url within other characters": {"after": "Zz", "url": True},
    " in lines of 76": {"width": 76},
    " in lines of 40": {"width": 40},
}
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": in_text,
    "at the very end": lambda text: text.encode(),
    "URL-encoded": lambda text: in_text(quote(text, safe="")),
    "URL-encoded throughout": lambda text: in_text(
        "".join(f"%{byte:02x}" for byte in text.encode())
    ),
    "URL-encoded as a path": lambda text: in_text(quote(text)),
    "form-encoded": lambda text: in_text(f"client_secret={quote_plus(text)}&x=y"),
    "JSON": lambda text: json.dumps({"value": text}).encode(),
    "JSON in UTF-8": lambda text: json.dumps({"v": text}, ensure_ascii=False).encode(),
    "JSON with escaped slashes": lambda text: (
        json.dumps(text).replace("/", "\\/").encode()
    ),
    "JSON of \\u escapes": lambda text: in_text(f'"{unicode_escaped(text)}"'),
    "JSON within JSON": lambda text: json.dumps(json.dumps({"v": text})).encode(),
    "form within JSON": lambda text: json.dumps({"body": quote_plus(text)}).encode(),
    "HTML": lambda text: in_text(html.escape(text)),
    "HTML of a template": lambda text: in_text(as_form(text)),
    "UTF-16": lambda text: f"before {text}".encode("utf-16"),
    "XOAUTH2": lambda text: in_text(f"AUTH XOAUTH2 {xoauth2(text)}"),
    "XOAUTH2 in JSON": lambda text: json.dumps({"sent": xoauth2(text)}).encode(),
    "XOAUTH2 URL-encoded": lambda text: in_text(quote(xoauth2(text), safe="")),
    "HTTP Basic": lambda text: in_text(
        "Basic " + base64.b64encode(f"client:{text}".encode()).decode()
    ),
    "base64 of the form": lambda text: in_text(
        base64.b64encode(f"client:{quote_plus(text)}".encode()).decode()
    ),
    "base64 of base64": lambda text: in_text(
        base64.b64encode(base64.b64encode(text.encode() + b"more") + b"==").decode()
    ),
    "base64 without padding": lambda text: in_text(
        base64.b64encode(text.encode()).decode().rstrip("=")
    ),
    "gzip": lambda text: b"\0\1" + gzip.compress(in_text(text)) + b"more",
    "gzip of JSON": lambda text: gzip.compress(json.dumps({"v": text}).encode()),
    "gzip in base64": lambda text: in_text(
        base64.b64encode(gzip.compress(in_text(text))).decode()
    ),
    "gzip in wrapped base64": lambda text: base64.encodebytes(
        gzip.compress(noise(200).hex().encode() + in_text(text))
    ),
    "wrapped base64 in JSON": lambda text: json.dumps(
        base64_within(2, width=40)(text).decode()
    ).encode(),
    "base64 in gzip": lambda text: gzip.compress(in_text(xoauth2(text))),
    "gzip in gzip": lambda text: gzip.compress(gzip.compress(in_text(text))),
    "cut gzip": lambda text: gzip.compress(
        in_text(text) + noise(5000), compresslevel=0
    )[:3000],
} | {
    f"base64{name} after {before} bytes": base64_within(before, **how)
    for before in range(4)
    for name, how in BASE64.items()
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SECRETS)
def test_every_form_is_found(tmp_path: Path, name: str, form: str) -> None:
    """A secret planted in one form is found, and only that secret."""
    planted = FORMS[form](SECRETS[name])
    (tmp_path / "file").write_bytes(planted)
    others = [Secret("another-value-0123"), Secret("xyz")]
    leaks = find(tmp_path, [others[0], Secret(SECRETS[name]), others[1]])
    assert {(leak.file, leak.what) for leak in leaks} == {("file", "secret 2")}


def test_a_leak_shows_nothing_of_the_secret(tmp_path: Path) -> None:
    """What is returned names file, number and form."""
    (tmp_path / "file").write_bytes(gzip.compress(b"0123456789"))
    (leak,) = find(tmp_path, [Secret("0123456789")])
    assert (leak.file, leak.what, leak.form) == ("file", "secret 1", "plain in gzip")


def test_every_file_is_searched(tmp_path: Path) -> None:
    """Hidden files, sub-folders and file names count."""
    secret = SECRETS["client secret"]
    (tmp_path / "evidence" / "step").mkdir(parents=True)
    for name in (".hidden", "evidence/step/1-note.txt", f"{secret}.txt"):
        (tmp_path / name).write_text(secret if "secret" not in name else "")
    assert {leak.file for leak in find(tmp_path, [Secret(secret)])} == {
        ".hidden",
        "evidence/step/1-note.txt",
        f"{secret}.txt",
    }


@pytest.mark.parametrize("where", [PIECE - 9, PIECE - 40, 2 * PIECE + 5])
def test_secret_across_two_pieces_is_found(tmp_path: Path, where: int) -> None:
    """Large files are read in pieces that overlap."""
    secret = SECRETS["client secret"]
    (tmp_path / "file").write_bytes(b" " * where + secret.encode() + b" " * 100)
    assert find(tmp_path, [Secret(secret)])
    assert find_patterns(tmp_path)


def test_gzip_member_larger_than_a_piece_is_found(tmp_path: Path) -> None:
    """A member is unpacked across pieces."""
    text = base64.b64encode(noise(6 << 20)) + b" " + SECRETS["token"].encode()
    packed = gzip.compress(text, compresslevel=1)
    (tmp_path / "file").write_bytes(packed)
    (leak,) = find(tmp_path, [Secret(SECRETS["token"])])
    assert leak.form == "plain in gzip"
    assert len(packed) > PIECE


def test_what_is_too_large_to_search_is_a_leak(tmp_path: Path) -> None:
    """A gzip member that unpacks to more than the limit is not passed over."""
    bomb = gzip.compress(b"\0" * (LARGEST_MEMBER + 1))
    (tmp_path / "file").write_bytes(bomb)
    (leak,) = find_patterns(tmp_path)
    assert leak.what == "too large to be searched"


CLEAN = """\
Basic authentication is off; Bearer authentication is used for everything-here-now.
WWW-Authenticate: Bearer realm="", authorization_uri="https://login.microsoftonline.com"
Authorization: Bearer ••• and Basic ••• and client_secret=•••&scope=x
client_secret=%E2%80%A2%E2%80%A2%E2%80%A2&client_secret=YOUR_CLIENT_SECRET_HERE
"secretText": "•••", {"secretText":null}
-----BEGIN CERTIFICATE-----
MIIBszCCAVmgAwIBAgIUQ29udG9zbyBjZXJ0aWZpY2F0ZSBmb3IgdGVzdHMwCgYI
KoZIzj0EAwIwEjEQMA4GA1UEAwwHY29udG9zbzAeFw0yNjAxMDEwMDAwMDBaFw0y
-----END CERTIFICATE-----
sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
appId 11111111-2222-3333-4444-555555555555 keyId 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
https://graph.microsoft.com/v1.0/applications?$filter=displayName%20eq%20%27SAP%27
user=sap@contoso.com auth=Bearer ••• AUTH XOAUTH2 •••
"""


def test_clean_text_gives_no_leak(tmp_path: Path) -> None:
    """Words, digests, ids, certificates and masked values are no credentials."""
    (tmp_path / "text").write_text(CLEAN)
    (tmp_path / "json").write_text(json.dumps({"text": CLEAN}))
    (tmp_path / "gzip").write_bytes(gzip.compress(CLEAN.encode()))
    (tmp_path / "base64").write_bytes(base64.encodebytes(CLEAN.encode()))
    (tmp_path / "noise").write_bytes(noise(500_000))
    secrets = [Secret(text) for text in SECRETS.values()]
    assert find(tmp_path, secrets) == []
    assert find_patterns(tmp_path) == []


CREDENTIALS = {
    "JSON web token": SECRETS["token"],
    "client secret of Microsoft Entra ID": SECRETS["client secret"],
    "client secret in a request or reply": "client_secret=abcdefgh12345678&x=y",
    "private key": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n",
    "age private key": "AGE-SECRET-KEY-1QQPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGP",
    "bearer token": "Authorization: Bearer 0.AXkA9fH3kQ2mTzVb8LrWq1ZdNw",
    "name and password of HTTP Basic": "Authorization: Basic Y29udG9zbzpwYXNzd29yZA==",
}
WRAPPINGS: dict[str, Callable[[str], bytes]] = {
    "plain": in_text,
    "JSON": lambda text: json.dumps({"text": text}).encode(),
    "JSON within JSON": lambda text: json.dumps(json.dumps({"text": text})).encode(),
    "URL-encoded": lambda text: in_text(quote(text, safe="")),
    "base64": lambda text: base64.b64encode(in_text(text)),
    "base64url": lambda text: base64.urlsafe_b64encode(in_text(text)),
    "gzip": lambda text: gzip.compress(in_text(text)),
    "UTF-16": lambda text: text.encode("utf-16"),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("what", CREDENTIALS)
def test_every_pattern_is_found(tmp_path: Path, what: str, wrapping: str) -> None:
    """What looks like a credential is found without knowing it."""
    (tmp_path / "file").write_bytes(WRAPPINGS[wrapping](CREDENTIALS[what]))
    assert what in {leak.what for leak in find_patterns(tmp_path)}


@pytest.mark.parametrize("kind", ["PRIVATE", "RSA PRIVATE", "ENCRYPTED PRIVATE"])
def test_every_kind_of_private_key_is_found(tmp_path: Path, kind: str) -> None:
    """PKCS#1, PKCS#8 and encrypted keys have different first lines."""
    (tmp_path / "file").write_text(f"-----BEGIN {kind} KEY-----\n")
    assert find_patterns(tmp_path)


@pytest.mark.parametrize("what", CREDENTIALS)
def test_pattern_in_unicode_escapes_is_found(tmp_path: Path, what: str) -> None:
    """An escaped character hides the mark by which a pattern is found."""
    escaped = "".join(f"\\u{ord(char):04x}" for char in CREDENTIALS[what])
    (tmp_path / "file").write_text(f'{{"text": "{escaped}"}}')
    assert what in {leak.what for leak in find_patterns(tmp_path)}


def test_no_mark_has_a_character_that_is_escaped() -> None:
    """So the text with its escapes tells whether a mark stands in it."""
    marks = {pattern.mark for pattern in PATTERNS}
    assert all(mark in json.dumps(mark.decode()).encode() for mark in marks)
    assert not any(set(mark) & set(b'\\"/\n\r\t\b\f') for mark in marks)


@pytest.mark.parametrize("seed", range(20))
def test_base64_texts_are_found_as_by_the_expression(seed: int) -> None:
    """The quick search for long runs finds what the expression alone finds."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    kinds = b"aZ09+/_-" * 8 + b'=\r\n "\0'
    for _ in range(50):
        data = bytes(chance.choices(kinds, k=chance.randint(0, 400)))
        found = [match.span() for match in long_runs(data)]
        assert found == [match.span() for match in BASE64_TEXT.finditer(data)]


def test_reply_with_a_client_secret_is_found(tmp_path: Path) -> None:
    """A secret of another shape is known by its property."""
    (tmp_path / "file").write_text('{"secretText": "0123456789abcdefghij"}')
    assert find_patterns(tmp_path)


def test_masked_xoauth2_blob_is_clean_and_a_real_one_is_not(tmp_path: Path) -> None:
    """The blob is read, not judged by how it begins."""
    (tmp_path / "file").write_text(xoauth2("•••"))
    assert find_patterns(tmp_path) == []
    (tmp_path / "file").write_text(xoauth2("opaque-token"))
    assert [leak.what for leak in find_patterns(tmp_path)] == ["bearer token"]


def large_record(folder: Path) -> int:
    """Write a record of 5 MB: much JSON, a picture in base64; return its size."""
    body = json.dumps({"value": [{"id": noise(16).hex(), "name": 'a "b"'}] * 9})
    line = json.dumps({"url": "/v1.0/users?$filter=a%20eq%20b", "body": body}) + "\n"
    (folder / "traffic.ndjson").write_text(line * (4_000_000 // len(line)))
    picture = base64.b64encode(noise(750_000)).decode()
    (folder / "notebook.ipynb").write_text(json.dumps({"image/png": picture}))
    return sum(path.stat().st_size for path in folder.iterdir())


def test_large_record_is_searched_quickly(tmp_path: Path) -> None:
    """5 MB take a third of a second of processor time; slow machines are allowed."""
    size = large_record(tmp_path)
    assert size > 4_900_000
    secrets = [Secret(f"{number:01000d}") for number in range(5)]
    start = time.process_time()
    find(tmp_path, secrets)
    find_patterns(tmp_path)
    assert time.process_time() - start < 2.0  # two searches
