"""The proof of delivery: measured, attested or missing, and on what it is matched."""

from __future__ import annotations

from runbook_lib.engine.chain import Event
from runbook_lib.views.delivery_proof import (
    MEASURED,
    MISSING,
    Chain,
    chains,
    chains_html,
    chains_text,
)

RUN, TO, ID = "20261123T172500Z-abcdef", "inbox@contoso.com", "<1@outlook.com>"
BASIS, READER = "attested by A. Basis", "attested by R. Reader"


def opened(*steps: str, **more: object) -> Event:
    """Return the header of a run with these steps."""
    listed = [{"step": step} for step in steps]
    return {"event": "run.opened", "run": RUN, "steps": listed, **more}


def ended(step: str, context: Event, outcome: str = "ok", **more: object) -> Event:
    """Return the end of a step."""
    end = {"event": "step.end", "step": step, "outcome": outcome, "context": context}
    return {**end, **more}


TRACE: Event = {
    "Status": "Delivered",
    "MessageId": ID,
    "SenderAddress": "sap@contoso.com",
    "FromIP": "203.0.113.10",
    "Received": "2026-11-23T17:31:06Z",
}
SENT = ended(
    "test-mail-sent",
    {"rows": [{"status": "Sent", "recipient": TO, "time": "23.11.2026 18:31:02"}]},
    attested={"who": "A. Basis"},
)
TRACED = ended(
    "sap-message-traced", {"recipient": TO, "Message-ID": ID}, facts={"rows": [TRACE]}
)
HEADER: Event = {
    "Subject": f"Test runbook:{RUN}",
    "From": "sap@contoso.com",
    "Message-ID": ID,
    "first server": "mx.outlook.com",
    "taken from": "erp.contoso.com (203.0.113.10)",
    "TLS to it": True,
    "stated by": None,
    "spf": "pass (contoso.com)",
    "dkim": "none",
    "dmarc": None,
}
RECEIVED = ended("message-received:internal", HEADER, attested={"who": "R. Reader"})
OPENED = opened("sap-message-traced")
WAITING = ended("sap-message-traced", {"recipient": TO}, "pending", facts={})


def one(*events: Event) -> Chain:
    """Return the only chain of a run."""
    (chain,) = chains([OPENED, *events])
    return chain


def known(*events: Event) -> list[str]:
    """Return how each link is known."""
    return [link.known for link in one(*events).links]


def test_a_whole_chain() -> None:
    """SOST and header are attested, the trace is measured, the Message-ID both."""
    assert known(SENT, TRACED, RECEIVED) == [
        BASIS,
        MEASURED,
        f"{MEASURED}, and {READER}",
        READER,
        f"{READER}; the verdicts are the receiver's",
    ]
    chain = one(SENT, TRACED, RECEIVED)
    assert chain.sentence == "5 links: 2 measured, 3 attested, 0 missing."
    assert [link.matched for link in chain.links] == [
        "run id in the document title; recipient",
        "run id in the subject; recipient",
        "the same in trace and received header",
        "run id in the subject; addressee; Message-ID",
        "the same received header",
    ]


def test_what_was_not_looked_at_is_missing() -> None:
    """Nothing is made up, and nothing taken from another link."""
    assert known() == [MISSING] * 5
    assert known(TRACED) == [MISSING, MEASURED, MEASURED, MISSING, MISSING]
    assert known(SENT, WAITING) == [BASIS, *[MISSING] * 4]
    assert one().sentence == "5 links: 0 measured, 0 attested, 5 missing."


def test_verdicts_are_shown_as_the_receivers_word() -> None:
    """A method that is not stated is called so, and a nameless server as well."""
    assert one(RECEIVED).links[-1].shows == (
        "spf=pass (contoso.com), dkim=none, dmarc=not stated, stated by a server that "
        "gives no name"
    )


def test_two_message_ids_are_no_match() -> None:
    """Both are shown, and that they differ."""
    other = ended("message-received:internal", {**HEADER, "Message-ID": "<2@x>"})
    link = one(TRACED, other).links[2]
    assert link.shows == f"{ID} and <2@x> – not as expected"
    assert link.matched == "not the same in trace and received header"


def test_what_failed_is_said_beside_what_it_shows() -> None:
    """A row that shows an error is attested all the same."""
    failed = {**SENT, "outcome": "failed"}
    link = one(failed, WAITING).links[0]
    assert link.shows.endswith("– not as expected")
    assert link.known == BASIS


def test_the_row_of_another_recipient_is_none_of_this_chain() -> None:
    """Each test mail has its own row."""
    rows = [{"status": "Sent", "recipient": "post@fabrikam.com", "time": ""}]
    other = ended("test-mail-sent", {"rows": rows}, attested={"who": "A"})
    assert known(other, TRACED)[0] == MISSING


def test_a_completed_runs_marker_stands_in_the_caption() -> None:
    """The message carries the id of the run that asked for it."""
    completes = {"run": "earlier", "result": "incomplete", "head": "0" * 64}
    (chain,) = chains([opened("sap-message-traced", completes=completes)])
    assert chain.marker == "runbook:earlier"


def test_options_without_oauth_have_a_chain_for_each_audience() -> None:
    """The steps of the notebook decide; one without SAP's mail has none."""
    steps = ("sap-test-message:internal", "sap-test-message:external")
    found = chains([opened(*steps)])
    named = [chain.recipient for chain in found]
    assert named == ["the internal recipient", "the external recipient"]
    assert chains([opened("choose-option")]) == []


def test_the_notebook_shows_no_time_and_no_markup() -> None:
    """A committed notebook must not change, and nothing from outside is HTML."""
    sent = ended(
        "test-mail-sent",
        {"rows": [{"status": "<b>Sent", "recipient": TO, "time": ""}]},
        attested={"who": "A"},
    )
    html = chains_html([OPENED, sent, TRACED])
    assert "2026-11-23T17:31" not in html
    assert "<b>Sent" not in html
    assert "&lt;b&gt;Sent" in html
    text = chains_text([OPENED, TRACED])
    assert RUN not in html + text
    assert "with runbook:(id of this run) in its subject" in text
    assert "message trace): Delivered" in text
    assert "2026-11-23T17:31" not in text
