"""The sandbox as a process: files, ports, TLS, ending."""

import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml

from tests.sandbox.conftest import Running, StartSandbox, start

REAL_HOSTS = [
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "graph.microsoft.com",
    "outlook.office365.com",
    "outlook.office.com",
    "smtp.office365.com",
    "contoso-com.mail.protection.outlook.com",
    "contoso.sap.example",
    "contoso.abap.eu10.hana.ondemand.com",
    "localhost",
]


def client_of(sandbox: Running) -> httpx.Client:
    """Return a client that reaches the cloud's hosts through the proxy."""
    context = ssl.create_default_context(cafile=sandbox.ready["ca_file"])
    return httpx.Client(proxy=sandbox.ready["proxy"], verify=context, trust_env=False)


def test_ready_file_has_the_promised_keys(shared_sandbox: Running) -> None:
    """Everything a client needs stands in the ready file."""
    ready = shared_sandbox.ready
    wanted = {"https", "proxy", "submission", "mx", "dns", "ca_file", "log_file"}
    assert set(ready) == wanted | {
        "cloud",
        "control_token",
        "identity_endpoint",
        "pid",
        "tenants",
        "timestamp_authority",
    }
    assert set(ready["tenants"][0]) == {
        "name",
        "tenant_id",
        "domain",
        "identity_header",
        "mailbox",
        "operator_client_id",
        "operator_client_secret",
        "communication_management",
        "sap_users",
        "sapcontrol",
        "tenant_file",
        "users",
        "vault",
    }
    assert ready["pid"] == shared_sandbox.process.pid


def test_every_file_is_private(shared_sandbox: Running) -> None:
    """Nobody but the owner reads the secrets, and no unfinished file stays."""
    folder = Path(shared_sandbox.ready["ca_file"]).parent
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys(
        [
            "ca.pem",
            "contoso.yaml",
            "log.ndjson",
            "operator-secret-contoso",
            "ready.json",
        ],
        0o600,
    )


def test_tenant_file_names_every_endpoint(shared_sandbox: Running) -> None:
    """The tenant file holds the shape that the runbooks read, and no secret."""
    tenant = shared_sandbox.tenant
    text = Path(tenant["tenant_file"]).read_text()
    content = yaml.safe_load(text)
    assert tenant["operator_client_secret"] not in text
    secret_file = content["operator"]["secret"].removeprefix("file:")
    assert Path(secret_file).read_text() == tenant["operator_client_secret"]
    hosts = [entry.partition(" -> ")[0] for entry in content["connect_to"]]
    assert hosts == [
        "login.microsoftonline.com:443",
        "graph.microsoft.com:443",
        "outlook.office365.com:443",
        "kv-contoso.vault.azure.net:443",
        "contoso.sap.example:50014",
        "contoso.abap.eu10.hana.ondemand.com:443",
        "smtp.office365.com:587",
        "contoso-com.mail.protection.outlook.com:25",
        "dns:53",
    ]
    assert content["target"] == "sandbox"
    assert content["tenant_id"] == tenant["tenant_id"]


def test_every_port_answers(shared_sandbox: Running) -> None:
    """When the ready file is there, all servers listen on loopback."""
    ready = shared_sandbox.ready
    urls = (httpx.URL(ready[name]) for name in ("https", "proxy"))
    ports = [(url.host, url.port) for url in urls]
    ports += [tuple(ready[name].split(":")) for name in ("submission", "mx", "dns")]
    for host, port in ports:
        assert host == "127.0.0.1"
        with socket.create_connection((host, int(str(port))), timeout=5):
            pass


@pytest.mark.parametrize("host", REAL_HOSTS)
def test_certificate_carries_the_real_host_name(
    shared_sandbox: Running, host: str
) -> None:
    """A client that checks names accepts the certificate for each host."""
    context = ssl.create_default_context(cafile=shared_sandbox.ready["ca_file"])
    port = int(shared_sandbox.ready["https"].rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        assert secured.version() in ("TLSv1.2", "TLSv1.3")


def test_old_tls_is_refused(shared_sandbox: Running) -> None:
    """TLS 1.1 gets no handshake: openssl, an independent client, says so."""
    address = shared_sandbox.ready["https"].removeprefix("https://")
    old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
    base = ["openssl", "s_client", "-connect", address]
    base += ["-servername", "graph.microsoft.com", "-verify_return_error"]
    base += ["-CAfile", shared_sandbox.ready["ca_file"]]
    refused = subprocess.run([*base, *old], input=b"", capture_output=True)
    assert refused.returncode != 0
    accepted = subprocess.run(base, input=b"", capture_output=True)
    assert accepted.returncode == 0
    assert b"Verify return code: 0 (ok)" in accepted.stdout


def test_unknown_host_is_misdirected(shared_sandbox: Running) -> None:
    """A host that the cloud does not have gets 421, not another host's answer."""
    context = ssl.create_default_context(cafile=shared_sandbox.ready["ca_file"])
    url = f"{shared_sandbox.ready['https']}/v1.0/organization"
    with httpx.Client(verify=context, trust_env=False) as client:
        answer = client.get(url, headers={"Host": "graph.microsoft.us"})
    assert answer.status_code == 421
    assert shared_sandbox.log()[-1]["status"] == 421


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(start_sandbox: StartSandbox, number: int) -> None:
    """Exit code 0 and not a word on stderr, with a connection still open."""
    sandbox = start_sandbox()
    with client_of(sandbox) as client:
        client.get("https://graph.microsoft.com/v1.0/organization")
        sandbox.process.send_signal(number)
        _, errors = sandbox.process.communicate(timeout=5)
    assert sandbox.process.returncode == 0
    assert errors == b""


def test_start_is_quick(tmp_path: Path) -> None:
    """A test can afford a sandbox of its own: processor time, whatever the load."""
    running = start(tmp_path)
    fields = Path(f"/proc/{running.ready['pid']}/stat").read_text().rpartition(")")[2]
    user, system = (int(ticks) for ticks in fields.split()[11:13])
    running.stop()
    assert (user + system) / os.sysconf("SC_CLK_TCK") < 1.5


def test_answers_are_quick(shared_sandbox: Running) -> None:
    """An answer does not wait for the client's delayed acknowledgement (40 ms)."""
    seconds = []
    with client_of(shared_sandbox) as client:
        for _ in range(10):
            begin = time.monotonic()
            client.get("https://graph.microsoft.com/v1.0/organization")
            seconds.append(time.monotonic() - begin)
    assert min(seconds) < 0.03


def test_seed_decides_ids_and_never_secrets(start_sandbox: StartSandbox) -> None:
    """Two runs of one seed have the same objects, dump for dump, and new secrets."""
    first, second, other = (
        start_sandbox("--seed", seed, "--now", "2026-03-01") for seed in "112"
    )
    dumps = [_dump(sandbox) for sandbox in (first, second, other)]
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]
    secrets = [s.tenant["operator_client_secret"] for s in (first, second)]
    assert secrets[0] != secrets[1]
    assert secrets[0][:3] == secrets[1][:3]


def test_tenants_are_separate(start_sandbox: StartSandbox) -> None:
    """Each tenant has its own ids; the first two do not depend on the count."""
    many = start_sandbox("--tenants", "3")
    names = [(t["name"], t["domain"]) for t in many.ready["tenants"]]
    assert names == [
        ("contoso", "contoso.com"),
        ("fabrikam", "fabrikam.com"),
        ("tenant0003", "tenant0003.example"),
    ]
    ids = {t["tenant_id"] for t in many.ready["tenants"]}
    assert len(ids) == 3
    assert start_sandbox().tenant["tenant_id"] in ids


def test_nothing_is_printed(start_sandbox: StartSandbox) -> None:
    """A sign-in leaves no trace on the console."""
    sandbox = start_sandbox()
    with client_of(sandbox) as client:
        client.post(
            f"https://login.microsoftonline.com/{sandbox.tenant['tenant_id']}"
            "/oauth2/v2.0/token",
            data={"client_secret": sandbox.tenant["operator_client_secret"]},
        )
    sandbox.process.terminate()
    assert sandbox.process.communicate(timeout=5) == (b"", b"")


def _dump(sandbox: Running) -> bytes:
    """Return the dump of the first tenant."""
    token = sandbox.ready["control_token"]
    context = ssl.create_default_context(cafile=sandbox.ready["ca_file"])
    port = re.sub(r".*:", "", sandbox.ready["https"])
    with httpx.Client(verify=context, trust_env=False) as client:
        answer = client.get(
            f"https://localhost:{port}/_sandbox/dump?tenant=contoso.com",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 200, answer.text
    return answer.content
