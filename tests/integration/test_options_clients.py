"""swaks and Postfix play SAP: who may relay, and who is refused with what."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.integration.postfix import postfix
from tests.integration.sap import (
    INSIDE,
    OUTSIDE,
    REASONS,
    SAP,
    SENDER,
    STRANGER,
    evidence,
    issued_certificate,
    publish_spf,
)
from tests.integration.world import World, drive, step_ends

pytestmark = pytest.mark.ci

RELAY, DIRECT = "3-relay-connector", "2-direct-send"
RELAY_DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied"
REJECTED = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed"
UNKNOWN = "550 5.4.1 Recipient address rejected: Access denied"
QUEUED = "Queued mail for delivery"


def swaks(
    world: World, address: str, recipient: str, subject: str, *options: str
) -> str:
    """Send one mail from a loopback address; return the transcript."""
    program = shutil.which("swaks")
    if program is None:
        pytest.skip("needs the program swaks (Debian package swaks)")
    host, _, port = str(world.ready["mx"]).partition(":")
    done = subprocess.run(
        [
            program,
            *("--server", host, "--port", port, "--local-interface", address),
            *("--ehlo", "erp.contoso.com", "--from", SENDER, "--to", recipient),
            *("--header", f"Subject: {subject}", "--tls", "--tls-verify"),
            *("--tls-ca-path", str(world.ready["ca_file"]), *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_relay_is_for_the_connectors_address_only(world: World) -> None:
    """Refused before, allowed with the connector, refused again after rollback."""
    publish_spf(world)
    assert RELAY_DENIED in swaks(world, SAP, OUTSIDE, "before")
    applied = drive(
        world, "apply", notebook=RELAY, wait="0", evidence=evidence(world), **REASONS
    )
    run = applied.folder.name
    for recipient in (INSIDE, OUTSIDE):
        assert QUEUED in swaks(world, SAP, recipient, f"SAP runbook:{run}")
    assert RELAY_DENIED in swaks(world, STRANGER, OUTSIDE, "a stranger")
    assert UNKNOWN in swaks(world, SAP, "nobody@contoso.com", "unknown")

    given = {"evidence": evidence(world), "completes": run, "wait": "5", **REASONS}
    assert drive(world, "verify", notebook=RELAY, **given).result == "succeeded"
    drive(world, "rollback", notebook=RELAY, record=run)
    assert RELAY_DENIED in swaks(world, SAP, OUTSIDE, "after")
    assert QUEUED in swaks(world, SAP, INSIDE, "Direct Send is still there")


def test_rejected_direct_send(world: World) -> None:
    """550 5.7.68 for everybody, and for the connector's sender no more."""
    world.break_tenant("set_organization_config", name="RejectDirectSend", value=True)
    assert REJECTED in swaks(world, SAP, INSIDE, "rejected")
    drive(world, "apply", notebook=RELAY, wait="0", evidence=evidence(world), **REASONS)
    assert QUEUED in swaks(world, SAP, INSIDE, "known")
    assert REJECTED in swaks(world, STRANGER, INSIDE, "a stranger")


def test_relay_by_certificate(world: World) -> None:
    """The name counts, from whatever address."""
    name = "erp.contoso.com"
    text = "who: N\nwhen: '1'\nreference: R\ntext: |\n"
    text += f"  certificate: {name}\n  issuer: Public CA\n"
    handed_in = evidence(world, sender_attested=text)
    given = {"address": "", "certificate_name": name, "evidence": handed_in, **REASONS}
    drive(world, "apply", notebook=RELAY, wait="0", **given)
    file = str(issued_certificate(world, name))
    shown = ("--tls-cert", file, "--tls-key", file)
    assert QUEUED in swaks(world, STRANGER, OUTSIDE, "shown", *shown)
    assert RELAY_DENIED in swaks(world, STRANGER, OUTSIDE, "not shown")


@pytest.mark.parametrize("address", [SAP, STRANGER])
def test_mail_server_with_saps_address(world: World, address: str) -> None:
    """Postfix relays where it has the connector's address, and bounces elsewhere."""
    publish_spf(world)
    applied = drive(
        world, "apply", notebook=RELAY, wait="0", evidence=evidence(world), **REASONS
    )
    subject = f"SAP runbook:{applied.folder.name}"
    mx, ca_file = str(world.ready["mx"]), str(world.ready["ca_file"])
    with postfix(mx, ca_file, address) as server:
        outside = server.send(SENDER, OUTSIDE, subject)
        inside = server.send(SENDER, INSIDE, subject)
    assert "status=sent" in inside
    given = {"completes": applied.folder.name, "wait": "5"}
    found = step_ends(drive(world, "verify", notebook=RELAY, **given))
    trace = {
        step: found[f"sap-test-message:{step}"] for step in ("internal", "external")
    }
    if address == SAP:
        assert "status=sent" in outside
        assert [trace[step]["outcome"] for step in trace] == ["ok", "ok"]
    else:
        assert "status=bounced" in outside
        assert "550 5.7.64" in outside
        assert [trace[step]["outcome"] for step in trace] == ["failed", "pending"]
