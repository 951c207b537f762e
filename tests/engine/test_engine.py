"""Prerequisites, references and faults: what blocks, what skips, what goes on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from runbook_lib.engine.record import EVENTS
from runbook_lib.engine.step import Mode, NotAsExpected, Outcome, Step
from runbook_lib.errors import (
    CannotLook,
    InputError,
    NotPermitted,
    RecordBroken,
    UntrustedCertificate,
)
from tests.engine.world import (
    BadInput,
    Bench,
    BuildOn,
    Make,
    Needing,
    NeedingSkipped,
    NotHere,
    Prerequisite,
    Works,
    lost,
    new_bench,
    reference,
    refusal,
)

MODES = (Mode.PLAN, Mode.VERIFY, Mode.APPLY)
ON_BASE = BuildOn(base=reference("make:base", "made"))


@pytest.mark.parametrize("mode", MODES)
def test_a_prerequisite_that_has_not_run_blocks(bench: Bench, mode: Mode) -> None:
    """The sentence names what stands in the way."""
    result = bench.run(Needing(), mode)
    assert result.outcome is Outcome.BLOCKED
    assert result.problem == "Blocked: prerequisite has not run."
    assert result.event["needs"] == ["prerequisite"]
    assert bench.world.reads == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_failed_prerequisite_blocks_by_its_title(bench: Bench, mode: Mode) -> None:
    """Title and outcome of the prerequisite are in the sentence."""
    bench.run(Prerequisite(), mode)
    result = bench.run(Needing(), mode)
    assert result.outcome is Outcome.BLOCKED
    assert result.problem == "Blocked: Prerequisite ended failed."
    assert bench.world.sent == []


def test_what_is_blocked_blocks_further(bench: Bench) -> None:
    """Blocking goes on along the chain."""
    bench.run(Needing(), Mode.PLAN)
    upper = BuildOn(base=reference("needing", "made"))
    result = bench.run(upper, Mode.PLAN)
    assert (result.outcome, result.problem) == (
        Outcome.BLOCKED,
        "Blocked: Needing ended blocked.",
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_prerequisite_that_is_met_lets_pass(bench: Bench, mode: Mode) -> None:
    """Ok is good in every mode."""
    bench.world.values |= {"prerequisite": "there", "needing": "new"}
    bench.run(Prerequisite(), mode)
    assert bench.run(Needing(), mode).outcome is Outcome.OK


def test_skipping_goes_on_with_its_reason(bench: Bench) -> None:
    """What depends on a skipped step is skipped, not blocked and not failed."""
    first = bench.run(NotHere())
    assert (first.outcome, first.event["reason"]) == (Outcome.SKIPPED, "not_licensed")
    second = bench.run(NeedingSkipped())
    assert second.outcome is Outcome.SKIPPED
    assert second.event["reason"] == "depends_on_skipped"
    assert second.problem == "Not here was skipped: not_licensed"
    assert bench.world.sent == []


def test_a_plan_shows_references_unresolved(bench: Bench) -> None:
    """What will exist only after apply stands in the row as a reference."""
    bench.run(Make("base"), Mode.PLAN)
    result = bench.run(ON_BASE, Mode.PLAN)
    assert (result.outcome, result.event["action"]) == (Outcome.PLANNED, "create")
    inputs = result.event["inputs"]
    assert isinstance(inputs, dict)
    assert inputs["base"] == {"known after apply": "make:base.made"}
    assert result.event["expected"] == {"value": "new"}
    assert bench.world.reads == 1


@pytest.mark.parametrize("mode", [Mode.APPLY, Mode.VERIFY])
def test_a_planned_prerequisite_blocks_outside_a_plan(bench: Bench, mode: Mode) -> None:
    """Planned is good enough to plan on, and for nothing else."""
    bench.run(Make("base"), Mode.PLAN)
    result = bench.run(ON_BASE, mode)
    assert result.outcome is Outcome.BLOCKED
    assert result.problem == "Blocked: Make base ended planned."


def test_a_reference_is_resolved_at_the_moment_of_use(bench: Bench) -> None:
    """The record holds both: the input as given and as resolved."""
    bench.run(Make("base"))
    result = bench.run(ON_BASE)
    assert result.outcome is Outcome.CHANGED
    given, resolved = result.event["inputs"], result.event["resolved"]
    assert isinstance(given, dict)
    assert isinstance(resolved, dict)
    assert given["base"] == {"known after apply": "make:base.made"}
    assert resolved["base"] == "id-of-base"


@pytest.mark.parametrize("mode", MODES)
def test_a_value_that_a_good_step_did_not_observe_blocks(
    bench: Bench, mode: Mode
) -> None:
    """Such a value will never be known: that is not planned, it is in the way."""
    bench.world.values["base"] = "new"
    bench.run(Make("base"), mode)
    result = bench.run(BuildOn(base=reference("make:base", "mode")), mode)
    assert result.outcome is Outcome.BLOCKED
    assert result.problem == "Blocked: Make base has no mode."
    assert bench.world.sent == []


def test_nothing_is_written_after_a_failed_step(bench: Bench) -> None:
    """In apply, an earlier failed step stops all further writes of the run."""
    bench.world.faults.append(refusal("Forbidden"))
    bench.run(Make("a"))
    result = bench.run(Make("b"))
    assert result.outcome is Outcome.BLOCKED
    assert result.problem == "Blocked: Make a ended error."
    assert bench.world.sent == [("a", "new")]


def test_reading_goes_on_after_a_failed_step(bench: Bench) -> None:
    """Checks and probes without effect still say what they see."""
    bench.run(Prerequisite())
    bench.world.values["works"] = "yes"
    assert bench.run(Works()).outcome is Outcome.OK


def test_a_repeated_step_is_not_stopped_by_later_ones(bench: Bench) -> None:
    """Only what came before it in the run counts."""
    bench.run(Make("a"))
    bench.world.faults.append(refusal("Forbidden"))
    bench.run(Make("b"))
    bench.world.values["a"] = "drifted"
    assert bench.run(Make("a")).outcome is Outcome.CHANGED


def test_a_repaired_step_lets_the_run_go_on(bench: Bench) -> None:
    """The last end of a step counts, not its first."""
    bench.world.faults.append(refusal("Forbidden"))
    bench.run(Make("a"))
    assert bench.run(Make("a")).outcome is Outcome.CHANGED
    assert bench.run(Make("b")).outcome is Outcome.CHANGED


@pytest.mark.parametrize("mode", MODES)
def test_a_wrong_input_ends_the_step_and_not_the_run(bench: Bench, mode: Mode) -> None:
    """Even where the expectation itself cannot be made."""
    result = bench.run(BadInput(), mode)
    assert result.outcome is Outcome.ERROR
    assert result.problem == "colour: 'blu' is not known"
    assert result.event["remedy"] == "Use blue."
    assert result.event["remedy_id"] == "parameters"


@pytest.mark.parametrize(
    ("error", "remedy_id"),
    [
        (NotPermitted("no"), "not-permitted"),
        (UntrustedCertificate("no"), "untrusted-certificate"),
        (InputError("no"), "parameters"),
        (CannotLook("no"), "prerequisite"),
        (refusal("value").error, "unreachable"),
    ],
)
def test_faults_lead_to_their_remedy(
    bench: Bench, error: Exception, remedy_id: str
) -> None:
    """By the step's own table first, then by the kind of fault, then by step."""
    bench.world.blind.append(error)
    result = bench.run(Prerequisite())
    assert (result.outcome, result.event["remedy_id"]) == (Outcome.ERROR, remedy_id)


def test_what_no_write_may_repair_is_failed(bench: Bench) -> None:
    """A step may look and say itself that it is not so."""
    fault = NotAsExpected("two of them", remedy="Choose.", remedy_id="ambiguous")
    bench.world.blind.append(fault)
    result = bench.run(Make("a"))
    assert (result.outcome, result.problem) == (Outcome.FAILED, "two of them")
    assert result.event["remedy"] == "Choose."
    assert result.event["remedy_id"] == "ambiguous"
    assert bench.world.sent == []


def test_measured_facts_of_a_fault_are_kept(bench: Bench) -> None:
    """Status and request ids go to the record."""
    bench.world.blind.append(CannotLook("no", facts={"request-id": "r1"}))
    assert bench.run(Make("a")).event["facts"] == {
        "code": "CannotLook",
        "request-id": "r1",
    }


def test_an_interrupt_is_no_fault(bench: Bench) -> None:
    """Control-C ends the run; the record says what was under way."""
    bench.world.blind.append(KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        bench.run(Make("a"))
    assert bench.ends() == []


@pytest.mark.parametrize("step", [Make("a"), Prerequisite(), Works()])
def test_a_record_that_takes_no_line_stops_the_run(bench: Bench, step: Step) -> None:
    """Nothing may happen that is not written; the error is the record's own."""
    bench.world.values["a"] = "new"
    bench.record.close()
    with pytest.raises(RecordBroken, match="cannot be written"):
        bench.run(step)


def test_the_result_is_on_disk_when_it_is_returned(bench: Bench) -> None:
    """Record before you raise: nobody has to catch anything to keep it."""
    bench.world.faults.append(lost(effect=True))
    result = bench.run(Make("a"))
    data = (bench.record.folder / EVENTS).read_bytes()
    assert b'"event":"step.end"' in data.splitlines()[-1]
    assert bench.record.events[-1] == result.event


@pytest.mark.parametrize("mode", MODES)
def test_every_step_ends_with_all_that_rebuilds_it(bench: Bench, mode: Mode) -> None:
    """Blocked, skipped, planned or done: the same fields describe the step."""
    steps: list[Step] = [Prerequisite(), NotHere(), BadInput()]
    steps += [Make("a"), Needing(), Works()]
    for step in steps:
        bench.run(step, mode)
    assert [end["step"] for end in bench.ends()] == [step.id for step in steps]
    for end, step in zip(bench.ends(), steps, strict=True):
        assert end["mode"] == mode
        assert (end["class"], end["version"]) == (type(step).__name__, 1)
        assert end["inputs"] == dataclasses.asdict(step)
        assert {"kind", "title", "guide", "before", "after"} <= set(end)


def test_two_runs_live_in_one_process(tmp_path: Path) -> None:
    """There is no current tenant: engines share nothing."""
    one, two = new_bench(tmp_path / "1"), new_bench(tmp_path / "2")
    one.run(Make("a"))
    assert two.run(Make("a"), Mode.VERIFY).outcome is Outcome.FAILED
    assert two.world.sent == []
    one.record.close()
    two.record.close()
