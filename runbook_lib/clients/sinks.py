"""Where a new secret is put, and where a given one is read.

A sink takes a secret that Microsoft Entra ID shows only once, so it is proven
writable before the secret is made, and what was stored is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pyrage

from runbook_lib.clients.key_vault import KeyVault, VaultAddress
from runbook_lib.clients.keyring_sink import KeyringSink
from runbook_lib.clients.private_files import (
    prepare_folder,
    remove_file,
    write_private,
)
from runbook_lib.clients.secret_sources import resolve_secret
from runbook_lib.clients.vault_sink import VaultSink
from runbook_lib.errors import InputError, Refused
from runbook_lib.secret import Secret, SecretReference

__all__ = [
    "AgeSink",
    "FileSink",
    "KeyringSink",
    "Sink",
    "VaultSink",
    "open_sink",
    "resolve_secret",
]

PROBE = "probe-of-the-sink"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_AGE_VERSION = b"age-encryption.org/v1"


class Sink(Protocol):
    """A place for secrets, addressed by a name that a run chooses."""

    reference: str

    def prove_writable(self) -> None:
        """Write and remove something that is no secret.

        Raises:
            InputError: it cannot be written; the remedy says what to change.
        """

    def store(self, name: str, secret: Secret) -> Mapping[str, object]:
        """Store a secret, replacing one of that name.

        Returns facts without the secret: reference, path, checked (how).

        Raises:
            InputError: it could not be stored, or the check failed.
        """

    def holds(self, name: str) -> bool:
        """Tell whether there is a secret of that name, readable here or not."""

    def read(self, name: str) -> Secret | None:
        """Return a stored secret; None where it is not there or cannot be read."""

    def remove(self, name: str) -> None:
        """Remove a stored secret; one that is not there is no fault."""


class FileSink:
    """One readable file per secret, mode 0600, in a folder of mode 0700.

    For the sandbox only: whoever is the user, or backs up the folder, reads it.
    """

    def __init__(self, reference: str, folder: Path) -> None:
        """Use a folder; nothing is written yet."""
        self.reference = reference
        self._folder = folder

    def prove_writable(self) -> None:
        """Make the folder if need be, and write and remove a file."""
        prepare_folder(self._folder)
        write_private(self._path(PROBE), b"no secret")
        self.remove(PROBE)

    def store(self, name: str, secret: Secret) -> Mapping[str, object]:
        """Write the file and read it back."""
        prepare_folder(self._folder)
        path = self._path(name)
        write_private(path, secret.reveal().encode())
        stored = self.read(name)
        if stored is None or stored.reveal() != secret.reveal():
            raise InputError(f"{path} does not hold what was written to it.")
        return {
            "reference": self.reference,
            "path": str(path),
            "checked": "read back and equal",
        }

    def holds(self, name: str) -> bool:
        """Tell whether the file is there."""
        return self._path(name).is_file()

    def read(self, name: str) -> Secret | None:
        """Return the content of the file."""
        try:
            return Secret(self._path(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove the file."""
        remove_file(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / _checked_name(name)


class AgeSink:
    """One file per secret, sealed for a recipient who is somewhere else.

    This machine cannot open it again, so the check is of the header: sealed in
    the age format, for an X25519 recipient, and without the secret in it.

    Source: the age file format, C2SP, "Header".
    """

    def __init__(self, reference: str, recipient: str, folder: Path) -> None:
        """Use an age public key (`age1…`) and a folder; nothing is written yet.

        Raises:
            InputError: it is no such key.
        """
        self.reference = reference
        self._folder = folder
        try:
            self._recipient = pyrage.x25519.Recipient.from_str(recipient)
        except pyrage.RecipientError:
            raise InputError(
                "The recipient of the age: sink is no age public key.",
                remedy="Write age: and the key that begins with age1.",
            ) from None

    def prove_writable(self) -> None:
        """Make the folder if need be, and seal, write and remove a file."""
        prepare_folder(self._folder)
        self._write(PROBE, Secret("no secret"))
        self.remove(PROBE)

    def store(self, name: str, secret: Secret) -> Mapping[str, object]:
        """Seal the secret, write it and check what stands in the file."""
        prepare_folder(self._folder)
        path = self._write(name, secret)
        return {
            "reference": self.reference,
            "path": str(path),
            "checked": "age header read back, for one X25519 recipient",
        }

    def holds(self, name: str) -> bool:
        """Tell whether there is a sealed file of that name."""
        path = self._path(name)
        return path.is_file() and is_sealed(path.read_bytes())

    def read(self, name: str) -> Secret | None:
        """Return None: only the recipient can read it."""
        return None

    def remove(self, name: str) -> None:
        """Remove the file."""
        remove_file(self._path(name))

    def _write(self, name: str, secret: Secret) -> Path:
        path, plain = self._path(name), secret.reveal().encode()
        write_private(path, pyrage.encrypt(plain, [self._recipient]))
        stored = path.read_bytes()
        if not is_sealed(stored) or plain in stored:
            remove_file(path)
            raise InputError(f"{path} is not sealed as it should be; it was removed.")
        return path

    def _path(self, name: str) -> Path:
        return self._folder / f"{_checked_name(name)}.age"


def open_sink(
    reference: SecretReference,
    *,
    sandbox: bool,
    directory: Path,
    open_vault: Callable[[VaultAddress], KeyVault] | None = None,
) -> Sink:
    """Return the sink that a reference names; nothing is written yet.

    `directory` takes the sealed files of an `age:` sink; `file:` names its own.
    `open_vault` opens the vault of a `keyvault:` sink, as the operator.

    Raises:
        Refused: `file:` for a real tenant.
        InputError: a scheme that is no sink, or an address that is none.
    """
    match reference.scheme:
        case "keyvault" if open_vault is not None:
            return VaultSink(str(reference), open_vault(_whole_vault(reference.rest)))
        case "keyring":
            return KeyringSink(str(reference), _service(reference.rest), _checked_name)
        case "age":
            return AgeSink(str(reference), reference.rest, directory)
        case "file" if sandbox:
            return FileSink(str(reference), Path(reference.rest))
        case "file":
            raise Refused(
                "A secret of a real tenant is not put into a readable file.",
                remedy="Name an age: or keyvault: sink in the tenant file.",
            )
    raise InputError(
        f"{reference.scheme}: is no sink; no secret can be put there.",
        remedy="Name age:RECIPIENT, keyring:SERVICE/USER, keyvault:URL, or file:FOLDER "
        "for the sandbox.",
    )


def _service(text: str) -> str:
    """Read the address of a keyring sink: a service and a user.

    Raises:
        InputError: one of them is missing.
    """
    service, _, user = text.rpartition("/")
    if not service or not user:
        raise InputError(
            "A keyring: sink has a service and a user.",
            remedy="Write keyring:SERVICE/USER.",
        )
    return text


def _whole_vault(text: str) -> VaultAddress:
    """Read the address of a vault; a sink names no secret in it.

    Raises:
        InputError: it is another URL.
    """
    address = VaultAddress.parse(text)
    if address.name is not None:
        raise InputError(
            "The keyvault: sink names one secret instead of a vault.",
            remedy="Write keyvault:https://VAULT.vault.azure.net alone.",
        )
    return address


def is_sealed(content: bytes) -> bool:
    """Return whether a file is sealed by age for exactly one X25519 recipient.

    A header may also hold stanzas of no meaning, whose kind ends in -grease.

    Source: the age file format, C2SP, "Header" and "Recipient stanza".
    """
    header, mac, _ = content.partition(b"\n--- ")
    lines = header.split(b"\n")
    kinds = [line.split(b" ")[1] for line in lines if line.startswith(b"-> ")]
    meant = [kind for kind in kinds if not kind.endswith(b"-grease")]
    return bool(mac) and lines[0] == _AGE_VERSION and meant == [b"X25519"]


def _checked_name(name: str) -> str:
    """Return a name that stays inside the folder."""
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a stored secret.")
    return name
