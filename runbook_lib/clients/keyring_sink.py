"""The sink `keyring:`: secrets go straight into the system's keyring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from runbook_lib.errors import InputError
from runbook_lib.secret import Secret

PROBE = "probe-of-the-sink"


class KeyringSink:
    """One entry of the keyring per secret, read back after it was written.

    The entry's service is the whole address, its user name the secret's own
    name: `keyring:SERVICE/USER/NAME` reads it again as a source. Which keyring
    it is, the system decides; one that keeps nothing fails the proof.

    Source: keyring, "Using Keyring".
    """

    def __init__(
        self, reference: str, service: str, named: Callable[[str], str]
    ) -> None:
        """Use a service of the keyring; `named` checks a name of a secret."""
        self.reference = reference
        self._service = service
        self._named = named

    def prove_writable(self) -> None:
        """Write, read back and remove an entry that is no secret.

        Raises:
            InputError: the keyring is locked, missing, or keeps nothing.
        """
        self._write(PROBE, Secret("no secret"))
        self.remove(PROBE)

    def store(self, name: str, secret: Secret) -> Mapping[str, object]:
        """Write the entry and read it back."""
        self._write(name, secret)
        return {
            "reference": self.reference,
            "path": f"{self._service}/{name}",
            "checked": "read back and equal",
        }

    def holds(self, name: str) -> bool:
        """Tell whether there is an entry."""
        return self.read(name) is not None

    def read(self, name: str) -> Secret | None:
        """Return the entry's password, or None."""
        with self._asked("read") as keyring:
            found = keyring.get_password(self._service, self._named(name))
        return None if found is None else Secret(found)

    def remove(self, name: str) -> None:
        """Remove the entry; one that is not there is no fault."""
        if self.holds(name):
            with self._asked("removed from") as keyring:
                keyring.delete_password(self._service, self._named(name))

    def _write(self, name: str, secret: Secret) -> None:
        with self._asked("written") as keyring:
            keyring.set_password(self._service, self._named(name), secret.reveal())
        stored = self.read(name)
        if stored is None or stored.reveal() != secret.reveal():
            raise InputError(
                f"The keyring does not hold what was written to {self._service}.",
                remedy="Choose a keyring that keeps what it is given (keyring --list-"
                "backends), or another sink.",
            )

    @contextmanager
    def _asked(self, done: str) -> Iterator[Any]:
        """Lend the keyring, whose import is slow, and turn its errors into ours."""
        import keyring
        import keyring.errors

        try:
            yield keyring
        except keyring.errors.KeyringError as error:
            raise InputError(
                f"The keyring cannot be {done}: {type(error).__name__}.",
                remedy="Unlock it, or set one up; a server without a desktop has none.",
            ) from None
