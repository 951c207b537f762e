"""Secrets that are given: environment, file, keyring."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest

from runbook_lib.clients.private_files import write_private
from runbook_lib.clients.sinks import (
    resolve_secret,
)
from runbook_lib.errors import InputError
from runbook_lib.secret import SecretReference

VALUE = "abC~1.2_3-4567890123456789"


def reference(text: str) -> SecretReference:
    """Read a reference."""
    return SecretReference.parse(text)


def test_a_secret_of_the_environment() -> None:
    """The mapping is given; the process's own environment is not asked."""
    found = resolve_secret(reference("env:SAP_SECRET"), {"SAP_SECRET": VALUE})
    assert found.reveal() == VALUE


@pytest.mark.parametrize("environment", [{}, {"SAP_SECRET": ""}])
def test_a_missing_secret_is_named(environment: dict[str, str]) -> None:
    """An empty one is as good as none."""
    with pytest.raises(InputError, match="env:SAP_SECRET holds no secret"):
        resolve_secret(reference("env:SAP_SECRET"), environment)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_of_a_private_file(tmp_path: Path, end: str) -> None:
    """The line end that an editor adds is not part of it."""
    path = tmp_path / "secret"
    write_private(path, f"{VALUE} {end}".encode())
    assert resolve_secret(reference(f"file:{path}"), {}).reveal() == f"{VALUE} "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """The remedy is the command; the content is not shown."""
    path = tmp_path / "secret"
    path.write_text(VALUE)
    path.chmod(mode)
    with pytest.raises(InputError, match="other users") as caught:
        resolve_secret(reference(f"file:{path}"), {})
    assert caught.value.remedy == f"Run: chmod 600 {path}"
    assert VALUE not in str(caught.value)


def test_what_is_no_readable_file_is_told(tmp_path: Path) -> None:
    """Missing, empty, a device, or no text."""
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    write_private(empty, b"\n")
    write_private(binary, b"\xff\xfe")
    for path, reason in (
        (tmp_path / "missing", "No such file"),
        (tmp_path, "directory"),
        (empty, "holds no secret"),
        (binary, "UTF-8"),
        (Path(os.devnull), "no plain file"),
    ):
        with pytest.raises(InputError, match=reason):
            resolve_secret(reference(f"file:{path}"), {})


class Store(keyring.backend.KeyringBackend):
    """A keyring in memory; one service is locked."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        """Return the password of the one entry."""
        if service == "locked":
            raise keyring.errors.KeyringLocked("locked")
        return VALUE if (service, username) == ("a/b", "sap") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Take nothing: the tests only read."""
        raise keyring.errors.PasswordSetError(service)


@pytest.fixture
def store() -> Any:
    """Use the keyring in memory for a test."""
    before = keyring.get_keyring()
    keyring.set_keyring(Store())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("store")
def test_a_secret_of_the_keyring() -> None:
    """The user stands behind the last slash."""
    assert resolve_secret(reference("keyring:a/b/sap"), {}).reveal() == VALUE
    for text, reason in (
        ("keyring:a/sap", "holds no secret"),
        ("keyring:locked/sap", "cannot be asked"),
        ("keyring:alone", "a service and a user"),
    ):
        with pytest.raises(InputError, match=reason):
            resolve_secret(reference(text), {})


@pytest.mark.parametrize("text", ["keyvault:https://x/y", "age:age1x"])
def test_other_sources_name_those_that_work(text: str) -> None:
    """The remedy says what can be used now."""
    with pytest.raises(InputError) as caught:
        resolve_secret(reference(text), {})
    assert "env:NAME, file:PATH or keyring:" in str(caught.value.remedy)
