"""What must hold before anything is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook_lib.clients.smtp import EndpointFacts
from runbook_lib.engine.expect import differences, met, plain
from runbook_lib.engine.step import NotAsExpected
from runbook_lib.errors import InputError, Unreachable
from runbook_lib.sap.endpoint import PROBE_SCHEMA
from runbook_lib.steps.policies import (
    ApplicationManagementPolicy,
    OrganizationSmtpAuth,
    SecurityDefaults,
)
from runbook_lib.steps.prerequisites import (
    OperatorPermissions,
    SenderDomain,
    SenderMailbox,
    SubmissionEndpoint,
)
from runbook_lib.steps.sap_release import SapReleaseSupportsCredential
from tests.steps.fakes import HOST, MAILBOX, FakeEntra, FakeSession, Row, seen_as


def release(
    product: str = "s4-onprem", sap_basis: str = "758", credential: str = "secret"
) -> SapReleaseSupportsCredential:
    """Return the step for a product, release and credential."""
    return SapReleaseSupportsCredential(product, sap_basis, credential)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (release(sap_basis="750"), True),
        (release(sap_basis="7.40"), False),
        (release(sap_basis="750", credential="certificate"), False),
        (release(sap_basis="751", credential="certificate"), True),
        (release(sap_basis="8.16"), True),
        (release(product="ecc", sap_basis="750"), True),
        (release(product="btp-abap", sap_basis=""), True),
        (release(product="btp-abap", sap_basis="", credential="certificate"), True),
    ],
)
def test_release_and_credential(
    step: SapReleaseSupportsCredential, expected: bool
) -> None:
    """A secret from 7.50 on, a certificate from 7.51; BTP by product."""
    seen = step.observe(seen_as(FakeSession()))
    assert met(step.expect(), seen.properties) is expected


def test_btp_with_a_secret_has_advice() -> None:
    """The guide and SAP's documentation differ there."""
    for credential, has in (("secret", True), ("certificate", False)):
        step = release(product="btp-abap", credential=credential)
        assert bool(step.observe(seen_as(FakeSession())).advice) is has


def test_public_edition_is_sap_s_own() -> None:
    """There is nothing to set up in this tenant."""
    with pytest.raises(NotAsExpected, match="SAP manages"):
        release(product="s4-public").observe(seen_as(FakeSession()))


@pytest.mark.parametrize(
    "step",
    [release(product="r3"), release(credential="x"), release(sap_basis="793")],
)
def test_wrong_parameters_are_said(step: SapReleaseSupportsCredential) -> None:
    """Product, credential, or a kernel release for SAP_BASIS."""
    session = seen_as(FakeSession())
    with pytest.raises(InputError):
        met(step.expect(), step.observe(session).properties)


NEEDED = ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"]


def operator(
    *directory: str,
    graph: list[str] | None = None,
    exchange: list[str] | None = None,
) -> FakeSession:
    """Return a session whose operator has these roles."""
    fake = FakeSession()
    fake.graph.roles = [{"displayName": name} for name in directory]
    graph_roles = NEEDED if graph is None else graph
    exchange_roles = ["Exchange.ManageAsApp"] if exchange is None else exchange
    fake.operator = {
        "graph": FakeEntra({"oid": "o1", "appid": "a1", "roles": graph_roles}),
        "exchange": FakeEntra({"roles": exchange_roles}),
    }
    return fake


@pytest.mark.parametrize(
    ("fake", "missing"),
    [
        (operator("Exchange Administrator"), []),
        (operator("Other", "Global Administrator"), []),
        (
            operator("Exchange Administrator", graph=[*NEEDED, "More.Read.All"]),
            [],
        ),
        (
            operator("Exchange Administrator", graph=NEEDED[:1]),
            ["roles (Microsoft Graph)"],
        ),
        (
            operator("Exchange Administrator", exchange=[]),
            ["roles (Exchange Online)"],
        ),
        (operator("Exchange Recipient Administrator"), ["directory role"]),
        (operator(), ["directory role"]),
        (
            operator(graph=[], exchange=[]),
            ["roles (Microsoft Graph)", "roles (Exchange Online)", "directory role"],
        ),
    ],
)
def test_operator_permissions(fake: FakeSession, missing: list[str]) -> None:
    """Read from the tokens and the directory; each missing one is named."""
    step = OperatorPermissions()
    seen = step.observe(seen_as(fake))
    found = differences(step.expect(), seen.properties)
    assert [difference.property for difference in found] == missing
    assert ("directory_roles", ("o1",)) in fake.graph.calls


def test_a_token_without_roles_has_none() -> None:
    """Null is an empty list here."""
    fake = operator("Global Administrator")
    fake.operator["exchange"] = FakeEntra({})
    seen = OperatorPermissions().observe(seen_as(fake))
    assert seen.properties["roles (Exchange Online)"] == []


def mailbox(**changes: object) -> Row:
    """Return a mailbox as Exchange shows it."""
    return {
        "PrimarySmtpAddress": "SAP@contoso.com",
        "RecipientTypeDetails": "UserMailbox",
        "IsMailboxEnabled": True,
        "EmailAddresses": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"RecipientTypeDetails": "SharedMailbox"}, True),
        ({"RecipientTypeDetails": "RoomMailbox"}, False),
        ({"PrimarySmtpAddress": "other@contoso.com"}, False),
        ({"PrimarySmtpAddress": None}, False),
        ({"IsMailboxEnabled": False}, False),
        ({"IsMailboxEnabled": None}, False),
    ],
)
def test_sender_mailbox(changes: Row, expected: bool) -> None:
    """Under its primary address, in any case, of a type that can send."""
    fake = FakeSession()
    fake.exchange.mailboxes = {MAILBOX: mailbox(**changes)}
    step = SenderMailbox(mailbox=MAILBOX)
    assert met(step.expect(), step.observe(seen_as(fake)).properties) is expected


def test_no_sender_mailbox() -> None:
    """Named, with a remedy."""
    with pytest.raises(NotAsExpected, match=MAILBOX):
        SenderMailbox(mailbox=MAILBOX).observe(seen_as(FakeSession()))


@pytest.mark.parametrize(
    ("kind", "expected", "others"),
    [
        ("Authoritative", True, 1),
        ("InternalRelay", True, 1),
        ("ExternalRelay", False, 1),
        (None, False, 1),
    ],
)
def test_sender_domain(kind: str | None, expected: bool, others: int) -> None:
    """Of the accepted domains the mailbox's counts."""
    fake = FakeSession()
    fake.exchange.domains = [{"DomainName": "a.com", "DomainType": "Authoritative"}]
    if kind:
        domain: Row = {"DomainName": "Contoso.com", "DomainType": kind}
        fake.exchange.domains.append(domain)
    step = SenderDomain(mailbox=MAILBOX)
    seen = step.observe(seen_as(fake))
    assert met(step.expect(), seen.properties) is expected
    assert seen.context["other accepted domains"] == others


GOOD = EndpointFacts(
    host=HOST,
    port=587,
    addresses=("203.0.113.66",),
    peer="203.0.113.66:587",
    banner="ready",
    starttls=True,
    tls_version="TLSv1.3",
    cipher="TLS_AES_256_GCM_SHA384",
    certificate={"subject": "CN=outlook.com"},
    auth=("LOGIN", "XOAUTH2"),
    size=157286400,
)
PROBE = {
    "schema": PROBE_SCHEMA,
    "host": HOST,
    "seen_from": "sapapp01",
    "time": "2026-11-25T10:00:00.000Z",
    "properties": {
        "resolves": True,
        "connects": True,
        "STARTTLS": True,
        "TLS": "TLSv1.2",
        "certificate": "trusted",
        "AUTH": ["XOAUTH2"],
    },
}


def endpoint(
    facts: EndpointFacts | Exception = GOOD, probe: Path | None = None
) -> tuple[SubmissionEndpoint, FakeSession]:
    """Return the step and a session that sees this endpoint."""
    fake = FakeSession()
    fake.submission.facts = facts
    return SubmissionEndpoint(host=HOST, probe=str(probe or "")), fake


def probe_file(folder: Path, **properties: object) -> Path:
    """Write a probe file with some properties replaced."""
    path = folder / "probe.json"
    known = PROBE["properties"]
    assert isinstance(known, dict)
    path.write_text(json.dumps({**PROBE, "properties": {**known, **properties}}))
    return path


def changed(**changes: object) -> EndpointFacts:
    """Return the endpoint with some facts replaced."""
    return EndpointFacts(**{**vars(GOOD), **changes})


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        (GOOD, []),
        (changed(tls_version="TLSv1.2"), []),
        (changed(tls_version="TLSv1.1"), ["TLS"]),
        (
            changed(starttls=False, tls_version=None, certificate=None, auth=()),
            ["STARTTLS", "TLS", "certificate", "AUTH"],
        ),
        (changed(auth=("LOGIN",)), ["AUTH"]),
    ],
)
def test_the_endpoint_seen_from_here(facts: EndpointFacts, missing: list[str]) -> None:
    """It is advisory, and the card says from where it was seen."""
    step, fake = endpoint(facts)
    seen = step.observe(seen_as(fake))
    found = differences(step.expect(), seen.properties)
    assert [difference.property for difference in found] == missing
    assert seen.vantage == "this machine"
    assert "runbook probe" in str(seen.advice)
    assert ("observe_endpoint", (HOST, 587)) in fake.submission.calls


def test_a_probe_from_the_sender_stands_over_what_is_seen_here(tmp_path: Path) -> None:
    """Its vantage is named; the view from here stands beside it."""
    step, fake = endpoint(changed(auth=()), probe_file(tmp_path))
    seen = step.observe(seen_as(fake))
    assert met(step.expect(), seen.properties)
    assert str(seen.vantage).startswith("runbook probe on sapapp01")
    assert seen.advice is None
    assert "AUTH" in str(seen.context["seen from this machine"])


def test_a_bad_probe_is_not_covered_by_a_good_view_from_here(tmp_path: Path) -> None:
    """The SAP host is the one that sends."""
    step, fake = endpoint(GOOD, probe_file(tmp_path, connects=False))
    found = differences(step.expect(), step.observe(seen_as(fake)).properties)
    assert [difference.property for difference in found] == ["connects"]


def test_what_the_sender_did_not_see_is_said(tmp_path: Path) -> None:
    """It is taken from here, and the advice names it."""
    step, fake = endpoint(GOOD, probe_file(tmp_path, TLS=None, AUTH=None))
    seen = step.observe(seen_as(fake))
    assert met(step.expect(), seen.properties)
    assert seen.advice == "Not seen from the SAP host: TLS, AUTH."


def test_a_probe_counts_where_this_machine_sees_nothing(tmp_path: Path) -> None:
    """An office network often blocks port 587; the SAP host's need not."""
    blocked = Unreachable("No connection to smtp.office365.com:587.")
    step, fake = endpoint(blocked, probe_file(tmp_path))
    seen = step.observe(seen_as(fake))
    assert met(step.expect(), seen.properties)
    assert seen.facts["problem"] == blocked.message
    partial = SubmissionEndpoint(HOST, str(probe_file(tmp_path, AUTH=None)))
    assert not met(partial.expect(), partial.observe(seen_as(fake)).properties)


def test_without_a_probe_what_cannot_be_reached_is_an_error() -> None:
    """We could not look."""
    step, fake = endpoint(Unreachable("no"))
    with pytest.raises(Unreachable):
        step.observe(seen_as(fake))


def test_a_wrong_probe_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    """A missing file does not fall back to the view from here."""
    step, fake = endpoint(GOOD, tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read"):
        step.observe(seen_as(fake))
    assert fake.calls() == []


@pytest.mark.parametrize(("disabled", "advice"), [(True, False), (False, True)])
def test_the_organizations_setting_passes_and_is_advised_about(
    disabled: bool, advice: bool
) -> None:
    """The mailbox's own value wins over it."""
    fake = FakeSession()
    fake.exchange.transport = {"SmtpClientAuthenticationDisabled": disabled}
    step = OrganizationSmtpAuth()
    seen = step.observe(seen_as(fake))
    assert met(step.expect(), seen.properties)
    assert bool(seen.advice) is advice


@pytest.mark.parametrize("odd", [None, 0, "False"])
def test_an_organizations_setting_of_another_kind_does_not_pass(odd: object) -> None:
    """A reply that is neither true nor false was not understood."""
    fake = FakeSession()
    fake.exchange.transport = {"SmtpClientAuthenticationDisabled": odd}
    step = OrganizationSmtpAuth()
    assert not met(step.expect(), step.observe(seen_as(fake)).properties)


@pytest.mark.parametrize("enabled", [True, False])
def test_security_defaults_pass_and_are_advised_about(enabled: bool) -> None:
    """Whether they refuse the sign-in, the sign-in proves."""
    fake = FakeSession()
    fake.graph.security_defaults = enabled
    step = SecurityDefaults()
    seen = step.observe(seen_as(fake))
    assert met(step.expect(), seen.properties)
    assert bool(seen.advice) is enabled


def policy(enabled: bool, *rules: Row) -> Row:
    """Return an app management policy."""
    return {
        "isEnabled": enabled,
        "applicationRestrictions": {"passwordCredentials": list(rules)},
    }


FORBIDS: Row = {"restrictionType": "passwordAddition", "state": "enabled"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, "allowed"),
        (policy(False, FORBIDS), "allowed"),
        (policy(True), "allowed"),
        (policy(True, {**FORBIDS, "state": "disabled"}), "allowed"),
        (policy(True, {"restrictionType": "passwordLifetime"}), "allowed"),
        (policy(True, FORBIDS), "forbidden"),
        (policy(True, {"restrictionType": "passwordAddition"}), "forbidden"),
        ({"isEnabled": True, "applicationRestrictions": None}, "allowed"),
    ],
)
def test_app_management_policy(found: Row, expected: str) -> None:
    """Only an enabled policy with an enabled rule forbids a secret."""
    fake = FakeSession()
    fake.graph.policy = found
    seen = ApplicationManagementPolicy().observe(seen_as(fake))
    assert seen.properties == {"passwordAddition": expected}


def test_the_longest_lifetime_is_shown() -> None:
    """An operator sees what the policy allows."""
    rule: Row = {"restrictionType": "passwordLifetime", "maxLifetime": "P90D"}
    fake = FakeSession()
    fake.graph.policy = policy(True, rule)
    seen = ApplicationManagementPolicy().observe(seen_as(fake))
    assert plain(seen.context) == {"isEnabled": True, "maxLifetime": ["P90D"]}
