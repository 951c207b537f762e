"""One recommendation, and for every other option the rule against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from runbook_lib.mail_limits import PUBLISHED
from runbook_lib.sap.release import Product
from runbook_lib.steps.choice.limits import (
    CERTIFICATE_BASIS,
    MANY_SERVERS,
)
from runbook_lib.steps.choice.profile import QUESTIONS, Profile, disjunction
from runbook_lib.steps.choice.rules import (
    LIMITS,
    OPTION_1,
    OPTION_4,
    Rule,
    rules_of,
)

OPTIONS: dict[int, str] = {
    1: "1-smtp-oauth",
    2: "2-direct-send",
    3: "3-relay-connector",
    4: "4-relay-server",
}

NEXT_STEPS = (
    "Mass mail: a service such as Azure Communication Services or Twilio SendGrid.",
    "The limits of Exchange Online, and High Volume Email for internal recipients.",
    "The ABAP SDK for Azure, to reach such services from ABAP.",
)


@dataclass(frozen=True)
class Reason:
    """Why an option is not recommended: rule, sentence and source."""

    option: int
    rule: str
    sentence: str
    source: str


@dataclass(frozen=True)
class Recommendation:
    """The outcome: an option; or none, with what to do instead.

    `option` is None where SAP manages the mail (`verdict` says so), where nothing
    fits, or where facts are missing (`questions` names them). `against` holds a
    reason for every option that is not recommended, unless the facts are missing
    for it. `conditions` have to be seen to with the recommended option.
    """

    option: int | None
    verdict: str
    against: tuple[Reason, ...]
    questions: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def notebook(self) -> str | None:
        """Return the name of the runbook, or None."""
        return OPTIONS[self.option] if self.option else None


@dataclass(frozen=True)
class _Judged:
    """An option with the first rule against it, and the facts it lacks."""

    rule: Rule | None
    lacking: tuple[str, ...]


def recommend(profile: Profile) -> Recommendation:
    """Judge a profile.

    The order of preference is the guide's; where mail leaves through one central
    host, a relay server comes before Direct Send and connector. An option whose
    facts are missing is never passed over: the questions come first.
    """
    judged = {option: _judge(option, profile) for option in OPTIONS}
    if profile.product is None:
        likely = _judge(1, replace(profile, product=Product.S4_ON_PREMISES))
        return _undetermined(("product", *likely.lacking), judged)
    if profile.product is Product.S4_PUBLIC:
        return _none("managed by SAP", judged)
    central = _central(profile)
    if central is not None:
        return _in_order(profile, judged, central)
    either = [_in_order(profile, judged, central=value) for value in (True, False)]
    if either[0].option == either[1].option:
        return either[1]
    return _undetermined(("hub_network", "application_servers"), judged)


def _judge(option: int, profile: Profile) -> _Judged:
    lacking: list[str] = []
    for rule in rules_of(option):
        stands = rule.against(profile)
        if stands:
            return _Judged(rule, ())
        if stands is None:
            lacking += [name for name in rule.asks if getattr(profile, name) is None]
    return _Judged(None, tuple(dict.fromkeys(lacking)))


def _central(profile: Profile) -> bool | None:
    servers = profile.application_servers
    many = None if servers is None else servers > MANY_SERVERS
    return disjunction(profile.hub_network, many)


def _in_order(
    profile: Profile, judged: dict[int, _Judged], central: bool
) -> Recommendation:
    for option in (1, 4, 2, 3) if central else (1, 2, 3, 4):
        found = judged[option]
        if found.rule is None and found.lacking:
            return _undetermined(found.lacking, judged)
        if found.rule is None:
            return _chosen(option, profile, judged)
    return _none("nothing fits", judged)


def _chosen(
    option: int, profile: Profile, judged: dict[int, _Judged]
) -> Recommendation:
    against = tuple(
        _ruled_out(other, found.rule) if found.rule else _less_preferred(other, option)
        for other, found in judged.items()
        if other != option
    )
    conditions = tuple(_conditions(option, profile))
    return Recommendation(option, f"option {option}", against, conditions=conditions)


def _none(verdict: str, judged: dict[int, _Judged]) -> Recommendation:
    return Recommendation(None, verdict, tuple(_against(judged)))


def _undetermined(
    lacking: tuple[str, ...], judged: dict[int, _Judged]
) -> Recommendation:
    questions = tuple(QUESTIONS[name] for name in lacking)
    return Recommendation(None, "undetermined", tuple(_against(judged)), questions)


def _against(judged: dict[int, _Judged]) -> Iterator[Reason]:
    for option, found in judged.items():
        if found.rule:
            yield _ruled_out(option, found.rule)


def _ruled_out(option: int, rule: Rule) -> Reason:
    return Reason(option, rule.id, rule.sentence, rule.source)


def _less_preferred(option: int, chosen: int) -> Reason:
    if chosen == 1:
        return Reason(
            option, "D3", "Option 1 is recommended wherever it is possible.", OPTION_1
        )
    if chosen == 4:
        sentence = (
            "Mail leaves through one central host, which is what option 4 is for."
        )
        return Reason(option, "D8", sentence, OPTION_4)
    rule = {2: "D6", 3: "D7"}[chosen]
    sentence = f"Option {chosen} needs fewer parts of one's own."
    return Reason(option, rule, sentence, "Microsoft's guide, “Setup considerations”")


def _conditions(option: int, profile: Profile) -> Iterator[str]:
    if option != 1:
        return
    cloud = profile.product is Product.BTP_ABAP
    if cloud or (profile.sap_basis or 0) >= CERTIFICATE_BASIS:
        yield "Use a certificate before production; a client secret is for tests."
    else:
        yield "Use a client secret: this release knows no certificate for it."
    if profile.notes is None and not cloud:
        yield "Have the SAP Notes attested, or the support package that holds them."
    if profile.senders is None or profile.senders > 1:
        yield "Plan Send As for every From address other than the mailbox's own."
    peak = profile.messages_per_minute
    if peak is None or peak > PUBLISHED.messages_per_minute:
        yield (
            f"More than {PUBLISHED.messages_per_minute} messages a minute are delayed, "
            f"not refused ({LIMITS})."
        )
