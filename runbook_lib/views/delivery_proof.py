"""The proof of delivery: one message followed from SAP to its recipient.

Each link says what it shows, how that is known (measured by this tool, attested by
a person, or missing), and on what it was matched with the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import cast

from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import Ends, ends, header
from runbook_lib.engine.step import Outcome
from runbook_lib.views.rendering import visible, without_times
from runbook_lib.views.tables import table_html
from runbook_lib.views.theme import Tone, inline_card, style_sheet
from runbook_lib.views.words import attested_by

MEASURED, MISSING = "measured", "missing"
COLUMNS = ("Link", "What it shows", "How it is known", "Matched on")
TRACES = {
    "sap-message-traced": "internal",
    "sap-test-message:internal": "internal",
    "sap-test-message:external": "external",
}
SOST, RECEIVED = "test-mail-sent", "message-received"
NOT_SO = " – not as expected"


@dataclass(frozen=True)
class Link:
    """One link; `known` is `measured`, `attested by …` or `missing`."""

    name: str
    shows: str = "nothing"
    known: str = MISSING
    matched: str = "–"


@dataclass(frozen=True)
class Chain:
    """The links of one message, from SAP's list to the receiver's word."""

    recipient: str
    marker: str
    links: tuple[Link, ...]

    @property
    def caption(self) -> str:
        """Return whose message it is."""
        return (
            f"Test mail from SAP to {self.recipient}, with {self.marker} in its subject"
        )

    @property
    def sentence(self) -> str:
        """Return how many links are known how."""
        found = Counter(link.known.partition(" ")[0].strip(",") for link in self.links)
        words = (MEASURED, "attested", MISSING)
        said = [f"{found[word]} {word}" for word in words]
        return f"{len(self.links)} links: {', '.join(said)}."


def chains(events: Sequence[Event]) -> list[Chain]:
    """Return a chain for each test mail of SAP that the runbook looks for."""
    done = ends(events)
    listed = cast("list[Event]", header(events).get("steps") or [])
    names = [str(entry["step"]) for entry in listed]
    return [
        _chain(done, step, audience, _marker(events))
        for step, audience in TRACES.items()
        if step in names or step in done
    ]


def _marker(events: Sequence[Event]) -> str:
    first = header(events)
    other = first.get("completes")
    run = other["run"] if isinstance(other, Mapping) else first["run"]
    return f"runbook:{run}"


def _chain(done: Ends, step: str, audience: str, marker: str) -> Chain:
    trace = done.get(step, {})
    received = done.get(f"{RECEIVED}:{audience}", {})
    recipient = _of(trace, "recipient")
    return Chain(
        recipient or f"the {audience} recipient",
        marker,
        (
            _sost(done.get(SOST, {}), recipient),
            _trace(trace),
            _message_id(trace, received),
            _received(received),
            _results(received),
        ),
    )


def _of(end: Event, name: str) -> str:
    """Return a text that a step keeps beside its properties, or an empty one."""
    context = end.get("context")
    value = context.get(name) if isinstance(context, Mapping) else None
    return str(value) if value is not None else ""


def _so(end: Event) -> str:
    """Return the words for a link whose step did not end as expected."""
    return NOT_SO if end.get("outcome") == Outcome.FAILED else ""


def _attested(end: Event) -> str:
    return f"attested by {attested_by(end)}"


def _sost(end: Event, recipient: str) -> Link:
    name = "SAP handed it over (SOST)"
    context = cast("Mapping[str, object]", end.get("context") or {})
    rows = cast("list[Mapping[str, str]]", context.get("rows") or [])
    ours = [row for row in rows if row["recipient"] == recipient.casefold()]
    if not ours:
        return Link(name)
    row = ours[-1]
    shows = f"{row['status']} to {row['recipient']}, {row['time']} in SAP's time"
    matched = "run id in the document title; recipient"
    return Link(name, shows + _so(end), _attested(end), matched)


def _trace(end: Event) -> Link:
    name = "Exchange Online delivered it (message trace)"
    facts = cast("Mapping[str, object]", end.get("facts") or {})
    rows = cast("list[Mapping[str, object]]", facts.get("rows") or [])
    ours = [row for row in rows if row.get("MessageId") == _of(end, "Message-ID")]
    if not ours:
        return Link(name)
    row = ours[0]
    shows = (
        f"{row.get('Status')}, sender {row.get('SenderAddress')}, from "
        f"{row.get('FromIP')}, received {row.get('Received')}"
    )
    return Link(name, shows + _so(end), MEASURED, "run id in the subject; recipient")


def _message_id(trace: Event, received: Event) -> Link:
    name = "Message-ID"
    traced, pasted = _of(trace, "Message-ID"), _of(received, "Message-ID")
    if traced and pasted:
        same = traced == pasted
        shows = traced if same else f"{traced} and {pasted}{NOT_SO}"
        known = f"{MEASURED}, and {_attested(received)}"
        matched = "the same" if same else "not the same"
        return Link(name, shows, known, f"{matched} in trace and received header")
    if traced:
        return Link(name, traced, MEASURED, "row of the message trace")
    if pasted:
        return Link(name, pasted, _attested(received), "received header alone")
    return Link(name)


def _received(end: Event) -> Link:
    name = "The recipient has it (received header)"
    if not _of(end, "Subject"):
        return Link(name)
    tls = {"True": "with TLS", "False": "without TLS"}
    way = tls.get(_of(end, "TLS to it"), "TLS not stated")
    shows = (
        f"From {_of(end, 'From')}; {_of(end, 'first server')} took it from "
        f"{_of(end, 'taken from')}, {way}"
    )
    matched = "run id in the subject; addressee; Message-ID"
    return Link(name, shows + _so(end), _attested(end), matched)


def _results(end: Event) -> Link:
    name = "SPF, DKIM, DMARC (Authentication-Results)"
    results = {method: _of(end, method) for method in ("spf", "dkim", "dmarc")}
    if not any(results.values()):
        return Link(name)
    said = ", ".join(f"{m}={v or 'not stated'}" for m, v in results.items())
    server = _of(end, "stated by") or "a server that gives no name"
    known = f"{_attested(end)}; the verdicts are the receiver's"
    return Link(name, f"{said}, stated by {server}", known, "the same received header")


def cells(chain: Chain) -> list[list[str]]:
    """Return the texts of the table, a list for each link."""
    return [[link.name, link.shows, link.known, link.matched] for link in chain.links]


def chains_html(events: Sequence[Event]) -> str:
    """Return the tables for a notebook; nothing in them derives from a time."""
    tables = "".join(_table(chain, _said(events, chain)) for chain in chains(events))
    return (
        f"<style>{style_sheet()}</style>"
        f'<section class="rb rb-edge-{Tone.PERSON}" aria-label="Proof of delivery" '
        f'style="{inline_card(Tone.PERSON)}">{tables}</section>'
    )


def _table(chain: Chain, caption: str) -> str:
    rows = [[_breakable(text) for text in row] for row in cells(chain)]
    return table_html(caption, COLUMNS, rows)


def _breakable(text: str) -> str:
    """Return a cell whose longest word, a Message-ID, may be broken anywhere."""
    return f'<span style="overflow-wrap:anywhere">{escape(_still(text))}</span>'


def _said(events: Sequence[Event], chain: Chain) -> str:
    """Return caption and sentence; this run's own id is named, not shown."""
    said = f"{chain.caption}. {chain.sentence}"
    return visible(said.replace(str(header(events)["run"]), "(id of this run)"))


def _still(text: str) -> str:
    return visible(str(without_times(text)))


def chains_text(events: Sequence[Event]) -> str:
    """Return the tables as plain text."""
    lines = []
    for chain in chains(events):
        lines.append(_said(events, chain))
        lines += [f"  {_still(': '.join(row[:3]))} ({row[3]})" for row in cells(chain)]
    return "\n".join(lines)
