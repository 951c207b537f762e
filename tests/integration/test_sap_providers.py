"""The SAP side is measured over real sockets: in order, wrong, refusing, and down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NotAsExpected, Waits
from runbook_lib.errors import NotPermitted
from runbook_lib.session import Session
from runbook_lib.steps.sap_arrangement import CommunicationArrangementConfigured
from runbook_lib.steps.sap_evidence import SapAttestation
from runbook_lib.steps.sap_host import IcmServiceActive, NetworkFromSapHost
from runbook_lib.steps.sap_notes import SapNotesImplemented
from runbook_lib.steps.sap_release import SapReleaseSupportsCredential
from tests.integration.sap_sides import (
    OBSERVER,
    STRANGER,
    lead_nowhere,
    lent,
    naming,
    requests,
    seen,
)
from tests.integration.world import World, drive, running, step_ends
from tests.sap.samples import TELNET_GOOD, sample

ICM = IcmServiceActive(product="s4-onprem")
NETWORK = NetworkFromSapHost(product="s4-onprem", host="smtp.office365.com")
NOTES = SapNotesImplemented()
RELEASE = SapReleaseSupportsCredential("s4-onprem", "758", "secret")
SMICM = f"--- SMICM ---\n{sample('D1')}"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a sandbox that the tests of this module share."""
    with running(tmp_path_factory.mktemp("sap")) as found:
        yield found


@pytest.fixture
def system(shared: World) -> World:
    """Return it with its SAP side in order."""
    shared.break_tenant("set_sap_condition", condition="right")
    return shared


@pytest.fixture
def session(system: World) -> Iterator[Session]:
    """Return a session that may read everything."""
    with lent(system, naming(system)) as found:
        yield found


def arrangement(session: Session) -> CommunicationArrangementConfigured:
    """Return the step for the application that the environment names."""
    assert session.btp is not None
    (found,) = session.btp.arrangements()
    known = found.outbound_user and found.outbound_user.client_id
    return CommunicationArrangementConfigured(
        product="btp-abap",
        app_id=known or "unknown",
        mailbox=session.tenant.mailbox,
        host="smtp.office365.com",
    )


def test_in_order(session: Session) -> None:
    """Everything that can be measured is, and passes."""
    attestations: list[tuple[SapAttestation, str]] = [
        (ICM, SMICM),
        (NETWORK, TELNET_GOOD),
        (arrangement(session), ""),
    ]
    for step, text in attestations:
        found = seen(step, session, text)
        assert met(step.expect(), found.properties), found.properties
        assert found.service is None if step is NETWORK else found.service
    release = RELEASE.observe(session)
    assert release.properties == {"SAP_BASIS": 758}
    assert "793, patch 200" in str(release.context["kernel"])
    note = seen(NOTES, session, "3581654 is contained in SAPK-75803INSAPBASIS")
    assert "is not in the system: SAP_BASIS 758" in str(note.properties)


ICM_RULES = {
    "smtp-parameter-missing": ("ICM parameter", "SMTP_SERVICE_ABSENT"),
    "icm-not-started": ("ICM parameter", "ICM_NOT_STARTED"),
}


@pytest.mark.parametrize("condition", ICM_RULES)
def test_a_wrong_parameter(system: World, session: Session, condition: str) -> None:
    """The running instance contradicts whatever is handed in."""
    system.break_tenant("set_sap_condition", condition=condition)
    topic, rule = ICM_RULES[condition]
    found = seen(ICM, session, f"{sample('A1')}\n{SMICM}")
    assert rule in str(found.properties[topic])


def test_tls_of_incoming_mail_is_advice(system: World, session: Session) -> None:
    """It has nothing to do with the way to Exchange Online."""
    system.break_tenant("set_sap_condition", condition="inbound-tls-off")
    found = seen(ICM, session, SMICM)
    assert met(ICM.expect(), found.properties), found.properties
    assert "TLS is 0" in str(found.advice)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("untrusted-peer", "does not trust the certificate"),
        ("unknown-host", "cannot be resolved"),
        ("connection-refused", "was refused"),
    ],
)
def test_errors_of_the_trace(
    system: World, session: Session, condition: str, says: str
) -> None:
    """They are advice beside what a person's tools show."""
    system.break_tenant("set_sap_condition", condition=condition)
    found = seen(NETWORK, session, TELNET_GOOD)
    assert met(NETWORK.expect(), found.properties), found.properties
    assert says in str(found.advice)


@pytest.mark.parametrize("condition", ["old-release", "no-basis-component"])
def test_another_release(system: World, session: Session, condition: str) -> None:
    """The declared one is contradicted."""
    system.break_tenant("set_sap_condition", condition=condition)
    with pytest.raises(NotAsExpected, match="sap_basis says 758"):
        RELEASE.observe(session)


def test_a_stopped_instance(system: World, session: Session) -> None:
    """Its parameters are read; the release is not, and the step says so."""
    system.break_tenant("set_sap_condition", condition="stopped")
    found = RELEASE.observe(session)
    assert found.vantage == "as declared in the parameters"
    assert "DpAttachStartService failed" in str(found.advice)


ARRANGEMENT_RULES = {
    "other-scope": "SCOPE_OTHER",
    "other-oauth-user": "USER_IS_SAP_USER",
    "no-outbound-user": "METHOD_OTHER",
    "other-host": "SYSTEM_OTHER",
    "other-port": "SYSTEM_OTHER",
    "cloud-connector": "CLOUD_CONNECTOR_ON",
    "common-token-endpoint": "ENDPOINT_COMMON",
    "user-and-password": "METHOD_OTHER",
    "no-additional-scope": "SCOPE_OTHER",
}


@pytest.mark.parametrize("condition", ARRANGEMENT_RULES)
def test_a_wrong_arrangement(system: World, session: Session, condition: str) -> None:
    """Each is found by the rule that judges the form."""
    step = arrangement(session)
    system.break_tenant("set_sap_condition", condition=condition)
    found = seen(step, session)
    assert ARRANGEMENT_RULES[condition] in str(found.properties), found
    assert not met(step.expect(), found.properties)


@pytest.mark.parametrize(
    ("condition", "says"),
    [("client-secret", "JWT"), ("token-endpoint-with-scheme", "https://")],
)
def test_what_works_perhaps_is_advice(
    system: World, session: Session, condition: str, says: str
) -> None:
    """As for the form that a person types."""
    step = arrangement(session)
    system.break_tenant("set_sap_condition", condition=condition)
    found = seen(step, session)
    assert met(step.expect(), found.properties), found.properties
    assert says in str(found.advice)


def test_no_arrangement(system: World, session: Session) -> None:
    """A person has to make it."""
    step = arrangement(session)
    system.break_tenant("set_sap_condition", condition="no-arrangement")
    with pytest.raises(Waits, match="shows no communication arrangement"):
        seen(step, session)


def test_who_may_not_read(system: World) -> None:
    """Each refusal leads to an error that names the user; parameters are open."""
    with lent(system, naming(system, OBSERVER, STRANGER)) as session:
        assert session.sapcontrol is not None
        assert session.btp is not None
        assert session.sapcontrol.parameter_value("SAPSYSTEM") == "00"
        with pytest.raises(NotPermitted, match=OBSERVER):
            session.sapcontrol.components()
        with pytest.raises(NotPermitted, match=STRANGER):
            session.btp.arrangements()


def test_nobody_signs_in(system: World) -> None:
    """What is not protected is read all the same."""
    with lent(system, naming(system, None)) as session:
        found = seen(ICM, session, SMICM)
        assert met(ICM.expect(), found.properties), found.properties
        assert NETWORK.measure(session) is None
        found = RELEASE.observe(session)
        assert "sap.sapcontrol.user" not in str(found.advice)
        assert "does not permit ABAPGetComponentList" in str(found.advice)


def test_a_wrong_password_goes_out_once(system: World) -> None:
    """Over all steps of a run; nothing of it is in the traffic."""
    traffic: list[Mapping[str, object]] = []
    wrong = {"s4dadm": "not-the-password", "RUNBOOK_READER": "not-the-password"}
    with lent(system, naming(system, **wrong), traffic) as session:
        assert session.btp is not None
        for step in (NOTES, NETWORK):
            measured = step.measure(session)
            assert measured is not None
            assert isinstance(measured.problem, NotPermitted)
        for _ in range(2):
            with pytest.raises(NotPermitted):
                session.btp.arrangements()
    assert "not-the-password" not in str(traffic)
    asked = [exchange["host"] for exchange in traffic]
    assert (
        asked.count(urlsplit(system.tenant["communication_management"]).hostname) == 1
    )


def test_only_reads_are_sent(system: World, session: Session) -> None:
    """The sandbox decides what a write is."""
    seen(ICM, session, SMICM)
    seen(arrangement(session), session)
    for key in ("sapcontrol", "communication_management"):
        host = str(urlsplit(system.tenant[key]).hostname)
        found = requests(system, host)
        assert found
        assert not any(entry["write"] for entry in found)


STEPS = ("sap-release-supports-credential", "sap-notes-implemented")
ICM_ID = "icm-service-active"


def outcomes(world: World, tenant: Path, mode: str, **given: str) -> dict[str, str]:
    """Run the notebook and return the outcomes of the steps about SAP."""
    closed = drive(world, mode, tenant=str(tenant), **given)
    ends = step_ends(closed)
    return {step: str(ends[step]["outcome"]) for step in (*STEPS, ICM_ID)}


def test_in_the_notebook(world: World) -> None:
    """A plan stays a plan; with evidence the report says who saw what."""
    tenant = naming(world)
    plan = drive(world, "plan", tenant=str(tenant))
    ends = step_ends(plan)
    assert {step: ends[step]["outcome"] for step in (*STEPS, ICM_ID)} == {
        "sap-release-supports-credential": "ok",
        "sap-notes-implemented": "planned",
        ICM_ID: "planned",
    }
    sheet = (plan.folder / "handover.md").read_text("utf-8")
    assert "shows an SMTP service already: icm/server_port_1 = PROT=SMTP" in sheet
    evidence = world.evidence()
    verify = drive(world, "verify", tenant=str(tenant), evidence=evidence)
    end = step_ends(verify)[ICM_ID]
    assert end["outcome"] == "ok", end
    measured = cast("Mapping[str, Any]", end["measured"])
    assert measured["by"] == "sapcontrol"
    assert measured["where"] == world.tenant["sapcontrol"]
    assert "icm/server_port_1 = PROT=SMTP" in measured["texts"]["parameter list"]
    report = verify.report.read_text("utf-8")
    assert "in part measured by sapcontrol" in report
    for path in (p for p in verify.folder.rglob("*") if p.is_file()):
        for password in world.tenant["sap_users"].values():
            assert password.encode() not in path.read_bytes(), path.name


def test_a_service_that_is_down(world: World) -> None:
    """Nobody handed anything in: an error with a remedy. Else that is judged."""
    tenant = naming(world)
    lead_nowhere(tenant, str(urlsplit(world.tenant["sapcontrol"]).hostname))
    found = outcomes(world, tenant, "verify")
    assert found["sap-release-supports-credential"] == "ok"
    assert (found["sap-notes-implemented"], found[ICM_ID]) == ("error", "error")
    found = outcomes(world, tenant, "verify", evidence=world.evidence())
    assert set(found.values()) == {"ok"}
