"""Each rule at its boundary, and what is said of the options not chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook_lib.errors import InputError
from runbook_lib.mail_limits import external_recipients_per_day
from runbook_lib.sap.release import Product, parse_basis
from runbook_lib.steps.choice.profile import (
    QUESTIONS,
    Profile,
    conjunction,
    disjunction,
    negation,
)
from runbook_lib.steps.choice.recommendation import recommend
from runbook_lib.steps.choice.rules import RULES

# Everything is known, and nothing stands against any option but the wish.
GOOD = Profile(
    product=Product.S4_ON_PREMISES,
    sap_basis=758,
    notes=True,
    tls12=True,
    external=True,
    recipients_per_day=500,
    external_per_day=100,
    messages_per_minute=5,
    licenses=100,
    senders=1,
    application_servers=2,
    hub_network=False,
    port_587=True,
    port_25=True,
    static_address=True,
    tls_certificate=False,
    smtp_auth=True,
    direct_send_rejected=False,
    relay_server=True,
)
OLD = replace(GOOD, sap_basis=749)


def against(profile: Profile, option: int) -> str | None:
    """Return the rule against an option, None for the recommended one."""
    reasons = {reason.option: reason.rule for reason in recommend(profile).against}
    return reasons.get(option)


@pytest.mark.parametrize(
    ("given", "credential", "option"),
    [
        ("7.49", None, 3),
        ("7.50", None, 1),
        ("7.50", "secret", 1),
        ("7.50", "certificate", 3),
        ("7.51", "certificate", 1),
        ("7.52", "certificate", 1),
        ("816", None, 1),
        ("731", None, 3),
    ],
)
def test_release_and_credential(
    given: str, credential: str | None, option: int
) -> None:
    """A secret needs 7.50, a certificate 7.51; below that, another option."""
    # 749 is also a kernel release, which the parser refuses to take for SAP_BASIS.
    basis = 749 if given == "7.49" else parse_basis(given)
    profile = replace(GOOD, sap_basis=basis, credential=credential)
    assert recommend(profile).option == option


@pytest.mark.parametrize("kernel", ["745", "7.49", "777", "7.93", "916"])
def test_kernel_number_is_not_taken_for_a_release(kernel: str) -> None:
    """A kernel release is asked about, never compared."""
    with pytest.raises(InputError, match="looks like a kernel release"):
        parse_basis(kernel)


@pytest.mark.parametrize(
    ("recipients", "rule"), [(9_999, None), (10_000, None), (10_001, "L1")]
)
def test_recipients_of_a_day(recipients: int, rule: str | None) -> None:
    """Under and at the limit of a mailbox option 1 fits, over it not."""
    assert against(replace(GOOD, recipients_per_day=recipients), 1) == rule


@pytest.mark.parametrize("licenses", [0, 1, 100, 5_000])
def test_external_recipients_of_a_tenant(licenses: int) -> None:
    """At the tenant's limit all is well; one more, and nothing fits."""
    at = replace(
        GOOD, licenses=licenses, external_per_day=external_recipients_per_day(licenses)
    )
    over = replace(at, external_per_day=external_recipients_per_day(licenses) + 1)
    assert recommend(at).option == 1
    assert recommend(over).verdict == "nothing fits"
    assert {r.option: r.rule for r in recommend(over).against} == {
        1: "L2",
        2: "D6",
        3: "L2",
        4: "L2",
    }


def test_limits_are_the_published_ones() -> None:
    """The formula, computed by hand for three sizes."""
    assert external_recipients_per_day(0) == 5_000
    assert external_recipients_per_day(1) == 10_000
    assert external_recipients_per_day(1_000) == 72_446


def test_unknown_licenses_matter_above_the_trial_limit_only() -> None:
    """What even a trial may send needs no question."""
    few = replace(GOOD, licenses=None, external_per_day=5_000)
    many = replace(few, external_per_day=5_001)
    assert recommend(few).option == 1
    assert recommend(many).verdict == "undetermined"
    assert recommend(many).questions == (QUESTIONS["licenses"],)


@pytest.mark.parametrize(("peak", "said"), [(30, False), (31, True), (None, True)])
def test_peak_is_a_condition(peak: int | None, said: bool) -> None:
    """A high peak delays mail and rules nothing out."""
    found = recommend(replace(GOOD, messages_per_minute=peak))
    assert found.option == 1
    assert any("delayed" in text for text in found.conditions) is said


CHANGES: list[tuple[str, Profile, int | None, dict[int, str]]] = [
    ("option 1 is preferred", GOOD, 1, {2: "D6", 3: "D3", 4: "D3"}),
    ("old release, outside", OLD, 3, {1: "D5", 2: "D6", 4: "D7"}),
    (
        "old release, inside",
        replace(OLD, external=False),
        2,
        {1: "D5", 3: "D7a", 4: "D6"},
    ),
    (
        "inside, Direct Send rejected",
        replace(OLD, external=False, direct_send_rejected=True),
        3,
        {2: "R1"},
    ),
    ("port 25 closed", replace(OLD, port_25=False), 4, {3: "D8"}),
    ("no address", replace(OLD, static_address=False), 4, {3: "D7b"}),
    ("no TLS 1.2", replace(GOOD, tls12=False), 4, {1: "D12", 3: "D12"}),
    ("hub network", replace(OLD, hub_network=True), 4, {3: "D8"}),
    ("eleven servers", replace(OLD, application_servers=11), 4, {3: "D8"}),
    ("ten servers", replace(OLD, application_servers=10), 3, {}),
    ("port 587 closed", replace(GOOD, port_587=False), 3, {1: "D9"}),
    ("no SMTP AUTH", replace(GOOD, smtp_auth=False), 3, {1: "D10"}),
    ("note missing", replace(GOOD, notes=False), 3, {1: "D13"}),
    ("public edition", replace(GOOD, product=Product.S4_PUBLIC), None, {1: "D1"}),
    (
        "BTP needs no release",
        replace(GOOD, product=Product.BTP_ABAP, sap_basis=None, tls12=None),
        1,
        {2: "D2", 3: "D2", 4: "D2"},
    ),
    (
        "nothing is left",
        replace(OLD, port_25=False, relay_server=False),
        None,
        {1: "D5", 2: "D6", 3: "D8", 4: "R2"},
    ),
]


@pytest.mark.parametrize("case", CHANGES, ids=[case[0] for case in CHANGES])
def test_decision(case: tuple[str, Profile, int | None, dict[int, str]]) -> None:
    """The option, and the rule against the others that matter here."""
    _, profile, option, rules = case
    assert recommend(profile).option == option
    assert {number: against(profile, number) for number in rules} == rules


def test_public_edition_is_said_to_be_managed() -> None:
    """SAP does it: no question is asked, whatever is unknown."""
    found = recommend(Profile(product=Product.S4_PUBLIC))
    assert (found.verdict, found.questions) == ("managed by SAP", ())


def test_every_other_option_has_its_reason() -> None:
    """One recommendation, and a sentence with a source for the three others."""
    for profile in (GOOD, OLD, replace(OLD, external=False), CHANGES[4][1]):
        found = recommend(profile)
        others = {1, 2, 3, 4} - {found.option}
        assert {reason.option for reason in found.against} == others
        assert all(reason.sentence and reason.source for reason in found.against)


@pytest.mark.parametrize(
    "name",
    [
        "product",
        "sap_basis",
        "tls12",
        "recipients_per_day",
        "external_per_day",
        "port_587",
        "smtp_auth",
    ],
)
def test_unknown_fact_of_the_first_option_is_asked(name: str) -> None:
    """What is not known is no default: the question comes before the answer."""
    found = recommend(replace(GOOD, **{name: None}))
    assert (found.option, found.verdict) == (None, "undetermined")
    assert found.questions == (QUESTIONS[name],)


def test_unknown_fact_that_changes_nothing_is_not_asked() -> None:
    """Without a way by port 25 nobody needs to know the address."""
    profile = replace(OLD, port_25=False, static_address=None, hub_network=None)
    assert recommend(profile).option == 4


def test_unknown_centre_is_asked_only_where_it_decides() -> None:
    """Relay server or connector: that needs an answer; without a relay it does not."""
    unsure = replace(OLD, hub_network=None, application_servers=None)
    assert QUESTIONS["hub_network"] in recommend(unsure).questions
    assert recommend(replace(unsure, relay_server=False)).option == 3


def test_rules_are_whole() -> None:
    """Each rule has its own name, a sentence, a source, and asks known questions."""
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.sentence.endswith(".")
        assert rule.source
        assert set(rule.asks) <= set(QUESTIONS), rule.id


def test_three_valued_logic() -> None:
    """Unknown stays unknown unless the other value decides."""
    assert [conjunction(True, None), conjunction(False, None)] == [None, False]
    assert [disjunction(True, None), disjunction(False, None)] == [True, None]
    assert [negation(True), negation(False), negation(None)] == [False, True, None]
    assert conjunction(True, True) is True
    assert disjunction(False, False) is False
