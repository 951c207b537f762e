"""The start service's client: what it asks, reads, refuses, and keeps secret."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook_lib.clients.basic_sign_in import BasicSignIn
from runbook_lib.clients.sapcontrol import READING, Component, FileVersion, SapControl
from runbook_lib.errors import (
    CannotLook,
    NotPermitted,
    ServiceRefused,
    UnknownReply,
)
from runbook_lib.secret import Mask, Secret
from tests.clients.conftest import Opened
from tests.clients.sapcontrol_replies import (
    PARAMETERS,
    StartService,
    answered,
    enveloped,
    faulted,
)

URL = "https://s4dapp01.contoso.com:50014"
PASSWORD = "Very-Secret-7~passphrase"
BASIC = "Basic " + base64.b64encode(f"s4dadm:{PASSWORD}".encode()).decode()


@pytest.fixture
def service() -> StartService:
    """Return a start service."""
    return StartService(authorization=BASIC)


@pytest.fixture
def anonymous(open_client: Opened, service: StartService) -> SapControl:
    """Return a client without a credential."""
    return SapControl(open_client(service), URL)


@pytest.fixture
def signing(open_client: Opened, service: StartService, mask: Mask) -> SapControl:
    """Return a client with a credential."""
    sign_in = BasicSignIn("s4dadm", lambda: Secret(PASSWORD), mask)
    return SapControl(open_client(service), URL, sign_in)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("icm/server_port_1", PARAMETERS["icm/server_port_1"]),
        ("icm/server_port_7", None),
        ("icm/server-port-1", None),
    ],
)
def test_parameter(anonymous: SapControl, name: str, value: str | None) -> None:
    """A parameter that the instance does not know is None, not an error."""
    assert anonymous.parameter_value(name) == value


@pytest.mark.parametrize("value", ["", "NOT_EXIST", " \n "])
def test_parameter_that_is_not_set(
    anonymous: SapControl, service: StartService, value: str
) -> None:
    """However the service says so."""
    service.parameters["icm/server_port_5"] = value
    assert anonymous.parameter_value("icm/server_port_5") is None


def test_names_are_escaped(anonymous: SapControl, service: StartService) -> None:
    """What stands in a name is text, and no element."""
    service.parameters["a&lt;b&amp;c"] = "x < y & z"
    assert anonymous.parameter_value("a<b&c") == "x < y & z"


def test_components_and_versions(anonymous: SapControl) -> None:
    """Each with the fields that the interface has."""
    assert anonymous.components()[1] == Component("SAP_BASIS", "758", "0002")
    (version,) = anonymous.versions()
    file = "/usr/sap/S4D/D00/exe/disp+work"
    assert version == FileVersion(file, "793, patch 300, linuxx86_64")


def test_a_protected_method_gets_the_credential_then(
    signing: SapControl, service: StartService
) -> None:
    """What is not protected is read without it, and is never sent one."""
    service.protected = frozenset({"ReadDeveloperTrace"})
    service.trace = ["one", "two"]
    signing.parameter_value("SAPSYSTEM")
    assert signing.developer_trace("dev_icm", str.upper) == "ONE\nTWO"
    assert signing.developer_trace("dev_icm", str) == "one\ntwo"
    assert service.asked == [
        ("ParameterValue", None),
        ("ReadDeveloperTrace", None),
        ("ReadDeveloperTrace", BASIC),
        ("ReadDeveloperTrace", BASIC),
    ]


def test_a_protected_method_without_a_credential(
    anonymous: SapControl, service: StartService
) -> None:
    """Names the keys of the tenant file, and the other way."""
    service.protected = frozenset({"ABAPGetComponentList"})
    with pytest.raises(NotPermitted) as caught:
        anonymous.components()
    assert "sap.sapcontrol.user" in str(caught.value.remedy)
    assert "hand in" in str(caught.value.remedy)


def test_a_wrong_password_is_sent_once(
    signing: SapControl, service: StartService
) -> None:
    """The system would lock the user."""
    service.protected = READING
    service.authorization = "Basic other"
    for call in (signing.components, signing.versions, signing.components):
        with pytest.raises(NotPermitted, match="s4dadm"):
            call()
    assert [sent for _, sent in service.asked].count(BASIC) == 1


@pytest.mark.parametrize("sentence", ["Permission denied", "Invalid Credentials"])
def test_a_denial_by_fault(
    signing: SapControl, service: StartService, sentence: str
) -> None:
    """It is one, whatever its status."""
    service.instead = lambda method: faulted(sentence)
    with pytest.raises(NotPermitted, match=sentence):
        signing.components()


def test_a_fault_is_an_answer(
    anonymous: SapControl, service: StartService, waits: list[float]
) -> None:
    """SOAP says it by 500; it is not repeated, and its sentence is the code."""
    service.instead = lambda method: faulted("DpAttachStartService failed")
    with pytest.raises(ServiceRefused) as caught:
        anonymous.components()
    assert caught.value.code == "DpAttachStartService failed"
    assert caught.value.facts["status"] == 500
    assert len(service.asked) == 1
    assert waits == []


def test_unavailable_is_repeated(
    anonymous: SapControl, service: StartService, waits: list[float]
) -> None:
    """503 is no answer of SOAP, and reading may be repeated."""
    service.instead = lambda method: httpx.Response(503)
    with pytest.raises(CannotLook):
        anonymous.components()
    assert len(service.asked) == 4
    assert len(waits) == 3


SMUGGLED = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-16")
UNKNOWN_CODE = b"<?xml version='1.0' encoding='foo'?>"
DOCTYPE = b'<!DOCTYPE a [<!ENTITY b "c">]>'


@pytest.mark.parametrize(
    "reply",
    [
        lambda: httpx.Response(200, content=b"<html>proxy</html>"),
        lambda: httpx.Response(200, content=b"not XML"),
        lambda: httpx.Response(200, content=DOCTYPE + enveloped("<a/>")),
        lambda: httpx.Response(200, content=SMUGGLED),
        lambda: httpx.Response(200, content=UNKNOWN_CODE + b"<a/>"),
        lambda: httpx.Response(200, content=enveloped("")),
        lambda: answered("GetVersionInfo", ""),
        lambda: httpx.Response(302, headers={"Location": "https://fabrikam.com/"}),
    ],
)
def test_what_no_source_describes(
    anonymous: SapControl,
    service: StartService,
    reply: Callable[[], httpx.Response],
) -> None:
    """Is an unknown reply, never an empty list."""
    service.instead = lambda method: reply()
    with pytest.raises(UnknownReply):
        anonymous.components()


PIECES = st.sampled_from(
    [
        *("<a>", "</a>", "<item>", "</item>", "<component>", "</component>", "&amp;"),
        *("<lines>", "</lines>", "<faultstring>x</faultstring>", "&x;", "<!--", "\0"),
    ]
)


@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    inner=st.lists(PIECES | st.text(max_size=5), max_size=8).map("".join),
    status=st.sampled_from([200, 401, 404, 500]),
)
def test_whatever_it_answers_is_ours(
    anonymous: SapControl, service: StartService, inner: str, status: int
) -> None:
    """A list, or an error with a sentence: never a stack trace."""
    body = enveloped(inner.encode(errors="replace").decode())
    service.instead = lambda method: httpx.Response(status, content=body)
    for read in (anonymous.components, anonymous.versions):
        with suppress(CannotLook):
            assert isinstance(read(), tuple)


def test_only_what_reads_is_called(anonymous: SapControl) -> None:
    """The same service stops the instance."""
    with pytest.raises(AssertionError):
        anonymous._call("Stop")


def test_no_secret_is_recorded(
    signing: SapControl,
    service: StartService,
    traffic: list[Mapping[str, object]],
    mask: Mask,
) -> None:
    """Neither the password in any form, nor what the trace discloses."""
    service.protected = READING
    service.trace = ["AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q="]
    trace = signing.developer_trace("dev_icm", lambda t: t.replace("dGVzdA", "•••"))
    assert "dGVzdA" not in trace
    recorded = str(traffic)
    for secret in (PASSWORD, BASIC.removeprefix("Basic "), "dGVzdA"):
        assert secret not in recorded
    assert mask.text(f"x {PASSWORD} {BASIC}") == "x ••• Basic •••"
    assert {exchange["write"] for exchange in traffic} == {False}
