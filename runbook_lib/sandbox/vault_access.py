"""Who may do what in a vault: Azure roles on its secrets.

Source: Microsoft Learn, "Provide access to Key Vault keys, certificates, and secrets
with Azure role-based access control".
"""

OFFICER = "Key Vault Secrets Officer"
USER = "Key Vault Secrets User"

ACTIONS = {
    OFFICER: frozenset({"get", "list", "set", "update", "delete", "recover", "purge"}),
    USER: frozenset({"get", "list"}),
}


def may(role: str | None, action: str) -> bool:
    """Say whether a role, null for none, allows an action on secrets."""
    return role is not None and action in ACTIONS.get(role, frozenset())
