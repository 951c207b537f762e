"""curl as an independent client of InvokeCommand and SMTP submission.

Tokens come to curl on its standard input, never in its arguments.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.sandbox.conftest import Running
from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE, message
from tests.sandbox.outsider import Outsider, has_secret, invocation, require

LOGIN_DENIED = 67
HOST = "smtp.office365.com:587"


def test_invoke_command_through_the_proxy(sandbox_process: Running) -> None:
    """Proxy and CA file are all that curl needs to reach the admin API."""
    ready, tenant = sandbox_process.ready, sandbox_process.tenant
    with Outsider(sandbox_process) as administrator:
        token = administrator.operator_token()
    result = curl(
        f'header = "Authorization: Bearer {token}"\n',
        *("--proxy", ready["proxy"], "--cacert", ready["ca_file"]),
        *("--header", "Content-Type: application/json"),
        *("--data", json.dumps(invocation("Get-CASMailbox", Identity=MAILBOX))),
        f"https://outlook.office365.com/adminapi/beta/{tenant['tenant_id']}/InvokeCommand",
    )
    assert result.returncode == 0, result.stderr
    entry = json.loads(result.stdout)["value"][0]
    assert entry["PrimarySmtpAddress"] == MAILBOX
    assert entry["SmtpClientAuthenticationDisabled"] is None
    assert not has_secret(sandbox_process, token)


@pytest.mark.parametrize("one_line", [True, False])
def test_submission(sandbox_process: Running, tmp_path: Path, one_line: bool) -> None:
    """curl signs in with XOAUTH2, in one line and in two steps, and sends."""
    with Outsider(sandbox_process) as administrator:
        token = administrator.sender_token()
        administrator.enable_smtp()
        options = ["--sasl-ir"] if one_line else []
        result = submit(
            sandbox_process, tmp_path, token, *direct(sandbox_process), *options
        )
        assert result.returncode == 0, result.stderr
        for _ in range(3):
            rows = administrator.run("Get-MessageTraceV2", SenderAddress=MAILBOX)
    statuses = {row["RecipientAddress"]: row["Status"] for row in rows}
    assert statuses == {INBOX: "Delivered", OUTSIDE: "Delivered"}
    assert not has_secret(sandbox_process, token)


def test_submission_through_the_proxy(sandbox_process: Running, tmp_path: Path) -> None:
    """The CONNECT proxy reaches the submission server by its real name."""
    with Outsider(sandbox_process) as administrator:
        token = administrator.sender_token()
        administrator.enable_smtp()
    tunnel = ["--proxytunnel", "--proxy", sandbox_process.ready["proxy"]]
    result = submit(sandbox_process, tmp_path, token, *tunnel)
    assert result.returncode == 0, result.stderr


def test_sign_in_is_denied_while_the_mailbox_inherits(
    sandbox_process: Running, tmp_path: Path
) -> None:
    """curl reports the refused login, and the reason stands in the dialogue."""
    with Outsider(sandbox_process) as administrator:
        token = administrator.sender_token()
    options = [*direct(sandbox_process), "--sasl-ir", "--verbose"]
    result = submit(sandbox_process, tmp_path, token, *options)
    assert result.returncode == LOGIN_DENIED
    assert "SmtpClientAuthentication is disabled for the Tenant." in result.stderr


def submit(
    running: Running, folder: Path, token: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """Send one message to two recipients as the mailbox."""
    content = folder / "message.eml"
    content.write_bytes(message())
    return curl(
        f'oauth2-bearer = "{token}"\nuser = "{MAILBOX}"\n',
        *("--ssl-reqd", "--cacert", running.ready["ca_file"]),
        *("--login-options", "AUTH=XOAUTH2"),
        *("--mail-from", MAILBOX, "--mail-rcpt", INBOX, "--mail-rcpt", OUTSIDE),
        *("--upload-file", str(content)),
        *options,
        f"smtp://{HOST}/client.contoso.com",
    )


def direct(running: Running) -> list[str]:
    """Return the options that lead curl to the submission port."""
    return ["--connect-to", f"{HOST}:{running.ready['submission']}"]


def curl(config: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run curl; `config` goes to its standard input."""
    command = [require("curl", "curl"), "--silent", "--show-error", "--noproxy", ""]
    return subprocess.run(
        [*command, "--config", "-", *options],
        input=config,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
