"""Where a secret that is given stands: environment, file or keyring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runbook_lib.clients.private_files import read_private
from runbook_lib.errors import InputError
from runbook_lib.secret import Secret, SecretReference


def resolve_secret(
    reference: SecretReference, environment: Mapping[str, str]
) -> Secret:
    """Return the secret that a reference points to.

    One line end at the end of a file is not part of the secret.

    Raises:
        InputError: it is not there, is empty, or may be read by others.
    """
    match reference.scheme:
        case "env":
            text = environment.get(reference.rest)
        case "file":
            text = _file(Path(reference.rest))
        case "keyring":
            text = _keyring(reference.rest)
        case other:
            raise InputError(
                f"A secret cannot be read from {other}: here.",
                remedy="Name env:NAME, file:PATH or keyring:SERVICE/USER.",
            )
    if not text:
        raise InputError(
            f"{reference} holds no secret.",
            remedy="Set it before the run, or name another reference.",
        )
    return Secret(text)


def _file(path: Path) -> str:
    try:
        text = read_private(path).decode()
    except UnicodeDecodeError:
        raise InputError(f"The secret's file {path} is not UTF-8 text.") from None
    return text.removesuffix("\n").removesuffix("\r")


def _keyring(rest: str) -> str | None:
    """Ask the system's keyring; its import is slow, so it waits until here."""
    import keyring
    import keyring.errors

    service, _, user = rest.rpartition("/")
    if not service or not user:
        raise InputError(
            "A keyring reference has a service and a user.",
            remedy="Write keyring:SERVICE/USER.",
        )
    try:
        found: str | None = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise InputError(
            f"The keyring cannot be asked: {error}.",
            remedy="Unlock it, or name env: or file: instead.",
        ) from None
    return found
