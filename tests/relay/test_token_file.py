"""relay-token and Exim: a token file that is always good, and a relay that reads it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_lib.cli.relay_token import Keeper
from runbook_lib.engine.record import utc_now
from runbook_lib.relay.design import Upstream as Kind
from runbook_lib.relay.token_settings import TokenSettings
from runbook_lib.yamlfile import read_model
from tests.relay.exim import Exim, running_exim
from tests.relay.postfix import eventually, refusal, swaks
from tests.relay.site import Site
from tests.relay.tenant import Registered, Tenant, token_settings

pytestmark = pytest.mark.ci

INBOX = "inbox@contoso.com"


def keeper_of(path: Path, said: list[str]) -> Keeper:
    """Return what keeps the token of a settings file good."""
    settings = read_model(path, TokenSettings, what="settings file")
    return Keeper(settings, say=said.append)


@dataclass
class Sending:
    """Exim with a token file, what keeps the file good, and what that said."""

    relay: Exim
    keeper: Keeper
    registered: Registered
    said: list[str]

    def renew(self, *, force: bool = False) -> None:
        """Look after the token once."""
        self.keeper.look(force=force)
        self.relay.token_is_its_own()


@pytest.fixture
def sending(tenant: Tenant, site: Site) -> Iterator[Sending]:
    """Run Exim with a first token."""
    registered = tenant.register()
    design = tenant.relay(
        site, upstream=Kind.OAUTH_TOKEN_FILE, application=registered.application
    )
    log = Path(design.places.exim_spool, "mainlog")
    settings = token_settings(design, tenant, registered.secret)
    text = settings.read_text("utf-8").replace(design.places.log, str(log))
    settings.write_text(text, "utf-8")
    said: list[str] = []
    with running_exim(design, site.folder / "relay1") as relay:
        found = Sending(relay, keeper_of(settings, said), registered, said)
        found.renew()
        yield found


def test_exim_sends_with_the_token_file(tenant: Tenant, sending: Sending) -> None:
    """Signed in with the token, encrypted and verified; delivered."""
    assert swaks(sending.relay).returncode == 0
    eventually(lambda: len(tenant.trace(INBOX)) == 1, why=sending.relay.log)
    assert [row["Status"] for row in tenant.trace(INBOX)] == ["Delivered"]
    assert "A=xoauth2" in sending.relay.log()
    assert "CV=yes" in sending.relay.log()
    token = Path(sending.relay.design.places.token).read_text("utf-8")
    assert sending.registered.secret not in token


def test_exim_serves_nobody_else(sending: Sending) -> None:
    """Another host, another sender, and clear text are refused."""
    relay = sending.relay
    for arguments, sender in (
        (("--local-interface", "127.0.0.9"), "sap@contoso.com"),
        ((), "ceo@contoso.com"),
        ((), "<>"),
    ):
        done = swaks(relay, *arguments, sender=sender)
        assert (refusal(done) or "").startswith("550"), done.stdout
    with smtplib.SMTP(*relay.address, "sap1.contoso.com") as plain:
        plain.ehlo()
        assert plain.mail("sap@contoso.com")[0] == 550
    assert relay.queue() == ""


def test_refused_token_waits_and_is_renewed(tenant: Tenant, sending: Sending) -> None:
    """535 5.7.3: the mail waits; the renewal is noted from the log; it is delivered."""
    tenant.take_access(sending.registered.principal_id)
    assert swaks(sending.relay).returncode == 0
    eventually(lambda: "535 5.7.3" in sending.relay.log(), why=sending.relay.log)
    assert "sap@contoso.com" in sending.relay.queue()
    tenant.give_access(sending.registered.principal_id)
    sending.keeper.now = lambda: utc_now() + timedelta(minutes=6)
    sending.renew()
    assert "refused with 535 5.7.3" in sending.said[-1]
    eventually(lambda: len(tenant.trace(INBOX)) == 1, why=sending.relay.log)
    eventually(lambda: sending.relay.queue() == "", why=sending.relay.log)


def test_no_token_waits(tenant: Tenant, sending: Sending) -> None:
    """The file is gone: nothing is sent unsigned; with a token it is delivered."""
    Path(sending.relay.design.places.token).unlink()
    assert swaks(sending.relay).returncode == 0
    eventually(lambda: "==" in sending.relay.log(), why=sending.relay.log)
    assert "sap@contoso.com" in sending.relay.queue()
    assert tenant.trace(INBOX) == []
    sending.renew()
    eventually(lambda: len(tenant.trace(INBOX)) == 1, why=sending.relay.log)
