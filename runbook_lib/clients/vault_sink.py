"""The sink `keyvault:`: secrets go straight into Azure Key Vault."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_lib.clients.key_vault import KeyVault
from runbook_lib.errors import InputError, RunbookError
from runbook_lib.secret import Secret

PROBE = "probe-of-the-sink"
NAME_TAG = "runbook-name"


class VaultSink:
    """One secret of a vault per name, read back after it was written.

    A vault's names have letters, digits and dashes only; the run's own name stands
    in a tag.
    """

    def __init__(self, reference: str, vault: KeyVault) -> None:
        """Use an opened vault; nothing is sent yet."""
        self.reference = reference
        self._vault = vault

    def prove_writable(self) -> None:
        """Set a disabled secret that holds nothing, and leave it there.

        It is not deleted: a vault keeps deleted names for weeks, and the next proof
        could not use the name.
        """
        try:
            tags = {NAME_TAG: PROBE}
            self._vault.write(PROBE, Secret("no secret"), tags=tags, enabled=False)
        except RunbookError as error:
            raise InputError(
                f"{self.reference} cannot be written: {error.message}",
                remedy=error.remedy,
            ) from error

    def store(self, name: str, secret: Secret) -> Mapping[str, object]:
        """Set the secret and read it back."""
        url = self._vault.write(vault_name(name), secret, tags={NAME_TAG: name})
        stored = self.read(name)
        if stored is None or stored.reveal() != secret.reveal():
            raise InputError(f"{url} does not hold what was written to it.")
        return {
            "reference": self.reference,
            "path": url,
            "checked": "read back and equal",
        }

    def holds(self, name: str) -> bool:
        """Tell whether the vault has a secret of that name."""
        return self._vault.holds(vault_name(name))

    def read(self, name: str) -> Secret | None:
        """Return the newest version."""
        return self._vault.read(vault_name(name))

    def remove(self, name: str) -> None:
        """Delete the secret; the vault keeps it recoverable for its own time."""
        self._vault.delete(vault_name(name))


def vault_name(name: str) -> str:
    """Return a name as a vault takes it: dots and underscores become dashes.

    Raises:
        InputError: nothing that a vault could take.
    """
    changed = name.replace(".", "-").replace("_", "-")
    if not changed.isascii() or not changed.replace("-", "").isalnum():
        raise InputError(f"{name!r} is no name for a stored secret.")
    return changed
