"""All runbooks by name."""

from __future__ import annotations

from runbook_lib.engine.runbook import Runbook
from runbook_lib.errors import InputError
from runbook_lib.steps import (
    choose_option,
    direct_send,
    relay_connector,
    relay_server,
    smtp_oauth,
)

RUNBOOKS = {
    runbook.name: runbook
    for runbook in (
        choose_option.RUNBOOK,
        smtp_oauth.RUNBOOK,
        direct_send.RUNBOOK,
        relay_connector.RUNBOOK,
        relay_server.RUNBOOK,
    )
}


def runbook_named(name: str) -> Runbook:
    """Return a runbook by the name of its notebook.

    Raises:
        InputError: there is none of that name.
    """
    if name not in RUNBOOKS:
        raise InputError(
            f"there is no runbook {name!r}",
            remedy=f"Use one of {', '.join(RUNBOOKS)}.",
        )
    return RUNBOOKS[name]
