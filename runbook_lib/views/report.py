"""The report of a run: one HTML file that explains itself, drawn from the events.

No script, no font, no picture and no address outside the file is needed to read
it; it can be attached to a change, printed, and read in ten years.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from runbook_lib.deadlines import Deadline, of_option
from runbook_lib.engine.chain import Event, digest, encode
from runbook_lib.engine.history import closed, ends, header
from runbook_lib.engine.result import mode_of
from runbook_lib.views import story
from runbook_lib.views.cards import card_html
from runbook_lib.views.delivery_proof import COLUMNS, cells, chains
from runbook_lib.views.facts import facts, measured_operator
from runbook_lib.views.limits import unproven
from runbook_lib.views.notices import badge_html
from runbook_lib.views.rendering import prose_html, value_html, visible
from runbook_lib.views.sender_table import COLUMNS as SENDER_COLUMNS
from runbook_lib.views.sender_table import sender_rows
from runbook_lib.views.summary import summary, summary_html, summary_text
from runbook_lib.views.theme import LIGHT, sheet, style_sheet, variables
from runbook_lib.views.traffic import read_traffic
from runbook_lib.views.verdict import sentences, verdict

__all__ = ["report_html", "summary", "summary_html", "summary_text"]

SANDBOX_MARK = "SANDBOX – proves nothing about a real tenant"


def report_html(events: Sequence[Event], *, folder: Path) -> str:
    """Return the report of a record as one HTML page.

    Drawn from the events; of the folder only its name and `traffic.ndjson` are
    used, so the same record gives the same report.
    """
    template = _environment().get_template("report.html.j2")
    return template.render(**_content(events, folder))


@cache
def _environment() -> Environment:
    """Return the environment, made once: compiling the template takes longest."""
    environment = Environment(
        loader=PackageLoader("runbook_lib.views"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["value"] = lambda value: Markup(value_html(value))  # noqa: S704
    environment.filters["prose"] = lambda text: Markup(prose_html(text))  # noqa: S704
    environment.filters["badge"] = lambda badge: Markup(badge_html(badge))  # noqa: S704
    environment.filters["seen"] = lambda text: visible(str(text))
    return environment


def _content(events: Sequence[Event], folder: Path) -> dict[str, object]:
    head = header(events)
    sandbox = story.tenant(events).get("target") == "sandbox"
    title = str(head.get("title") or head.get("notebook") or "Runbook")
    mark = SANDBOX_MARK if sandbox else f"{title} – run {head['run']}"
    return {
        "style": Markup(page_style(mark, title, str(head["run"]))),  # noqa: S704
        "title": title,
        "mark": mark,
        "sandbox": sandbox,
        "head": head,
        "mode": mode_of(events),
        "disclosed": story.disclosed(events),
        "folder": folder.name,
        "verdict": verdict(events),
        "sentences": sentences(events),
        "facts": facts(events),
        "operator": measured_operator(events),
        "refusal": _first(events, "run.refused"),
        "closed": closed(events),
        "chain_head": digest(encode(events[-1])),
        "traffic": read_traffic(folder),
        **_story(events),
    }


def _story(events: Sequence[Event]) -> dict[str, object]:
    return {
        "counts": story.counts(events),
        "written": story.written(events),
        "planned": story.planned(events),
        "sent": story.sent(events),
        "steps": story.steps(events),
        "proof": story.proof(events),
        "delivery": [(chain, cells(chain)) for chain in chains(events)],
        "delivery_columns": COLUMNS,
        "deadlines": _deadlines(events),
        "senders": sender_rows(events),
        "sender_columns": SENDER_COLUMNS,
        "open_points": story.open_points(events),
        "advice": story.advice(events),
        "reason_of": story.reason_of,
        "attested": story.attested(events),
        "measured": story.measured(events),
        "stated": story.stated(events),
        "unproven": unproven(events),
        "titles": {step: end["title"] for step, end in ends(events).items()},
        "cards": [_card(end) for end in ends(events).values()],
    }


def _deadlines(events: Sequence[Event]) -> tuple[Deadline, ...]:
    """Return Microsoft's dates for the option that the notebook is about."""
    number = str(header(events).get("notebook") or "")[:1]
    return of_option(int(number)) if number.isdigit() else ()


def _card(end: Event) -> Markup:
    return Markup(card_html(end, full=True, styled=False))  # noqa: S704


def _first(events: Sequence[Event], name: str) -> Event | None:
    return next((event for event in events if event["event"] == name), None)


def page_style(mark: str, title: str, run: str) -> str:
    """Return the style sheets; the texts of the page margins are set in CSS."""
    page = sheet("report.css")
    for name, text in {"mark": mark, "title": title, "run": run}.items():
        page = page.replace(f'"{{{{{name}}}}}"', css_string(text))
    return f":root{{{variables(LIGHT)}}}{page}{style_sheet()}"


def css_string(text: str) -> str:
    """Return a CSS string literal in which nothing but letters is left as it is."""
    inner = "".join(
        char if char.isascii() and char.isalnum() else f"\\{ord(char):x} "
        for char in text
    )
    return f'"{inner}"'
