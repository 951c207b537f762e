"""How a run comes to be: new, resumed, reattached, looked at again, refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook_lib import opening
from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.record import EVENTS, Record
from runbook_lib.engine.runbook import Runbook
from runbook_lib.engine.step import Mode
from runbook_lib.errors import InputError, RecordBroken, Refused
from runbook_lib.opening import Opening
from runbook_lib.parameters import Parameters
from runbook_lib.secret import Mask
from runbook_lib.steps.catalogue import RUNBOOKS, runbook_named
from runbook_lib.tenant import Tenant
from tests.test_tenant import REAL, SANDBOX

RUNBOOK = runbook_named("1-smtp-oauth")
OTHER = Runbook("other", "Other", RUNBOOK.listed, RUNBOOK.proof)
TENANT = Tenant.model_validate(SANDBOX)


@pytest.fixture
def records() -> Iterator[list[Record]]:
    """Yield a list of records that are closed at the end."""
    made: list[Record] = []
    yield made
    for record in made:
        record.close()


class Opener:
    """Opens runs under one folder of outputs."""

    def __init__(self, outputs: Path, records: list[Record]) -> None:
        """Use a folder."""
        self.outputs = outputs
        self._records = records

    def values(self, **values: str) -> dict[str, str]:
        """Return parameters with some replaced."""
        base = {"mode": "apply", "run_id": "", "sap_basis": "758", "wait": "1"}
        return {**base, "outputs": str(self.outputs), "tenant": "a.yaml", **values}

    def __call__(
        self,
        *,
        runbook: Runbook = RUNBOOK,
        tenant: Tenant = TENANT,
        interactive: bool = False,
        **values: str,
    ) -> Opening:
        """Open a run and write its header where it is new."""
        parameters = Parameters(self.values(**values))
        opened = opening.open_record(
            runbook, parameters, tenant, interactive=interactive, mask=Mask()
        )
        self._records.append(opened.record)
        if not opened.reattached:
            opening.declare(
                opened,
                runbook,
                parameters,
                tenant,
                interactive=interactive,
                closer="none",
                ledger_head=None,
            )
        return opened

    def ended(self, *, run_id: str = "", close: bool = False) -> str:
        """Open a run, let its process end, and return its run id."""
        opened = self(run_id=run_id)
        if close:
            opened.record.append("run.closed", mode=opened.mode)
        opened.record.close()
        return opened.record.run


@pytest.fixture
def run(tmp_path: Path, records: list[Record]) -> Opener:
    """Return what opens runs."""
    return Opener(tmp_path / "outputs", records)


def test_a_new_run_has_a_header(run: Opener) -> None:
    """Everything that is declared stands in the first event."""
    opened = run(run_id="example")
    assert (opened.mode, opened.reattached) == (Mode.APPLY, False)
    first = opened.record.events[0]
    assert first["event"] == "run.opened"
    assert first["notebook"] == "1-smtp-oauth"
    assert first["steps"] == RUNBOOK.steps()
    assert first["proof"] == ["sign-in-to-smtp"]
    assert first["parameters"] == run.values(run_id="example")
    assert isinstance(first["digests"], dict)
    assert first["digests"]["catalogue"] == RUNBOOK.digest()
    assert opened.record.folder == run.outputs / "contoso" / "example"


def test_run_ids_sort_by_time_and_differ() -> None:
    """No colons; chance tells two runs of one second apart."""
    now = datetime(2026, 11, 25, 10, 0, 0, tzinfo=UTC)
    ids = {opening.new_run_id(now) for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r"20261125T100000Z-[0-9a-f]{6}", name) for name in ids)


def test_an_open_run_is_resumed(run: Opener) -> None:
    """The same run id, notebook, tenant, parameters and mode."""
    first = run.ended(run_id="example")
    again = run(run_id=first, wait="100", tenant=TENANT)
    assert again.reattached
    assert [e["event"] for e in again.record.events] == ["run.opened", "run.resumed"]


def moved(**values: object) -> Tenant:
    """Return the tenant with some values replaced."""
    return Tenant.model_validate({**SANDBOX, **values})


ELSEWHERE = "99999999-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"mode": "plan"}, "mode"),
        ({"mode": "verify"}, "mode"),
        ({"sap_basis": "816"}, "parameters"),
        ({"runbook": OTHER}, "notebook"),
        ({"tenant": moved(tenant_id=ELSEWHERE)}, "tenant"),
        ({"tenant": moved(mailbox="other@contoso.com")}, "tenant"),
        ({"interactive": True}, "mode"),
    ],
)
def test_a_run_is_not_resumed_as_another_one(
    run: Opener, asked: Mapping[str, object], what: str
) -> None:
    """Its header would say what the run did not do; nothing is written."""
    first = run.ended(run_id="example")
    path = run.outputs / "contoso" / first / EVENTS
    before = path.read_bytes()
    with pytest.raises(Refused, match=f"another {what}"):
        run(run_id=first, **asked)  # type: ignore[arg-type]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("plan", Mode.PLAN),
        ("apply", Mode.VERIFY),
        ("verify", Mode.VERIFY),
        ("rollback", Mode.VERIFY),
    ],
)
def test_a_closed_run_is_only_looked_at(
    run: Opener, asked: str, expected: Mode
) -> None:
    """An archived notebook that is run again makes a new run that never writes."""
    first = run.ended(run_id="example", close=True)
    again = run(run_id=first, mode=asked)
    assert (again.mode, again.reattached) == (expected, False)
    assert again.record.run != first
    assert again.record.events[0]["asked_mode"] == asked


def test_another_process_has_the_run(run: Opener) -> None:
    """Two kernels never write to one record."""
    run(run_id="example")
    with pytest.raises(Refused, match="another process"):
        run(run_id="example")


def test_a_broken_record_is_not_resumed(run: Opener) -> None:
    """It is no base for writes."""
    first = run.ended(run_id="example")
    path = run.outputs / "contoso" / first / EVENTS
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(RecordBroken):
        run(run_id=first)


@pytest.mark.parametrize("left", [b"", b'{"asked_mode":"ap'])
def test_a_run_killed_in_its_first_write_is_begun_again(
    run: Opener, left: bytes
) -> None:
    """It had not declared anything yet."""
    folder = run.outputs / "contoso" / "example"
    folder.mkdir(parents=True)
    (folder / EVENTS).write_bytes(left)
    opened = run(run_id="example")
    assert not opened.reattached
    assert read_chain(folder / EVENTS).events[0]["event"] == "run.opened"


def test_jupyterlab_reattaches_to_its_open_run(run: Opener) -> None:
    """By notebook and parameters; mode and wait do not matter."""
    first = run(interactive=True, mode="plan")
    first.record.close()
    again = run(interactive=True, mode="apply", wait="9")
    assert again.reattached
    assert again.record.run == first.record.run


@pytest.mark.parametrize(
    "change", [{"sap_basis": "816"}, {"runbook": OTHER}, {"interactive": False}]
)
def test_jupyterlab_does_not_reattach_to_another_run(
    run: Opener, change: Mapping[str, object]
) -> None:
    """Other parameters or another notebook are another run."""
    first = run(interactive=True)
    first.record.close()
    again = run(**{"interactive": True, **change})  # type: ignore[arg-type]
    assert not again.reattached


def test_jupyterlab_does_not_reattach_to_closed_or_broken_runs(run: Opener) -> None:
    """Nor to one that ran without a front end."""
    run.ended()
    first = run(interactive=True)
    first.record.append("run.closed", mode="apply")
    first.record.close()
    broken = run(interactive=True)
    broken.record.close()
    path = broken.record.folder / EVENTS
    path.write_bytes(path.read_bytes() + b"{}\n")
    assert not run(interactive=True).reattached


@pytest.mark.parametrize("mode", [Mode.APPLY, Mode.ROLLBACK])
def test_real_targets_are_not_written_to_without_approval(mode: Mode) -> None:
    """Approval cannot be checked yet, so it is refused: exit code 5."""
    real = Tenant.model_validate(REAL)
    with pytest.raises(Refused, match="signed approval") as caught:
        opening.allowed(mode, real)
    assert caught.value.exit_code == 5
    opening.allowed(mode, TENANT)


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.VERIFY])
def test_real_targets_may_be_looked_at(mode: Mode) -> None:
    """Plan and verify write nothing."""
    opening.allowed(mode, Tenant.model_validate(REAL))


def test_no_tenant_is_named() -> None:
    """Neither a parameter nor the environment."""
    with pytest.raises(InputError, match="no tenant file is named"):
        opening.tenant_of(Parameters({"tenant": ""}), {})


def test_the_tenant_is_read_from_the_parameter_first(tmp_path: Path) -> None:
    """The environment only fills an empty parameter."""
    with pytest.raises(InputError, match=r"one\.yaml"):
        opening.tenant_of(
            Parameters({"tenant": str(tmp_path / "one.yaml")}),
            {opening.DEFAULT_TENANT: str(tmp_path / "two.yaml")},
        )
    with pytest.raises(InputError, match=r"two\.yaml"):
        opening.tenant_of(
            Parameters({}), {opening.DEFAULT_TENANT: str(tmp_path / "two.yaml")}
        )


def test_who_closes_the_run() -> None:
    """Only the process that started this kernel for this run."""
    assert opening.has_closer({opening.CLOSER: "example"}, "example")
    assert not opening.has_closer({opening.CLOSER: "other"}, "example")
    assert not opening.has_closer({}, "example")


def test_the_proxy_of_the_environment() -> None:
    """Either spelling; an empty one is none."""
    assert opening.proxy_of({"https_proxy": "http://p:1"}) == "http://p:1"
    assert opening.proxy_of({"HTTPS_PROXY": "http://p:1"}) == "http://p:1"
    assert opening.proxy_of({"HTTPS_PROXY": ""}) is None


def test_runbooks_are_found_by_name() -> None:
    """A wrong name is told with the right ones."""
    assert runbook_named("1-smtp-oauth") is RUNBOOKS["1-smtp-oauth"]
    with pytest.raises(InputError, match="no runbook '2'") as caught:
        runbook_named("2")
    assert "1-smtp-oauth" in str(caught.value.remedy)


def test_catalogue_digest_covers_order_and_titles() -> None:
    """A notebook with other steps is another one."""
    fewer = Runbook(RUNBOOK.name, RUNBOOK.title, RUNBOOK.listed[1:], RUNBOOK.proof)
    turned = Runbook(RUNBOOK.name, RUNBOOK.title, RUNBOOK.listed[::-1], RUNBOOK.proof)
    digests = {RUNBOOK.digest(), fewer.digest(), turned.digest()}
    assert len(digests) == 3
    assert len(set(RUNBOOK.catalogue)) == len(RUNBOOK.catalogue)
