"""The card of an opened run: where it looks, and what it may do there."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.views.notices import badge_html, note_html
from runbook_lib.views.rendering import value_text, visible
from runbook_lib.views.tables import table_html
from runbook_lib.views.theme import Tone, inline_card, style_sheet
from runbook_lib.views.words import Badge

MAY = {
    "plan": "looks, and writes nothing",
    "verify": "looks and signs in, and writes nothing",
    "apply": "writes what differs from the runbook",
    "rollback": "takes back what a closed run changed",
}
ATTENDED = "writes only what you confirm in a panel"
SANDBOX = "The target is the sandbox: nothing about a real tenant is proven."


def opened_card(header: Event, operator: Mapping[str, object]) -> tuple[str, str]:
    """Return the card of a run as HTML and as text; no time, path or digest.

    `header` is the event `run.opened`; `operator` what the token said of the
    signed-in application, with `problem` where there is no token.
    """
    rows = _rows(header, operator)
    mode = Badge("●", f"Mode {header['mode']}", Tone.WAIT)
    cells = [[escape(name), escape(visible(value))] for name, value in rows]
    sandbox = dict(rows)["target"] == "sandbox"
    note = note_html(Tone.WARN, "Sandbox", escape(SANDBOX)) if sandbox else ""
    html = (
        f"<style>{style_sheet()}</style>"
        f'<section class="rb rb-edge-{Tone.WAIT}" aria-label="The run" '
        f'style="{inline_card(Tone.WAIT)}"><div class="rb-head">'
        f'<h4 class="rb-title">{escape(visible(str(header["title"])))}</h4>'
        f"{badge_html(mode)}</div>{note}"
        f"{table_html('The run', ('What', 'Value'), cells)}</section>"
    )
    lines = [f"{header['title']}: mode {header['mode']}"]
    return html, "\n".join([*lines, *(f"  {n}: {visible(v)}" for n, v in rows)])


def _rows(header: Event, operator: Mapping[str, object]) -> list[tuple[str, str]]:
    tenant = cast("Mapping[str, object]", header["tenant"])
    mode = str(header["mode"])
    names = ("target", "name", "tenant_id", "cloud", "mailbox", "change_reference")
    rows = [(_label(name), _value(tenant.get(name))) for name in names]
    rows.append(("this run", ATTENDED if header.get("interactive") else MAY[mode]))
    if header.get("asked_mode") != mode:
        rows.append(("asked for", f"{header['asked_mode']}; an archive only looks"))
    who = operator.get("problem") or operator.get("app_displayname")
    rows.append(("signed in as, by its token", _value(who)))
    return rows


def _label(name: str) -> str:
    return {"name": "tenant", "tenant_id": "tenant ID"}.get(
        name, name.replace("_", " ")
    )


def _value(value: object) -> str:
    return value if isinstance(value, str) else value_text(value)
