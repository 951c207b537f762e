"""Attestations about SAP: good evidence passes, contradicting fails, little waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from runbook_lib.engine.expect import met
from runbook_lib.engine.step import Evidence, NothingToDo, Observation, Waits
from runbook_lib.session import Session
from runbook_lib.steps.sap_arrangement import CommunicationArrangementConfigured
from runbook_lib.steps.sap_certificate import JwtCertificateExported
from runbook_lib.steps.sap_evidence import SapAttestation
from runbook_lib.steps.sap_host import (
    IcmServiceActive,
    NetworkFromSapHost,
    SapConnectServiceActive,
)
from runbook_lib.steps.sap_mail import (
    DefaultDomainSet,
    OAuthClientConfigured,
    SmtpConfigured,
)
from runbook_lib.steps.sap_test_mail import HANDED_OVER, TestMailSent
from runbook_lib.tenant_sap import SapMail
from tests.sap import certificates, samples
from tests.sap.samples import APPLICATION, HOST, MAILBOX, SCOPE, TENANT, sample

RUN = "20261123T172500Z-abcdef"
NOW = datetime(2026, 11, 23, 17, 50, tzinfo=UTC)  # 18:50 in Berlin


def session(zone: str = "Europe/Berlin") -> Session:
    """Return what these steps use of a session: tenant, run, clock."""
    tenant = SimpleNamespace(
        tenant_id=TENANT,
        sap_time_zone=zone,
        sap_mail=SapMail(),
        mailbox=MAILBOX,
        initial_domain="contoso.onmicrosoft.com",
        endpoints=SimpleNamespace(
            login="login.microsoftonline.com", exchange_scope=SCOPE
        ),
        recipients=SimpleNamespace(
            internal="ops@example.com", external="out@fabrikam.com"
        ),
    )
    return cast("Session", SimpleNamespace(tenant=tenant, run=RUN, now=lambda: NOW))


def evidence(*parts: str, files: tuple[Path, ...] = ()) -> Evidence:
    """Return evidence whose text has these parts."""
    return Evidence("A. Basis", "2026-11-23 17:50", "CHG1", "\n".join(parts), files)


def ours(name: str) -> str:
    """Return a SOST sample whose title carries the run id."""
    return sample(name).replace("Runbook test 2026-11-23", f"Test {RUN}")


def part(name: str, text: str) -> str:
    """Return an artifact under its heading."""
    return f"--- {name} ---\n{text}"


ON_PREMISES = "s4-onprem"
NETWORK = NetworkFromSapHost(product=ON_PREMISES, host=HOST)
ICM = IcmServiceActive(product=ON_PREMISES)
SICF = SapConnectServiceActive(product=ON_PREMISES)
CLIENT = OAuthClientConfigured(product=ON_PREMISES, app_id=APPLICATION)
SMTP = SmtpConfigured(product=ON_PREMISES, mailbox=MAILBOX, host=HOST)
DOMAIN = DefaultDomainSet(product=ON_PREMISES, domain="contoso.com")
BTP = CommunicationArrangementConfigured(
    product="btp-abap", app_id=APPLICATION, mailbox=MAILBOX, host=HOST
)
MAIL = TestMailSent(product=ON_PREMISES, recipient="ops@example.com")
CERTIFICATE = JwtCertificateExported(product=ON_PREMISES, credential="certificate")
STEPS: Mapping[str, SapAttestation] = {
    step.id: step
    for step in (NETWORK, ICM, SICF, CLIENT, SMTP, DOMAIN, BTP, MAIL, CERTIFICATE)
}

GOOD: list[tuple[SapAttestation, tuple[str, ...]]] = [
    (NETWORK, (samples.TELNET_GOOD,)),
    (NETWORK, (samples.TELNET_GOOD, part("STRUST", sample("F1")))),
    (ICM, (sample("A1"), part("SMICM", sample("D1")))),
    (ICM, (sample("B2"), part("SMICM", sample("D1")))),
    (ICM, (sample("C1"), part("SMICM", sample("D1")))),
    (ICM, (sample("A2"), part("SMICM", sample("D4")))),
    (SICF, (samples.SICF_GOOD,)),
    (CLIENT, (samples.CLIENT_GOOD,)),
    (SMTP, (samples.SBCS_GOOD,)),
    (SMTP, (samples.SCOT_GOOD,)),
    (SMTP, (samples.SBCS_GOOD, part("SCOT", samples.SCOT_GOOD))),
    (SMTP, (samples.SBCS_GOOD, part("SOAUTH2_CLIENT", samples.CLIENT_GOOD))),
    (DOMAIN, ("contoso.com",)),
    (DOMAIN, ("Default Domain: contoso.onmicrosoft.com",)),
    (BTP, (samples.ARRANGEMENT_GOOD,)),
    (MAIL, (ours("G1"),)),
    (CERTIFICATE, (certificates.pem(certificates.certificate()).decode(),)),
]

# For each bad evidence: the topic that is not met, and a word of what is said.
BAD: list[tuple[SapAttestation, tuple[str, ...], str, str]] = [
    (NETWORK, ("Trying 203.0.113.9...\nConnection timed out",), "connection", "NOT_"),
    (NETWORK, (samples.TELNET_GOOD, part("STRUST", sample("F2"))), "STRUST", "G2_"),
    (NETWORK, (samples.TELNET_GOOD, part("dev_icm", sample("H1"))), "dev_icm", "PEER"),
    (ICM, (sample("A3"), part("SMICM", sample("D1"))), "ICM parameter", "MISSPELT"),
    (ICM, (sample("A1"), part("SMICM", sample("D2"))), "SMICM", "INACTIVE"),
    (ICM, (sample("A1"), part("SMICM", sample("D4"))), "agreement", "PORTS_DIFFER"),
    (ICM, (sample("A1"), part("RZ11", sample("B3"))), "agreement", "NOT_ACTIVE"),
    (SICF, ("SAPconnect  inactive",), "SICF", "NODE_INACTIVE"),
    (CLIENT, (samples.CLIENT_BAD_1,), "SOAUTH2_CLIENT", "ENDPOINT_V1"),
    (SMTP, (samples.SCOT_BAD_1,), "mail configuration", "HOST_IS_IP"),
    (
        SMTP,
        (samples.SBCS_GOOD, part("SCOT", samples.SCOT_BAD_2)),
        "agreement",
        "SCREENS_DIFFER",
    ),
    (
        SMTP,
        (samples.SCOT_GOOD + "logon_user: SAPMAIL\n",),
        "mail configuration",
        "LOGON_DATA_LEFT",
    ),
    (DOMAIN, ("fabrikam.com",), "default domain", "DOMAIN_OTHER"),
    (
        BTP,
        (samples.ARRANGEMENT_GOOD.replace(MAILBOX, "SAPMAIL"),),
        "SAP_COM_0548",
        "USER_IS_SAP_USER",
    ),
    (MAIL, (ours("G2"),), "SOST", "AUTH"),
    (MAIL, (ours("G5"),), "SOST", "QUEUE"),
    (MAIL, (sample("G1"),), "SOST", "OTHER_RUN"),
    (MAIL, (ours("G1").replace("18:31", "19:31"),), "SOST", "OUTSIDE_WINDOW"),
    (
        CERTIFICATE,
        (certificates.with_private_key().decode(),),
        "certificate",
        "PRIVATE_KEY",
    ),
]

LITTLE: list[tuple[SapAttestation, tuple[str, ...], str]] = [
    (NETWORK, ("64 bytes from 203.0.113.9: icmp_seq=1 ttl=50",), "connection"),
    (NETWORK, (samples.TELNET_GOOD, part("STRUST", "CN=a")), "STRUST"),
    (ICM, (sample("A1"),), "SMICM"),
    (ICM, (sample("D1"),), "ICM parameter"),
    (ICM, (sample("B4"), part("SMICM", sample("D1"))), "ICM parameter"),
    (SICF, ("SAPconnect",), "SICF"),
    (CLIENT, (samples.CLIENT_GOOD.partition("token_test")[0],), "SOAUTH2_CLIENT"),
    (CLIENT, ("done",), "SOAUTH2_CLIENT"),
    (SMTP, (samples.CLIENT_GOOD,), "mail configuration"),
    (DOMAIN, ("set as told",), "default domain"),
    (BTP, ("oauth_user: " + MAILBOX,), "SAP_COM_0548"),
    (MAIL, ("sent it",), "SOST"),
    (CERTIFICATE, ("see attachment",), "certificate"),
]


def judged(step: SapAttestation, *parts: str) -> Observation:
    """Return what a step says of some texts, after they were stored masked."""
    stored = step.redact(session(), evidence(*parts).text)
    return step.validate(session(), evidence(stored))


@pytest.mark.parametrize(("step", "parts"), GOOD)
def test_good_evidence_passes(step: SapAttestation, parts: tuple[str, ...]) -> None:
    """What a careful administrator hands in meets the step."""
    seen = judged(step, *parts)
    assert met(step.expect(), seen.properties), seen.properties
    assert seen.vantage == "as stated by a person"
    assert seen.context["findings"]


@pytest.mark.parametrize(("step", "parts", "topic", "word"), BAD)
def test_contradicting_evidence_fails(
    step: SapAttestation, parts: tuple[str, ...], topic: str, word: str
) -> None:
    """The topic is named, with rule, line and fix, whatever was stated."""
    seen = judged(step, *parts)
    assert not met(step.expect(), seen.properties)
    assert word in str(seen.properties[topic])
    assert str(seen.properties[topic]).startswith("fail ")


@pytest.mark.parametrize(("step", "parts", "topic"), LITTLE)
def test_too_little_evidence_waits(
    step: SapAttestation, parts: tuple[str, ...], topic: str
) -> None:
    """What shows nothing is no failure and no pass; it says what is missing."""
    with pytest.raises(Waits, match=topic) as waiting:
        judged(step, *parts)
    assert waiting.value.remedy
    assert waiting.value.remedy_id == step.id


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_an_empty_text_waits(step: SapAttestation) -> None:
    """A tick without evidence is never a pass."""
    with pytest.raises(Waits):
        judged(step, "")


def test_every_attestation_has_all_three_kinds_of_evidence() -> None:
    """No step is left out of the lists above."""
    assert {step.id for step, *_ in GOOD} == set(STEPS)
    assert {step.id for step, *_ in BAD} == set(STEPS)
    assert {step.id for step, *_ in LITTLE} == set(STEPS)


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_products_without_such_a_transaction(step: SapAttestation) -> None:
    """In the Public Edition SAP configures; there is nothing to attest."""
    replace(step).applicable()
    with pytest.raises(NothingToDo) as skipped:
        replace(step, product="s4-public").applicable()
    assert skipped.value.reason == "not_applicable"


def test_a_secret_needs_no_certificate() -> None:
    """Nothing is exported where SAP signs in with a client secret."""
    with pytest.raises(NothingToDo):
        replace(CERTIFICATE, credential="secret").applicable()


def test_attached_texts_are_read(tmp_path: Path) -> None:
    """A profile file has no suffix; a screenshot beside it is kept and not read."""
    profile, services = tmp_path / "S4D_D00_s4dapp01", tmp_path / "smicm.txt"
    profile.write_text(sample("A1"), "utf-8")
    services.write_text(sample("D1"), "utf-16")
    picture = tmp_path / "screen.png"
    picture.write_bytes(b"\x89PNG\x00")
    given = evidence("see files", files=(profile, services, picture))
    assert met(ICM.expect(), ICM.validate(session(), given).properties)


def test_every_application_server_is_covered() -> None:
    """The send job may run on each of them."""
    step = replace(ICM, app_servers="s4dapp01, s4dapp02")
    one = (sample("A1"), part("SMICM", sample("D1")))
    with pytest.raises(Waits, match="s4dapp02"):
        judged(step, *one)
    other = part("SMICM", sample("D1").replace("s4dapp01", "s4dapp02"))
    assert met(step.expect(), judged(step, *one, other).properties)


def test_an_export_is_read_as_bytes(tmp_path: Path) -> None:
    """A binary export is a certificate like any other; its thumbprint is Entra's."""
    path = tmp_path / "jwt.cer"
    path.write_bytes(certificates.der(certificates.certificate()))
    seen = CERTIFICATE.validate(session(), evidence("exported", files=(path,)))
    assert met(CERTIFICATE.expect(), seen.properties)
    assert len(str(seen.properties["customKeyIdentifier"])) == 40


def test_handed_over_is_not_delivered() -> None:
    """A green row in SOST comes with the advice to look further."""
    assert judged(MAIL, ours("G1")).advice == HANDED_OVER


def test_without_a_time_zone_nothing_is_judged() -> None:
    """Where the tenant file does not name it, the step waits for it."""
    with pytest.raises(Waits, match="sap_time_zone"):
        MAIL.validate(session(zone=""), evidence(ours("G1")))


@pytest.mark.parametrize(
    ("zone", "rule"),
    [("Europe/Berlin", None), ("Asia/Tokyo", "OUTSIDE_"), ("UTC", "OUTSIDE_")],
)
def test_times_are_read_in_the_time_zone_of_the_system(
    zone: str, rule: str | None
) -> None:
    """18:31 in Berlin is within the run, in Tokyo before it, in UTC after it."""
    seen = MAIL.validate(session(zone), evidence(ours("G1")))
    shown = str(seen.properties["SOST"])
    assert (shown == "pass") is (rule is None)
    assert (rule or "pass") in shown


def test_a_run_named_by_a_person_has_no_known_beginning() -> None:
    """Then an early row is not refused; the marker still tells it from others."""
    step = replace(MAIL, completes="Runbook test")
    early = sample("G1").replace("23.11.2026", "01.11.2026")
    assert met(step.expect(), judged(step, early).properties)


TRACE = "[Thr 140112] {time}\n" + sample("H1")


@pytest.mark.parametrize(
    ("time", "rule"),
    [
        ("Mon Nov 23 18:20:11:123 2026", "PEER_UNTRUSTED"),
        ("Sun Nov 22 18:55:00 2026", "PEER_UNTRUSTED"),
        ("Sun Nov 22 18:45:00 2026", "OLD_ERROR"),
        ("Mon Nov  2 18:20:11 2026", "OLD_ERROR"),
    ],
)
def test_an_old_error_of_the_trace_is_not_todays(time: str, rule: str) -> None:
    """The person looked at 18:50 in Berlin; a day before that is too old."""
    given = (samples.TELNET_GOOD, part("dev_icm", TRACE.format(time=time)))
    if rule == "OLD_ERROR":
        with pytest.raises(Waits, match="more than a day before"):
            judged(NETWORK, *given)
    else:
        assert rule in str(judged(NETWORK, *given).properties["dev_icm"])


def test_a_trace_with_times_needs_the_time_zone() -> None:
    """One without times is judged as it is."""
    dated = TRACE.format(time="Mon Nov 23 18:20:11 2026")
    given = evidence(samples.TELNET_GOOD, part("dev_icm", dated))
    with pytest.raises(Waits, match="sap_time_zone"):
        NETWORK.validate(session(zone=""), given)
    plain = evidence(samples.TELNET_GOOD, part("dev_icm", sample("H1")))
    seen = NETWORK.validate(session(zone=""), plain)
    assert "PEER_UNTRUSTED" in str(seen.properties["dev_icm"])


def test_a_later_run_takes_in_late_evidence() -> None:
    """The marker may be that of the run which asked for the message."""
    step = replace(MAIL, completes="Runbook test")
    assert met(step.expect(), judged(step, sample("G1")).properties)


def test_people_are_masked_and_the_verdict_stays() -> None:
    """Users of the list are masked before it is stored; our recipient is not."""
    stored = MAIL.redact(session(), ours("G1"))
    assert "SAPMAIL" not in stored
    assert "ops@example.com" in stored


def test_a_sender_that_nobody_declared_is_an_advice() -> None:
    """The row passes; the address may still be refused another day."""
    row = ours("G1").replace("SAPMAIL", "fi@contoso.com")
    seen = judged(MAIL, row)
    assert met(MAIL.expect(), seen.properties)
    assert "@contoso.com is none that the tenant file names" in str(seen.advice)
    own = judged(MAIL, ours("G1").replace("SAPMAIL", MAILBOX))
    assert own.advice == HANDED_OVER
