"""Evidence of SAP decides option 1, and the report says whose word it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook_lib.evidence.close import Closed
from tests.integration.world import World, drive, events, step_ends

SAP_STEPS = {
    "network-from-sap-host",
    "icm-service-active",
    "sap-connect-service-active",
    "oauth-client-configured",
    "smtp-configured",
    "default-domain-set",
    "test-mail-sent",
    "sap-message-traced",
}

# A text that people hand in, and what an honest look at SAP would have shown.
CONTRADICTIONS = {
    "icm-service-active": ("icm/server_port_1", "icm/server-port-1"),
    "smtp-configured": ("mail_port: 587", "mail_port: 465"),
    "oauth-client-configured": ("oauth2/v2.0/token", "oauth2/token"),
    "test-mail-sent": ("Document sent", "535 5.7.3 Authentication unsuccessful"),
}


def late(world: World, applied: Closed) -> dict[str, str]:
    """Return the parameters of a run that takes in evidence after an apply."""
    return {"evidence": world.evidence(applied), "completes": applied.folder.name}


def outcomes(closed: Closed) -> dict[str, str]:
    """Return the outcome of each SAP step."""
    return {
        step: str(end["outcome"])
        for step, end in step_ends(closed).items()
        if step in SAP_STEPS
    }


def test_without_evidence_it_is_incomplete(world: World) -> None:
    """Every SAP step waits for a person; none passes by itself."""
    applied = drive(world, "apply")
    assert (applied.result, applied.exit_code) == ("incomplete", 3)
    assert outcomes(applied) == dict.fromkeys(SAP_STEPS, "pending")
    assert step_ends(applied)["message-received:internal"]["outcome"] == "skipped"


def test_with_evidence_it_succeeds_and_says_whose_word_it_is(world: World) -> None:
    """The report has “Attested by”, and no SAP step is called verified."""
    applied = drive(world, "apply")
    verify = drive(world, "verify", **late(world, applied))
    assert (verify.result, verify.exit_code) == ("succeeded", 0)
    assert outcomes(verify) == dict.fromkeys(SAP_STEPS, "ok")
    report = verify.report.read_text("utf-8")
    assert "Attested by" in report
    assert "Verified" not in report
    # Mail inside one organization carries no Authentication-Results.
    assert "5 links: 2 measured, 2 attested, 1 missing." in report
    assert "the same in trace and received header" in report


@pytest.mark.parametrize("step", CONTRADICTIONS)
def test_contradicting_evidence_fails(world: World, step: str) -> None:
    """Whatever was stated, the text decides; the report shows why."""
    applied = drive(world, "apply")
    given = late(world, applied)
    path = Path(given["evidence"]) / f"{step}.yaml"
    found = json.loads(path.read_text("utf-8"))
    right, wrong = CONTRADICTIONS[step]
    assert right in found["text"]
    found["text"] = found["text"].replace(right, wrong)
    path.write_text(json.dumps(found), "utf-8")
    verify = drive(world, "verify", **given)
    assert (verify.result, verify.exit_code) == ("failed", 1)
    assert outcomes(verify)[step] == "failed"
    problem = str(step_ends(verify)[step]["problem"])
    assert " is fail " in problem
    report = verify.report.read_text("utf-8").replace("<wbr>", "")
    assert problem.split(":")[0] in report


def test_the_sheet_stands_in_the_record_and_names_the_next_index(world: World) -> None:
    """What was pasted about ICM is on the sheet of the run that took it in."""
    applied = drive(world, "apply")
    first = (applied.folder / "handover.md").read_text("utf-8")
    app_id = step_ends(applied)["register-application"]["after"]["appId"]  # type: ignore[index]
    assert f"| OAuth 2.0 Client ID | `{app_id}` |" in first
    assert "icm/server_port_&lt;n>" in first
    verify = drive(world, "verify", **late(world, applied))
    second = (verify.folder / "handover.md").read_text("utf-8")
    assert "shows an SMTP service already: icm/server_port_1 = PROT=SMTP" in second


def test_people_of_the_list_are_not_stored(world: World) -> None:
    """The SAP user who sent the message is masked in the record."""
    applied = drive(world, "apply")
    verify = drive(world, "verify", **late(world, applied))
    attached = [e for e in events(verify) if e["event"] == "evidence.attached"]
    stated = {str(event["step"]) for event in attached}
    assert stated >= SAP_STEPS - {"sap-message-traced"}
    for path in verify.folder.rglob("*"):
        if path.is_file():
            assert b"SAPMAIL" not in path.read_bytes(), path.name


def test_a_header_of_another_message_fails(world: World) -> None:
    """Its Message-ID is not the one of the message trace."""
    applied = drive(world, "apply")
    given = late(world, applied)
    path = Path(given["evidence"]) / "message-received-internal.yaml"
    found = json.loads(path.read_text("utf-8"))
    found["text"] = found["text"].replace("Message-ID: <", "Message-ID: <other", 1)
    path.write_text(json.dumps(found), "utf-8")
    verify = drive(world, "verify", **given)
    assert verify.result == "failed"
    ended = step_ends(verify)["message-received:internal"]
    assert "OTHER_MESSAGE_ID" in str(ended["problem"])
    assert "not the same in trace" in verify.report.read_text("utf-8")


def test_a_row_of_sost_alone_is_no_delivery(world: World) -> None:
    """SOST is green, and Exchange Online never saw the message: it still waits."""
    first = drive(world, "apply")
    world.evidence(first)  # the message of this run was sent
    second = drive(world, "apply")
    given = {"evidence": str(world.folder / "evidence")}
    path = world.folder / "evidence" / "test-mail-sent.yaml"
    text = path.read_text("utf-8").replace(first.folder.name, second.folder.name)
    path.write_text(text, "utf-8")
    (world.folder / "evidence" / "message-received-internal.yaml").unlink()
    verify = drive(world, "verify", completes=second.folder.name, wait="0", **given)
    assert outcomes(verify)["test-mail-sent"] == "ok"
    assert outcomes(verify)["sap-message-traced"] == "pending"
    assert verify.result == "incomplete"
