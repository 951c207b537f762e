"""Further senders: read, looked up, granted, and proven by messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook_lib.engine.expect import State, met
from runbook_lib.engine.step import NotAsExpected, NothingToDo, Step
from runbook_lib.errors import InputError, SmtpRefused
from runbook_lib.secret import Secret
from runbook_lib.steps.alias_sending import AliasSending, AllowAliasSending
from runbook_lib.steps.sender_messages import SendFromFurtherSenders
from runbook_lib.steps.senders import (
    GrantSendAs,
    SenderAddresses,
    further_senders,
)
from tests.steps.fakes import (
    APP,
    HOST,
    MAILBOX,
    PRINCIPAL,
    FakeEntra,
    FakeSession,
    Row,
    seen_as,
)

ALIAS, INVOICES, ORDERS = (
    "sap@contoso.onmicrosoft.com",
    "invoices@contoso.com",
    "orders@contoso.com",
)
ALL = f"{ALIAS}, {INVOICES} {ORDERS}"
DENIED = SmtpRefused("554 5.2.252 SendAsDenied", code="554 5.2.252")


def with_address(*addresses: str) -> Row:
    """Return a mailbox with these addresses, the first as its primary one."""
    first, *others = addresses
    entries = [f"SMTP:{first}", *(f"smtp:{one}" for one in others), "SIP:x@contoso.com"]
    return {"PrimarySmtpAddress": first, "EmailAddresses": entries}


@pytest.fixture
def fake() -> FakeSession:
    """Return a tenant with the mailbox, its alias and two other mailboxes."""
    made = FakeSession(sap=FakeEntra({}))
    made.exchange.mailboxes = {
        MAILBOX: with_address(MAILBOX, ALIAS),
        INVOICES: with_address(INVOICES),
        ORDERS: with_address(ORDERS),
    }
    made.exchange.principals = [{"AppId": APP, "ObjectId": PRINCIPAL}]
    made.sink.values = {"key": Secret("the-secret")}
    return made


def grant(send_as: str = "service-principal", senders: str = ALL) -> GrantSendAs:
    """Return the step that grants."""
    return GrantSendAs(
        mailbox=MAILBOX, senders=senders, send_as=send_as, object_id=PRINCIPAL
    )


def messages(senders: str = f"{INVOICES} {ORDERS}") -> SendFromFurtherSenders:
    """Return the step that sends."""
    return SendFromFurtherSenders(
        mailbox=MAILBOX,
        senders=senders,
        recipient="inbox@contoso.com",
        app_id=APP,
        key_id="key",
        host=HOST,
    )


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (INVOICES, (INVOICES,)),
        (f" {INVOICES.upper()} ,{INVOICES};", (INVOICES,)),
        (f"{ORDERS}\n{MAILBOX}\t{INVOICES}", (ORDERS, INVOICES)),
    ],
)
def test_addresses_are_read_once_and_without_the_mailbox(
    given: str, read: tuple[str, ...]
) -> None:
    """As people write lists: blanks, commas, capitals, repetitions."""
    assert further_senders(given, MAILBOX) == read


@pytest.mark.parametrize("given", ["invoices", "a@b@c", "x@contoso", "<a@contoso.com>"])
def test_what_is_no_address_is_named(given: str) -> None:
    """With the parameter and a remedy."""
    with pytest.raises(InputError, match=r"senders: .* is no mail address") as caught:
        further_senders(given, MAILBOX)
    assert caught.value.remedy


def test_no_more_than_are_sent_in_a_minute() -> None:
    """Twenty are read, and one more is not."""
    many = [f"a{number}@contoso.com" for number in range(21)]
    assert len(further_senders(" ".join(many[:20]), MAILBOX)) == 20
    with pytest.raises(InputError, match="21 addresses"):
        further_senders(" ".join(many), MAILBOX)


@pytest.mark.parametrize(
    "step",
    [
        SenderAddresses(MAILBOX, MAILBOX),
        AliasSending(MAILBOX, "", "check"),
        AliasSending(MAILBOX, ALIAS, "enable"),
        AllowAliasSending(MAILBOX, "", "enable"),
        AllowAliasSending(MAILBOX, ALIAS, "check"),
        grant(senders=""),
        grant("none"),
        messages(""),
    ],
)
def test_what_was_not_asked_for_does_not_apply(step: Step) -> None:
    """Each step says so before it looks at anything."""
    with pytest.raises(NothingToDo) as caught:
        step.applicable()
    assert caught.value.reason == "not_applicable"


@pytest.mark.parametrize("step", [grant("both"), AliasSending(MAILBOX, ALIAS, "yes")])
def test_unknown_choices_are_refused(step: Step) -> None:
    """A misspelt one is not taken for the default."""
    with pytest.raises(InputError, match="is not known"):
        step.applicable()


def test_whose_address_it_is(fake: FakeSession) -> None:
    """An alias, another mailbox, nobody; a name that finds a mailbox is no address."""
    fake.exchange.mailboxes["orders@contoso.com"] = with_address("other@contoso.com")
    step = SenderAddresses(MAILBOX, f"{ALL} nobody@contoso.com")
    seen = step.observe(seen_as(fake))
    assert seen.properties == {
        ALIAS: "address of the mailbox itself",
        INVOICES: "address of another mailbox",
        ORDERS: None,
        "nobody@contoso.com": None,
    }
    assert not met(step.expect(), seen.properties)
    assert step.remedy(ORDERS, seen) == "sender-addresses"


@pytest.mark.parametrize(
    ("send_as", "trustee"), [("service-principal", PRINCIPAL), ("mailbox", MAILBOX)]
)
def test_only_what_is_missing_is_granted_and_taken_back(
    fake: FakeSession, send_as: str, trustee: str
) -> None:
    """An alias needs nothing; a row that was there stays after the rollback."""
    exchange, session, step = fake.exchange, seen_as(fake), grant(send_as)
    exchange.send_as = {(ORDERS, trustee)}
    before = step.observe(session).properties
    assert before[INVOICES] is None
    step.apply(session)
    after = step.observe(session).properties
    assert met(step.expect(), after)
    assert exchange.send_as == {(ORDERS, trustee), (INVOICES, trustee)}
    step.revert(session, before, after)
    assert exchange.send_as == {(ORDERS, trustee)}


def test_a_revert_that_was_interrupted_goes_on(fake: FakeSession) -> None:
    """What is gone already is not removed again: that would be an error."""
    step, session = grant(), seen_as(fake)
    before = step.observe(session).properties
    step.apply(session)
    after = step.observe(session).properties
    fake.exchange.send_as.remove((INVOICES, PRINCIPAL))
    step.revert(session, before, after)
    assert fake.exchange.send_as == set()


def test_exchange_is_not_asked_about_a_trustee_it_does_not_know(
    fake: FakeSession,
) -> None:
    """It would answer with an error where there is just no row."""
    fake.exchange.principals = []
    seen = grant().observe(seen_as(fake))
    assert seen.properties[INVOICES] is None
    assert not seen.exists
    assert "exchange.recipient_permissions" not in fake.calls()


def test_a_denying_row_is_no_send_as(
    fake: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only Allow counts."""
    row: Row = {"AccessControlType": "Deny", "AccessRights": ["SendAs"]}
    answer: Callable[..., list[Row]] = lambda *_, **__: [row]  # noqa: E731
    monkeypatch.setattr(fake.exchange, "recipient_permissions", answer)
    assert grant().observe(seen_as(fake)).properties[INVOICES] is None


@pytest.mark.parametrize("enabled", [False, None, True])
def test_the_setting_counts_where_an_alias_sends(
    fake: FakeSession, enabled: bool | None
) -> None:
    """Looked at, set where asked for, and put back as it was."""
    fake.exchange.organization = {"SendFromAliasEnabled": enabled}
    check = AliasSending(MAILBOX, ALL, "check")
    seen = check.observe(seen_as(fake))
    assert met(check.expect(), seen.properties) is (enabled is True)
    assert "every mailbox" in str(seen.advice)
    change = AllowAliasSending(MAILBOX, ALL, "enable")
    before = change.observe(seen_as(fake)).properties
    change.apply(seen_as(fake))
    after = change.observe(seen_as(fake)).properties
    assert met(change.expect(), after)
    change.revert(seen_as(fake), before, after)
    assert fake.exchange.organization == {"SendFromAliasEnabled": enabled}


def test_without_an_alias_the_setting_is_not_looked_at(fake: FakeSession) -> None:
    """Another mailbox's address is no alias of ours."""
    for step in (
        AliasSending(MAILBOX, INVOICES, "check"),
        AllowAliasSending(MAILBOX, INVOICES, "enable"),
    ):
        with pytest.raises(NothingToDo, match="No sender is an alias"):
            step.observe(seen_as(fake))
    assert "exchange.organization_config" not in fake.calls()


def sent_from(fake: FakeSession, step: SendFromFurtherSenders) -> dict[str, State]:
    """Send every message of the step; return what is known of each."""
    return {n: act(seen_as(fake), lambda: None) for n, act in step.parts().items()}


def test_each_sender_is_in_from_and_envelope(fake: FakeSession) -> None:
    """And the Message-ID is the one that the server names."""
    fake.submission.text = "2.0.0 OK <abc@PROD.OUTLOOK.COM>"
    known = sent_from(fake, messages())
    sent = fake.submission.sent
    assert [message["From"] for message in sent] == [INVOICES, ORDERS]
    assert fake.submission.envelopes == [INVOICES, ORDERS]
    assert {str(message["To"]) for message in sent} == {"inbox@contoso.com"}
    assert len({str(message["Message-ID"]) for message in sent}) == 2
    assert list(known) == [INVOICES, ORDERS]
    assert known[INVOICES]["Message-ID"] == "<abc@PROD.OUTLOOK.COM>"
    assert known[INVOICES]["reply"] == 250


def test_a_refusal_names_the_sender_and_leads_to_the_remedy(fake: FakeSession) -> None:
    """The code is kept."""
    fake.submission.refusals = {INVOICES: DENIED}
    step = messages()
    with pytest.raises(SmtpRefused, match=f"No message from {INVOICES}: ") as caught:
        sent_from(fake, step)
    assert step.remedies[caught.value.code] == "smtp-send-as-denied"
    assert fake.submission.sent == []


def test_a_message_is_looked_for_by_what_is_known(fake: FakeSession) -> None:
    """By Message-ID; by subject where an earlier attempt could not note it."""
    fake.exchange.traces = [{"Status": "Delivered"}]
    step = messages()
    seen = step.follow(seen_as(fake), {INVOICES: {}, ORDERS: {"Message-ID": "<a@b>"}})
    assert met(step.expect(), seen.properties)
    lost, known = [arguments for _, arguments in fake.exchange.calls]
    subject = f"Test of SAP outbound mail from {INVOICES} (runbook:example)"
    assert (lost[2], lost[4]) == (None, subject)
    assert (known[2], known[4]) == ("<a@b>", None)


@pytest.mark.parametrize("status", ["Pending", None])
def test_what_is_not_delivered_yet_is_waited_for(
    fake: FakeSession, status: str | None
) -> None:
    """Also where an interrupted attempt left no facts: never a pass for nothing."""
    fake.exchange.traces = [{"Status": status}] if status else []
    seen = messages().follow(seen_as(fake), {})
    assert seen.properties == {"Delivered": []}
    assert not met(messages().expect(), seen.properties)
    assert messages().replication_symptoms == {"Delivered"}


def test_a_lost_message_is_failed_at_once(fake: FakeSession) -> None:
    """Exchange may also refuse the sender after it took the message over."""
    fake.exchange.traces = [{"Status": "Failed"}]
    with pytest.raises(NotAsExpected, match=f"Failed from {INVOICES}") as caught:
        messages().follow(seen_as(fake), {})
    assert caught.value.remedy_id == "send-from-further-senders"
