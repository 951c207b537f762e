"""Records of runs that hand a sheet over, as events."""

from __future__ import annotations

from pathlib import Path

from runbook_lib.engine.chain import Event
from runbook_lib.steps.catalogue import RUNBOOKS, runbook_named
from runbook_lib.views.handover import HTML, MARKDOWN, handover_documents
from tests.views.samples import TENANT

RUN = "20261125T100000Z-example"
APP_ID, OBJECT_ID = "aaaaaaaa-0000-4000-8000-000000000001", "object-id-of-the-app"
KEY_ID, THUMBPRINT = "bbbbbbbb-0000-4000-8000-000000000002", "AB" * 20
NOWHERE = Path("no-such-folder")


def opened(
    notebook: str = "1-smtp-oauth",
    mode: str = "apply",
    tenant: Event | None = None,
    **parameters: str,
) -> Event:
    """Return the first event of a run with some parameters."""
    return {
        "event": "run.opened",
        "run": RUN,
        "mode": mode,
        "notebook": notebook,
        "tenant": {**TENANT, **(tenant or {})},
        "parameters": {
            "product": "s4-onprem",
            "credential": "secret",
            **parameters,
        },
        "steps": [{"step": step} for step in steps_of(notebook)],
    }


def steps_of(notebook: str) -> list[str]:
    """Return the ids of a notebook's steps; none for one that is not there."""
    known = notebook in RUNBOOKS
    listed = runbook_named(notebook).steps() if known else []
    return [str(step["step"]) for step in listed]


def ended(step: str, after: Event, **resolved: str) -> Event:
    """Return the end of a step with what was read back and what went in."""
    return {
        "event": "step.end",
        "step": step,
        "outcome": "changed",
        "after": after,
        "resolved": resolved,
    }


def applied(notebook: str = "1-smtp-oauth", **parameters: str) -> list[Event]:
    """Return an apply run whose application and credential exist."""
    return [
        opened(notebook, "apply", None, **parameters),
        ended("register-application", {"appId": APP_ID, "id": OBJECT_ID}),
        ended(
            "create-client-secret",
            {"keyId": KEY_ID, "endDateTime": "2027-05-24T10:00:00Z"},
        ),
        ended(
            "upload-certificate",
            {"customKeyIdentifier": THUMBPRINT, "endDateTime": "2028-01-01T00:00:00Z"},
        ),
        ended("send-test-message:internal", {}, recipient="inbox@contoso.com"),
    ]


def markdown(events: list[Event], folder: Path = NOWHERE) -> str:
    """Return a run's sheet as Markdown."""
    return handover_documents(events, folder=folder)[MARKDOWN]


def html(events: list[Event], folder: Path = NOWHERE) -> str:
    """Return a run's sheet as HTML."""
    return handover_documents(events, folder=folder)[HTML]
