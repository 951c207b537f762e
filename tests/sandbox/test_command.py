"""`python -m runbook_lib.sandbox`: options, usage errors, help."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from runbook_lib.sandbox.command import sandbox
from runbook_lib.sandbox.faults import FAULTS
from tests.sandbox.conftest import StartSandbox
from tests.sandbox.directory import LOGIN
from tests.sandbox.test_server import client_of


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "--ready-file"),
        (["--ready-file", "r", "--tenants", "0"], "--tenants"),
        (["--ready-file", "r", "--seed", "x"], "--seed"),
        (["--ready-file", "r", "--now", "tomorrow"], "--now"),
        (["--ready-file", "r", "--fault", "flood=1"], "'flood=1' is not NAME"),
        (["--ready-file", "r", "--break", "graph.none"], "'graph.none' is no row"),
    ],
)
def test_usage_errors(options: list[str], text: str) -> None:
    """Exit code 2 and a sentence that names the option; nothing is started."""
    result = CliRunner().invoke(sandbox, options)
    assert result.exit_code == 2
    assert text in result.output


def test_help_names_every_option_and_fault() -> None:
    """What can be given is listed."""
    text = CliRunner().invoke(sandbox, ["--help"]).output
    for option in ("ready-file", "log", "seed", "tenants", "now", "fault", "break"):
        assert f"--{option}" in text
    words = "".join(text.split())
    assert all(name in words for name in FAULTS)


def test_help_loads_no_server() -> None:
    """The command is cheap to import for a larger command line."""
    program = (
        "import sys, runbook_lib.sandbox.command;"
        "print([m for m in ('uvicorn', 'cryptography', 'jwt') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.stdout.strip() == b"[]"


def test_a_folder_that_is_not_there() -> None:
    """A ready file that cannot be written is an error of one line."""
    result = CliRunner().invoke(sandbox, ["--ready-file", "/nonexistent/ready.json"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output


def test_now_is_in_stored_dates_only(start_sandbox: StartSandbox) -> None:
    """An application is dated as told; its token and its certificate are of today."""
    running = start_sandbox("--now", "2020-02-29")
    tenant = running.tenant
    with client_of(running) as client:
        form = {
            "grant_type": "client_credentials",
            "client_id": tenant["operator_client_id"],
            "client_secret": tenant["operator_client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }
        url = f"{LOGIN}/{tenant['tenant_id']}/oauth2/v2.0/token"
        token = client.post(url, data=form).json()["access_token"]
        made = client.post(
            "https://graph.microsoft.com/v1.0/applications",
            headers={"Authorization": f"Bearer {token}"},
            json={"displayName": "x"},
        )
    assert made.status_code == 201, made.text
    assert made.json()["createdDateTime"] == "2020-02-29T00:00:00Z"
    assert running.log()[-1]["time"] > "2024"


def test_log_goes_where_it_is_told(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    """--log names the file; it is new, private, and an old one is replaced."""
    log = tmp_path / "access.ndjson"
    log.write_text("old\n")
    log.chmod(0o644)
    running = start_sandbox("--log", str(log))
    assert running.ready["log_file"] == str(log)
    with client_of(running) as client:
        client.get("https://graph.microsoft.com/v1.0/organization")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["protocol"] for line in lines] == ["proxy", "https"]
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600


def test_a_broken_row_reaches_the_process(start_sandbox: StartSandbox) -> None:
    """--break turns a behaviour off in the process as in the tests."""
    running = start_sandbox("--break", "entra.unknown-tenant")
    path = "northwind.example/v2.0/.well-known/openid-configuration"
    with client_of(running) as client:
        assert client.get(f"{LOGIN}/{path}").status_code == 200
