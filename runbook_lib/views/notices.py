"""Badges and notices of a card: problem, remedy, advice, adoption, attestation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from html import escape

from runbook_lib.engine.chain import Event
from runbook_lib.engine.step import Outcome
from runbook_lib.views.rendering import prose_html, soft, visible
from runbook_lib.views.theme import Tone, inline, inline_box
from runbook_lib.views.words import Badge, badge, is_stated, measured_by

TROUBLESHOOTING = "../docs/troubleshooting.md"

ADOPTED = (
    "this object stood here before and was not made by this tool. It is used as "
    "it is; what else it holds is listed below and stays."
)
OBSERVED = (
    "the answer to the write was lost, or the run was interrupted; the tenant was "
    "read afterwards and is as expected."
)


@lru_cache(256)
def badge_html(shown: Badge) -> str:
    """Return a badge as HTML."""
    return (
        f'<span class="rb-badge rb-{shown.tone}" style="{inline(shown.tone)}">'
        f"{escape(visible(str(shown)))}</span>"
    )


def note_html(tone: Tone, label: str, html: str) -> str:
    """Return a notice: a label in words, then HTML that is escaped already."""
    return (
        f'<div class="rb-note rb-{tone}" style="{inline_box(tone)}">'
        f"<b>{escape(label)}:</b> {html}</div>"
    )


def notices_html(event: Event, *, full: bool) -> str:
    """Return the notices of a step; `full` is for a page that stands alone."""
    parts = [_problem(event, full=full)]
    if event.get("action") == "adopt":
        parts.append(note_html(Tone.WARN, "Adopted", ADOPTED))
    if event.get("confirmed") == "observed":
        parts.append(note_html(Tone.WAIT, "Confirmed by observation", OBSERVED))
    if event.get("advice"):
        parts.append(note_html(Tone.WARN, "Advice", prose_html(str(event["advice"]))))
    if event.get("vantage") and (measured_by(event) or not event.get("attested")):
        label = "Basis" if is_stated(event) else "Seen from"
        parts.append(note_html(Tone.IDLE, label, prose_html(str(event["vantage"]))))
    return "".join([*parts, _attested(event)])


def _problem(event: Event, *, full: bool) -> str:
    problem, remedy = event.get("problem"), event.get("remedy")
    anchor, until = event.get("remedy_id"), event.get("until")
    if not problem and not remedy:
        return ""
    calm = event["outcome"] in (Outcome.PENDING, Outcome.SKIPPED, Outcome.PLANNED)
    lines = [prose_html(str(problem or badge(event).words))]
    if until:
        lines.append(f"<b>Until:</b> {escape(str(until))} (UTC)")
    if remedy:
        lines.append(f"<b>Remedy:</b> {prose_html(str(remedy))}")
    if anchor:
        lines.append(_more(str(anchor), linked=not full))
    tone = badge(event).tone if calm else Tone.BAD
    return note_html(tone, "Why" if calm else "Problem", "<br>".join(lines))


def _more(anchor: str, *, linked: bool) -> str:
    """Return where the remedy is described; a report stands alone, so no link."""
    where = f"docs/troubleshooting.md#{anchor}"
    if not linked:
        return f"<b>More:</b> <code>{soft(where)}</code>"
    target = escape(f"{TROUBLESHOOTING}#{anchor}", quote=True)
    return f'<b>More:</b> <a href="{target}">{escape(where)}</a>'


def _attested(event: Event) -> str:
    attested = event.get("attested")
    if not isinstance(attested, Mapping):
        return ""
    files = ", ".join(str(name) for name in attested.get("files") or []) or "none"
    named = [(name, attested.get(name)) for name in ("who", "when", "reference")]
    lines = [
        f"{name}: {escape(visible(str(value or 'not stated')))}"
        for name, value in [*named, ("files", files)]
    ]
    return note_html(
        Tone.PERSON, "Stated by a person, not measured", "<br>".join(["", *lines])
    )
