"""Where a secret that is given stands: environment, file, keyring or vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from runbook_lib.clients.key_vault import KeyVault, VaultAddress
from runbook_lib.clients.private_files import read_private
from runbook_lib.errors import InputError
from runbook_lib.secret import Secret, SecretReference


def resolve_secret(
    reference: SecretReference,
    environment: Mapping[str, str],
    open_vault: Callable[[VaultAddress], KeyVault] | None = None,
) -> Secret:
    """Return the secret that a reference points to.

    One line end at the end of a file is not part of the secret. `open_vault` opens
    the vault of a `keyvault:` reference, as somebody who may read it; without it
    such a reference is refused.

    Raises:
        InputError: it is not there, is empty, or may be read by others.
        NotPermitted, CannotLook and their kind: a vault does not answer as asked.
    """
    match reference.scheme:
        case "env":
            text = environment.get(reference.rest)
        case "file":
            text = _file(Path(reference.rest))
        case "keyring":
            text = _keyring(reference.rest)
        case "keyvault" if open_vault is not None:
            text = _vault(reference.rest, open_vault)
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


def _vault(rest: str, open_vault: Callable[[VaultAddress], KeyVault]) -> str | None:
    """Read the newest version, or the one that the reference names."""
    address = VaultAddress.parse(rest)
    if address.name is None:
        raise InputError(
            "The keyvault: reference names a vault and no secret in it.",
            remedy="Write keyvault:https://VAULT.vault.azure.net/secrets/NAME.",
        )
    found = open_vault(address).read(address.name, address.version)
    return found.reveal() if found else None


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
