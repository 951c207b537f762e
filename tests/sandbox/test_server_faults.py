"""Faults on request: their grammar, their counting, and each of them over HTTP."""

import socket
import ssl
import time
from typing import Any

import httpx
import pytest

from runbook_lib.sandbox.faults import FAULTS, Fault, Faults, parse_fault
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.directory import Directory, claims_of, equals, error_of, problem_of
from tests.sandbox.test_server import client_of
from tests.sandbox.world import World


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("lag=3", Fault("lag", "", 3)),
        ("lag@secret=2s", Fault("lag", "secret", 2, seconds=True)),
        ("429@graph=2", Fault("429", "graph", 2)),
        ("reset-after", Fault("reset-after", "", 1)),
    ],
)
def test_grammar(text: str, fault: Fault) -> None:
    """NAME[@SCOPE]=AMOUNT, with 1 as the usual amount."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flood",
        "lag=x",
        "lag=-1",
        "429=2s",
        "lag@=1",
        "lag=1 ",
        "=3",
        "429@everything=1",
        "dns-servfail@dns=1",
    ],
)
def test_what_is_no_fault(text: str) -> None:
    """An unknown name or a wrong amount is named in the error."""
    with pytest.raises(ValueError, match=r"not NAME|only a lag|the scopes of"):
        parse_fault(text)


def test_every_fault_is_described_and_parsed() -> None:
    """The list that --help prints is the list that is understood."""
    for name, text in FAULTS.items():
        assert parse_fault(name).name == name
        assert text


def test_scope_narrows_a_fault() -> None:
    """A fault with a scope leaves the others alone; without one it holds for all."""
    faults = Faults((parse_fault("429@graph=1"), parse_fault("503=1")))
    assert not faults.take("429", "login")
    assert faults.take("429", "graph")
    assert not faults.take("429", "graph")
    assert faults.take("503", "login")
    assert faults.amount("503", "graph") == 1
    assert faults.amount("429", "login") == 0


def test_take_counts_each_key_alone() -> None:
    """One budget per key where a key is given."""
    faults = Faults((parse_fault("429=1"),))
    taken = [faults.take("429", key=key) for key in ("a", "a", "b")]
    assert taken == [True, False, True]


def test_reached_is_true_once() -> None:
    """The N-th time, and no other."""
    faults = Faults((parse_fault("reset-after=2"),))
    assert [faults.reached("reset-after") for _ in range(4)] == [0, 1, 0, 0]


def test_lag_in_reads_and_in_seconds() -> None:
    """A lag ends after its reads, or after its time."""
    reads = Faults((parse_fault("lag=2"),))
    reads.start_lag("secret", "a")
    assert [reads.lagging("secret", "a") for _ in range(3)] == [1, 1, 0]
    assert not reads.lagging("secret", "b")
    seconds = Faults()
    seconds.add(parse_fault("lag=1s"))
    seconds.start_lag("secret", "a")
    assert seconds.lagging("secret", "a")
    time.sleep(1.05)
    assert not seconds.lagging("secret", "a")


def test_a_client_that_dies_amid_its_request_asked_nothing(
    start_sandbox: StartSandbox,
) -> None:
    """Nothing is done or logged, nothing is printed, and others are served."""
    sandbox = start_sandbox()
    https = httpx.URL(sandbox.ready["https"])
    context = ssl.create_default_context(cafile=sandbox.ready["ca_file"])
    with (
        socket.create_connection((https.host, https.port or 0), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="graph.microsoft.com") as client,
    ):
        head = "POST /v1.0/applications HTTP/1.1\r\nHost: graph.microsoft.com\r\n"
        client.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        time.sleep(0.2)
    with client_of(sandbox) as others:
        assert others.get("https://graph.microsoft.com/v1.0/users").status_code == 401
    assert [entry["method"] for entry in sandbox.log()] == ["CONNECT", "GET"]
    assert sandbox.stop() == (0, b"")


def test_new_application_is_not_seen_at_once() -> None:
    """By id it is 404, by filter the list is empty, for its principal it is 400."""
    with World(faults="lag=2") as world:
        directory = Directory(world)
        made = directory.new_application()
        by_id = [
            directory.send("GET", f"applications/{made['id']}").status_code
            for _ in range(3)
        ]
        query = f"applications?{equals('appId', made['appId'])}"
        found = [len(directory.read(query)["value"]) for _ in range(3)]
        body = {"appId": made["appId"]}
        answers = [directory.send("POST", "servicePrincipals", body) for _ in range(3)]
    assert by_id == [404, 404, 200]
    assert found == [0, 0, 1]
    assert [answer.status_code for answer in answers] == [400, 400, 201]
    details = answers[0].json()["error"]["details"]
    assert details[0]["code"] == "NoBackingApplicationObject"


def test_new_principal_cannot_be_granted_at_once() -> None:
    """The assignment says that the principal is not found."""
    with World(faults="lag@assignment=1") as world:
        directory = Directory(world)
        principal = directory.new_principal(directory.new_application()["appId"])
        answers = [directory.grant(principal["id"]) for _ in range(2)]
    assert error_of(answers[0])[:2] == (404, "Request_ResourceNotFound")
    assert answers[1].status_code == 201


def test_new_secret_and_new_role_lag_behind() -> None:
    """The secret is wrong at first; then a token comes without the role."""
    with World(faults="lag@secret=1 lag@roles=1") as world:
        application = world.application("SMTP.SendAsApp")
        credential = {
            "client_id": application.app_id,
            "client_secret": application.secret,
        }
        directory = Directory(world)
        answers = [directory.sign_in(**credential) for _ in range(3)]
    assert problem_of(answers[0]) == (401, 7000215)
    claims = [claims_of(answer.json()["access_token"]) for answer in answers[1:]]
    assert "roles" not in claims[0]
    assert claims[1]["roles"] == ["SMTP.SendAsApp"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("429", 429, "TooManyRequests"), ("503", 503, "serviceNotAvailable")],
)
def test_graph_is_busy(fault: str, status: int, code: str) -> None:
    """The first N requests are refused in Graph's envelope and do nothing."""
    with World(faults=f"{fault}@graph=2") as world:
        directory = Directory(world)
        before = len(world.tenant.applications)
        body = {"displayName": "x"}
        answers = [directory.send("POST", "applications", body) for _ in range(3)]
        assert len(world.tenant.applications) == before + 1
    assert [answer.status_code for answer in answers] == [status, status, 201]
    assert answers[0].json()["error"]["code"] == code
    assert answers[0].headers["Retry-After"] == "1"


def test_login_is_busy() -> None:
    """The login host says it in its own form."""
    with World(faults="429@login=1 503@login=1") as world:
        directory = Directory(world)
        answers = [directory.sign_in() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 503, 200]
    assert answers[1].json()["error"] == "temporarily_unavailable"


def test_resets_before_and_after_the_effect() -> None:
    """The client sees the same; only the tenant shows the difference."""
    for fault, applications in (("reset-before", 0), ("reset-after", 1)):
        with World(faults=f"{fault}@graph=1") as world:
            directory = Directory(world)
            before = len(world.tenant.applications)
            with pytest.raises(ConnectionResetError):
                directory.new_application()
            assert len(world.tenant.applications) == before + applications
            (line,) = world.logged(method="POST", path="/v1.0/applications")
            assert line["write"] is True
            assert line["status"].startswith("reset")


def _application(client: httpx.Client, sandbox: Any) -> httpx.Response:
    """Create an application through a real connection."""
    tenant = sandbox.tenant
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant["operator_client_id"],
        "client_secret": tenant["operator_client_secret"],
        "scope": "https://graph.microsoft.com/.default",
    }
    login = f"https://login.microsoftonline.com/{tenant['tenant_id']}"
    token = client.post(f"{login}/oauth2/v2.0/token", data=form).json()["access_token"]
    return client.post(
        "https://graph.microsoft.com/v1.0/applications",
        headers={"Authorization": f"Bearer {token}"},
        json={"displayName": "x"},
    )


@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
def test_reset_reaches_the_client_as_one(
    start_sandbox: StartSandbox, fault: str
) -> None:
    """Through the proxy too, the connection breaks without an answer."""
    sandbox = start_sandbox("--fault", f"{fault}=1")
    with client_of(sandbox) as client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            _application(client, sandbox)
        assert _application(client, sandbox).status_code == 201
    assert sandbox.stop() == (0, b"")


def test_half_answer_ends_early(start_sandbox: StartSandbox) -> None:
    """The promised length is not delivered; the effect took place."""
    sandbox = start_sandbox("--fault", "half-answer@graph=1")
    with client_of(sandbox) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            _application(client, sandbox)
        assert _application(client, sandbox).status_code == 201
    created = [line for line in sandbox.log() if line["write"]]
    assert [line["status"] for line in created] == [201, 201]
    assert sandbox.stop() == (0, b"")


def test_a_secret_that_is_said_to_be_expired() -> None:
    """The right secret gets AADSTS7000222 as often as was asked for."""
    with World(faults="secret-expired=2") as world:
        directory = Directory(world)
        codes = [problem_of(directory.sign_in()) for _ in range(2)]
        assert codes == [(401, 7000222)] * 2
        assert directory.sign_in().status_code == 200


def test_a_secret_that_is_forbidden() -> None:
    """Refused as by a policy, and nothing is added."""
    with World(faults="secret-forbidden=1") as world:
        directory = Directory(world)
        path = f"applications/{directory.new_application()['id']}"
        refused = directory.send("POST", f"{path}/addPassword", {})
        assert error_of(refused)[1] == "CredentialTypeNotAllowedAsPerAppPolicy"
        assert directory.read(path)["passwordCredentials"] == []
        assert directory.send("POST", f"{path}/addPassword", {}).status_code == 200
