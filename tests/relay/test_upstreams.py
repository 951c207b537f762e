"""SAP (swaks), a real relay, and Exchange Online (sandbox), for each upstream."""

from __future__ import annotations

import signal
import smtplib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runbook_lib.relay.design import RelayDesign
from runbook_lib.relay.design import Upstream as Kind
from tests.relay.burst import Burst, arrived, trust_of
from tests.relay.postfix import Postfix, eventually, running, swaks
from tests.relay.site import Site
from tests.relay.tenant import (
    MAILBOX,
    Registered,
    Tenant,
    emailproxy,
    put_key,
    put_secrets,
    with_certificate,
)

pytestmark = pytest.mark.ci

INBOX = "inbox@contoso.com"
OUTSIDE = "postmaster@fabrikam.example"
RELAY, RELAY_PUBLIC = "127.0.0.10", "203.0.113.10"


def delivered(tenant: Tenant, recipient: str = INBOX, number: int = 1) -> None:
    """Wait until the trace shows messages as delivered."""
    eventually(
        lambda: (
            [row["Status"] for row in tenant.trace(recipient)] == ["Delivered"] * number
        ),
        why=lambda: str(tenant.trace(recipient)),
    )


def installed(tenant: Tenant, site: Site, registered: Registered) -> Postfix:
    """Return a relay before the proxy, its files in place and not started."""
    design = tenant.relay(
        site, upstream=Kind.OAUTH_PROXY, application=registered.application
    )
    relay = Postfix(design, site.folder / "relay1")
    relay.install()
    put_secrets(design, registered.secret)
    return relay


@contextmanager
def started(relay: Postfix) -> Iterator[Postfix]:
    """Run a relay that is installed."""
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()


def test_proxy_with_a_secret(tenant: Tenant, site: Site) -> None:
    """Postfix, email-oauth2-proxy, XOAUTH2: delivered; the secret is encrypted."""
    registered = tenant.register()
    relay = installed(tenant, site, registered)
    with emailproxy(relay.design, tenant) as program, started(relay):
        assert swaks(relay).returncode == 0
        relay.emptied()
        written = Path(relay.design.places.proxy_config).read_text("utf-8")
    delivered(tenant)
    assert registered.secret not in written + program.log.read_text("utf-8")
    assert registered.secret not in relay.log()


def test_proxy_with_a_certificate(tenant: Tenant, site: Site) -> None:
    """The same with a key of the relay's own in place of a secret."""
    registered = tenant.register()
    registered.application = with_certificate(registered)
    relay = installed(tenant, site, registered)
    tenant.upload(registered, put_key(relay.design, site.authority))
    with emailproxy(relay.design, tenant), started(relay):
        assert swaks(relay, recipient=OUTSIDE).returncode == 0
        relay.emptied()
    delivered(tenant, OUTSIDE)


def test_proxy_signs_in_for_postfix_alone(tenant: Tenant, site: Site) -> None:
    """After the first use no other password is good for a token."""
    relay = installed(tenant, site, tenant.register())
    with emailproxy(relay.design, tenant), started(relay):
        swaks(relay)
        relay.emptied()
        proxy = ("127.0.0.1", relay.design.proxy_port, "x.contoso.com")
        with (
            smtplib.SMTP(*proxy) as client,
            pytest.raises(smtplib.SMTPAuthenticationError),
        ):
            client.login(MAILBOX, "another password")


def test_sign_in_refused_waits(tenant: Tenant, site: Site) -> None:
    """Without the mailbox: 535, all wait with that reason; all arrive afterwards."""
    registered = tenant.register()
    tenant.take_access(registered.principal_id)
    relay = installed(tenant, site, registered)
    with emailproxy(relay.design, tenant), started(relay):
        for _ in range(3):
            assert swaks(relay).returncode == 0
        assert relay.deferred("535 5.7.3")
        assert tenant.trace(INBOX) == []
        tenant.give_access(registered.principal_id)
        relay.emptied()
    delivered(tenant, number=3)


def test_no_token_waits(tenant: Tenant, site: Site) -> None:
    """The application's secret is refused: the mail waits until it is mended."""
    registered = tenant.register()
    relay = installed(tenant, site, registered)
    config = Path(relay.design.places.proxy_config)
    good = config.read_text("utf-8")
    config.write_text(good.replace(registered.secret, "wrong"), "utf-8")
    with started(relay):
        with emailproxy(relay.design, tenant):
            swaks(relay)
            assert relay.deferred("535 5.7.8")
        config.write_text(good, "utf-8")
        with emailproxy(relay.design, tenant):
            relay.emptied()
    delivered(tenant)


def test_proxy_stalled_then_dead(tenant: Tenant, site: Site) -> None:
    """Whatever the proxy does, what was acknowledged stands in the queue."""
    relay = installed(tenant, site, tenant.register())
    with started(relay):
        with emailproxy(relay.design, tenant) as program:
            swaks(relay)
            relay.emptied()
            program.send(signal.SIGSTOP)
            assert swaks(relay).returncode == 0
            time.sleep(2)
            assert len(relay.queue()) == 1
            program.send(signal.SIGCONT)
            relay.emptied()
        assert swaks(relay).returncode == 0
        assert relay.deferred("Connection refused")
        with emailproxy(relay.design, tenant):
            relay.emptied()
    delivered(tenant, number=3)


def test_kills_in_a_burst(tenant: Tenant, site: Site) -> None:
    """Postfix and its token source are killed in 300 messages: none is lost."""
    count, acknowledged = killed(tenant, site, 300)
    assert acknowledged == set(range(300))
    assert set(count) == acknowledged


def killed(tenant: Tenant, site: Site, number: int) -> tuple[Counter[int], set[int]]:
    """Send a burst, killing relay and proxy in it; return what arrived, and what was
    acknowledged.
    """
    relay = installed(tenant, site, tenant.register())
    with emailproxy(relay.design, tenant) as program, started(relay):
        patience = 60.0 + number
        trust = trust_of(site)
        burst = Burst(relay.address, trust, number, patience=patience)

        def disturb() -> None:
            for part in (0.2, 0.5, 0.8):
                burst.reached(int(number * part))
                program.kill()
                relay.kill()
                relay.start()
                program.start()

        burst.send(while_sending=disturb)
        relay.emptied(within=patience)
    # A trace shows a message some time after it was delivered.
    eventually(lambda: len(tenant.trace(INBOX)) >= number)
    count = arrived([str(row["Subject"]) for row in tenant.trace(INBOX)])
    twice = sum(count.values()) - len(count)
    print(f"{number} acknowledged, {len(count)} arrived, {twice} of them twice")
    return count, burst.acknowledged


def test_connector_by_address(tenant: Tenant, site: Site) -> None:
    """Refused while there is no connector, the mail waits; then it is delivered."""
    design = tenant.relay(site, upstream=Kind.CONNECTOR_ADDRESS, leave_by=RELAY)
    with running(design, site.folder / "relay1") as relay:
        swaks(relay, recipient=OUTSIDE)
        assert relay.deferred("5.7.64")
        connect(tenant, SenderIPAddresses=[f"{RELAY_PUBLIC}/32"])
        relay.emptied()
    delivered(tenant, OUTSIDE)
    [row] = tenant.trace(OUTSIDE)
    assert row["FromIP"] == RELAY_PUBLIC


def test_connector_by_certificate(tenant: Tenant, site: Site) -> None:
    """The relay shows its certificate; one with another name waits."""
    connect(tenant, TlsSenderCertificateName="relay1.contoso.com")
    design = tenant.relay(site, upstream=Kind.CONNECTOR_CERTIFICATE, leave_by=RELAY)
    show(tenant, design, "relay9.contoso.com")
    with running(design, site.folder / "relay1") as relay:
        swaks(relay, recipient=OUTSIDE)
        assert relay.deferred("5.7.64")
        show(tenant, design, "relay1.contoso.com")
        relay.stop()
        relay.start()
        relay.emptied()
    delivered(tenant, OUTSIDE)


def connect(tenant: Tenant, **settings: object) -> None:
    """Create the inbound connector of option 3."""
    basis = {"Name": "SAP relay", "ConnectorType": "OnPremises", "SenderDomains": ["*"]}
    tenant.world.exchange("New-InboundConnector", **{**basis, **settings})


def show(tenant: Tenant, design: RelayDesign, name: str) -> None:
    """Have a client certificate issued, and put it where the relay takes it from."""
    made = tenant.world.break_tenant("issue_certificate", names=[name])
    path = Path(design.places.client_certificate)
    path.write_text(made["private_key"] + made["certificate"], "utf-8")


def test_password_is_refused_and_waits(tenant: Tenant, site: Site) -> None:
    """Where sign-in with a password has ended, nothing is lost."""
    design = tenant.relay(site, upstream=Kind.PASSWORD)
    with running(design, site.folder / "relay1") as relay:
        swaks(relay)
        assert relay.deferred("5.7.139")
        assert len(relay.queue()) == 1
