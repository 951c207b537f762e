"""relay-token and Exim: a token file that is always good, and a relay that reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook_lib.cli.relay_token import Keeper
from runbook_lib.relay.design import Upstream as Kind
from runbook_lib.relay.token_settings import TokenSettings
from runbook_lib.yamlfile import read_model
from tests.relay.exim import running_exim
from tests.relay.postfix import eventually, swaks
from tests.relay.site import Site
from tests.relay.tenant import Tenant, token_settings

pytestmark = pytest.mark.ci

INBOX = "inbox@contoso.com"


def keeper_of(path: Path, said: list[str]) -> Keeper:
    """Return what keeps the token of a settings file good."""
    settings = read_model(path, TokenSettings, what="settings file")
    return Keeper(settings, say=said.append)


def test_exim_sends_with_the_token_file(tenant: Tenant, site: Site) -> None:
    """Delivered; a refused token waits, is renewed by force, and then delivered."""
    registered = tenant.register()
    design = tenant.relay(
        site, upstream=Kind.OAUTH_TOKEN_FILE, application=registered.application
    )
    settings = token_settings(design, tenant, registered.secret)
    said: list[str] = []
    keeper = keeper_of(settings, said)
    with running_exim(design, site.folder / "relay1") as relay:
        keeper.look()
        relay.token_is_its_own()
        assert swaks(relay).returncode == 0
        eventually(lambda: len(tenant.trace(INBOX)) == 1, why=relay.log)
        assert [row["Status"] for row in tenant.trace(INBOX)] == ["Delivered"]
    assert "A=xoauth2" in relay.log()
    assert "CV=yes" in relay.log()
    token = Path(design.places.token).read_text("utf-8")
    assert registered.secret not in token
