"""Three ids of one application that look alike, told apart."""

from __future__ import annotations

from runbook_lib.session import Session
from runbook_lib.steps.reading import text

UNKNOWN = "no id of an application or enterprise application of this tenant"


def what_is(session: Session, identifier: str) -> str:
    """Say in words which of the three ids it is, and of what; it may be none.

    An application has an object ID and an application ID; its enterprise
    application (service principal) has an object ID of its own. Only the last
    one goes to Exchange Online as ObjectId.

    Source: Microsoft Learn, application and service principal objects;
    "Authenticate an IMAP, POP or SMTP connection using OAuth".
    """
    graph = session.graph
    if found := graph.application_by_app_id(identifier):
        return f"the application ID of {text(found, 'displayName')}"
    if found := graph.application(identifier):
        return (
            f"the object ID of the application {text(found, 'displayName')}, "
            f"whose application ID is {text(found, 'appId')}"
        )
    if found := graph.service_principal(identifier):
        return (
            f"the object ID of the enterprise application "
            f"{text(found, 'displayName')}, whose application ID is "
            f"{text(found, 'appId')}"
        )
    return UNKNOWN
