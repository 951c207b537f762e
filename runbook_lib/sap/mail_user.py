"""The mailbox as SAP names it: OAuth 2.0 Client User, OAuth User."""

from __future__ import annotations

import re

from runbook_lib.sap.finding import Finding, failed, passed
from runbook_lib.sap.form import Form
from runbook_lib.sap.sources import BTP_MAIL, GUIDE, INFERENCE

USER_IS_MAILBOX = passed(
    "USER_IS_MAILBOX",
    "SAP signs in as the mailbox.",
    f"{GUIDE}; {BTP_MAIL}",
)
USER_EMPTY = failed(
    "USER_EMPTY", "The user is empty.", "Enter the mailbox, {mailbox}.", GUIDE
)
USER_IS_ID = failed(
    "USER_IS_ID",
    "The user is an application or object ID.",
    "Enter the mailbox, {mailbox}; the application ID belongs into the OAuth 2.0 "
    "client.",
    f"{BTP_MAIL}; {INFERENCE}",
)
USER_IS_SAP_USER = failed(
    "USER_IS_SAP_USER",
    "The user is not an email address; it looks like an SAP user.",
    "Enter the mailbox, {mailbox}.",
    f"{BTP_MAIL}; {INFERENCE}",
)
USER_OTHER_MAILBOX = failed(
    "USER_OTHER_MAILBOX",
    "The user is another address than the mailbox that was prepared.",
    "Enter {mailbox}, or run the runbook for the other mailbox.",
    GUIDE,
)

_GUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?")
_PLACEHOLDER = re.compile(r"<.*(?:id|application).*>")


def judge_client_user(form: Form, name: str, mailbox: str) -> list[Finding]:
    """Compare a form's user with the mailbox; an absent field gives nothing here."""
    field = form.get(name)
    if field is None:
        return []
    user = field.plain
    if user == mailbox.casefold():
        return [form.at(name, USER_IS_MAILBOX)]
    if not user:
        rule = USER_EMPTY
    elif _GUID.fullmatch(user) or _PLACEHOLDER.fullmatch(user):
        rule = USER_IS_ID
    else:
        rule = USER_OTHER_MAILBOX if "@" in user else USER_IS_SAP_USER
    return [form.at(name, rule, mailbox=mailbox)]
