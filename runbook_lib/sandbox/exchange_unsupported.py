"""The honest answer where the sandbox knows a cmdlet or parameter but lacks it.

The real service would do it. The sandbox must not let it pass for a success.
"""

from runbook_lib.sandbox.exchange_errors import NOT_IMPLEMENTED, CmdletError
from runbook_lib.sandbox.exchange_invocation import Invocation


def cmdlet_not_implemented(name: str) -> CmdletError:
    """Return the refusal of a cmdlet that is listed and not built."""
    return CmdletError(NOT_IMPLEMENTED, f"{name} is not implemented in the sandbox.")


def refuse_parameters(invocation: Invocation, names: set[str]) -> None:
    """Refuse parameters that are listed and not built; do nothing without any."""
    if names:
        listed = ", ".join(sorted(names))
        raise CmdletError(
            NOT_IMPLEMENTED,
            f"{invocation.cmdlet.name}: parameter {listed} is not implemented in the "
            "sandbox.",
        )
