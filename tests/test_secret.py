"""Secrets: used, never shown; masked in every form and every library's log."""

from __future__ import annotations

import base64
import copy
import dataclasses
import gc
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

import httpx
import pytest

from runbook_lib.errors import InputError
from runbook_lib.secret import (
    MASKED,
    Mask,
    MaskingHandler,
    Secret,
    SecretReference,
    forms,
    mask_logging,
)

TEXT = 'K8~q"pä/ss+wo?rd\\Value='
SECRET = Secret(TEXT)
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJvdXRsb29rIn0.c2lnbmF0dXJl-_"


@dataclasses.dataclass
class Holder:
    """Something that holds a secret."""

    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        ascii,
        lambda s: f"{s!r}",
        lambda s: "%s" % s,  # noqa: UP031 - this form is what is tested
        lambda s: "{}".format([s]),  # noqa: UP032
        lambda s: repr({"k": s}),
        lambda s: repr(Holder(s)),
        lambda s: json.dumps({"k": s}, default=str),
        lambda s: str(ValueError(s)),
        lambda s: " ".join(dir(s)),
    ],
)
def test_a_secret_shows_nothing(shown: Callable[[Secret], str]) -> None:
    """Not by itself and not inside of anything."""
    text = shown(SECRET)
    assert all(form not in text for form in forms(TEXT))


@pytest.mark.parametrize(
    "use",
    [
        lambda s: f"{s}",
        lambda s: f"{s:>40}",
        format,
        lambda s: "{}".format(s),  # noqa: UP032
        json.dumps,
        lambda s: json.dumps([s]),
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda s: dataclasses.asdict(Holder(s)),
        vars,
        lambda s: "" + s,
        bytes,
        len,
        list,
    ],
)
def test_a_secret_refuses_to_be_put_anywhere(use: Callable[[Secret], object]) -> None:
    """What would copy or write its text raises, and says nothing of it."""
    with pytest.raises(TypeError) as caught:
        use(SECRET)
    shown = "".join(traceback.format_exception(caught.value))
    assert all(form not in shown for form in forms(TEXT))


def test_a_secret_has_no_attributes_to_look_into() -> None:
    """It takes none, so nothing is ever hung on it."""
    assert not hasattr(SECRET, "__dict__")
    with pytest.raises(AttributeError):
        SECRET.extra = 1  # type: ignore[attr-defined]


def test_reveal_is_the_only_way_to_the_text() -> None:
    """A search for that word finds every use."""
    assert SECRET.reveal() == TEXT


def test_a_fingerprint_tells_secrets_apart_within_a_run() -> None:
    """8 hex digits over run and value: not comparable between runs."""
    mark = SECRET.fingerprint("run-1")
    assert len(mark) == 8
    assert int(mark, 16) >= 0
    assert mark == Secret(TEXT).fingerprint("run-1")
    assert mark not in (SECRET.fingerprint("run-2"), Secret("x").fingerprint("run-1"))


@pytest.mark.parametrize(
    ("text", "scheme", "rest"),
    [
        ("env:NAME", "env", "NAME"),
        ("file:/run/secret", "file", "/run/secret"),
        ("keyring:service/user", "keyring", "service/user"),
        ("keyvault:https://v.vault.azure.net/secrets/s", "keyvault", None),
        ("age: age1xyz ", "age", "age1xyz"),
    ],
)
def test_references_are_read(text: str, scheme: str, rest: str | None) -> None:
    """Scheme and rest; the reference is written as it was read."""
    found = SecretReference.parse(text)
    assert found.scheme == scheme
    if rest is not None:
        assert (found.rest, str(found)) == (rest, f"{scheme}:{rest}")


@pytest.mark.parametrize(
    "text", [TEXT, "", "env", "env:", "env:  ", "ENV:NAME", "vault:x", f"pw:{TEXT}"]
)
def test_what_is_no_reference_is_not_repeated(text: str) -> None:
    """People paste secrets where references belong."""
    with pytest.raises(InputError) as caught:
        SecretReference.parse(text)
    shown = " ".join(caught.value.lines())
    assert "the value is not shown" in shown
    assert TEXT not in shown


def as_basic(text: str) -> str:
    """Return the credentials of HTTP Basic authentication."""
    return base64.b64encode(f"client:{text}".encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        TEXT,
        quote(TEXT, safe=""),
        quote_plus(TEXT),
        base64.b64encode(TEXT.encode()).decode(),
        base64.b64encode(TEXT.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(TEXT.encode()).decode(),
        base64.urlsafe_b64encode(TEXT.encode()).decode().rstrip("="),
        json.dumps(TEXT)[1:-1],
        json.dumps(TEXT, ensure_ascii=False)[1:-1],
        repr(TEXT)[1:-1],
    ],
)
def test_every_form_of_a_known_secret_is_replaced(written: str) -> None:
    """Wherever it stands in a text."""
    mask = Mask()
    assert mask.add(SECRET) is SECRET
    assert mask.text(f"a={written}&b={written}") == f"a={MASKED}&b={MASKED}"


def test_the_longest_secret_is_replaced_first() -> None:
    """A secret that begins like another one leaves no rest."""
    mask = Mask()
    mask.add(Secret("abcdef"))
    mask.add(Secret("abcdefghij"))
    assert mask.text("x abcdefghij y abcdef z") == f"x {MASKED} y {MASKED} z"


def test_a_very_short_secret_is_not_searched_for() -> None:
    """Five letters stand in many words; masking them would hide the record."""
    mask = Mask()
    mask.add(Secret("admin"))
    assert mask.text("the admin center") == "the admin center"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer "),
        ("authorization: bearer abcdefghijklmnopqrstuvwxyz", "authorization: bearer "),
        (f"Authorization: Basic {as_basic('x' * 20)}", "Authorization: Basic "),
        (f"token {TOKEN} end", "token "),
        ("client_id=a&client_secret=s%7Eecret&scope=b", "client_id=a&client_secret="),
        (f"client_assertion={TOKEN}&x=y", "client_assertion="),
        ('{"secretText":"8Q~abc.def"}', '{"secretText":"'),
        ('{"secretText": "8Q~a\\"bc.def"}', '{"secretText": "'),
        (
            "AUTH XOAUTH2 "
            + base64.b64encode(b"user=sap@contoso.com\1auth=Bearer x\1\1").decode(),
            "AUTH XOAUTH2 ",
        ),
    ],
)
def test_what_looks_like_a_secret_is_replaced(text: str, kept: str) -> None:
    """Also what nobody told the mask about; what stands around it is kept."""
    masked = Mask().text(text)
    assert masked.startswith(kept + MASKED)
    for part in (TOKEN, "s%7Eecret", "8Q~a", "bc.def", "dXNlcj1zYXB", "xyz"):
        assert part not in masked


@pytest.mark.parametrize(
    "text",
    [
        "client_id=11111111-2222-3333-4444-555555555555",
        "sap@contoso.com",
        "bearer of news",
        "The basic idea",
        "keyId 66666666-7777-8888-9999-000000000000",
        "a" * 64,
    ],
)
def test_what_is_no_secret_is_kept(text: str) -> None:
    """Evidence is not masked away."""
    assert Mask().text(text) == text


def test_values_are_masked_at_any_depth() -> None:
    """Keys as well; other kinds of values are left as they are."""
    mask = Mask()
    mask.add(SECRET)
    value = {"a": [TEXT, {"b": (f"x{TEXT}",)}], TEXT: 1, "n": 1.5, "t": True, "z": None}
    assert mask.value(value) == {
        "a": [MASKED, {"b": [f"x{MASKED}"]}],
        MASKED: 1,
        "n": 1.5,
        "t": True,
        "z": None,
    }


def test_each_run_has_its_own_mask() -> None:
    """One run's secrets are not known to another one."""
    Mask().add(SECRET)
    assert Mask().text(TEXT) == TEXT


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Yield what the libraries log, at every level, behind the mask."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


OURS = ("httpx", "httpcore", "hpack", "msal", "urllib3")
LIBRARIES = (
    *("httpx", "httpcore", "httpcore.http11", "httpcore.connection"),
    *("msal", "msal.application", "msal.oauth2cli.oauth2", "msal.token_cache"),
    *("urllib3", "urllib3.connectionpool", "hpack.hpack", "msal.not.known.yet"),
)


@pytest.fixture
def masked() -> Iterator[Mask]:
    """Yield a mask that is on the libraries' loggers, and take it off again."""
    mask = Mask()
    mask.add(SECRET)
    mask_logging(mask)
    yield mask
    for logger in map(logging.getLogger, OURS):
        for handler in list(logger.handlers):
            if isinstance(handler, MaskingHandler):
                logger.removeHandler(handler)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize(
    "write",
    [
        lambda logger: logger.debug(TEXT),
        lambda logger: logger.info("sent %s to %s", TEXT, "host"),
        lambda logger: logger.warning("sent %(a)s", {"a": TEXT}),
        lambda logger: logger.error("%r", {"password": TEXT}),
        lambda logger: logger.debug("Bearer %s", TOKEN),
    ],
)
def test_no_library_logs_a_secret(
    log: io.StringIO,
    masked: Mask,
    name: str,
    write: Callable[[logging.Logger], None],
) -> None:
    """Message and arguments, on the logger that the library really uses."""
    write(logging.getLogger(name))
    text = log.getvalue()
    assert name in text
    assert MASKED in text
    assert all(form not in text for form in (*forms(TEXT), TOKEN))


@pytest.mark.parametrize("name", ["httpx", "msal", "urllib3", "msal.application"])
def test_no_library_logs_a_secret_in_an_exception(
    log: io.StringIO, masked: Mask, name: str
) -> None:
    """The text of the exception, of its cause and of its stack."""
    try:
        try:
            raise ValueError(f"first {TEXT}")
        except ValueError as error:
            raise RuntimeError(f"then {TEXT}") from error
    except RuntimeError:
        logging.getLogger(name).exception("failed with %s", TEXT)
    text = log.getvalue()
    assert "Traceback" in text
    assert "RuntimeError" in text
    assert all(form not in text for form in forms(TEXT))


def test_real_requests_are_masked(log: io.StringIO, masked: Mask) -> None:
    """httpx logs the URL of every request, and a URL may hold a secret."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        client.get("https://graph.microsoft.com/x", params={"client_secret": TEXT})
    text = log.getvalue()
    assert "HTTP Request" in text
    assert all(form not in text for form in forms(TEXT))


def test_a_record_that_cannot_be_formatted_is_not_lost(
    log: io.StringIO, masked: Mask
) -> None:
    """A library's wrong log call ends no run, and still shows no secret."""
    logging.getLogger("msal").warning("%s %s", TEXT)
    text = log.getvalue()
    assert "msal" in text
    assert TEXT not in text


def test_other_loggers_are_left_alone(log: io.StringIO, masked: Mask) -> None:
    """The library configures nothing but what it needs."""
    logging.getLogger("somebody.else").info("hello")
    assert "somebody.else hello" in log.getvalue()


def test_every_run_that_is_open_is_masked(log: io.StringIO, masked: Mask) -> None:
    """One handler for all of them; the mask of an ended run falls away."""
    other = Mask()
    other.add(Secret("another-secret"))
    mask_logging(other)
    mask_logging(other)
    logging.getLogger("msal.application").info("%s another-secret", TEXT)
    assert log.getvalue().endswith(f"{MASKED} {MASKED}\n")
    (handler,) = logging.getLogger("msal").handlers
    assert isinstance(handler, MaskingHandler)
    assert len(handler.masks) == 2
    del other
    gc.collect()
    assert list(handler.masks) == [masked]
