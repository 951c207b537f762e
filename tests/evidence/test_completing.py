"""Late evidence is taken in for a run that is there, closed, and the same one's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from runbook_lib.completing import completed
from runbook_lib.engine.chain import digest, encode, read_chain
from runbook_lib.engine.record import EVENTS
from runbook_lib.errors import RecordBroken, Refused
from runbook_lib.tenant import Tenant
from tests.evidence.sample import TENANT, closed_run, fill, open_record

NOTEBOOK = "1-smtp-oauth"


def tenant(**changes: str) -> Tenant:
    """Return what is asked of a tenant."""
    return cast("Tenant", SimpleNamespace(**{**TENANT, **changes}))


def test_without_a_run_nothing_is_completed(tmp_path: Path) -> None:
    """The parameter is empty as a rule."""
    assert completed(tmp_path, "", NOTEBOOK, tenant()) is None


def test_a_closed_run_is_named_with_its_result_and_head(tmp_path: Path) -> None:
    """The new record holds on to the old one by the head of its chain."""
    folder = closed_run(tmp_path).folder
    found = completed(folder.parent, folder.name, NOTEBOOK, tenant())
    last = read_chain(folder / EVENTS).events[-1]
    assert found == {
        "run": folder.name,
        "result": "succeeded",
        "head": digest(encode(last)),
    }


@pytest.mark.parametrize(
    ("run", "notebook", "changes", "why"),
    [
        ("another", NOTEBOOK, {}, "not among the records"),
        ("example", "2-direct-send", {}, "of the notebook 1-smtp-oauth"),
        ("example", NOTEBOOK, {"tenant_id": "0"}, "of another tenant"),
    ],
)
def test_a_run_that_is_not_ours_is_refused(
    tmp_path: Path, run: str, notebook: str, changes: dict[str, str], why: str
) -> None:
    """Its marker could be on anybody's message."""
    folder = closed_run(tmp_path).folder
    with pytest.raises(Refused, match=why):
        completed(folder.parent, run, notebook, tenant(**changes))


def test_an_open_run_is_refused(tmp_path: Path) -> None:
    """Evidence belongs into it while it is open."""
    record = fill(open_record(tmp_path))
    record.close()
    folder = record.folder
    with pytest.raises(Refused, match="still open"):
        completed(folder.parent, folder.name, NOTEBOOK, tenant())


def test_a_broken_record_is_not_built_upon(tmp_path: Path) -> None:
    """A changed byte breaks the chain."""
    folder = closed_run(tmp_path).folder
    path = folder / EVENTS
    path.write_bytes(path.read_bytes().replace(b"sender-mailbox", b"sender-mailboy", 1))
    with pytest.raises(RecordBroken):
        completed(folder.parent, folder.name, NOTEBOOK, tenant())
