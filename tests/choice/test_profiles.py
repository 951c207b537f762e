"""Two hundred generated profiles against a table that knows no rule by name."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from runbook_lib.sap.release import Product
from runbook_lib.steps.choice.profile import Profile
from runbook_lib.steps.choice.recommendation import recommend

COUNT = 200
MANAGED, NOTHING = "managed by SAP", "nothing fits"

# Representative values of each fact: below, at and above what decides.
DOMAIN: Mapping[str, tuple[object, ...]] = {
    "product": tuple(Product),
    "sap_basis": (740, 749, 750, 751, 758, 758),
    "credential": (None, None, "secret", "certificate"),
    "tls12": (True, True, True, True, False),
    "external": (True, False),
    "recipients_per_day": (200, 200, 200, 10_000, 10_001),
    "external_per_day": (100, 100, 4_000, 21_000, 30_000),
    "licenses": (0, 100, 100, 2_000),
    "application_servers": (1, 2, 10, 11),
    "hub_network": (False, False, False, True),
    "port_587": (True, True, True, False),
    "port_25": (True, True, True, False),
    "static_address": (True, True, False),
    "tls_certificate": (True, False, False),
    "smtp_auth": (True, True, True, False),
    "direct_send_rejected": (False, False, True),
    "relay_server": (True, True, False),
}
# What a tenant may send outside: computed by hand from Microsoft's formula.
TENANT_LIMIT = {0: 5_000, 100: 22_059, 2_000: 111_738}


@dataclass(frozen=True)
class Row:
    """A row of the table: the words that must hold, and what follows."""

    words: str
    outcome: object


# The first row all of whose words hold decides. "-word" means that it does not.
TABLE = (
    Row("public", MANAGED),
    Row("btp auth few -flood", 1),
    Row("btp", NOTHING),
    Row("oauth notes p587 auth tls few -flood", 1),
    Row("central relay -flood", 4),
    Row("-external p25 -rejected", 2),
    Row("external p25 known tls -flood", 3),
    Row("rejected p25 known tls -flood", 3),
    Row("relay -flood", 4),
    Row("", NOTHING),
)


def words_of(profile: Profile) -> frozenset[str]:
    """Return the words that hold for a profile of which everything is known."""
    basis, limit = profile.sap_basis or 0, TENANT_LIMIT[profile.licenses or 0]
    sent = (profile.external_per_day or 0) if profile.external else 0
    least = 751 if profile.credential == "certificate" else 750
    words = {
        "public": profile.product == Product.S4_PUBLIC,
        "btp": profile.product == Product.BTP_ABAP,
        "oauth": basis >= least,
        "notes": profile.notes is not False,
        "p587": profile.port_587,
        "p25": profile.port_25,
        "auth": profile.smtp_auth,
        "tls": profile.tls12,
        "few": (profile.recipients_per_day or 0) <= 10_000,
        "flood": sent > limit,
        "central": profile.hub_network or (profile.application_servers or 0) > 10,
        "relay": profile.relay_server,
        "external": profile.external,
        "rejected": profile.direct_send_rejected,
        "known": profile.static_address or profile.tls_certificate,
    }
    return frozenset(word for word, holds in words.items() if holds)


def oracle(profile: Profile) -> object:
    """Return what the table says of a profile of which everything is known."""
    holding = words_of(profile)
    return next(row.outcome for row in TABLE if _fits(row.words, holding))


def _fits(words: str, holding: frozenset[str]) -> bool:
    return all(
        (word.removeprefix("-") in holding) is not word.startswith("-")
        for word in words.split()
    )


@cache
def profiles() -> tuple[Profile, ...]:
    """Return the profiles: the same ones in every run."""
    chance = random.Random(20_261_125)  # noqa: S311 - repeatable on purpose
    return tuple(_profile(chance, number) for number in range(COUNT))


def _profile(chance: random.Random, number: int) -> Profile:
    values = {name: chance.choice(options) for name, options in DOMAIN.items()}
    if number % 4:  # most systems are on the customer's own servers
        values["product"] = chance.choice([Product.S4_PRIVATE, Product.ECC])
    known = Profile(**values)  # type: ignore[arg-type]
    if number % 5:
        return known
    lost = chance.sample([n for n in DOMAIN if n != "credential"], 2)
    return with_values(known, dict.fromkeys(lost))


def with_values(profile: Profile, values: Mapping[str, object]) -> Profile:
    """Return the same profile with some facts replaced."""
    changes: dict[str, Any] = dict(values)
    return replace(profile, **changes)


def completions(profile: Profile) -> Iterator[Profile]:
    """Yield every profile that a partly known one may turn out to be."""
    unknown = [
        f.name
        for f in fields(Profile)
        if f.name in DOMAIN
        and f.name != "credential"
        and getattr(profile, f.name) is None
    ]
    for values in itertools.product(*(set(DOMAIN[name]) for name in unknown)):
        yield with_values(profile, dict(zip(unknown, values, strict=True)))


def outcome(profile: Profile) -> object:
    """Return what is recommended: an option, or the verdict."""
    found = recommend(profile)
    return found.option or found.verdict


def test_recommendation_holds_whatever_the_unknown_turns_out_to_be() -> None:
    """The table agrees for the profile, or for all that it may turn out to be."""
    for number, profile in enumerate(profiles()):
        if (found := outcome(profile)) == "undetermined":
            continue
        assert {oracle(one) for one in completions(profile)} == {found}, number


def test_only_what_is_not_known_is_undetermined() -> None:
    """A profile of which everything is known always gets its answer."""
    for profile in profiles():
        found = recommend(profile)
        if found.verdict == "undetermined":
            assert found.questions
            assert len(list(completions(profile))) > 1


def test_profiles_reach_every_outcome() -> None:
    """Each option at least twenty times, and few without an answer."""
    counts = Counter(outcome(profile) for profile in profiles())
    assert sum(counts.values()) == COUNT
    assert all(counts[option] >= 20 for option in (1, 2, 3, 4)), counts
    assert 0 < counts["undetermined"] <= 40, counts
    assert counts[MANAGED] > 0
    assert counts[NOTHING] > 0


def test_never_an_option_whose_prerequisites_fail() -> None:
    """Said again in plain words, beside the table."""
    for profile in profiles():
        match recommend(profile).option:
            case 1 if profile.product is not Product.BTP_ABAP:
                assert (profile.sap_basis or 0) >= 750
                assert profile.port_587
                assert profile.smtp_auth
            case 2:
                assert profile.external is False
                assert profile.port_25
                assert not profile.direct_send_rejected
            case 3:
                assert profile.port_25
                assert profile.tls12
                assert profile.static_address or profile.tls_certificate
            case 4:
                assert profile.relay_server
