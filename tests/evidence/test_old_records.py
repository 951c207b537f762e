"""Old records are read for ever: those in `tests/records` are never changed."""

from __future__ import annotations

import json
from pathlib import Path

from runbook_lib.engine.chain import read_chain
from runbook_lib.engine.history import changes, closed, header
from runbook_lib.engine.record import EVENTS
from runbook_lib.evidence.audit import audit
from runbook_lib.evidence.plan import plan_of
from tests.evidence.sample import CHANGED, version_1
from tests.evidence.test_close import everything

VERSION_1 = Path(__file__).parent.parent / "records" / "v1"
HEAD_1 = "3ff2c2f0bed4c84cf1e35571e8ec58dce2138cec0829a05ff3a653aa884d3c4b"


def test_version_1_is_intact() -> None:
    """The records of schema 1 hold together, up to the head noted here."""
    report = audit([VERSION_1], head=HEAD_1)
    assert [f.sentence for f in report.findings] == ["the head given is its last line"]
    assert report.records == 2


def test_version_1_can_be_rolled_back_from() -> None:
    """What a rollback needs is still found in it."""
    events = read_chain(VERSION_1 / "contoso" / "apply" / EVENTS).events
    (change,) = changes(events)
    end = closed(events)
    assert end
    assert (change["step"], change["version"]) == (CHANGED, 1)
    assert change["before"] == {"SmtpClientAuthenticationDisabled": None}
    assert change["after"] == {"SmtpClientAuthenticationDisabled": False}
    assert (header(events)["mode"], end["result"]) == ("apply", "succeeded")


def test_digest_of_a_version_1_plan_is_the_same_today() -> None:
    """An approval of a plan stays valid for as long as the plan itself."""
    folder = VERSION_1 / "contoso" / "plan"
    plan = json.loads((folder / "plan.json").read_bytes())
    events = read_chain(folder / EVENTS).events
    assert plan_of(events)["digest"] == plan["digest"]


def test_records_are_made_alike_every_time(tmp_path: Path) -> None:
    """The same events, clock and notebook give the same bytes."""
    version_1(tmp_path / "one")
    version_1(tmp_path / "two")
    assert everything(tmp_path / "one") == everything(tmp_path / "two")
