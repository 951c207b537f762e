"""Options 2 and 3 from plan to rollback, with a server that plays SAP."""

from __future__ import annotations

from typing import cast

import pytest

from runbook_lib.cli.execution import execute
from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.engine.chain import Event
from runbook_lib.evidence.close import Closed
from tests.integration.sap import (
    INSIDE,
    NODE,
    OUTSIDE,
    REASONS,
    SAP_PUBLIC,
    SPF,
    STRANGER,
    STRANGER_PUBLIC,
    Sender,
    evidence,
    hand_in_header,
    issued_certificate,
    publish_spf,
)
from tests.integration.world import World, drive, step_ends

DIRECT, RELAY = "2-direct-send", "3-relay-connector"
RELAY_DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied"
REJECTED = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed"
TESTS = ("sap-test-message:internal", "sap-test-message:external")


def run(world: World, notebook: str, mode: str, **parameters: str) -> Closed:
    """Run a notebook of this page, without waiting for anybody."""
    reasons = REASONS if notebook == RELAY else {}
    wait = "5" if "completes" in parameters else "0"
    return drive(
        world, mode, notebook=notebook, **{"wait": wait, **reasons, **parameters}
    )


def outcome(closed: Closed, step: str) -> str:
    """Return how a step of a run ended."""
    return str(step_ends(closed)[step]["outcome"])


def mark(closed: Closed) -> str:
    """Return the text by which a run recognises its test mail."""
    return f"Test from SAP (runbook:{closed.folder.name})"


def test_relay_connector_in_all_modes(world: World) -> None:
    """Plan, apply, SAP's mail, verify, rollback; refused before and after."""
    publish_spf(world)
    before, sap, stranger = world.dump(), Sender(world), Sender(world, STRANGER)
    handed_in = evidence(world)
    plan = run(world, RELAY, "plan", evidence=handed_in)
    assert (plan.result, plan.exit_code) == ("succeeded", 4)
    assert world.dump() == before
    assert sap.send(OUTSIDE, "too early").startswith(RELAY_DENIED)

    written = len(world.writes())
    applied = run(world, RELAY, "apply", evidence=handed_in)
    assert applied.result == "incomplete"
    assert outcome(applied, "create-relay-connector") == "changed"
    assert [outcome(applied, step) for step in TESTS] == ["pending", "pending"]
    assert len(world.writes()) == written + 1

    assert stranger.send(OUTSIDE, mark(applied)).startswith(RELAY_DENIED)
    assert [sap.send(to, mark(applied)) for to in (INSIDE, OUTSIDE)] == ["250", "250"]
    written, stored = len(world.writes()), world.dump()
    again = run(
        world, RELAY, "apply", evidence=handed_in, completes=applied.folder.name
    )
    assert outcome(again, "create-relay-connector") == "ok"
    hand_in_header(world, handed_in, applied.folder.name)
    verify = run(
        world, RELAY, "verify", evidence=handed_in, completes=applied.folder.name
    )
    assert (verify.result, verify.exit_code) == ("succeeded", 0)
    assert outcome(verify, "message-received:internal") == "ok"
    report = verify.report.read_text("utf-8")
    assert "5 links: 2 measured, 2 attested, 1 missing." in report
    assert "spf=pass (contoso.com), dkim=none" in report
    assert len(world.writes()) == written
    assert world.dump() == stored

    back = run(world, RELAY, "rollback", record=applied.folder.name)
    assert (back.result, back.exit_code) == ("rolled back", 0)
    assert world.dump() == before
    assert sap.send(OUTSIDE, "too late").startswith(RELAY_DENIED)


def test_nothing_is_made_before_the_reasons_are_stated(world: World) -> None:
    """Nobody said why option 1 does not fit: the step waits, and so does the rest."""
    given = {"evidence": evidence(world), "why_not_oauth": ""}
    plan = run(world, RELAY, "plan", **given)
    assert outcome(plan, "relay-conditions") == "planned"
    applied = run(world, RELAY, "apply", **given)
    assert outcome(applied, "relay-conditions") == "pending"
    assert outcome(applied, "create-relay-connector") == "blocked"
    assert world.writes() == []


def test_nothing_is_made_before_the_address_is_attested(world: World) -> None:
    """Without the statement, or with another one, the connector is not made."""
    publish_spf(world)
    before = world.dump()
    waiting = run(world, RELAY, "apply")
    assert outcome(waiting, "sender-attested") == "pending"
    assert outcome(waiting, "create-relay-connector") == "blocked"
    shared = evidence(world)
    text = (world.folder / "handed-in" / "sender-attested.yaml").read_text("utf-8")
    evidence(world, sender_attested=text.replace("shared: no", "shared: yes"))
    refused = run(world, RELAY, "apply", evidence=shared)
    assert outcome(refused, "sender-attested") == "failed"
    assert world.dump() == before
    assert world.writes() == []


def test_certificate_in_the_place_of_an_address(world: World) -> None:
    """The connector goes by the name; whoever has no certificate is refused."""
    name = "erp.contoso.com"
    text = "who: N\nwhen: '1'\nreference: R\ntext: |\n"
    text += f"  certificate: {name}\n  issuer: Public CA\n"
    handed_in = evidence(world, sender_attested=text)
    given = {"address": "", "certificate_name": name, "evidence": handed_in}
    before = world.dump()
    applied = run(world, RELAY, "apply", **given)
    assert outcome(applied, "create-relay-connector") == "changed"
    assert outcome(applied, "spf-record") == "skipped"

    sap = Sender(world, certificate=issued_certificate(world, name))
    assert [sap.send(to, mark(applied)) for to in (INSIDE, OUTSIDE)] == ["250", "250"]
    assert Sender(world).send(OUTSIDE, "none").startswith(RELAY_DENIED)
    verify = run(world, RELAY, "verify", completes=applied.folder.name, **given)
    assert [outcome(verify, step) for step in TESTS] == ["ok", "ok"]
    run(world, RELAY, "rollback", record=applied.folder.name)
    assert world.dump() == before


def test_mail_from_another_address_is_no_proof(world: World) -> None:
    """It arrived, but not from where SAP was said to send."""
    publish_spf(world)
    applied = run(world, RELAY, "apply", evidence=evidence(world))
    assert Sender(world, STRANGER).send(INSIDE, mark(applied)) == "250"
    found = run(world, RELAY, "verify", completes=applied.folder.name, wait="2")
    end = step_ends(found)["sap-test-message:internal"]
    assert end["outcome"] == "failed"
    assert cast("Event", end["after"])["FromIP"] == STRANGER_PUBLIC
    assert SAP_PUBLIC in str(end["problem"])
    assert found.result == "failed"


def test_another_connector_for_the_address_stops(world: World) -> None:
    """A range that holds SAP's address belongs to somebody else."""
    world.exchange(
        "New-InboundConnector",
        Name="Scanners",
        ConnectorType="OnPremises",
        SenderDomains=["*"],
        SenderIPAddresses=["203.0.113.0/28"],
    )
    before = world.dump()
    found = run(world, RELAY, "apply", evidence=evidence(world))
    assert outcome(found, "connector-conflicts") == "failed"
    assert outcome(found, "create-relay-connector") == "blocked"
    assert world.dump() == before


@pytest.mark.parametrize(
    ("address", "result"), [(SAP_PUBLIC, "ok"), (STRANGER_PUBLIC, "failed")]
)
def test_connector_of_another_is_used_or_left(
    world: World, address: str, result: str
) -> None:
    """One of the planned name that is the same is used; another is not changed."""
    world.exchange(
        "New-InboundConnector",
        Name="SAP relay",
        ConnectorType="OnPremises",
        SenderDomains=["*"],
        SenderIPAddresses=[address],
    )
    before = world.dump()
    found = run(world, RELAY, "apply", evidence=evidence(world))
    assert outcome(found, "create-relay-connector") == result
    assert world.dump() == before


def test_rollback_leaves_what_somebody_changed_since(world: World) -> None:
    """A connector with another address is not ours to remove any more."""
    applied = run(world, RELAY, "apply", evidence=evidence(world))
    world.exchange(
        "Set-InboundConnector",
        Identity="SAP relay",
        SenderIPAddresses=[STRANGER_PUBLIC],
    )
    changed = world.dump()
    back = run(world, RELAY, "rollback", record=applied.folder.name)
    assert outcome(back, "create-relay-connector") == "blocked"
    assert back.result == "incomplete"
    assert world.dump() == changed


def test_direct_send_in_all_modes(world: World) -> None:
    """Nothing is written; SAP's own mail proves it; there is nothing to take back."""
    publish_spf(world)
    before, handed_in = world.dump(), evidence(world)
    plan = run(world, DIRECT, "plan", evidence=handed_in)
    assert (plan.result, plan.exit_code) == ("succeeded", 4)
    applied = run(world, DIRECT, "apply", evidence=handed_in)
    assert applied.result == "incomplete"
    assert world.writes() == []

    sap = Sender(world)
    assert sap.send(OUTSIDE, mark(applied)).startswith(RELAY_DENIED)
    assert sap.send(INSIDE, mark(applied)) == "250"
    written = len(world.writes())
    verify = run(
        world, DIRECT, "verify", evidence=handed_in, completes=applied.folder.name
    )
    assert (verify.result, verify.exit_code) == ("succeeded", 0)
    assert len(world.writes()) == written
    assert world.dump() == before
    given = world.given("rollback", record=applied.folder.name)
    assert execute(find_notebook(DIRECT), given).result == "refused"


def test_rejected_direct_send_needs_the_connector(world: World) -> None:
    """Option 2 says so; with option 3 the same mail is taken."""
    publish_spf(world)
    world.break_tenant("set_organization_config", name="RejectDirectSend", value=True)
    sap, handed_in = Sender(world), evidence(world)
    found = run(world, DIRECT, "plan", evidence=handed_in)
    assert outcome(found, "direct-send-policy") == "failed"
    assert sap.send(INSIDE, "rejected").startswith(REJECTED)

    given = {"evidence": handed_in, "external": "no"}
    applied = run(world, RELAY, "apply", **given)
    assert outcome(applied, "relay-conditions") == "ok"
    assert sap.send(INSIDE, mark(applied)) == "250"
    assert Sender(world, STRANGER).send(INSIDE, "no").startswith(REJECTED)


def test_recipients_outside_and_unknown_fail_direct_send(world: World) -> None:
    """Both are named before SAP runs into them."""
    recipients = f"{INSIDE}, {OUTSIDE}, nobody@contoso.com, fabrikam.example"
    found = run(world, DIRECT, "plan", recipients=recipients)
    end = step_ends(found)["internal-recipients"]
    assert end["outcome"] == "failed"
    assert end["after"] == {
        "outside": [OUTSIDE, "fabrikam.example"],
        "unknown": ["nobody@contoso.com"],
    }


def test_spf_waits_for_the_zone(world: World) -> None:
    """The record to publish is shown; once it is published the step is good."""
    found = run(world, DIRECT, "apply")
    end = step_ends(found)["spf-record"]
    assert end["outcome"] == "pending"
    proposed = str(cast("Event", end["context"])["to publish"])
    assert f'"{proposed}"' == SPF
    publish_spf(world, f'"{proposed}"')
    assert outcome(run(world, DIRECT, "verify"), "spf-record") == "ok"


def test_guides_backslash_fails(world: World) -> None:
    """The example of the guide, copied to the letter, is an error."""
    guide = r'"v=spf1 ip4:203.0.113.10 include:spf.protection.outlook.com \\~all"'
    publish_spf(world, guide)
    end = step_ends(run(world, DIRECT, "plan"))["spf-record"]
    assert end["outcome"] == "failed"
    proposed = str(cast("Event", end["context"])["to publish"])
    assert proposed.endswith("include:spf.protection.outlook.com ~all")


def test_failing_dns_is_an_error(world: World) -> None:
    """SERVFAIL says nothing about the record."""
    world.break_tenant("add_fault", fault="dns-servfail=99")
    found = run(world, DIRECT, "plan")
    assert outcome(found, "spf-record") == "error"
    assert found.result == "failed"


def test_left_over_logon_data_fails(world: World) -> None:
    """What SCOT still holds of option 1 is found in the form."""
    form = NODE.replace("logon_user:", "logon_user: sap@contoso.com")
    handed_in = evidence(world, mail_node_without_logon=form)
    found = run(world, RELAY, "plan", evidence=handed_in)
    end = step_ends(found)["mail-node-without-logon"]
    assert end["outcome"] == "failed"
    assert "LOGON_DATA_LEFT" in str(end["advice"])


@pytest.mark.parametrize("address", ["10.5.3.2", "2001:db8::1"])
def test_address_that_microsoft_never_sees_stops(world: World, address: str) -> None:
    """The guide's own example among them; nothing is made."""
    found = run(world, RELAY, "apply", address=address, evidence=evidence(world))
    ends = step_ends(found)
    assert ends["sender-identification"]["outcome"] == "failed"
    assert ends["create-relay-connector"]["outcome"] == "blocked"
    assert world.writes() == []
