"""The senders of SAP in the report: judged ones, and what SOST shows."""

from __future__ import annotations

from runbook_lib.engine.chain import Event
from runbook_lib.views.sender_table import UNJUDGED, sender_rows


def ended(step: str, context: Event, **more: object) -> Event:
    """Return the end of a step."""
    return {"event": "step.end", "step": step, "context": context, **more}


MATRIX = ended(
    "sender-matrix",
    {
        "senders": [
            {
                "address": "sap@contoso.com",
                "known from": "tenant file",
                "covered by": "the mailbox itself",
            }
        ]
    },
)


def sost(*senders: str) -> Event:
    """Return rows of SOST that somebody handed in."""
    rows = [{"sender": sender, "recipient": "x@contoso.com"} for sender in senders]
    return ended("test-mail-sent", {"rows": rows}, attested={"who": "A. Basis"})


def test_senders_of_sost_are_held_against_the_matrix() -> None:
    """One that was judged has its reason, another one is called not judged."""
    rows = sender_rows([MATRIX, sost("SAP@contoso.com", "fi@contoso.com")])
    where = "row of SOST, attested by A. Basis"
    assert rows == [
        ("sap@contoso.com", "tenant file", "the mailbox itself"),
        ("sap@contoso.com", where, "the mailbox itself"),
        ("fi@contoso.com", where, UNJUDGED),
    ]


def test_a_user_name_is_no_address() -> None:
    """SAP makes the address of it from SU01 or the default domain."""
    assert sender_rows([MATRIX, sost("SAPMAIL")]) == sender_rows([MATRIX])
    assert sender_rows([]) == []
