"""Option 2: recipients, the organization's policy, the endpoint and the port."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook_lib.clients.smtp import EndpointFacts
from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NotAsExpected
from runbook_lib.errors import Unreachable
from runbook_lib.sap.relay_node import relay_node
from runbook_lib.steps.direct_send_policy import DirectSendPolicy, InternalRecipients
from runbook_lib.steps.mx_endpoint import MxEndpoint, MxPort
from tests.steps.mail_flow import MX, Exchange, session_on

MAILBOX = {"RecipientTypeDetails": "UserMailbox"}
GROUP = {"RecipientTypeDetails": "MailUniversalDistributionGroup"}
KNOWN = {"inbox@contoso.com": MAILBOX, "team@contoso.com": GROUP}


@pytest.mark.parametrize(
    ("given", "outside", "unknown"),
    [
        ("inbox@contoso.com", [], []),
        ("INBOX@contoso.com; contoso.com", [], []),
        ("contoso.onmicrosoft.com", [], []),
        ("x@fabrikam.com, inbox@contoso.com", ["x@fabrikam.com"], []),
        ("fabrikam.com", ["fabrikam.com"], []),
        ("x@sub.contoso.com", ["x@sub.contoso.com"], []),
        ("nobody@contoso.com", [], ["nobody@contoso.com"]),
    ],
)
def test_recipients_are_sorted(
    given: str, outside: list[str], unknown: list[str]
) -> None:
    """Outside, or unknown in the directory; whole domains are not looked up."""
    step = InternalRecipients(recipients=given)
    seen = step.observe(session_on(Exchange(recipients=KNOWN)))
    assert seen.properties == {"outside": outside, "unknown": unknown}
    assert met(step.expect(), seen.properties) is not bool(outside or unknown)


def test_no_recipient_is_no_answer() -> None:
    """Nothing would be outside of nothing."""
    with pytest.raises(NotAsExpected, match="No recipient"):
        InternalRecipients(recipients=" , ").observe(session_on())


def test_groups_are_told() -> None:
    """They refuse senders that are not signed in, by default."""
    step = InternalRecipients(recipients="team@contoso.com, inbox@contoso.com")
    seen = step.observe(session_on(Exchange(recipients=KNOWN)))
    assert met(step.expect(), seen.properties)
    assert seen.advice is not None
    assert seen.advice.startswith("team@contoso.com:")


@pytest.mark.parametrize(
    ("value", "good"), [(False, True), (True, False), (None, False)]
)
def test_policy_of_the_organization(value: bool | None, good: bool) -> None:
    """Only an explicit false passes."""
    session = session_on(Exchange(organization={"RejectDirectSend": value}))
    step = DirectSendPolicy()
    assert met(step.expect(), step.observe(session).properties) is good


RECORDS = (
    {"recordType": "Txt", "text": "v=spf1 -all"},
    {"recordType": "Mx", "mailExchange": MX.upper()},
)


@pytest.mark.parametrize(
    ("published", "told"),
    [
        ([f"0 {MX}"], None),
        (["10 filter.example"], "leads mail for this domain to filter.example"),
        ([f"10 {MX}", "20 filter.example"], "to filter.example"),
        ([], "no MX record"),
    ],
)
def test_endpoint_is_the_tenants_and_a_difference_is_told(
    published: list[str], told: str | None
) -> None:
    """A filter in front is a finding, and the endpoint stays the tenant's."""
    step = MxEndpoint(domain="contoso.com")
    zone = {"contoso.com": {"MX": published}}
    seen = step.observe(session_on(zone=zone, records=RECORDS))
    assert met(step.expect(), seen.properties)
    assert seen.properties["mailExchange"] == MX
    assert (told or "None") in str(seen.advice)


def test_domain_without_mail_has_no_endpoint() -> None:
    """The tenant proposes no MX record."""
    step = MxEndpoint(domain="contoso.com")
    seen = step.observe(session_on(records=RECORDS[:1]))
    assert not met(step.expect(), seen.properties)


def endpoint(starttls: bool = True) -> EndpointFacts:
    """Return an MX endpoint as it is seen."""
    return EndpointFacts(
        host=MX,
        port=25,
        addresses=("127.0.0.1",),
        peer="127.0.0.1:25",
        banner="ready",
        starttls=starttls,
        tls_version="TLSv1.3" if starttls else None,
        cipher=None,
        certificate={"subject": MX} if starttls else None,
        auth=(),
        size=None,
    )


def unreachable() -> EndpointFacts:
    """Answer as a network that blocks port 25."""
    raise Unreachable("time-out")


ZONE = {MX: {"A": ["127.0.0.1"]}}


@pytest.mark.parametrize("starttls", [True, False])
def test_port_as_seen_from_here(starttls: bool) -> None:
    """It is good with STARTTLS, and only an advice for the SAP host."""
    session = session_on(zone=ZONE, endpoint=lambda: endpoint(starttls))
    seen = MxPort(host=MX).observe(session)
    assert met(MxPort(host=MX).expect(), seen.properties) is starttls
    assert seen.vantage == "this machine"
    assert "--port 25" in str(seen.advice)


def test_blocked_port_here_is_no_answer() -> None:
    """Without a view from the SAP host nothing is known."""
    with pytest.raises(Unreachable):
        MxPort(host=MX).observe(session_on(zone=ZONE, endpoint=unreachable))


@pytest.mark.parametrize(("connects", "good"), [(True, True), (False, False)])
def test_probe_of_the_sap_host_counts(
    tmp_path: Path, connects: bool, good: bool
) -> None:
    """Here the port may be blocked: what counts is the sender."""
    properties = {
        "resolves": True,
        "connects": connects,
        "STARTTLS": connects,
        "TLS": "TLSv1.2",
        "certificate": "trusted",
        "AUTH": [],
    }
    found = {"schema": 1, "host": MX, "port": 25, "seen_from": "erp", "time": "now"}
    probe = tmp_path / "probe.json"
    probe.write_text(json.dumps({**found, "properties": properties}), "utf-8")
    step = MxPort(host=MX, probe=str(probe))
    seen = step.observe(session_on(zone=ZONE, endpoint=unreachable))
    assert met(step.expect(), seen.properties) is good
    assert "erp" in str(seen.vantage)


def test_values_for_sap_hold_no_sign_in() -> None:
    """Host and port of the way without sign-in, and the order to delete logon data."""
    rows = {row.field: row.value for row in relay_node(MX, "contoso.com")}
    assert (rows["Mail host"], rows["Mail port"]) == (MX, "25")
    assert rows["Logon data of SMTP AUTH"].startswith("none")
    assert rows["Default domain"] == "contoso.com"
    assert not any("OAuth" in field for field in rows)
