"""The proof: a token, a sign-in, and a message that is followed."""

from __future__ import annotations

from typing import Any

import pytest

from runbook_lib.engine.expect import differences, met
from runbook_lib.engine.step import NotAsExpected, NothingToDo
from runbook_lib.errors import SmtpRefused, TokenRefused
from runbook_lib.secret import Secret
from runbook_lib.steps.message import SendTestMessage, stated_message_id
from runbook_lib.steps.submission import ObtainAccessToken, SignInToSmtp, precise
from tests.steps.fakes import (
    APP,
    HOST,
    MAILBOX,
    PRINCIPAL,
    FakeEntra,
    FakeSession,
    seen_as,
)

TOKEN = ObtainAccessToken(app_id=APP, principal=PRINCIPAL, key_id="key")
SIGN_IN = SignInToSmtp(app_id=APP, key_id="key", mailbox=MAILBOX, host=HOST)
CLAIMS = {
    "aud": "https://outlook.office365.com",
    "appid": APP,
    "oid": PRINCIPAL,
    "roles": ["SMTP.SendAsApp"],
    "tid": "t",
}


def message(audience: str = "internal") -> SendTestMessage:
    """Return the step for an audience."""
    return SendTestMessage(
        audience=audience,
        recipient="inbox@contoso.com",
        app_id=APP,
        key_id="key",
        mailbox=MAILBOX,
        host=HOST,
    )


@pytest.fixture
def fake() -> FakeSession:
    """Return a session whose sink holds the secret and whose token is good."""
    made = FakeSession(sap=FakeEntra(CLAIMS))
    made.sink.values = {"key": Secret("the-secret")}
    return made


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, []),
        ({"aud": "https://outlook.office.com"}, []),
        ({"aud": "00000002-0000-0ff1-ce00-000000000000"}, ["aud"]),
        ({"aud": "https://graph.microsoft.com"}, ["aud"]),
        ({"roles": None}, ["roles"]),
        ({"roles": ["POP.AccessAsApp"]}, ["roles"]),
        ({"roles": ["POP.AccessAsApp", "SMTP.SendAsApp"]}, []),
        ({"oid": "other"}, ["oid"]),
        ({"appid": "other"}, ["appid"]),
    ],
)
def test_a_token_says_what_it_is_good_for(
    fake: FakeSession, change: dict[str, object], missing: list[str]
) -> None:
    """A token is issued even without consent; it then has no role."""
    fake.sap = FakeEntra({**CLAIMS, **change})
    seen = TOKEN.observe(seen_as(fake))
    found = differences(TOKEN.expect(), seen.properties)
    assert [difference.property for difference in found] == missing


def test_a_token_is_asked_for_anew_as_the_sap_application(fake: FakeSession) -> None:
    """With the secret from the sink, not from a cache; it is never shown."""
    seen = TOKEN.observe(seen_as(fake))
    assert fake.clients == [(APP, "the-secret")]
    assert fake.sap.asked == [("https://outlook.office365.com/.default", True)]
    assert "the-token" not in str(seen)
    assert "the-secret" not in str(seen)


def fail() -> None:
    """Stand for a message that must not go out."""
    raise AssertionError("the message goes out")


@pytest.mark.parametrize("step", [TOKEN, SIGN_IN])
def test_a_sealed_sink_skips_the_proof(fake: FakeSession, step: Any) -> None:
    """Only the recipient can read the secret."""
    fake.sink.readable = False
    with pytest.raises(NothingToDo) as caught:
        step.observe(seen_as(fake))
    assert caught.value.reason == "no_credential"
    with pytest.raises(NothingToDo):
        message().act(seen_as(fake), fail)
    assert fake.submission.calls == []


def test_a_refused_token_is_passed_on(fake: FakeSession) -> None:
    """The engine judges it by its code."""
    fake.sap = FakeEntra(TokenRefused("no", code="AADSTS7000222"))
    with pytest.raises(TokenRefused):
        TOKEN.observe(seen_as(fake))
    assert TOKEN.remedies["AADSTS7000222"] == "token-expired-secret"
    assert "AADSTS7000222" not in TOKEN.replication_symptoms


def test_signing_in_sends_nothing(fake: FakeSession) -> None:
    """Reply 235, the mailbox that was named, the dialogue for the record."""
    seen = SIGN_IN.observe(seen_as(fake))
    assert met(SIGN_IN.expect(), seen.properties)
    assert fake.submission.calls == [("sign_in", (HOST, 587, MAILBOX, "the-token"))]
    assert seen.facts["dialogue"] == ["S: 235 2.7.0"]


DISABLED = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled"
)


@pytest.mark.parametrize(
    ("code", "text", "expected", "remedy"),
    [
        (
            "535 5.7.139",
            f"{DISABLED} for the Tenant.",
            "535 5.7.139 Tenant",
            "smtp-auth-disabled-tenant",
        ),
        (
            "535 5.7.139",
            f"{DISABLED} for the Mailbox.",
            "535 5.7.139 Mailbox",
            "smtp-auth-disabled-mailbox",
        ),
        ("535 5.7.139", "blocked by policy", "535 5.7.139", None),
        (
            "535 5.7.3",
            "unsuccessful for the Mailbox",
            "535 5.7.3",
            "smtp-authentication-unsuccessful",
        ),
    ],
)
def test_a_refused_sign_in_is_told_apart(
    fake: FakeSession, code: str, text: str, expected: str, remedy: str | None
) -> None:
    """One code, two reasons, two remedies; the facts are kept."""
    fake.submission.refusal = SmtpRefused(text, code=code, facts={"reply": 535})
    with pytest.raises(SmtpRefused) as caught:
        SIGN_IN.observe(seen_as(fake))
    assert (caught.value.code, caught.value.message) == (expected, text)
    assert caught.value.facts == {"reply": 535}
    assert SIGN_IN.remedies.get(expected) == remedy
    with pytest.raises(SmtpRefused, match=text[:10]):
        message().act(seen_as(fake), fail)


def test_precise_leaves_others_as_they_are() -> None:
    """Only 5.7.139 has two reasons."""
    refusal = SmtpRefused("no for the Tenant", code="550 5.7.60")
    assert precise(refusal) is refusal


@pytest.mark.parametrize(
    ("code", "is_symptom"),
    [
        ("535 5.7.3", True),
        ("430 4.2.0", True),
        ("535 5.7.139 Tenant", False),
        ("535 5.7.139 Mailbox", False),
    ],
)
def test_which_refusals_may_be_replication(code: str, is_symptom: bool) -> None:
    """A setting that forbids is not waited for."""
    assert SIGN_IN.explains(SmtpRefused("no", code=code)) is is_symptom


def test_a_message_goes_to_the_recipient_of_the_tenant_file_only(
    fake: FakeSession,
) -> None:
    """From the mailbox itself, marked with the run; its content asks for nothing."""
    fake.submission.text = "2.0.0 OK <abc@PROD.OUTLOOK.COM> [Hostname=x]"
    told: list[str] = []
    facts = message().act(seen_as(fake), lambda: told.append("sending"))
    assert told == ["sending"]
    assert fake.submission.calls == [
        ("send", (HOST, 587, MAILBOX, ("inbox@contoso.com",)))
    ]
    (sent,) = fake.submission.sent
    assert (sent["From"], sent["To"]) == (MAILBOX, "inbox@contoso.com")
    assert "runbook:example" in sent["Subject"]
    assert sent["Message-ID"] == "<example.internal@contoso.com>"
    assert facts["Message-ID"] == "<abc@PROD.OUTLOOK.COM>"
    assert facts["Message-ID as sent"] == "<example.internal@contoso.com>"
    assert facts["reply"] == 250


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("2.0.0 OK <abc@x.example> [Hostname=h]", "<abc@x.example>"),
        ("2.0.0 OK", None),
        ("2.0.0 OK <>", None),
        ("2.0.0 <no address> <a@b>", "<a@b>"),
    ],
)
def test_the_services_own_message_id(reply: str, expected: str | None) -> None:
    """Exchange Online names it in the final reply."""
    assert stated_message_id(reply) == expected


def test_the_two_audiences_are_two_messages() -> None:
    """Their Message-IDs and subjects differ."""
    session = seen_as(FakeSession())
    inside, outside = message("internal"), message("external")
    assert inside.id != outside.id
    assert inside.message_id(session) != outside.message_id(session)
    assert inside.subject(session) != outside.subject(session)
    assert inside.heading == "Send a test message to an internal recipient"


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        ("Delivered", True),
        ("Pending", False),
        ("GettingStatus", False),
        ("Expanded", False),
        (None, False),
    ],
)
def test_only_delivered_passes(
    fake: FakeSession, status: str | None, passes: bool
) -> None:
    """Another status may still change; it is a symptom of waiting, not a pass."""
    fake.exchange.traces = [{"Status": status}] if status else []
    step = message()
    seen = step.follow(seen_as(fake), {"Message-ID": "<a@b>"})
    assert met(step.expect(), seen.properties) is passes
    assert "Status" in step.replication_symptoms


@pytest.mark.parametrize("status", ["Failed", "FilteredAsSpam", "Quarantined"])
def test_a_lost_message_is_failed_at_once(fake: FakeSession, status: str) -> None:
    """Waiting does not bring it back."""
    fake.exchange.traces = [{"Status": status}]
    with pytest.raises(NotAsExpected, match=status) as caught:
        message().follow(seen_as(fake), {"Message-ID": "<a@b>"})
    assert caught.value.remedy_id == "send-test-message-internal"
    assert caught.value.facts == {"row": {"Status": status}}


def test_a_message_is_looked_for_by_what_is_known(fake: FakeSession) -> None:
    """By Message-ID; by subject where an earlier attempt could not note it."""
    step = message()
    step.follow(seen_as(fake), {"Message-ID": "<a@b>"})
    step.follow(seen_as(fake), {})
    by_id, by_subject = [arguments for _, arguments in fake.exchange.calls]
    window = ("2026-11-23T10:00:00Z", "2026-11-25T11:00:00Z")
    assert by_id == (*window, "<a@b>", "inbox@contoso.com", None)
    subject = step.subject(seen_as(fake))
    assert by_subject == (*window, None, "inbox@contoso.com", subject)


def test_external_delivery_is_no_more_than_it_is(fake: FakeSession) -> None:
    """The next server accepted it; what it does with it is not seen."""
    fake.exchange.traces = [{"Status": "Delivered"}]
    assert message("external").follow(seen_as(fake), {}).advice
    assert message("internal").follow(seen_as(fake), {}).advice is None
