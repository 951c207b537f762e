"""Secrets that are stored, and how that is checked."""

from __future__ import annotations

import os
from pathlib import Path

import pyrage
import pytest

from runbook_lib.clients.private_files import write_private
from runbook_lib.clients.sinks import (
    AgeSink,
    FileSink,
    Sink,
    is_sealed,
    open_sink,
)
from runbook_lib.errors import InputError, Refused
from runbook_lib.secret import Secret, SecretReference

VALUE = "abC~1.2_3-4567890123456789"


def reference(text: str) -> SecretReference:
    """Read a reference."""
    return SecretReference.parse(text)


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    """Return the key of somebody who receives sealed files."""
    return pyrage.x25519.Identity.generate()


def opened(kind: str, folder: Path, identity: pyrage.x25519.Identity) -> Sink:
    """Return a sink of a kind in a folder that is not there yet."""
    if kind == "file":
        return open_sink(reference(f"file:{folder}"), sandbox=True, directory=folder)
    key = f"age:{identity.to_public()}"
    return open_sink(reference(key), sandbox=False, directory=folder)


@pytest.mark.parametrize("kind", ["file", "age"])
def test_a_sink_is_proven_before_it_is_used(
    tmp_path: Path, identity: pyrage.x25519.Identity, kind: str
) -> None:
    """The folder is made for its owner alone, and nothing is left in it."""
    folder = tmp_path / "outputs" / "secrets"
    opened(kind, folder, identity).prove_writable()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "age"])
def test_an_open_folder_is_refused(
    tmp_path: Path, identity: pyrage.x25519.Identity, kind: str
) -> None:
    """Others could exchange what lies there."""
    tmp_path.chmod(0o755)
    sink = opened(kind, tmp_path, identity)
    for use in (sink.prove_writable, lambda: sink.store("a", Secret(VALUE))):
        with pytest.raises(InputError, match="open to other users") as caught:
            use()
        assert caught.value.remedy == f"Run: chmod 700 {tmp_path}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "age"])
def test_a_folder_that_cannot_be_made(
    tmp_path: Path, identity: pyrage.x25519.Identity, kind: str
) -> None:
    """A file stands where the folder should."""
    (tmp_path / "taken").write_text("")
    sink = opened(kind, tmp_path / "taken" / "secrets", identity)
    with pytest.raises(InputError, match="cannot be written"):
        sink.prove_writable()


def test_a_stored_file_is_private_and_read_back(tmp_path: Path) -> None:
    """Mode 0600, the exact text, and facts without it."""
    folder = tmp_path / "secrets"
    sink = open_sink(reference(f"file:{folder}"), sandbox=True, directory=tmp_path)
    facts = sink.store("sap-smtp.run-1", Secret(VALUE))
    path = folder / "sap-smtp.run-1"
    assert path.read_text() == VALUE
    assert path.stat().st_mode & 0o777 == 0o600
    assert facts == {
        "reference": f"file:{folder}",
        "path": str(path),
        "checked": "read back and equal",
    }
    read = sink.read("sap-smtp.run-1")
    assert read is not None
    assert read.reveal() == VALUE
    sink.remove("sap-smtp.run-1")
    sink.remove("sap-smtp.run-1")
    assert sink.read("sap-smtp.run-1") is None


def test_a_sealed_file_opens_for_the_recipient_alone(
    tmp_path: Path, identity: pyrage.x25519.Identity
) -> None:
    """This side cannot read it back, and says how it was checked."""
    folder = tmp_path / "secrets"
    sink = opened("age", folder, identity)
    facts = sink.store("sap-smtp", Secret(VALUE))
    path = folder / "sap-smtp.age"
    content = path.read_bytes()
    assert VALUE.encode() not in content
    assert is_sealed(content)
    assert pyrage.decrypt(content, [identity]).decode() == VALUE
    assert path.stat().st_mode & 0o777 == 0o600
    assert facts["path"] == str(path)
    assert VALUE not in str(facts)
    assert sink.read("sap-smtp") is None
    sink.remove("sap-smtp")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "age"])
def test_a_sink_knows_what_it_holds(
    tmp_path: Path, identity: pyrage.x25519.Identity, kind: str
) -> None:
    """A sealed secret counts as held, although it cannot be read here."""
    sink = opened(kind, tmp_path / "secrets", identity)
    assert not sink.holds("a")
    sink.store("a", Secret(VALUE))
    assert sink.holds("a")
    assert not sink.holds("b")
    sink.remove("a")
    assert not sink.holds("a")


def test_a_file_that_is_not_sealed_is_not_held(
    tmp_path: Path, identity: pyrage.x25519.Identity
) -> None:
    """A file of the right name alone proves nothing."""
    sink = opened("age", tmp_path, identity)
    (tmp_path / "a.age").write_text(VALUE)
    assert not sink.holds("a")


def test_what_is_not_sealed_is_told(identity: pyrage.x25519.Identity) -> None:
    """Plain text, a half header, and two recipients are not accepted."""
    key = identity.to_public()
    sealed = pyrage.encrypt(b"x", [key])
    assert is_sealed(sealed)
    assert not is_sealed(VALUE.encode())
    assert not is_sealed(sealed[:60])
    assert not is_sealed(pyrage.encrypt(b"x", [key, key]))
    assert not is_sealed(sealed.replace(b"-> X25519 ", b"-> scrypt "))


def test_a_file_that_is_not_sealed_is_removed(
    tmp_path: Path,
    identity: pyrage.x25519.Identity,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Should sealing ever do nothing, no readable file is left."""
    monkeypatch.setattr(pyrage, "encrypt", lambda plain, recipients: plain)
    folder = tmp_path / "secrets"
    with pytest.raises(InputError, match="not sealed"):
        opened("age", folder, identity).store("a", Secret(VALUE))
    assert list(folder.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old content stays, and no temporary file either."""
    path = tmp_path / "secret"
    write_private(path, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match="No space left"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden", "a\x00b"])
def test_a_name_stays_inside_the_folder(tmp_path: Path, name: str) -> None:
    """A secret is not written elsewhere by its name."""
    sink = FileSink("file:x", tmp_path / "secrets")
    with pytest.raises(InputError, match="no name"):
        sink.store(name, Secret(VALUE))


def test_a_readable_file_is_for_the_sandbox(tmp_path: Path) -> None:
    """A real tenant's secret needs a sealed one."""
    with pytest.raises(Refused, match="readable file") as caught:
        open_sink(reference("file:x"), sandbox=False, directory=tmp_path)
    assert "age:" in str(caught.value.remedy)


@pytest.mark.parametrize("text", ["keyvault:https://x/y", "env:NAME"])
def test_other_sinks_name_those_that_work(tmp_path: Path, text: str) -> None:
    """The remedy says what can be used now."""
    with pytest.raises(InputError) as caught:
        open_sink(reference(text), sandbox=True, directory=tmp_path)
    assert "age:RECIPIENT" in str(caught.value.remedy)


def test_a_bad_recipient_is_not_repeated(tmp_path: Path) -> None:
    """Somebody may have pasted the private key."""
    with pytest.raises(InputError, match="no age public key") as caught:
        AgeSink("age:x", "AGE-SECRET-KEY-1QQQ", tmp_path)
    assert "QQQ" not in str(caught.value.lines())
