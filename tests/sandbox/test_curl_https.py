"""curl, an independent client, over HTTPS: through the proxy, and by ::1."""

import json
import subprocess
from typing import Any

import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.outsider import require

pytestmark = pytest.mark.ci


def curl(sandbox: Running, *options: str, standard_input: str = "") -> Any:
    """Run curl through the sandbox's proxy; return the parsed answer.

    Secrets go in by standard input, so that no process list shows them.
    """
    program = require("curl", "curl")
    ready = sandbox.ready
    done = subprocess.run(
        [
            program,
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--cacert",
            ready["ca_file"],
            *options,
        ],
        input=standard_input,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def token_of(sandbox: Running, *options: str) -> str:
    """Return the operator's Graph token."""
    tenant = sandbox.tenant
    form = (
        f"grant_type=client_credentials&client_id={tenant['operator_client_id']}"
        f"&client_secret={tenant['operator_client_secret']}"
        "&scope=https%3A%2F%2Fgraph.microsoft.com%2F%2F.default&unknown=ignored"
    )
    url = f"https://login.microsoftonline.com/{tenant['tenant_id']}/oauth2/v2.0/token"
    answer = curl(sandbox, *options, "--data", "@-", url, standard_input=form)
    return str(answer["access_token"])


def test_curl_reads_graph_through_the_proxy(shared_sandbox: Running) -> None:
    """With the scope as Azure CLI writes it, and a field that nobody knows."""
    proxy = ("--proxy", shared_sandbox.ready["proxy"])
    token = token_of(shared_sandbox, *proxy)
    answer = curl(
        shared_sandbox,
        *proxy,
        "--config",
        "-",
        "https://graph.microsoft.com/v1.0/organization",
        standard_input=f'header = "Authorization: Bearer {token}"\n',
    )
    assert answer["value"][0]["id"] == shared_sandbox.tenant["tenant_id"]


def test_curl_finds_proxy_and_hosts_on_ipv6(shared_sandbox: Running) -> None:
    """Every server listens on ::1 with the same port."""
    ready = shared_sandbox.ready
    proxy = ready["proxy"].replace("127.0.0.1", "[::1]")
    assert token_of(shared_sandbox, "--proxy", proxy)
    port = ready["https"].rpartition(":")[2]
    direct = f"login.microsoftonline.com:443:[::1]:{port}"
    assert token_of(shared_sandbox, "--connect-to", direct)
