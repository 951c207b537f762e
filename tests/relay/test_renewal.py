"""When a token is renewed, and how its file is written."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbook_lib.cli.relay_token import Keeper
from runbook_lib.clients.log_tail import LogTail
from runbook_lib.errors import InputError, RunbookError
from runbook_lib.relay.design import RelayDesign
from runbook_lib.relay.design import Upstream as Kind
from runbook_lib.relay.renewal import TokenState, reason_to_renew
from runbook_lib.relay.token_settings import TokenSettings
from runbook_lib.yamlfile import read_model
from tests.relay.designs import design
from tests.relay.tenant import Tenant, token_settings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE = timedelta(seconds=900)


def reason(
    minutes_old: float, minutes_left: float, refused: bool = False
) -> str | None:
    """Return the reason to renew a token of an age and with a rest."""
    written = NOW - timedelta(minutes=minutes_old)
    state = TokenState(written, NOW + timedelta(minutes=minutes_left))
    return reason_to_renew(state, NOW, renew_before=BEFORE, refused=refused)


def test_reasons() -> None:
    """No token, one that ends soon, one that was refused; and none of these."""
    assert reason_to_renew(None, NOW, renew_before=BEFORE) == "there is no token yet"
    assert reason(40, 15) is None
    assert "it ends at" in str(reason(40, 14.9))
    assert "refused" in str(reason(5, 50, refused=True))
    assert reason(4.9, 50, refused=True) is None
    assert reason(4.9, 1, refused=True) is not None


def test_log_is_read_from_where_it_ended(tmp_path: Path) -> None:
    """Old lines say nothing; a log that was turned over is read from its start."""
    log = tmp_path / "maillog"
    log.write_text("old 535 5.7.3\n")
    tail = LogTail(log)
    assert tail.new_text() == ""
    with log.open("a") as stream:
        stream.write("one\n")
    assert (tail.new_text(), tail.new_text()) == ("one\n", "")
    log.rename(tmp_path / "maillog.1")
    assert tail.new_text() == ""
    log.write_text("two\n")
    assert tail.new_text() == "two\n"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            'connect_to: ["login.microsoftonline.com:443 -> 203.0.113.7:443"]',
            "loopback",
        ),
        ("ca_file: /etc/ca.pem", "go together"),
        ("renew_before: 10", "renew_before"),
        ("verify: no", "verify"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, line: str, fault: str) -> None:
    """A sandbox is on loopback; nothing else leads a token request away."""
    path = tmp_path / "settings.yaml"
    text = "schema: 1\nlogin: login.microsoftonline.com\ncredential: env:X\n"
    text += "tenant_id: 11111111-2222-3333-4444-555555555555\ntoken_file: /var/t\n"
    text += "client_id: 11111111-2222-3333-4444-555555555555\n"
    path.write_text(f"{text}scope: https://outlook.office365.com/.default\n{line}\n")
    with pytest.raises(InputError, match=fault):
        read_model(path, TokenSettings, what="settings file")


def test_token_is_written_renewed_and_kept(tenant: Tenant, tmp_path: Path) -> None:
    """Private, whole, renewed after a refusal, and kept where none can be had."""
    registered = tenant.register()
    token, log = tmp_path / "relay" / "token" / "token.json", tmp_path / "maillog"
    token.parent.mkdir(parents=True)
    log.write_text("")
    found = design(upstream=Kind.OAUTH_TOKEN_FILE, application=registered.application)
    settings = token_settings(placed(found, token, log), tenant, registered.secret)
    said: list[str] = []
    model = read_model(settings, TokenSettings, what="settings file")
    keeper = Keeper(model, say=said.append)
    keeper.look()
    content = json.loads(token.read_text("utf-8"))
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert content["refresh_token"] == "unused"
    assert int(content["expiry"]) > datetime.now(UTC).timestamp() + 3000
    keeper.look()
    assert len(said) == 1
    with log.open("a") as stream:
        stream.write("said: 535 5.7.3 Authentication unsuccessful\n")
    keeper.look()
    assert len(said) == 1
    keeper.now = lambda: datetime.now(UTC) + timedelta(minutes=6)
    keeper.look()
    assert "refused with 535 5.7.3" in said[1]
    assert json.loads(token.read_text("utf-8")) != content
    kept = token.read_bytes()
    tenant.world.break_tenant("disable_application", app_id=str(model.client_id))
    with pytest.raises(RunbookError):
        keeper.look(force=True)
    assert token.read_bytes() == kept
    texts = "".join(said)
    assert registered.secret not in texts
    assert content["access_token"] not in texts


def placed(found: RelayDesign, token: Path, log: Path) -> RelayDesign:
    """Return a design whose token and log stand elsewhere."""
    places = replace(found.places, token=str(token), log=str(log))
    return replace(found, places=places)
