"""No secret is made before its sink has proven that it takes one: every sink."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backends.fail
import keyring.backends.null
import pyrage
import pytest

from runbook_lib.clients.key_vault import VaultAddress
from runbook_lib.clients.sinks import Sink, open_sink
from runbook_lib.errors import InputError, NotPermitted
from runbook_lib.secret import SecretReference
from runbook_lib.steps.credential import CreateClientSecret
from tests.steps.fakes import OBJECT, FakeSession, new_application, seen_as

STEP = CreateClientSecret(application=OBJECT, name="sap-smtp", days="180")


class ClosedVault:
    """A vault that the operator may not write to."""

    def __init__(self, address: VaultAddress) -> None:
        """Stand for the vault at this address."""

    def write(self, name: str, *_: object, **__: object) -> str:
        """Refuse."""
        raise NotPermitted(f"{name}: Forbidden", remedy="Give the operator a role.")


@pytest.fixture(autouse=True)
def own_keyring() -> Iterator[None]:
    """Put the system's keyring back."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def in_the_way(folder: Path) -> Path:
    """Return a folder that is a file."""
    folder.write_text("in the way", "utf-8")
    return folder


def opened(text: str, folder: Path) -> Sink:
    """Return a sink of the sandbox."""
    return open_sink(
        SecretReference.parse(text),
        sandbox=True,
        directory=folder,
        open_vault=ClosedVault,  # type: ignore[arg-type]
    )


def file_sink(folder: Path) -> Sink:
    """Return a file: sink whose folder cannot be made."""
    return opened(f"file:{in_the_way(folder)}", folder)


def age_sink(folder: Path) -> Sink:
    """Return an age: sink whose folder cannot be made."""
    recipient = pyrage.x25519.Identity.generate().to_public()
    return opened(f"age:{recipient}", in_the_way(folder))


def locked_keyring(folder: Path) -> Sink:
    """Return a keyring: sink where there is no keyring."""
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    return opened("keyring:runbook/contoso", folder)


def forgetful_keyring(folder: Path) -> Sink:
    """Return a keyring: sink on a keyring that keeps nothing."""
    keyring.set_keyring(keyring.backends.null.Keyring())  # type: ignore[no-untyped-call]
    return opened("keyring:runbook/contoso", folder)


def closed_vault(folder: Path) -> Sink:
    """Return a keyvault: sink without the right to write."""
    return opened("keyvault:https://kv-contoso.vault.azure.net", folder)


@pytest.mark.parametrize(
    "sink_in",
    [file_sink, age_sink, locked_keyring, forgetful_keyring, closed_vault],
)
def test_no_secret_is_made_for_a_sink_that_takes_none(
    tmp_path: Path, sink_in: Callable[[Path], Sink]
) -> None:
    """The step ends before Entra ID is asked for anything."""
    fake = FakeSession()
    fake.graph.applications = [new_application()]
    sink: Any = sink_in(tmp_path / "sink")
    session = dataclasses.replace(fake, sink=sink)
    with pytest.raises(InputError) as caught:
        STEP.apply(seen_as(session))
    assert caught.value.remedy
    assert fake.graph.calls == []
