"""Rows of the SAP start service."""

import pytest

from runbook_lib.sandbox.control_operations import OPERATIONS
from runbook_lib.sandbox.sap_conditions import CONDITIONS
from runbook_lib.sandbox.sapcontrol_methods import METHODS
from runbook_lib.sandbox.seed_sap import ADMINISTRATOR, OBSERVER
from tests.sandbox.rows import Checks
from tests.sandbox.sap_systems import (
    BTP,
    HOST,
    envelope,
    fault_of,
    side_of,
    sign_in,
    soap,
    texts,
    value_of,
)
from tests.sandbox.world import World

CHECKS = Checks("sapcontrol")
SMTP = "icm/server_port_1"


@CHECKS.row("sapcontrol.description")
def check_description(world: World) -> None:
    """Each method stands in it, and the address."""
    answer = world.request("GET", f"{HOST}/?wsdl")
    assert answer.status_code == 200
    assert all(f'<operation name="{name}">' in answer.text for name in METHODS)
    assert f'location="{HOST}/SAPControl.cgi"' in answer.text
    assert world.request("GET", f"{HOST}/").status_code == 404


@CHECKS.row("sapcontrol.unknown-method")
def check_unknown_method(world: World) -> None:
    """Nothing can be stopped, and the log says that somebody tried."""
    text = (
        "Method 'SAPControl:Stop' not implemented:"
        " method name or namespace not recognized"
    )
    assert fault_of(soap(world, "Stop")) == (500, text)
    assert world.logged(host="contoso.sap.example", write=True)


@CHECKS.row("sapcontrol.fault-status")
def check_fault_status(world: World) -> None:
    """A client that only looks at the status sees the refusal too."""
    unknown = soap(world, "ParameterValue", parameter="icm/server-port-1")
    assert unknown.status_code == 500
    assert soap(world, "ABAPGetComponentList", None).status_code == 401


@CHECKS.row("sapcontrol.unknown-parameter")
def check_unknown_parameter(world: World) -> None:
    """The hyphens of the guide are no parameter; nor is a leading zero."""
    for name in ("icm/server-port-1", "icm/server_port_01", "icm/SMTP"):
        answer = soap(world, "ParameterValue", parameter=name)
        assert fault_of(answer) == (500, "Invalid parameter")


@CHECKS.row("sapcontrol.unset-port")
def check_unset_port(world: World) -> None:
    """It is known, though nobody set it."""
    answer = soap(world, "ParameterValue", parameter="icm/server_port_7")
    assert answer.status_code == 200
    assert value_of(world, "icm/server_port_7") == ""


@CHECKS.row("sapcontrol.all-parameters")
def check_all_parameters(world: World) -> None:
    """Each is there with its value."""
    answer = soap(world, "ParameterValue")
    assert answer.status_code == 200
    lines = "".join(texts(answer, "value")).splitlines()
    known = side_of(world).instance.parameters
    assert lines == [f"{name}={known[name]}" for name in sorted(known)]


@CHECKS.row("sapcontrol.protected-methods")
def check_protected_methods(world: World) -> None:
    """The trace needs a user with the right password, a parameter needs none."""
    assert value_of(world, SMTP) == "PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1"
    read = envelope("ReadDeveloperTrace", {"filename": "dev_icm", "size": "0"})
    for auth in (None, (ADMINISTRATOR, "wrong"), ("nobody", "wrong")):
        answer = world.request("POST", f"{HOST}/", content=read, auth=auth)
        assert fault_of(answer) == (401, "Invalid Credentials")
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="S4D_00"'
    signed_in = sign_in(world, ADMINISTRATOR)
    answer = world.request("POST", f"{HOST}/", content=read, auth=signed_in)
    assert texts(answer, "item")


@CHECKS.row("sapcontrol.protected-list")
def check_protected_list(world: World) -> None:
    """ALL protects a parameter too; a minus opens a method."""
    parameters = side_of(world).instance.parameters
    parameters["service/protectedwebmethods"] = "ALL -GetVersionInfo"
    assert soap(world, "ParameterValue", None, parameter=SMTP).status_code == 401
    assert soap(world, "GetVersionInfo", None).status_code == 200
    parameters["service/protectedwebmethods"] = "SDEFAULT -ABAPGetComponentList"
    assert soap(world, "ABAPGetComponentList", None).status_code == 200
    assert soap(world, "ListDeveloperTraces", None).status_code == 401


@CHECKS.row("sapcontrol.permission")
def check_permission(world: World) -> None:
    """A user of the system is not its administrator."""
    refused = soap(world, "ABAPGetComponentList", OBSERVER)
    assert fault_of(refused) == (500, "Permission denied")
    checked = soap(world, "AccessCheck", OBSERVER, function="ReadDeveloperTrace")
    assert fault_of(checked) == (500, "Permission denied")


@CHECKS.row("sapcontrol.stopped-instance")
def check_stopped_instance(world: World) -> None:
    """Parameters can still be read: they are the start service's own."""
    CONDITIONS["stopped"](side_of(world))
    answer = soap(world, "ABAPGetComponentList")
    assert fault_of(answer) == (500, "DpAttachStartService failed")
    assert value_of(world, SMTP).startswith("PROT=SMTP")


@CHECKS.row("sapcontrol.unknown-trace")
def check_unknown_trace(world: World) -> None:
    """No path leads out of the folder of traces."""
    for name in ("dev_nothing", "../../../etc/passwd", ""):
        answer = soap(world, "ReadDeveloperTrace", filename=name, size="0")
        assert fault_of(answer) == (500, "No such file or directory")


@CHECKS.row("sapcontrol.trace-size")
def check_trace_size(world: World) -> None:
    """Beginning and end; a line may be cut."""
    side_of(world).instance.traces["dev_icm"] = ["first", "second", "third"]
    expected = {"0": ["first", "second", "third"], "8": ["first", "se"], "-3": ["ird"]}
    for size, lines in expected.items():
        answer = soap(world, "ReadDeveloperTrace", filename="dev_icm", size=size)
        assert texts(answer, "item") == lines


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_components_and_versions() -> None:
    """What a validator reads: SAP_BASIS and the kernel, as clients name them."""
    with World() as world:
        components = soap(world, "ABAPGetComponentList")
        assert texts(components, "component")[1] == "SAP_BASIS"
        assert texts(components, "release")[0] == "758"
        versions = soap(world, "GetVersionInfo", None)
        assert texts(versions, "VersionInfo")[0].startswith("793, patch 200, ")
        properties = soap(world, "GetInstanceProperties", None)
        assert "S4D" in texts(properties, "value")
        assert texts(soap(world, "ListDeveloperTraces"), "filename") == ["dev_icm"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "Well-formedness violation"),
        ("<a>", "Well-formedness violation"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "Well-formedness violation"),
        ("<a/>", "SOAP version mismatch or invalid SOAP message"),
        (
            envelope("ReadDeveloperTrace", {"filename": "dev_icm", "size": "much"}),
            "Validation constraint violation: data type mismatch",
        ),
    ],
)
def test_what_is_no_call_is_refused(content: str, text: str) -> None:
    """Each is a fault of the client, and none of the server."""
    with World() as world:
        auth = sign_in(world, ADMINISTRATOR)
        answer = world.request("POST", f"{HOST}/", content=content, auth=auth)
        assert fault_of(answer) == (500, text)
        assert "SOAP-ENV:Client" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("PUT", "/", 405), ("POST", "/SAPHostControl", 404)]
)
def test_other_requests_are_refused(method: str, path: str, status: int) -> None:
    """The start service knows two methods of HTTP and one address."""
    with World() as world:
        assert world.request(method, f"{HOST}{path}").status_code == status


def test_an_unknown_system_is_misdirected() -> None:
    """A host name that no tenant has gets 421."""
    with World() as world:
        other = HOST.replace("contoso", "nobody")
        assert world.request("GET", f"{other}/?wsdl").status_code == 421


def test_log_keeps_the_call_and_no_password() -> None:
    """Reading is no write, and the sign-in stays out of the log."""
    with World() as world:
        soap(world, "ReadDeveloperTrace", filename="dev_icm", size="0")
        (entry,) = world.logged(host="contoso.sap.example")
        assert entry["write"] is False
        assert "dev_icm" in entry["body"]
        assert entry["tenant"] == world.tenant.tenant_id
        assert sign_in(world, ADMINISTRATOR)[1] not in world.log_file.getvalue()


@pytest.mark.parametrize(
    ("condition", "seen"),
    [
        ("smtp-parameter-missing", ""),
        ("inbound-tls-off", "PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=0"),
    ],
)
def test_condition_of_a_parameter(condition: str, seen: str) -> None:
    """It shows as the mistake would; `right` takes it back."""
    with World() as world:
        operate = OPERATIONS["set_sap_condition"]
        operate(world.sandbox, world.tenant, condition=condition)
        assert value_of(world, SMTP) == seen
        operate(world.sandbox, world.tenant, condition="right")
        assert value_of(world, SMTP).endswith("TLS=1")


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ("untrusted-peer", "SSSLERR_PEER_CERT_UNTRUSTED (-102)"),
        ("unknown-host", "NIEHOST_UNKNOWN"),
        ("connection-refused", "NIECONN_REFUSED"),
    ],
)
def test_condition_of_the_trace(condition: str, part: str) -> None:
    """The lines come after those that were there."""
    with World() as world:
        OPERATIONS["set_sap_condition"](
            world.sandbox, world.tenant, condition=condition
        )
        read = soap(world, "ReadDeveloperTrace", filename="dev_icm", size="0")
        lines = texts(read, "item")
        assert "LISTEN" in lines[1]
        assert part in "\n".join(lines[2:])


def test_other_conditions_of_an_instance() -> None:
    """Release, component and start of ICM."""
    with World() as world:
        side = side_of(world)
        CONDITIONS["icm-not-started"](side)
        assert value_of(world, "rdisp/start_icman") == "false"
        CONDITIONS["old-release"](side)
        components = soap(world, "ABAPGetComponentList")
        assert texts(components, "release") == ["740"]
        CONDITIONS["no-basis-component"](side)
        components = soap(world, "ABAPGetComponentList")
        assert texts(components, "component")[1:] == ["S4CORE"]


def test_operations_on_parameter_and_trace() -> None:
    """A test may set what no condition names."""
    with World() as world:
        change = (world.sandbox, world.tenant)
        OPERATIONS["set_sap_parameter"](*change, name="x/y", value="1")
        assert value_of(world, "x/y") == "1"
        OPERATIONS["set_sap_trace"](*change, lines=["one & two"])
        read = soap(world, "ReadDeveloperTrace", filename="dev_icm", size="0")
        assert texts(read, "item") == ["one & two"]


@pytest.mark.parametrize("service", ["sapcontrol", "communication"])
def test_faults_of_sap_hosts(service: str) -> None:
    """The first request is refused without an envelope, the second is answered."""
    with World(faults=f"503@{service}=1") as world:
        address = HOST if service == "sapcontrol" else BTP
        first, second = (world.request("GET", f"{address}/?wsdl") for _ in range(2))
        assert (first.status_code, first.headers["Retry-After"]) == (503, "1")
        assert second.status_code != 503
