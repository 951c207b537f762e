"""An apply run disturbed at one request, run again, judged and rolled back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_lib.evidence.audit_record import check_record
from runbook_lib.evidence.close import Closed
from runbook_lib.evidence.finding import Severity
from tests.integration.alike import GUID, alike, differing, marked
from tests.integration.fault_bench import Bench
from tests.integration.world import close, events, step_ends

LAG = "lag=3"
TRIES = 5

FAULTS = (
    "request-reset-before",
    "request-reset-after",
    "request-503-before",
    "request-503-after",
    "request-stall-before",
    "request-stall-after",
)
# What cannot befall a protocol: DNS over UDP has no connection, and an SMTP server
# that answers 421 has not taken the message over (RFC 5321 section 4.2.5).
IMPOSSIBLE = {
    ("dns", "request-reset-before"),
    ("dns", "request-reset-after"),
    ("dns", "request-503-after"),
    ("smtp", "request-503-after"),
}
SAID: dict[str, str | int] = {
    "request-reset-before": "reset before the effect",
    "request-reset-after": "reset after the effect",
    "request-503-before": 503,
    "request-503-after": 503,
    "request-stall-before": "stalled before the effect",
    "request-stall-after": "stalled after the effect",
}
TAKEN_OVER = (250, SAID["request-reset-after"], SAID["request-stall-after"])
OTHERWISE: dict[tuple[str, str | int], str | int] = {
    ("smtp", 503): 421,
    ("dns", 503): "SERVFAIL",
}


@dataclass(frozen=True)
class Case:
    """One disturbance: of which kind of run, what, and at which request."""

    kind: str
    fault: str
    request: Request
    number: int

    def __str__(self) -> str:
        """Return a name to find the case again by."""
        return f"{self.kind} {self.specification} ({self.request.what})"

    @property
    def specification(self) -> str:
        """Return the fault as the sandbox takes it: the N-th request of a service."""
        return f"{self.fault}@{self.request.service}={self.number}"

    @property
    def kills(self) -> bool:
        """Tell whether the process is killed while the request is not answered."""
        return "stall" in self.fault


@dataclass(frozen=True)
class Request:
    """One line of the sandbox's log, without what differs between runs."""

    protocol: str
    service: str
    method: str
    what: str

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Request:
        """Read a line of the log."""
        body = line["body"] if isinstance(line["body"], dict) else {}
        told = str(body.get("CmdletName") or line["path"].rpartition("/")[2])
        what = GUID.sub(lambda match: _well_known(match[0]), told)
        return cls(line["protocol"], _service(line), line["method"], what)


def _service(line: Mapping[str, Any]) -> str:
    """Return the scope of faults that a line of the log belongs to."""
    first = str(line["host"]).partition(".")[0]
    names = {"outlook": "exchange"}
    return names.get(first, first) if line["protocol"] == "https" else line["protocol"]


def _well_known(identifier: str) -> str:
    return identifier if identifier.startswith("0000000") else "<id>"


@dataclass(frozen=True)
class Undisturbed:
    """What a run does that nothing disturbs, but for the lag.

    `places` count from 1 the requests to disturb: those that a run without lag
    sends as well, and every write. The others are reads again while waiting.
    """

    requests: tuple[Request, ...]
    places: frozenset[int]
    dump: Any
    result: str
    outcomes: Mapping[str, str]
    changed: tuple[str, ...]
    stored: int

    def cases(self, kind: str) -> list[Case]:
        """Return every disturbance of every place.

        Requests are counted for each service alone: how often the message trace
        is read, until a message shows, moves no request of another service.
        """
        counts: Counter[str] = Counter()
        found = []
        for place, request in enumerate(self.requests, start=1):
            counts[request.service] += 1
            for fault in FAULTS if place in self.places else ():
                if (request.protocol, fault) not in IMPOSSIBLE:
                    found.append(Case(kind, fault, request, counts[request.service]))
        return found


def _ran_well(bench: Bench, *faults: str) -> tuple[list[dict[str, Any]], Closed]:
    """Run and close; return what was sent, and the record."""
    bench.disturb(*faults)
    run = bench.new_run()
    ended = bench.apply(run)
    lines = bench.seen()
    closed = close(bench.world, run, ended)
    assert ended == "finished"
    for step, end in step_ends(closed).items():
        # What SAP shows is handed in, or sent, after the run.
        late = end.get("action") == "manual" and end["outcome"] == "pending"
        assert late or end["outcome"] in ("ok", "changed", "skipped"), (step, end)
    return lines, closed


def _places(plain: list[Request], lagging: Sequence[Request]) -> frozenset[int]:
    """Return where in a run with lag the requests of one without stand."""
    places, last = [], 0
    for request in plain:
        last = lagging.index(request, last) + 1
        places.append(last)
    return frozenset(places)


def undisturbed(bench: Bench) -> Undisturbed:
    """Run without lag and with it, and return what was seen."""
    sent, first = _ran_well(bench)
    assert list(_rolled_back(bench, first.folder.name)) == []
    lines, closed = _ran_well(bench, LAG)
    requests = tuple(map(Request.of, lines))
    writes = {place for place, line in enumerate(lines, start=1) if line["write"]}
    run = closed.folder.name
    found = Undisturbed(
        requests,
        _places([*map(Request.of, sent)], requests) | writes,
        alike(bench.world.dump(), bench.start, events(closed), run),
        str(closed.result),
        _outcomes(closed),
        _changed(closed),
        bench.stored(),
    )
    assert list(_rolled_back(bench, run)) == []
    return found


def _outcomes(closed: Closed) -> dict[str, str]:
    """Return how each step ended; changed in one attempt is changed."""
    last = {step: str(end["outcome"]) for step, end in step_ends(closed).items()}
    return {**last, **dict.fromkeys(_changed(closed), "changed")}


def _changed(closed: Closed) -> tuple[str, ...]:
    written = [e for e in events(closed) if e.get("outcome") == "changed"]
    return tuple(dict.fromkeys(str(event["step"]) for event in written))


def play(bench: Bench, reference: Undisturbed, case: Case) -> list[str]:
    """Play a case until its fault meets the request that is meant.

    A message takes its time to show in the trace, so how often that is read
    differs: the last reading may come too early to be met.
    """
    for _ in range(TRIES):
        problems, met = _played(bench, reference, case)
        if problems or met:
            return problems
    return [f"the request was not met in {TRIES} tries"]


def _played(bench: Bench, reference: Undisturbed, case: Case) -> tuple[list[str], bool]:
    """Disturb a run, run the same command again, and say what is not right."""
    bench.disturb(LAG, case.specification)
    run = bench.new_run()
    first = bench.apply(run, kill=case.kills)
    if first == "unforeseen":
        traceback = (bench.world.folder / "traceback.txt").read_text("utf-8")
        return ["unforeseen", traceback], True
    hit = _hit(bench, case)
    problems = list(_befell(hit, case, first)) if hit else []
    ended = bench.apply(run)
    closed = close(bench.world, run, ended)
    problems += _judged(bench, reference, closed)
    problems += _rolled_back(bench, run)
    return problems, hit is not None and _is(hit, case.request)


def _hit(bench: Bench, case: Case) -> dict[str, Any] | None:
    """Return the line of the log that tells of the disturbed request."""
    ours = [line for line in bench.seen() if _service(line) == case.request.service]
    return ours[case.number - 1] if len(ours) >= case.number else None


def _is(line: Mapping[str, Any], meant: Request) -> bool:
    """Tell whether a line is of a request; without an answer it tells less."""
    hit = Request.of(line)
    return (hit.protocol, hit.method) == (meant.protocol, meant.method)


def _befell(line: Mapping[str, Any], case: Case, ended: str) -> Iterator[str]:
    """Say whether the disturbance was what was meant."""
    said = SAID[case.fault]
    if line["status"] != OTHERWISE.get((line["protocol"], said), said):
        yield f"the request was answered {line['status']}, not {said}"
    if (ended == "died") != case.kills:
        yield f"the first attempt {ended}"


def _judged(bench: Bench, reference: Undisturbed, closed: Closed) -> Iterator[str]:
    """Compare tenant, sink and record with those of the undisturbed run."""
    run, dump = closed.folder.name, bench.world.dump()
    ours = alike(dump, bench.start, events(closed), run)
    yield from differing(ours, reference.dump)
    for what, number in marked(dump, run).items():
        if number > 1:
            yield f"{number} {what} of one mark"
    if bench.stored() != reference.stored:
        yield f"{bench.stored()} secrets in the sink, not {reference.stored}"
    for envelope, number in Counter(_envelopes(bench.seen())).items():
        if number > 1:
            yield f"{number} messages {' '.join(envelope)}"
    yield from _told(reference, closed)


def _told(reference: Undisturbed, closed: Closed) -> Iterator[str]:
    """Say what the record lacks: it is whole, and tells what happened."""
    for finding in check_record(closed.folder).findings:
        if finding.severity == Severity.BROKEN:
            yield str(finding)
    if [event["event"] for event in events(closed)].count("run.resumed") != 1:
        yield "the record does not say that the run was resumed"
    if closed.result != reference.result:
        yield f"the run {closed.result}"
    yield from differing(_outcomes(closed), dict(reference.outcomes), "outcomes")
    if set(_changed(closed)) != set(reference.changed):
        yield f"changed {_changed(closed)}, not {reference.changed}"


def _envelopes(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Return sender and recipient of each message that the server took over."""
    said = {"MAIL": "", "RCPT": ""}
    for line in lines:
        if line["method"] in said:
            said[line["method"]] = str(line["path"])
        if line["method"] == "DATA" and line["status"] in TAKEN_OVER:
            yield said["MAIL"], said["RCPT"]


def _rolled_back(bench: Bench, run: str) -> Iterator[str]:
    """Roll back; say what is left of the run."""
    new, ended = bench.roll_back(run)
    closed = close(bench.world, new, ended)
    if (ended, closed.result) != ("finished", "rolled back"):
        yield f"the rollback {ended}: {closed.result}"
    for step, end in step_ends(closed).items():
        if end["outcome"] not in ("reverted", "skipped"):
            yield f"{step} was {end['outcome']} in the rollback: {end.get('problem')}"
    left = json.loads(bench.world.dump())
    yield from differing(left, json.loads(bench.start), "after the rollback")
    if bench.stored():
        yield f"{bench.stored()} secrets are left in the sink"
