"""The client of communication management: what it asks, and what it cannot see."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import httpx
import pytest

from runbook_lib.clients.basic_sign_in import BasicSignIn
from runbook_lib.clients.btp_communication import (
    NO_USER,
    Arrangement,
    BtpCommunication,
    CommunicationSystem,
    OutboundUser,
)
from runbook_lib.errors import (
    CannotLook,
    NotPermitted,
    ServiceRefused,
    UnknownReply,
)
from runbook_lib.secret import Mask, Secret
from tests.clients.communication_replies import (
    APP,
    CA,
    CS,
    ENDPOINT,
    SCOPE,
    SYSTEM,
    Environment,
)
from tests.clients.communication_replies import USER as USER_ID
from tests.clients.conftest import Opened

URL = "https://1111-2222.abap.eu10.hana.ondemand.com"
PASSWORD = "Very-Secret-7~passphrase"
BASIC = "Basic " + base64.b64encode(f"RUNBOOK:{PASSWORD}".encode()).decode()


@pytest.fixture
def environment() -> Environment:
    """Return an environment that is set up as the guide says."""
    return Environment(authorization=BASIC)


@pytest.fixture
def client(
    open_client: Opened, environment: Environment, mask: Mask
) -> BtpCommunication:
    """Return a client that may read."""
    sign_in = BasicSignIn("RUNBOOK", lambda: Secret(PASSWORD), mask)
    return BtpCommunication(open_client(environment), URL, sign_in)


USER = OutboundUser("oauth2", APP, "jwt", USER_ID)


def test_everything_is_read(client: BtpCommunication) -> None:
    """Arrangement, system, outbound user, scopes and properties."""
    assert client.arrangements() == (
        Arrangement(
            name="EXO_MAIL",
            scenario="SAP_COM_0548",
            system=CommunicationSystem(
                id="EXO_SMTP",
                host="smtp.office365.com",
                port="587",
                token_endpoint=f"{ENDPOINT}/oauth2/v2.0/token",
                cloud_connector=False,
                outbound_users=(USER,),
            ),
            outbound_user=USER,
            scopes=(SCOPE,),
            properties={"OAUTH_USER": "sap@contoso.com"},
        ),
    )


def test_none_is_none(client: BtpCommunication, environment: Environment) -> None:
    """An environment without the arrangement has none."""
    environment.entities[CA, "CommunicationArrangements"] = [
        {"CommunicationScenarioID": "SAP_COM_0008"}
    ]
    assert client.arrangements() == ()


def test_a_filter_that_is_ignored(
    client: BtpCommunication, environment: Environment, open_client: Opened
) -> None:
    """Other scenarios are left out, whatever the service returns."""
    entities = environment.entities[CA, "CommunicationArrangements"]
    other = {**entities[0], "CommunicationScenarioID": "SAP_COM_0008"}
    answer = httpx.Response(200, json={"value": [other]})
    sign_in = BasicSignIn("RUNBOOK", lambda: Secret(PASSWORD), Mask())
    ignoring = BtpCommunication(open_client(lambda request: answer), URL, sign_in)
    assert ignoring.arrangements() == ()


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ((CA, "OutboundUserAuthScopes"), "scopes"),
        ((CA, "PropertyValues"), "properties"),
    ],
)
def test_what_is_not_offered_is_not_shown(
    client: BtpCommunication,
    environment: Environment,
    key: tuple[str, str],
    name: str,
) -> None:
    """A release may lack an entity; the rest is read."""
    del environment.entities[key]
    (arrangement,) = client.arrangements()
    assert getattr(arrangement, name) is None
    assert arrangement.outbound_user == USER


def test_of_several_users_the_arrangement_s(
    client: BtpCommunication, environment: Environment
) -> None:
    """The arrangement names it; without that, none is taken for it."""
    users = environment.entities[CS, "OutboundUsers"]
    other = "0a6cc3a2-5f0b-1fe1-a0b0-000000000009"
    users.append({**users[0], "OAuth2ClientID": "other", "UUID": other})
    assert client.arrangements()[0].outbound_user == USER
    named = environment.entities[CA, "OutboundUsers"]
    named[0] = {**named[0], "CommunicationSystemOutboundUserUUID": None}
    named[0]["OAuth2ClientID"] = "other"
    found = client.arrangements()[0].outbound_user
    assert found is not None
    assert found.client_id == "other"
    del environment.entities[CA, "OutboundUsers"]
    assert client.arrangements()[0].outbound_user is None


def test_of_a_single_user_it_is_taken(
    client: BtpCommunication, environment: Environment
) -> None:
    """Where a release does not say which one an arrangement has."""
    del environment.entities[CA, "OutboundUsers"]
    assert client.arrangements()[0].outbound_user == USER


def test_an_arrangement_without_a_user(
    client: BtpCommunication, environment: Environment
) -> None:
    """The system's user is not the arrangement's."""
    environment.entities[CA, "OutboundUsers"] = []
    assert client.arrangements()[0].outbound_user == NO_USER


def test_pages_are_followed(client: BtpCommunication, environment: Environment) -> None:
    """To the last one."""
    environment.page = 1
    users = environment.entities[CS, "OutboundUsers"]
    users += [{**users[0], "OAuth2ClientID": f"other-{n}"} for n in range(4)]
    (arrangement,) = client.arrangements()
    assert arrangement.system is not None
    assert len(arrangement.system.outbound_users or ()) == 5


@pytest.mark.parametrize(
    "link",
    ["https://fabrikam.com/next", "http://1111-2222.abap.eu10.hana.ondemand.com"],
)
def test_the_password_goes_to_no_other_host(open_client: Opened, link: str) -> None:
    """A link that leads elsewhere is an unknown reply."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"value": [], "@odata.nextLink": link})

    sign_in = BasicSignIn("RUNBOOK", lambda: Secret(PASSWORD), Mask())
    with pytest.raises(UnknownReply):
        BtpCommunication(open_client(respond), URL, sign_in).arrangements()
    assert len(asked) == 1


def test_names_are_quoted(client: BtpCommunication, environment: Environment) -> None:
    """An apostrophe in a system's ID ends no literal."""
    environment.entities[CA, "CommunicationArrangements"][0][
        "CommunicationSystemID"
    ] = "X' or ID ne '"
    with pytest.raises(AssertionError, match="filter"):
        client.arrangements()
    assert environment.requests[-1].url.params["$filter"] == "ID eq 'X'' or ID ne '''"


def test_a_wrong_password_is_sent_once(
    client: BtpCommunication, environment: Environment
) -> None:
    """The environment would lock the user; the remedy says what is needed."""
    environment.authorization = "Basic other"
    for _ in range(3):
        with pytest.raises(NotPermitted) as caught:
            client.arrangements()
        assert "SAP_COM_0A48" in str(caught.value.remedy)
    assert len(environment.requests) == 1


def test_without_the_interface(
    client: BtpCommunication, environment: Environment
) -> None:
    """An environment that does not offer it is an error, not an empty list."""
    environment.entities.clear()
    with pytest.raises(ServiceRefused, match="does not offer"):
        client.arrangements()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, text="<html>Logon</html>"), UnknownReply),
        (httpx.Response(302, headers={"Location": "https://a.com"}), ServiceRefused),
        (httpx.Response(500), CannotLook),
        (httpx.Response(403), NotPermitted),
    ],
)
def test_other_answers(
    open_client: Opened, answer: httpx.Response, error: type[Exception]
) -> None:
    """None of them is taken for “there is no arrangement”."""
    sign_in = BasicSignIn("RUNBOOK", lambda: Secret(PASSWORD), Mask())
    client = BtpCommunication(open_client(lambda request: answer), URL, sign_in)
    with pytest.raises(error):
        client.arrangements()


def test_what_is_recorded(
    client: BtpCommunication, traffic: list[Mapping[str, object]]
) -> None:
    """Reads only; neither the password nor who changed what."""
    client.arrangements()
    assert {exchange["write"] for exchange in traffic} == {False}
    recorded = str(traffic)
    for secret in (PASSWORD, BASIC.removeprefix("Basic "), "CB9980000042"):
        assert secret not in recorded
    assert SYSTEM in recorded
