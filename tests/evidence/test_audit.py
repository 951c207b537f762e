"""The audit: intact records pass, and every kind of tampering is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.engine.chain import GENESIS, digest, encode
from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.step import Mode
from runbook_lib.errors import InputError, RecordBroken
from runbook_lib.evidence.audit import AuditReport, audit
from runbook_lib.evidence.close import close_run
from runbook_lib.evidence.finding import Severity
from runbook_lib.evidence.ledger import read_ledger
from runbook_lib.evidence.sums import SUMS, write_sums
from tests.evidence.sample import closed_run, fill, ledger_of, open_record

Tamper = Callable[[Path], object]


@pytest.fixture(scope="session")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return outputs with three closed runs, never to be changed."""
    outputs = tmp_path_factory.mktemp("audit") / "outputs"
    closed_run(outputs, "first", mode=Mode.PLAN, hour=9)
    closed_run(outputs, "second", hour=10)
    closed_run(outputs, "third", hour=11)
    return outputs


@pytest.fixture
def outputs(three_runs: Path, tmp_path: Path) -> Path:
    """Return a copy of the three runs, to be tampered with."""
    return shutil.copytree(three_runs, tmp_path / "outputs")


def record(outputs: Path, run: str = "second") -> Path:
    """Return the folder of a run."""
    return outputs / "contoso" / run


def broken(report: AuditReport) -> list[str]:
    """Return the sentences of what is broken."""
    found = report.findings
    return [f.sentence for f in found if f.severity is Severity.BROKEN]


def test_intact_records_pass(outputs: Path) -> None:
    """Nothing is broken, and what is unproven is said."""
    report = audit([outputs])
    assert (report.exit_code, report.records) == (0, 3)
    assert [finding.severity for finding in report.findings] == [Severity.NOTE]
    assert "end of the ledger is unproven" in report.lines()[0]
    assert report.lines()[-1] == "3 records checked: nothing is broken."


@pytest.mark.parametrize("path", [".", "contoso", "contoso/second"])
def test_outputs_tenant_or_record_can_be_audited(outputs: Path, path: str) -> None:
    """A path stands for what it holds, and finds the ledger above it."""
    head = ledger_of(outputs).head()
    report = audit([outputs / path], head=head)
    assert report.intact
    assert report.records == (1 if path.endswith("second") else 3)
    assert [f.sentence for f in report.findings] == ["the head given is its last line"]


def test_overlapping_paths_are_checked_once(outputs: Path) -> None:
    """A record given twice is one record."""
    paths = [outputs, record(outputs), record(outputs)]
    assert audit(paths).records == 3


def test_report_as_json(outputs: Path) -> None:
    """Findings are plain values."""
    report = json.loads(json.dumps(audit([outputs]).as_json()))
    assert (report["intact"], report["records"]) == (True, 3)
    assert report["findings"][0]["file"] == "ledger.ndjson"


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a file, without line feeds."""
    return path.read_bytes().splitlines()


def write_lines(path: Path, lines: list[bytes]) -> None:
    """Write lines, a line feed after each."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def relink(path: Path, entries: list[dict[str, Any]]) -> None:
    """Write entries with numbers and links made anew, as a forger would."""
    prev, lines = GENESIS, []
    for number, entry in enumerate(entries):
        line = encode({**entry, "seq": number, "prev": prev})
        prev = digest(line)
        lines.append(line)
    write_lines(path, lines)


def parsed(path: Path) -> list[dict[str, Any]]:
    """Return the entries of an NDJSON file."""
    return [json.loads(line) for line in lines_of(path)]


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of a file."""
    before = path.read_bytes()
    after = change(before)
    assert after != before, "the tampering changed nothing"
    path.write_bytes(after)


def flip_byte(outputs: Path) -> None:
    """Change one digit of a time in the events."""
    edit(record(outputs) / EVENTS, lambda data: data.replace(b":03.000Z", b":04.000Z"))


def delete_line(outputs: Path) -> None:
    """Remove one event."""
    events = record(outputs) / EVENTS
    write_lines(events, lines_of(events)[:3] + lines_of(events)[4:])


def swap_lines(outputs: Path) -> None:
    """Exchange two events."""
    lines = lines_of(record(outputs) / EVENTS)
    lines[3], lines[4] = lines[4], lines[3]
    write_lines(record(outputs) / EVENTS, lines)


def repeat_line(outputs: Path) -> None:
    """Write an event twice."""
    lines = lines_of(record(outputs) / EVENTS)
    write_lines(record(outputs) / EVENTS, [*lines[:4], *lines[3:]])


def delete_last_line(outputs: Path) -> None:
    """Remove run.closed."""
    events = record(outputs) / EVENTS
    write_lines(events, lines_of(events)[:-1])


def cut_last_line(outputs: Path) -> None:
    """Cut the file in the middle of its last line."""
    edit(record(outputs) / EVENTS, lambda data: data[:-20])


def add_line_after_the_end(outputs: Path) -> None:
    """Append a well-linked event after run.closed, and list the file anew."""
    events = parsed(record(outputs) / EVENTS)
    relink(record(outputs) / EVENTS, [*events, {**events[2], "outcome": "ok"}])
    write_sums(record(outputs))


def empty_events(outputs: Path) -> None:
    """Leave a file without events."""
    (record(outputs) / EVENTS).write_bytes(b"")


def unknown_schema(outputs: Path) -> None:
    """Give an event a number that no version wrote."""
    edit(
        record(outputs) / EVENTS,
        lambda data: data.replace(b'"schema":1', b'"schema":99', 1),
    )


def no_header(outputs: Path) -> None:
    """Remove the header and link the rest anew."""
    events = record(outputs) / EVENTS
    relink(events, parsed(events)[1:])


def events_of_another_run(outputs: Path) -> None:
    """Put the events of another run in their place, listed anew."""
    shutil.copy(record(outputs, "third") / EVENTS, record(outputs) / EVENTS)
    write_sums(record(outputs))


def forge_result(outputs: Path) -> None:
    """Write another result into run.closed, links and list made anew."""
    events = parsed(record(outputs) / EVENTS)
    events[-1]["result"], events[-1]["exit_code"] = "failed", 1
    relink(record(outputs) / EVENTS, events)
    write_sums(record(outputs))


def forge_outcome(outputs: Path) -> None:
    """Rewrite history: a `changed` becomes `ok`, with links and list made anew."""
    events = parsed(record(outputs) / EVENTS)
    for event in events:
        if event.get("outcome") == "changed":
            event["outcome"] = "ok"
    events[-1]["outcomes"] = {"ok": 3}
    relink(record(outputs) / EVENTS, events)
    write_sums(record(outputs))


def strange_form(outputs: Path) -> None:
    """Give a well-linked event a form that this tool never writes."""
    events = parsed(record(outputs) / EVENTS)
    events[-1]["notebook"] = "notebook.ipynb"
    relink(record(outputs) / EVENTS, events)


def add_file(outputs: Path) -> None:
    """Add a file."""
    (record(outputs) / "evidence" / "later.txt").write_text("looked good")


def remove_file(outputs: Path) -> None:
    """Remove an attachment."""
    (
        record(outputs) / "evidence" / "sap-notes-implemented" / "1-statement.txt"
    ).unlink()


def edit_report(outputs: Path) -> None:
    """Edit the report."""
    edit(
        record(outputs) / "report.html",
        lambda data: data.replace(b"contoso", b"fabrikam"),
    )


def edit_report_and_list(outputs: Path) -> None:
    """Edit the report and list the files anew."""
    edit_report(outputs)
    write_sums(record(outputs))


def remove_report_and_line(outputs: Path) -> None:
    """Remove the report together with its line."""
    (record(outputs) / "report.html").unlink()
    write_sums(record(outputs))


def edit_notebook_and_list(outputs: Path) -> None:
    """Edit the notebook and list the files anew."""
    edit(record(outputs) / "notebook.ipynb", lambda data: data + b" ")
    write_sums(record(outputs))


def edit_attachment_and_list(outputs: Path) -> None:
    """Edit what a person handed in and list the files anew."""
    edit(
        record(outputs) / "evidence" / "sap-notes-implemented" / "1-statement.txt",
        lambda data: data.replace(b"Completely", b"Not"),
    )
    write_sums(record(outputs))


def edit_plan_and_list(outputs: Path) -> None:
    """Make the plan say that it changes nothing, and list the files anew."""
    edit(
        record(outputs, "first") / "plan.json",
        lambda data: data.replace(b'"update"', b'"no-op"'),
    )
    write_sums(record(outputs, "first"))


def link_report(outputs: Path) -> None:
    """Replace the report by a link to a copy of it."""
    report = record(outputs) / "report.html"
    shutil.move(report, outputs.parent / "report.html")
    report.symlink_to(outputs.parent / "report.html")


def remove_sums(outputs: Path) -> None:
    """Remove the list of digests."""
    (record(outputs) / SUMS).unlink()


def malform_sums(outputs: Path) -> None:
    """Cut the list of digests."""
    edit(record(outputs) / SUMS, lambda data: data[:-10])


def remove_record(outputs: Path) -> None:
    """Remove a run between others."""
    shutil.rmtree(record(outputs))


def remove_events(outputs: Path) -> None:
    """Remove the events of a run."""
    (record(outputs) / EVENTS).unlink()


def remove_ledger(outputs: Path) -> None:
    """Remove the ledger."""
    (outputs / "ledger.ndjson").unlink()


def edit_ledger(outputs: Path) -> None:
    """Change a result in the ledger."""
    edit(
        outputs / "ledger.ndjson",
        lambda data: data.replace(b'"result":"succeeded"', b'"result":"failed"', 1),
    )


def delete_ledger_line(outputs: Path) -> None:
    """Remove a line from the ledger."""
    path = outputs / "ledger.ndjson"
    write_lines(path, lines_of(path)[:2] + lines_of(path)[3:])


def swap_ledger_lines(outputs: Path) -> None:
    """Exchange two lines of the ledger."""
    lines = lines_of(outputs / "ledger.ndjson")
    lines[1], lines[2] = lines[2], lines[1]
    write_lines(outputs / "ledger.ndjson", lines)


def cut_ledger(outputs: Path) -> None:
    """Remove the last line of the ledger."""
    path = outputs / "ledger.ndjson"
    write_lines(path, lines_of(path)[:-1])


def forget_run(outputs: Path) -> None:
    """Remove a run's lines from the ledger and link the rest anew."""
    path = outputs / "ledger.ndjson"
    relink(path, [line for line in parsed(path) if line["run"] != "second"])


def forget_run_and_record(outputs: Path) -> None:
    """Remove a run everywhere: folder and lines, the rest linked anew."""
    remove_record(outputs)
    forget_run(outputs)


def close_twice(outputs: Path) -> None:
    """Add a second closing line, well linked."""
    path = outputs / "ledger.ndjson"
    relink(path, [*parsed(path), parsed(path)[3]])


def forge_ledger_line(outputs: Path) -> None:
    """Edit a report, list it anew, and rewrite the ledger to match."""
    edit_report_and_list(outputs)
    path = outputs / "ledger.ndjson"
    entries = parsed(path)
    entries[3]["digest"] = digest((record(outputs) / SUMS).read_bytes())
    relink(path, entries)


def forge_ledger_result(outputs: Path) -> None:
    """Give the last run another result in the ledger."""
    path = outputs / "ledger.ndjson"
    relink(path, [*parsed(path)[:-1], {**parsed(path)[-1], "result": "failed"}])


def move_record(outputs: Path) -> None:
    """Let a run stand in for another one."""
    shutil.rmtree(record(outputs))
    shutil.copytree(record(outputs, "third"), record(outputs))


TAMPERINGS: dict[Tamper, str] = {
    flip_byte: "does not carry the digest of the line before",
    delete_line: "does not carry the digest of the line before",
    swap_lines: "does not carry the digest of the line before",
    repeat_line: "does not carry the digest of the line before",
    delete_last_line: "the end was cut: run.closed is missing",
    cut_last_line: "the end was cut: run.closed is missing",
    add_line_after_the_end: "there are events after run.closed",
    empty_events: "there is no event",
    unknown_schema: "unknown schema 99",
    no_header: "the first event alone must be run.opened",
    events_of_another_run: "this is the record of contoso/third",
    forge_result: "run.closed says result 'failed', the events say 'succeeded'",
    forge_outcome: "not the list whose digest the ledger holds",
    strange_form: "an event is not of the form that it should have",
    add_file: "the file was added after closing",
    remove_file: "the file is missing",
    edit_report: "the file was changed after closing",
    edit_report_and_list: "not the list whose digest the ledger holds",
    remove_report_and_line: "a closed run has this file",
    edit_notebook_and_list: "not the file whose digest run.closed holds",
    edit_attachment_and_list: "not the file whose digest evidence.attached holds",
    edit_plan_and_list: "the plan is not what the events say",
    link_report: "it is not a regular file",
    remove_sums: "the closing was interrupted",
    malform_sums: "it is not a list as sha256sum writes it",
    remove_record: "the record is missing, the ledger knows it",
    remove_events: "the record is missing, the ledger knows it",
    remove_ledger: "there are records and no ledger",
    edit_ledger: "does not carry the digest of the line before",
    delete_ledger_line: "does not carry the digest of the line before",
    swap_ledger_lines: "does not carry the digest of the line before",
    cut_ledger: "the ledger has no closing line",
    forget_run: "the ledger does not know this run",
    forget_run_and_record: "the ledger was rewritten",
    close_twice: "contoso/second was opened or closed more than once",
    forge_ledger_line: "the ledger was rewritten",
    forge_ledger_result: "the ledger has another result",
    move_record: "this is the record of contoso/third",
}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_tampering_is_found(outputs: Path, tamper: Tamper) -> None:
    """What was done is named, and the exit code is that of a broken record."""
    tamper(outputs)
    report = audit([outputs])
    assert any(TAMPERINGS[tamper] in sentence for sentence in broken(report)), (
        report.lines()
    )
    assert report.exit_code == 6
    assert report.lines()[-1].endswith("BROKEN: do not rely on this.")


def remove_last_run(outputs: Path) -> None:
    """Remove the last run everywhere: its folder and its lines."""
    shutil.rmtree(record(outputs, "third"))
    path = outputs / "ledger.ndjson"
    write_lines(path, lines_of(path)[:4])


def rewrite_everything(outputs: Path) -> None:
    """Forge the last run with all that belongs to it."""
    folder = record(outputs, "third")
    edit(folder / "report.html", lambda data: data.replace(b"contoso", b"fabrikam"))
    write_sums(folder)
    path = outputs / "ledger.ndjson"
    entries = parsed(path)
    entries[-1]["digest"] = digest((folder / SUMS).read_bytes())
    relink(path, entries)


@pytest.mark.parametrize("tamper", [remove_last_run, rewrite_everything])
def test_only_a_head_kept_outside_proves_the_end(outputs: Path, tamper: Tamper) -> None:
    """The end of the ledger can be rewritten; the head in the ticket shows it."""
    head = ledger_of(outputs).head()
    tamper(outputs)
    without = audit([outputs])
    assert without.intact
    assert any("unproven" in finding.sentence for finding in without.findings)
    with_head = audit([outputs], head=head)
    assert broken(with_head) == [
        "no line has the head that was given: lines were removed or rewritten"
    ]


def test_earlier_head_tells_how_many_lines_follow(outputs: Path) -> None:
    """A ticket of last week knows an earlier head."""
    head = digest(lines_of(outputs / "ledger.ndjson")[1])
    report = audit([outputs], head=head.upper())
    assert report.intact
    assert report.findings[0].sentence == "the head given is in it; later lines: 4"


def test_head_is_a_digest(outputs: Path) -> None:
    """A mistyped head is an input error, not a broken ledger."""
    with pytest.raises(InputError, match="not a SHA-256"):
        audit([outputs], head="abc")


def test_head_without_a_ledger_is_broken(outputs: Path, tmp_path: Path) -> None:
    """A record that stands alone cannot be compared with a head."""
    alone = shutil.copytree(record(outputs), tmp_path / "ticket" / "attachment")
    assert audit([alone], head=ledger_of(outputs).head()).exit_code == 6


def test_record_that_stands_alone_is_said_to(outputs: Path, tmp_path: Path) -> None:
    """A copy in a ticket is checked by itself, with a warning."""
    alone = shutil.copytree(record(outputs), tmp_path / "ticket" / "attachment")
    report = audit([alone])
    assert report.intact
    (finding,) = report.findings
    assert finding.severity is Severity.WARNING
    assert "no ledger is beside this record" in finding.sentence


def test_folder_without_records_is_an_input_error(tmp_path: Path) -> None:
    """Auditing nothing is not a success."""
    with pytest.raises(InputError, match="no record is here"):
        audit([tmp_path])


def test_open_run_is_a_note(outputs: Path) -> None:
    """A run that is under way is not broken, and proves nothing yet."""
    fill(open_record(outputs, "fourth"), finished=False).close()
    report = audit([outputs])
    assert report.intact
    assert any("the run is open" in finding.sentence for finding in report.findings)


def test_opening_that_failed_is_a_warning(outputs: Path) -> None:
    """A ledger line without a record may be a failed opening: somebody looks."""
    ledger_of(outputs).opened("fourth", "contoso")
    report = audit([outputs])
    found = {f.sentence for f in report.findings if f.severity is Severity.WARNING}
    assert report.intact
    assert any("there is no record" in sentence for sentence in found)


def test_run_that_was_never_opened_is_a_warning(outputs: Path) -> None:
    """A closing line without an opening line is named."""
    folder = record(outputs)
    line = read_ledger(outputs / "ledger.ndjson").of("contoso", "second", "closed")[0]
    fields = {k: str(line.fields[k]) for k in ("digest", "result")}
    (outputs / "ledger.ndjson").unlink()
    ledger_of(outputs).closed("second", "contoso", fields["digest"], fields["result"])
    report = audit([folder])
    assert any("without having been opened" in line for line in report.lines())


def test_torn_ledger_line_is_a_note(outputs: Path) -> None:
    """What a killed process left is told, and breaks nothing."""
    with (outputs / "ledger.ndjson").open("ab") as stream:
        stream.write(b'{"digest":"0')
    ledger_of(outputs).opened("fourth", "contoso")
    report = audit([outputs])
    assert report.intact
    assert any("left unfinished by a kill" in line for line in report.lines())


def test_folder_beside_the_records_is_none(outputs: Path) -> None:
    """A tenant's folder also holds sealed credentials, which are no record."""
    (outputs / "contoso" / "credentials").mkdir()
    (outputs / "contoso" / "credentials" / "sealed.age").write_text("x")
    assert audit([outputs]).records == 3


def test_two_outputs_folders_at_once(outputs: Path, tmp_path: Path) -> None:
    """The head may belong to either ledger."""
    other = tmp_path / "other"
    closed_run(other, "alone")
    report = audit([outputs, other], head=ledger_of(other).head())
    assert (report.intact, report.records) == (True, 4)


def test_audit_writes_nothing(outputs: Path) -> None:
    """Auditing can be done on a read-only copy."""
    before = {path: path.stat().st_mtime_ns for path in outputs.rglob("*")}
    audit([outputs])
    assert {path: path.stat().st_mtime_ns for path in outputs.rglob("*")} == before


def test_record_closed_in_two_ways_is_refused_by_the_ledger(outputs: Path) -> None:
    """A forged record cannot get a second closing line through the tool."""
    forge_outcome(outputs)
    before = (outputs / "ledger.ndjson").read_bytes()
    with pytest.raises(RecordBroken, match="closed with another digest"):
        close_run(
            record(outputs),
            ledger=ledger_of(outputs),
            kernel_ended="finished",
            notebook=None,
            closer="runbook seal",
        )
    assert (outputs / "ledger.ndjson").read_bytes() == before
