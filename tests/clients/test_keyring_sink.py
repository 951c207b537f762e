"""The system's keyring as a place for new secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from runbook_lib.clients.secret_sources import resolve_secret
from runbook_lib.clients.sinks import Sink, open_sink
from runbook_lib.errors import InputError
from runbook_lib.secret import Secret, SecretReference

VALUE = "abC~1.2_3-4567890123456789"
SINK = "keyring:runbook/contoso"


class Store(keyring.backend.KeyringBackend):
    """A keyring in memory; `fault` is what it answers, `forgets` keeps nothing."""

    priority = 1
    fault: type[keyring.errors.KeyringError] | None = None
    forgets = False

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry."""
        self._answer()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep an entry, unless it forgets."""
        self._answer(password)
        if not self.forgets:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget an entry; one that is not there is an error, as everywhere."""
        self._answer()
        if (service, username) not in self.entries:
            raise keyring.errors.PasswordDeleteError(username)
        del self.entries[service, username]

    def _answer(self, *said: str) -> None:
        if self.fault is not None:
            raise self.fault("told", *said)


@pytest.fixture
def store() -> Iterator[Store]:
    """Use a keyring in memory for a test."""
    before, store = keyring.get_keyring(), Store()
    keyring.set_keyring(store)
    yield store
    keyring.set_keyring(before)


@pytest.fixture
def sink(store: Store, tmp_path: Path) -> Sink:
    """Return the sink of a real tenant."""
    reference = SecretReference.parse(SINK)
    return open_sink(reference, sandbox=False, directory=tmp_path)


def test_stored_read_back_and_removed(store: Store, sink: Sink) -> None:
    """Its name is the user name of the entry; removing twice is no fault."""
    assert not sink.holds("key-1")
    facts = sink.store("key-1", Secret(VALUE))
    assert store.entries == {("runbook/contoso", "key-1"): VALUE}
    assert facts == {
        "reference": SINK,
        "path": "runbook/contoso/key-1",
        "checked": "read back and equal",
    }
    read = sink.read("key-1")
    assert sink.holds("key-1")
    assert read is not None
    assert read.reveal() == VALUE
    sink.remove("key-1")
    sink.remove("key-1")
    assert sink.read("key-1") is None
    assert store.entries == {}


@pytest.mark.usefixtures("sink")
def test_what_was_stored_is_a_source(sink: Sink) -> None:
    """The address with the name behind it reads it again."""
    sink.store("key-1", Secret(VALUE))
    source = SecretReference.parse(f"{SINK}/key-1")
    assert resolve_secret(source, {}).reveal() == VALUE


def test_the_proof_leaves_nothing(store: Store, sink: Sink) -> None:
    """What was written for it is removed."""
    sink.prove_writable()
    assert store.entries == {}


@pytest.mark.parametrize(
    "fault",
    [
        keyring.errors.KeyringLocked,
        keyring.errors.NoKeyringError,
        keyring.errors.PasswordSetError,
    ],
)
def test_a_keyring_that_refuses_fails_the_proof(
    store: Store, sink: Sink, fault: type[keyring.errors.KeyringError]
) -> None:
    """Before a secret exists; what the keyring says may hold one, so it is not told."""
    store.fault = fault
    with pytest.raises(InputError, match=fault.__name__) as caught:
        sink.prove_writable()
    assert "Unlock it" in str(caught.value.remedy)
    with pytest.raises(InputError) as stored:
        sink.store("key-1", Secret(VALUE))
    assert VALUE not in "".join(stored.value.lines())
    assert stored.value.__cause__ is None


def test_a_keyring_that_keeps_nothing_fails_the_proof(store: Store, sink: Sink) -> None:
    """As the null backend, which takes everything and holds nothing."""
    store.forgets = True
    with pytest.raises(InputError, match="does not hold"):
        sink.prove_writable()


@pytest.mark.parametrize("text", ["keyring:alone", "keyring:/user", "keyring:a/"])
def test_an_address_has_service_and_user(text: str, tmp_path: Path) -> None:
    """It is told before anything is asked."""
    with pytest.raises(InputError, match=r"service and a user|keyring"):
        open_sink(SecretReference.parse(text), sandbox=False, directory=tmp_path)


def test_a_name_is_checked(sink: Sink) -> None:
    """As for files: the same names everywhere."""
    with pytest.raises(InputError, match="no name"):
        sink.store("../escape", Secret(VALUE))
