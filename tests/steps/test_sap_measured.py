"""Steps about SAP with a start service or a BTP environment that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from runbook_lib.clients.basic_sign_in import BasicSignIn
from runbook_lib.clients.btp_communication import BtpCommunication
from runbook_lib.clients.http import Wire, open_http
from runbook_lib.clients.sapcontrol import SapControl
from runbook_lib.engine.expect import met
from runbook_lib.engine.step import (
    Attestation,
    Evidence,
    NotAsExpected,
    Observation,
    Waits,
)
from runbook_lib.errors import NotPermitted
from runbook_lib.secret import Mask, Secret
from runbook_lib.session import Session
from runbook_lib.steps.sap_notes import STATE, SapNotesImplemented
from runbook_lib.steps.sap_release import SapReleaseSupportsCredential
from tests.clients.communication_replies import CA, CS, Environment
from tests.clients.sapcontrol_replies import StartService
from tests.sap.samples import (
    APPLICATION,
    ARRANGEMENT_GOOD,
    HOST,
    MAILBOX,
    NOTE_GOOD,
    SCOPE,
    TELNET_GOOD,
    TENANT,
    sample,
)
from tests.steps import test_sap_attestations as attestations
from tests.steps.test_sap_attestations import BTP, ICM, NETWORK, part

START = "https://s4dapp01.contoso.com:50014"
BTP_URL = "https://1111-2222.abap.eu10.hana.ondemand.com"
SMICM = part("SMICM", sample("D1"))
NOTE = SapNotesImplemented()

Asked = Callable[[httpx.Request], httpx.Response]


class System:
    """A SAP system that can be asked, and the session that asks it."""

    def __init__(self) -> None:
        """Be set up as the guide says."""
        self.start = StartService()
        self.btp = Environment(authorization="Basic UlVOQk9PSzpwYXNzcGhyYXNl")
        self._set_up_btp()
        self.clients: list[httpx.Client] = []

    def _set_up_btp(self) -> None:
        entities = self.btp.entities
        (system,) = entities[CS, "CommunicationSystems"]
        endpoint = f"login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
        system["OAuth2TokenEndpoint"] = endpoint
        entities[CS, "OutboundUsers"][0]["OAuth2ClientID"] = APPLICATION
        entities[CA, "PropertyValues"][0]["Value"] = MAILBOX

    def _http(self, answer: Asked) -> httpx.Client:
        transport = httpx.MockTransport(answer)
        quiet: Callable[[object], None] = lambda exchange: None  # noqa: E731
        client = open_http(
            Wire(), quiet, Mask(), sleep=lambda s: None, transport=transport
        )
        self.clients.append(client)
        return client

    def session(self, url: str = START, *, signs_in: bool = True) -> Session:
        """Return a session with both services."""
        sign_in = BasicSignIn("RUNBOOK", lambda: Secret("passphrase"), Mask())
        known = attestations.session()
        service = SapControl(self._http(self.start), url, sign_in if signs_in else None)
        btp = BtpCommunication(self._http(self.btp), BTP_URL, sign_in)
        fields: dict[str, Any] = {**vars(known), "sapcontrol": service, "btp": btp}
        return cast("Session", SimpleNamespace(**fields))


@pytest.fixture
def system() -> Iterator[System]:
    """Return a SAP system."""
    made = System()
    yield made
    for client in made.clients:
        client.close()


def seen(step: Attestation, session: Session, *parts: str) -> Observation:
    """Return what a step says of what is measured and handed in."""
    measured = step.measure(session)
    handed_in = Evidence("", "", "", "", measured=measured)
    if parts:
        text = step.redact(session, "\n".join(parts))
        handed_in = Evidence("A. Basis", "today", "CHG1", text, measured=measured)
    return step.validate(session, handed_in)


def test_the_parameter_is_measured_and_smicm_handed_in(system: System) -> None:
    """Both count, and the step says which is which."""
    found = seen(ICM, system.session(), SMICM)
    assert met(ICM.expect(), found.properties), found.properties
    assert found.vantage == (
        f"this computer, by sapcontrol ({START}); the rest as stated by a person"
    )
    assert found.service == "sapcontrol"
    assert "sapcontrol ParameterValue, line" in str(found.context["findings"])


def test_the_parameter_alone_is_not_enough(system: System) -> None:
    """The service of ICM is shown by SMICM only."""
    with pytest.raises(Waits, match="SMICM"):
        seen(ICM, system.session())


def test_without_an_smtp_service_more_indexes_are_asked_for(system: System) -> None:
    """Newer releases have no limit; what is not there has a finding."""
    service = system.start.parameters.pop("icm/server_port_1")
    system.start.parameters["icm/server_port_12"] = service
    found = seen(ICM, system.session(), SMICM)
    assert met(ICM.expect(), found.properties), found.properties
    del system.start.parameters["icm/server_port_12"]
    found = seen(ICM, system.session(), SMICM)
    assert "SMTP_SERVICE_ABSENT" in str(found.properties["ICM parameter"])
    assert "SERVICE_WITHOUT_PARAMETER" in str(found.properties["agreement"])


@pytest.mark.parametrize(
    ("handed_in", "rule"),
    [
        (sample("B1").replace("25000", "25001"), "MEASURED_DIFFERS"),
        (sample("B2").replace("PORT=25000", "PORT=25001"), "MEASURED_DIFFERS"),
        (sample("C1").replace("TLS=1", "TLS=2"), "MEASURED_DIFFERS"),
        (sample("A1").replace("25000", "25001"), "PROFILE_NOT_ACTIVE"),
        (sample("A2"), "PROFILE_NOT_ACTIVE"),
    ],
)
def test_who_hands_in_something_else_is_contradicted(
    system: System, handed_in: str, rule: str
) -> None:
    """The running instance decides."""
    found = seen(ICM, system.session(), handed_in, SMICM)
    assert rule in str(found.properties["agreement"])


@pytest.mark.parametrize("handed_in", ["A1", "B1", "B2", "C1"])
def test_who_hands_in_the_same_agrees(system: System, handed_in: str) -> None:
    """The order of options, and the instance number in a port, do not matter."""
    value = system.start.parameters["icm/server_port_1"]
    options = ", ".join(reversed(value.split(",")))
    system.start.parameters["icm/server_port_1"] = options
    found = seen(ICM, system.session(), sample(handed_in), SMICM)
    assert met(ICM.expect(), found.properties), found.properties


def test_another_port_in_smicm_is_found(system: System) -> None:
    """Measured parameter against the list that was handed in."""
    port = system.start.parameters["icm/server_port_1"].replace("25000", "25001")
    system.start.parameters["icm/server_port_1"] = port
    found = seen(ICM, system.session(), SMICM)
    assert "PORTS_DIFFER" in str(found.properties["agreement"])


def test_a_service_that_refuses_leaves_what_was_handed_in(system: System) -> None:
    """It is judged, and the step says why nothing was measured."""
    system.start.instead = lambda method: httpx.Response(403)
    found = seen(ICM, system.session(), sample("A1"), SMICM)
    assert met(ICM.expect(), found.properties), found.properties
    assert found.vantage == "as stated by a person"
    assert "Judged by what was handed in alone" in str(found.advice)
    measured = ICM.measure(system.session())
    assert measured is not None
    assert isinstance(measured.problem, NotPermitted)


def test_without_tls_there_is_advice(system: System) -> None:
    """It works, and is worth less."""
    session = system.session("http://s4dapp01.contoso.com:50013", signs_in=False)
    found = seen(ICM, session, SMICM)
    assert met(ICM.expect(), found.properties)
    assert "without TLS" in str(found.advice)


def test_errors_of_a_measured_trace_are_advice(system: System) -> None:
    """They may be old; one that a person saved fails the step."""
    system.start.trace = sample("H1").splitlines()
    found = seen(NETWORK, system.session(), TELNET_GOOD)
    assert met(NETWORK.expect(), found.properties), found.properties
    assert "from whenever: SAP does not trust" in str(found.advice)
    assert (found.vantage, found.service) == ("as stated by a person", None)
    with pytest.raises(Waits):
        seen(NETWORK, system.session())


def test_a_trace_is_not_asked_for_without_a_credential(system: System) -> None:
    """It is protected everywhere."""
    assert NETWORK.measure(system.session(signs_in=False)) is None
    assert system.start.asked == []


def test_the_trace_is_masked(system: System) -> None:
    """Tokens and people do not get into the record."""
    system.start.trace = ["[Thr 1] AUTH PLAIN dGVzdAB0ZXN0", "j.doe@fabrikam.com"]
    measured = NETWORK.measure(system.session())
    assert measured is not None
    (text,) = measured.texts.values()
    assert "dGVzdAB0ZXN0" not in text
    assert "j.doe" not in text


RELEASE = SapReleaseSupportsCredential("s4-onprem", "758", "secret")


def test_the_release_is_measured(system: System) -> None:
    """With the kernel beside it."""
    found = RELEASE.observe(system.session())
    assert found.properties == {"SAP_BASIS": 758}
    assert found.vantage == f"this computer, by sapcontrol ({START})"
    assert found.service == "sapcontrol"
    assert found.context["kernel"] == "793, patch 300, linuxx86_64"


@pytest.mark.parametrize(
    ("components", "shows"),
    [([("SAP_BASIS", "750", "0027")], "SAP_BASIS 750"), ([], "no SAP_BASIS")],
)
def test_another_release_than_declared(
    system: System, components: list[tuple[str, str, str]], shows: str
) -> None:
    """The parameter is wrong, or the tenant file names another system."""
    system.start.components = components
    with pytest.raises(NotAsExpected, match=shows):
        RELEASE.observe(system.session())


def test_an_unreachable_service_leaves_the_declared_release(system: System) -> None:
    """The step says that nothing was measured."""
    system.start.instead = lambda method: httpx.Response(403)
    found = RELEASE.observe(system.session())
    assert found.vantage == "as declared in the parameters"
    assert "Not measured" in str(found.advice)


PACKAGED = "3581654 is contained in SAPK-75803INSAPBASIS"


@pytest.mark.parametrize(
    ("release", "level", "good"),
    [
        ("758", "0003", True),
        ("758", "0012", True),
        ("758", "0002", False),
        ("757", "0009", False),
        ("816", "0000", True),
    ],
)
def test_a_support_package_has_to_be_in_the_system(
    system: System, release: str, level: str, good: bool
) -> None:
    """What a person says of it is compared; a newer release tells nothing."""
    system.start.components = [("SAP_BASIS", release, level)]
    found = seen(NOTE, system.session(), PACKAGED)
    assert met(NOTE.expect(), found.properties) is good, found.properties
    assert (
        found.context["system"] == f"SAP_BASIS {release}, support package {level[2:]}"
    )


def test_the_state_of_a_note_is_a_person_s_word(system: System) -> None:
    """No interface shows it."""
    with pytest.raises(Waits, match="no interface"):
        seen(NOTE, system.session())
    found = seen(NOTE, system.session(), NOTE_GOOD)
    assert found.properties[STATE] == "completely implemented"
    assert (found.vantage, found.service) == ("as stated by a person", None)


def test_an_arrangement_is_measured(system: System) -> None:
    """Nobody has to type the form."""
    found = seen(BTP, system.session())
    assert met(BTP.expect(), found.properties), found.properties
    assert found.vantage == f"this computer, by OData (SAP_COM_0A48) ({BTP_URL})"
    assert found.service == "OData (SAP_COM_0A48)"
    assert found.advice is None


def test_gaps_are_filled_by_the_form(system: System) -> None:
    """No source names the property of the OAuth user."""
    system.btp.entities[CA, "PropertyValues"][0]["Name"] = "XYZ"
    with pytest.raises(Waits, match="oauth_user"):
        seen(BTP, system.session())
    found = seen(BTP, system.session(), f"oauth_user: {MAILBOX}")
    assert met(BTP.expect(), found.properties), found.properties


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        (HOST, "smtp.contoso.com", "ARRANGEMENT_DIFFERS"),
        (APPLICATION, TENANT, "ARRANGEMENT_DIFFERS"),
        ("cloud_connector: off", "cloud_connector: on", "ARRANGEMENT_DIFFERS"),
        (SCOPE, "https://graph.microsoft.com/.default", "ARRANGEMENT_DIFFERS"),
    ],
)
def test_a_form_of_another_arrangement(
    system: System, right: str, wrong: str, rule: str
) -> None:
    """What the environment shows is good; the form is not of it."""
    found = seen(BTP, system.session(), ARRANGEMENT_GOOD.replace(right, wrong))
    assert rule in str(found.properties["SAP_COM_0548"])


@pytest.mark.parametrize(
    ("entities", "name", "value", "rule"),
    [
        ("CommunicationSystems", "HostName", "smtp.contoso.com", "SYSTEM_OTHER"),
        ("CommunicationSystems", "TCPPort", 25, "SYSTEM_OTHER"),
        ("CommunicationSystems", "SAPCloudConnectorActive", True, "CLOUD_CONNECTOR"),
        ("OutboundUsers", "AuthenticationMethod", "basic", "METHOD_OTHER"),
        ("OutboundUsers", "OAuth2ClientID", TENANT, "CLIENT_ID_OTHER"),
    ],
)
def test_a_wrong_arrangement_fails(
    system: System, entities: str, name: str, value: object, rule: str
) -> None:
    """The same rules as for the form, on what was measured."""
    system.btp.entities[CS, entities][0][name] = value
    found = seen(BTP, system.session())
    assert rule in str(found.properties["SAP_COM_0548"])
    assert "communication management by OData, line" in str(found.context["findings"])


def test_the_same_form_agrees(system: System) -> None:
    """Words that differ for the same thing are no contradiction."""
    form = ARRANGEMENT_GOOD.replace("OAuth 2.0", "OAuth2").replace(
        "SAP_COM_0548", "SAP_COM_0548 (E-Mail Integration)"
    )
    found = seen(BTP, system.session(), form)
    assert met(BTP.expect(), found.properties), found.properties


def test_an_arrangement_that_is_not_there(system: System) -> None:
    """A person has to make it; who says that it is there is contradicted."""
    system.btp.entities[CA, "CommunicationArrangements"].clear()
    with pytest.raises(Waits, match="shows no communication arrangement"):
        seen(BTP, system.session())
    found = seen(BTP, system.session(), ARRANGEMENT_GOOD)
    assert "ARRANGEMENT_ABSENT" in str(found.properties["SAP_COM_0548"])


def test_two_arrangements_are_not_guessed_at(system: System) -> None:
    """Which one is meant, a person says."""
    rows = system.btp.entities[CA, "CommunicationArrangements"]
    rows.append(dict(rows[0]))
    with pytest.raises(Waits, match="shows 2"):
        seen(BTP, system.session(), ARRANGEMENT_GOOD)
