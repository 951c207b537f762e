"""Resets, 503 and kills where Send As is granted and senders are tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.fault_bench import Bench
from tests.integration.fault_cases import Case, play, undisturbed

pytestmark = pytest.mark.ci

# What is disturbed: the two writes, and the end of the first sender's message.
CHOSEN = {
    "Add-RecipientPermission": ("reset-after", "stall-after"),
    "Set-OrganizationConfig": ("stall-before",),
    "DATA": ("reset-after", "stall-before"),
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a sandbox for runs with an alias and another mailbox as senders."""
    with Bench.open(tmp_path / "bench", "senders") as bench:
        yield bench


def chosen(cases: list[Case]) -> list[Case]:
    """Return the cases to play; the whole of them is played by the long test."""
    data = [case.number for case in cases if case.request.method == "DATA"]
    first_sender = sorted(set(data))[-2]
    return [
        case
        for case in cases
        if case.fault.removeprefix("request-") in CHOSEN.get(name_of(case), ())
        and (case.request.method != "DATA" or case.number == first_sender)
    ]


def name_of(case: Case) -> str:
    """Return the cmdlet, or the verb of SMTP."""
    request = case.request
    return request.method if request.protocol == "smtp" else request.what


def test_granting_and_sending_go_on_after_a_fault(bench: Bench) -> None:
    """Same tenant, one row, one message from each sender, same rollback."""
    reference = undisturbed(bench)
    cases = chosen(reference.cases("senders"))
    assert len(cases) == sum(map(len, CHOSEN.values()))
    found = {str(case): play(bench, reference, case) for case in cases}
    assert {case: problems for case, problems in found.items() if problems} == {}
