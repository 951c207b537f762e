"""Artifacts that cannot be true together."""

from __future__ import annotations

import pytest

from runbook_lib.sap.contradiction import (
    IcmEvidence,
    judge_configuration_name,
    judge_icm,
    judge_screens,
)
from runbook_lib.sap.mail_node import SBCS, SCOT, read_node
from runbook_lib.sap.oauth_client import read_client
from runbook_lib.sap.parameter_list import judge_parameter_list
from runbook_lib.sap.parameter_value import judge_parameter_value
from runbook_lib.sap.profile import judge_profile
from runbook_lib.sap.services import judge_services
from tests.sap import samples
from tests.sap.samples import sample

OTHER_PORT = sample("D1").replace("25000", "2525 ")


def rules(
    profile: str = "", value: str = "", listed: str = "", services: str = ""
) -> list[str]:
    """Return the rules of the contradictions among these artifacts."""
    evidence = IcmEvidence(
        profile=judge_profile(profile) if profile else None,
        value=judge_parameter_value(value) if value else None,
        listed=judge_parameter_list(listed) if listed else None,
        services=judge_services(services) if services else None,
    )
    return [finding.rule for finding in judge_icm(evidence)]


def test_artifacts_that_agree() -> None:
    """Good artifacts of one system give no finding."""
    found = rules(
        profile=sample("A1"),
        value=sample("B2"),
        listed=sample("C1"),
        services=sample("D1"),
    )
    assert found == []


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"profile": "A1", "value": "B3"}, ["PROFILE_NOT_ACTIVE"]),
        ({"profile": "A1", "services": "D4"}, ["PORTS_DIFFER"]),
        ({"value": "B2", "services": "D4"}, ["PORTS_DIFFER"]),
        ({"listed": "C1", "services": "D4"}, ["PORTS_DIFFER"]),
        ({"profile": "A3", "services": "D1"}, ["SERVICE_WITHOUT_PARAMETER"]),
        ({"listed": "C4", "services": "D1"}, ["SERVICE_WITHOUT_PARAMETER"]),
        ({"profile": "A2", "services": "D4"}, []),
        ({"services": "D1"}, []),
    ],
)
def test_icm(texts: dict[str, str], expected: list[str]) -> None:
    """A changed profile with the old service, and ports that differ, are found."""
    assert rules(**{kind: sample(name) for kind, name in texts.items()}) == expected


def test_a_changed_profile_and_an_old_list() -> None:
    """RSPFPAR shows the running instance, and the profile says something else."""
    profile = sample("A1").replace("PORT=25000", "PORT=2525")
    assert rules(profile=profile, listed=sample("C1")) == ["PROFILE_NOT_ACTIVE"]


def test_an_empty_running_value_is_an_old_instance() -> None:
    """The profile has the service, the running instance has nothing."""
    value = sample("B3").replace(
        "PROT=SMTP,PORT=0,TIMEOUT=120,PROCTIMEOUT=120", "PROT=HTTP,PORT=8000"
    )
    assert rules(profile=sample("A1"), value=value) == ["PROFILE_NOT_ACTIVE"]


def test_the_instance_number_is_put_in() -> None:
    """PORT=25$$ of instance 00 is port 2500."""
    profile = sample("A1").replace("PORT=25000", "PORT=25$$")
    services = sample("D1").replace("25000", "2500 ")
    assert rules(profile=profile, services=services) == []
    assert rules(profile=profile, services=OTHER_PORT) == ["PORTS_DIFFER"]


def test_the_value_of_another_index_is_not_compared() -> None:
    """Whoever pastes icm/server_port_0 has not shown a contradiction."""
    value = sample("B2").replace("server_port_1", "server_port_7")
    assert rules(profile=sample("A1"), value=value) == []


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("mail_port", "587", "25"),
        ("mail_host", "smtp.office365.com", "mail.contoso.com"),
        ("client_user", samples.MAILBOX, "other@contoso.com"),
        ("auth_method", "OAuth2", "Basic"),
    ],
)
def test_screens_that_differ(field: str, old: str, new: str) -> None:
    """SBCS_MAIL_CONFIGSMTP was changed, and SCOT still has what it had."""
    sbcs = read_node(samples.SBCS_GOOD, SBCS)
    scot = read_node(samples.SCOT_GOOD.replace(old, new), SCOT)
    (finding,) = judge_screens(sbcs, scot)
    assert finding.rule == "SCREENS_DIFFER"
    assert field in finding.says


def test_screens_that_agree() -> None:
    """Equal screens, or one screen alone, give no finding."""
    sbcs = read_node(samples.SBCS_GOOD, SBCS)
    scot = read_node(samples.SCOT_GOOD, SCOT)
    assert judge_screens(sbcs, scot) == []
    assert judge_screens(sbcs, None) == []


def test_the_configuration_has_one_name() -> None:
    """Mail names the configuration of the OAuth 2.0 client."""
    mail = read_node(samples.SBCS_GOOD, SBCS)
    client = read_client(samples.CLIENT_GOOD)
    assert judge_configuration_name(mail, client) == []
    other = read_client(samples.CLIENT_GOOD.replace("BCS_MAIL_EXO", "BCS_MAIL_OLD"))
    (finding,) = judge_configuration_name(mail, other)
    assert finding.rule == "CONFIGURATION_DIFFERS"
