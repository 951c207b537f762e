"""The pasted header: whose message it is, how it came, what the receiver says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_lib.sap.artifact import Kind, artifacts
from runbook_lib.sap.authentication_results import read_results
from runbook_lib.sap.finding import Missing, Verdict, overall
from runbook_lib.sap.header_block import read_header
from runbook_lib.sap.masking import masked
from runbook_lib.sap.received_header import AskedHeader, header_facts, judge_header
from tests.sap import headers
from tests.sap.headers import FROM, GOOD, MESSAGE, MESSAGE_ID, RESULTS, RUN, TO

ASKED = AskedHeader(RUN, "Test of", TO, ("contoso.com",), (MESSAGE_ID,))
FAIL, PASS, OPEN = Verdict.FAIL, Verdict.PASS, Verdict.UNDETERMINED
WARNING = Verdict.WARNING


def rules(text: str, asked: AskedHeader = ASKED) -> dict[str, Verdict]:
    """Return the rules that have something to say, with their verdicts."""
    return {finding.rule: finding.verdict for finding in judge_header(text, asked)}


def test_a_good_header_passes() -> None:
    """It is ours, came with TLS, and the receiver has nothing against it."""
    found = judge_header(GOOD, ASKED)
    assert overall(found) is PASS
    assert {f.rule for f in found} == {"MESSAGE_ID", "FIRST_HOP_TLS", "RESULT_PASS"}
    assert all(f.verdict is PASS for f in found)


EDITS = [
    ("another subject", GOOD.replace(RUN, "other"), "OTHER_MESSAGE", FAIL),
    ("no subject", GOOD.replace("Subject:", "Thread:"), "OTHER_MESSAGE", FAIL),
    ("our own", GOOD.replace("Test runbook", "Test of runbook"), "OWN_MESSAGE", FAIL),
    ("another addressee", GOOD.replace(TO, "x@example.com"), "OTHER_ADDRESSEE", FAIL),
    ("another id", GOOD.replace(MESSAGE_ID, "<1@x>"), "OTHER_MESSAGE_ID", FAIL),
    ("no id", GOOD.replace("Message-ID:", "X-ID:"), "MESSAGE_ID_MISSING", OPEN),
    ("another sender", GOOD.replace(FROM, "sap@x.com"), "FROM_OTHER", WARNING),
    ("a summary only", MESSAGE, "RECEIVED_MISSING", OPEN),
    ("no results", GOOD.replace(RESULTS, ""), "RESULTS_MISSING", WARNING),
    (
        "no TLS",
        GOOD.replace("(version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) ", ""),
        "FIRST_HOP_CLEAR",
        WARNING,
    ),
    ("dkim none", GOOD.replace("dkim=pass", "dkim=none"), "RESULT_OPEN", WARNING),
    ("dmarc fails", GOOD.replace("dmarc=pass", "dmarc=fail"), "RESULT_OPEN", WARNING),
    ("prose", "It arrived, thank you.", "HEADER_NOT_READ", OPEN),
    ("nothing", "", "HEADER_NOT_READ", OPEN),
]


@pytest.mark.parametrize(
    ("text", "rule", "verdict"), [pytest.param(*e[1:], id=e[0]) for e in EDITS]
)
def test_what_is_wrong_is_said(text: str, rule: str, verdict: Verdict) -> None:
    """Identity fails, what is missing stays open, the receiver's word is advice."""
    assert rules(text)[rule] is verdict


def test_results_of_spf_dkim_and_dmarc_decide_nothing() -> None:
    """The message arrived, whatever the receiver thinks of it."""
    bad = GOOD.replace("=pass", "=fail")
    assert overall(judge_header(bad, ASKED)) is PASS
    said = [f.says for f in judge_header(bad, ASKED) if f.rule == "RESULT_OPEN"]
    assert said[0].startswith("spf=fail for contoso.com, as the receiver")


def test_results_that_came_with_the_message_do_not_count() -> None:
    """Below the lowest Received anybody can write what he likes (RFC 8601)."""
    forged = GOOD.replace(RESULTS, "") + RESULTS
    assert rules(forged)["RESULTS_NOT_COUNTED"] is WARNING
    assert rules(forged)["RESULTS_MISSING"] is WARNING
    assert header_facts(forged)["spf"] is None


def test_results_of_the_server_that_took_it_count_below_its_received() -> None:
    """Some servers write them there; a forged name of theirs they remove."""
    server = "AM0PEPF00000001.mail.protection.outlook.com"
    own = RESULTS.replace(" spf=", f" {server}; spf=", 1)
    below = GOOD.replace(RESULTS, "").replace(MESSAGE, own + MESSAGE)
    assert header_facts(below)["spf"] == "pass (contoso.com)"
    assert header_facts(below)["stated by"] == server
    foreign = below.replace(f" {server}; spf=", " mx.fabrikam.com; spf=", 1)
    assert header_facts(foreign)["spf"] is None


def test_of_several_results_the_last_added_count() -> None:
    """The next server stands above; what a forwarder said before is history."""
    earlier = RESULTS.replace("=pass", "=fail")
    both = GOOD.replace(RESULTS, RESULTS + headers.RECEIVED_INSIDE + earlier)
    assert header_facts(both)["spf"] == "pass (contoso.com)"


def test_lines_that_lost_their_indentation_are_read() -> None:
    """Some mail programs drop it when a header is copied."""
    flat = "\n".join(line.lstrip() for line in GOOD.splitlines())
    assert rules(flat) == rules(GOOD)


def test_a_body_below_is_not_read() -> None:
    """The header ends where the text begins."""
    text = f"{GOOD}\nHello\nMessage-ID: <2@x>\n"
    assert header_facts(text)["Message-ID"] == MESSAGE_ID


def test_encoded_subjects_are_read() -> None:
    """Not every sender writes plain ASCII."""
    encoded = GOOD.replace("Test runbook:", "=?utf-8?q?Pr=C3=BCfung?= runbook:")
    assert header_facts(encoded)["Subject"] == f"Prüfung runbook:{RUN}"
    assert overall(judge_header(encoded, ASKED)) is PASS


def test_facts_for_the_proof() -> None:
    """What the table of the proof shows."""
    assert header_facts(GOOD) == {
        "Subject": f"Test runbook:{RUN}",
        "From": FROM,
        "Message-ID": MESSAGE_ID,
        "Message-ID as sent": None,
        "first server": "AM0PEPF00000001.mail.protection.outlook.com",
        "taken from": "erp.contoso.com (203.0.113.10)",
        "TLS to it": True,
        "stated by": None,
        "spf": "pass (contoso.com)",
        "dkim": "pass (contoso.com)",
        "dmarc": "pass (contoso.com)",
    }


@pytest.mark.parametrize(
    ("value", "server", "spf"),
    [
        ("mx.fabrikam.com; spf=pass smtp.mailfrom=a@contoso.com", "mx.fabrikam.com", 1),
        ("mx.fabrikam.com 1; spf=pass smtp.mailfrom=contoso.com", "mx.fabrikam.com", 1),
        ("(a; (b)) mx.x (c);spf = pass (x;y) smtp.mailfrom=contoso.com", "mx.x", 1),
        ('mx.x; spf=pass reason="a; b=c" smtp.mailfrom=contoso.com', "mx.x", 1),
        ("mx.x; none", "mx.x", 0),
        ("", None, 0),
    ],
)
def test_forms_of_the_field(value: str, server: str | None, spf: int) -> None:
    """Version, comments, quotes and the empty result are those of RFC 8601."""
    results = read_results(value)
    found = results.of("spf")
    assert results.server == server
    assert bool(found) is bool(spf)
    if found:
        assert (found.result, found.domain) == ("pass", "contoso.com")


def test_of_two_signatures_a_good_one_counts() -> None:
    """A second signature that fails does no harm (RFC 6376, section 6.1)."""
    value = "x; dkim=fail header.d=a.com; dkim=pass header.d=b.com"
    found = read_results(value).of("dkim")
    assert found is not None
    assert (found.result, found.domain) == ("pass", "b.com")


def test_a_header_is_recognised_and_masked() -> None:
    """People go, the Message-ID and the addresses of the tenant file stay."""
    foreign = GOOD.replace(f"To: {TO}", f"To: {TO}\nCc: erika@contoso.com")
    (artifact,) = artifacts([foreign])
    assert artifact.kind is Kind.HEADER
    stored = masked(foreign, keep=(TO, FROM), marker=RUN)
    assert "erika" not in stored
    assert judge_header(stored, ASKED) == judge_header(foreign, ASKED)
    assert masked(stored, keep=(TO, FROM), marker=RUN) == stored


@given(st.text(max_size=200), st.integers(0, len(GOOD)))
def test_nothing_that_is_pasted_is_a_fault(noise: str, position: int) -> None:
    """Whatever stands in it, each finding cites a line or names what is missing."""
    text = GOOD[:position] + noise + GOOD[position:]
    for finding in judge_header(text, ASKED):
        found = finding.evidence
        assert isinstance(found, Missing) or found.number <= text.count("\n") + 1
    header_facts(text)
    read_header(noise)
    read_results(noise)


@pytest.mark.parametrize("char", ["\x1f", "\x1c", "\x0b", "\x85", "\u2028", "\x00"])
def test_characters_that_part_lines_for_others_part_none_here(char: str) -> None:
    """What a mail program leaves in a field does not tear it apart."""
    torn = GOOD.replace("Test runbook", f"Test{char}X: runbook")
    assert header_facts(torn)["Message-ID"] == MESSAGE_ID
    assert overall(judge_header(torn, ASKED)) is PASS
