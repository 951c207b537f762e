"""The received header as evidence, and SAP's message in the trace of option 1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import Evidence, Observation, Waits
from runbook_lib.steps.delivery import SapMessageTraced
from runbook_lib.steps.received_message import TOPIC, MessageReceived
from runbook_lib.steps.sap_test_mail import TestMailSent
from tests.sap.headers import GOOD, MESSAGE_ID, RUN, TO
from tests.steps.mail_flow import Exchange, session_on

STEP = MessageReceived(
    product="btp-abap", audience="internal", recipient=TO, completes=RUN
)
TRACED = SapMessageTraced(sender="sap@contoso.com", recipient=TO, completes=RUN)
ROW: dict[str, object] = {
    "Status": "Delivered",
    "MessageId": MESSAGE_ID,
    "SenderAddress": "sap@contoso.com",
    "FromIP": "203.0.113.10",
}


def judged(text: str, *rows: dict[str, object], step: MessageReceived = STEP) -> Any:
    """Return what a header gives, with these rows in the trace."""
    evidence = Evidence("R. Reader", "2026-11-23 17:50", "CHG1", text)
    return step.validate(session_on(Exchange(traces=rows)), evidence)


def test_a_header_that_fits_the_trace_passes() -> None:
    """It is kept for the proof: Message-ID, way, and the receiver's verdicts."""
    seen: Observation = judged(GOOD, ROW)
    assert met(STEP.expect(), seen.properties)
    assert seen.vantage == "as stated by a person"
    assert seen.context["Message-ID"] == MESSAGE_ID
    assert seen.context["dmarc"] == "pass (contoso.com)"
    assert seen.advice is None


def test_the_trace_need_not_have_it_yet() -> None:
    """The header is looked at alone; the trace may lag or be older than ten days."""
    assert met(STEP.expect(), judged(GOOD).properties)


def test_another_message_id_than_the_traces_contradicts() -> None:
    """One of the two is not about this message."""
    seen = judged(GOOD, {**ROW, "MessageId": "<other@x>"})
    assert "OTHER_MESSAGE_ID" in str(seen.properties[TOPIC])
    assert not met(STEP.expect(), seen.properties)


def test_a_text_without_a_header_waits() -> None:
    """Nothing is contradicted, and nothing shown."""
    with pytest.raises(Waits, match="not handed in"):
        judged("It arrived.")


def test_the_subject_has_to_carry_the_run() -> None:
    """That of this run, or of the one that is completed."""
    seen = judged(GOOD, step=replace(STEP, completes="another"))
    assert "OTHER_MESSAGE:" in str(seen.properties[TOPIC])


def test_a_run_without_the_header_says_what_it_lacks() -> None:
    """The row of SOST is needed for option 1, where the notebook says so."""
    assert "received header" in str(STEP.left_out())
    needed = TestMailSent(product="ecc", recipient=TO)
    assert needed.left_out() is None
    assert "SOST" in str(replace(needed, needed="no").left_out())


@pytest.mark.parametrize(
    ("rows", "status", "awaited"),
    [
        ([], None, True),
        ([{**ROW, "Status": "Pending"}], "Pending", True),
        ([ROW], "Delivered", False),
        ([{**ROW, "Status": "Failed"}], "Failed", False),
        ([{**ROW, "Status": "Failed"}, ROW], "Delivered", False),
        ([{**ROW, "Subject": f"Test of SAP outbound mail ({RUN})"}], None, True),
    ],
)
def test_trace_of_the_message(
    rows: list[dict[str, object]], status: str | None, awaited: bool
) -> None:
    """Delivered, on its way, or lost; the mark is that of the completed run."""
    exchange = Exchange(traces=rows)
    seen = TRACED.observe(session_on(exchange))
    assert seen.properties == {"Status": status}
    assert (seen.awaits is not None) is awaited
    assert exchange.asked[0]["subject"] == f"runbook:{RUN}"
    assert seen.context["Message-ID"] == (MESSAGE_ID if status else None)
