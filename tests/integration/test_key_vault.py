"""`keyvault:` as source and as sink, against a vault of the sandbox."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook_lib.errors import CannotLook, InputError
from runbook_lib.secret import Mask, Secret
from runbook_lib.session import Session, open_session
from runbook_lib.tenant import Tenant, read_tenant
from tests.sandbox.conftest import Running, start

VALUE = "abC~1.2_3-4567890123456789"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start a sandbox for this module."""
    sandbox = start(tmp_path_factory.mktemp("vault"))
    yield sandbox
    sandbox.stop()


def tenant_with(running: Running, folder: Path, **keys: Any) -> Tenant:
    """Return the sandbox's tenant with these keys of its file replaced."""
    content = yaml.safe_load(Path(running.tenant["tenant_file"]).read_text())
    path = folder / "tenant.yaml"
    path.write_text(yaml.safe_dump(content | keys))
    return read_tenant(path)


def opened(
    tenant: Tenant, folder: Path, environment: Mapping[str, str], traffic: list[Any]
) -> Session:
    """Open a session."""
    return open_session(
        tenant,
        run="20260101T000000Z-test",
        environment=environment,
        traffic=traffic.append,
        mask=Mask(),
        sink_folder=folder,
    )


def identity_of(running: Running) -> dict[str, str]:
    """Return the variables of a host with a managed identity."""
    return {
        "IDENTITY_ENDPOINT": running.ready["identity_endpoint"],
        "IDENTITY_HEADER": running.tenant["identity_header"],
    }


def test_a_sink_takes_and_gives_back(running: Running, tmp_path: Path) -> None:
    """Proven, stored, read, removed, and stored under the same name again."""
    vault, traffic = running.tenant["vault"], list[Any]()
    tenant = tenant_with(running, tmp_path, secret_sink=f"keyvault:{vault}")
    session = opened(tenant, tmp_path, {}, traffic)
    sink = session.sink
    for value in (VALUE, f"{VALUE}-again"):
        sink.prove_writable()
        facts = sink.store("sap-smtp.run-1", Secret(value))
        assert str(facts["path"]).startswith(f"{vault}/secrets/sap-smtp-run-1/")
        assert facts["checked"] == "read back and equal"
        assert sink.holds("sap-smtp.run-1")
        read = sink.read("sap-smtp.run-1")
        assert read is not None
        assert read.reveal() == value
        sink.remove("sap-smtp.run-1")
        sink.remove("sap-smtp.run-1")
        assert not sink.holds("sap-smtp.run-1")
        assert sink.read("sap-smtp.run-1") is None
    session.close()
    assert VALUE not in json.dumps(traffic)
    assert VALUE not in json.dumps(running.log())


def test_the_operators_secret_comes_from_a_vault(
    running: Running, tmp_path: Path
) -> None:
    """Read as the managed identity of the host, then used to sign in."""
    vault, traffic = running.tenant["vault"], list[Any]()
    writer = opened(
        tenant_with(running, tmp_path, secret_sink=f"keyvault:{vault}"),
        tmp_path,
        {},
        traffic,
    )
    writer.sink.store("operator", Secret(running.tenant["operator_client_secret"]))
    writer.close()
    operator = {
        "client_id": running.tenant["operator_client_id"],
        "secret": f"keyvault:{vault}/secrets/operator",
    }
    tenant = tenant_with(running, tmp_path, operator=operator)
    session = opened(tenant, tmp_path, identity_of(running), traffic)
    assert session.operator_token("graph").claims["tid"] == str(tenant.tenant_id)
    session.close()
    text = json.dumps(traffic)
    for secret in (
        running.tenant["operator_client_secret"],
        running.tenant["identity_header"],
    ):
        assert secret not in text


@pytest.mark.parametrize(
    ("environment", "kind", "message"),
    [
        ({}, InputError, "no managed identity"),
        (
            {"IDENTITY_ENDPOINT": "http://a.example/", "IDENTITY_HEADER": "x"},
            InputError,
            "not lead to this machine",
        ),
        (
            {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/", "IDENTITY_HEADER": "x"},
            CannotLook,
            "no answer",
        ),
    ],
)
def test_without_an_identity_no_vault_is_opened(
    running: Running,
    tmp_path: Path,
    environment: dict[str, str],
    kind: type[Exception],
    message: str,
) -> None:
    """The remedy says what else there is; no header leaves the machine."""
    operator = {
        "client_id": running.tenant["operator_client_id"],
        "secret": f"keyvault:{running.tenant['vault']}/secrets/operator",
    }
    tenant = tenant_with(running, tmp_path, operator=operator)
    with pytest.raises(kind, match=message):
        opened(tenant, tmp_path, environment, [])


@pytest.mark.parametrize("status", [400, 200])
def test_an_identity_that_gives_no_token(
    running: Running, tmp_path: Path, status: int
) -> None:
    """A refusal, and an answer that is no token."""

    class Handler(BaseHTTPRequestHandler):
        """Answers with a status and nothing that helps."""

        def do_GET(self) -> None:
            """Answer."""
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}/"
    environment = {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": "right-header"}
    operator = {
        "client_id": running.tenant["operator_client_id"],
        "secret": f"keyvault:{running.tenant['vault']}/secrets/operator",
    }
    tenant = tenant_with(running, tmp_path, operator=operator)
    try:
        with pytest.raises(CannotLook, match="managed identity"):
            opened(tenant, tmp_path, environment, [])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("rest", ["", "/secrets/sap"])
def test_a_reference_of_the_wrong_kind(
    running: Running, tmp_path: Path, rest: str
) -> None:
    """A source names a secret, a sink a vault."""
    vault = f"keyvault:{running.tenant['vault']}"
    client_id = running.tenant["operator_client_id"]
    keys: dict[str, Any] = {"secret_sink": f"{vault}{rest}"}
    if not rest:
        keys = {"operator": {"client_id": client_id, "secret": vault}}
    tenant = tenant_with(running, tmp_path, **keys)
    with pytest.raises(InputError, match=r"names (a vault|one secret)"):
        opened(tenant, tmp_path, identity_of(running), [])
