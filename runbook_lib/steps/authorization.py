"""Two ways in which Exchange Online lets an application send for a mailbox."""

from __future__ import annotations

from runbook_lib.engine.step import NothingToDo
from runbook_lib.errors import InputError

# The application has the permission SMTP.SendAsApp and full access to the mailbox.
FULL_ACCESS = "full-access"
# The application has a role in Exchange Online, limited to a group of mailboxes.
APP_RBAC = "app-rbac"

WORDS = {
    FULL_ACCESS: "full access to the mailbox",
    APP_RBAC: "a role of Exchange Online for a group of mailboxes",
}


def parse_authorization(text: str) -> str:
    """Read the way.

    Raises:
        InputError: neither of the two.
    """
    if text not in WORDS:
        raise InputError(
            f"authorization: {text!r} is not known",
            remedy=f"Use one of {', '.join(WORDS)}.",
        )
    return text


def only_for(authorization: str, wanted: str) -> None:
    """Say that a step has nothing to do where the other way was chosen.

    Raises:
        NothingToDo: the other way was chosen.
        InputError: neither was.
    """
    if parse_authorization(authorization) != wanted:
        raise NothingToDo(
            "not_applicable", f"The application is let in by {WORDS[authorization]}."
        )
