"""The rules against each option, as data: D1 to D13, and the limits of volume.

Each rule looks at a profile and says whether it stands against its option: true,
false, or None where the profile does not tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runbook_lib.mail_limits import (
    PUBLISHED,
    TRIAL_EXTERNAL_PER_DAY,
    external_recipients_per_day,
)
from runbook_lib.sap.release import Product
from runbook_lib.steps.choice.limits import (
    CERTIFICATE_BASIS,
    OAUTH_BASIS,
)
from runbook_lib.steps.choice.profile import (
    Profile,
    conjunction,
    disjunction,
    negation,
)

OPTION_1 = "Microsoft's guide, “Option 1: SMTP OAuth 2.0”"
OPTION_2 = "Microsoft's guide, “Option 2: SMTP Direct Send”"
OPTION_3 = "Microsoft's guide, “Option 3: Using Microsoft 365 SMTP Relay Connector”"
OPTION_4 = "Microsoft's guide, “Option 4: Using SMTP relay server as intermediary”"
PUBLIC = "Microsoft's guide, “SAP S/4HANA Cloud Public Edition”"
LIMITS = "Microsoft Learn, “Exchange Online limits”"
TENANT_LIMIT = "Microsoft Learn, “Tenant external recipient rate limit”"

CLOUD = frozenset({Product.S4_PUBLIC, Product.BTP_ABAP})

Against = Callable[[Profile], bool | None]


@dataclass(frozen=True)
class Rule:
    """A reason against options; `asks` are the facts that it looks at."""

    id: str
    options: frozenset[int]
    sentence: str
    source: str
    asks: tuple[str, ...]
    against: Against


def _product(*products: Product) -> Against:
    def against(profile: Profile) -> bool | None:
        return None if profile.product is None else profile.product in products

    return against


def _on_customers_side(against: Against) -> Against:
    """Make a rule hold only where the customer has the SAP servers."""

    def judged(profile: Profile) -> bool | None:
        return conjunction(negation(_product(*CLOUD)(profile)), against(profile))

    return judged


def _older(profile: Profile) -> bool | None:
    return None if profile.sap_basis is None else profile.sap_basis < OAUTH_BASIS


def _certificate_too_early(profile: Profile) -> bool | None:
    if profile.credential != "certificate":
        return False
    basis = profile.sap_basis
    return None if basis is None else basis < CERTIFICATE_BASIS


def _too_many_a_day(profile: Profile) -> bool | None:
    count = profile.recipients_per_day
    return None if count is None else count > PUBLISHED.recipients_per_day


def _beyond_tenant(profile: Profile) -> bool | None:
    """Tell whether there are more external recipients than the tenant may have."""
    count, licenses = profile.external_per_day, profile.licenses
    beyond: bool | None = None
    if count is not None and count <= TRIAL_EXTERNAL_PER_DAY:
        beyond = False
    elif count is not None and licenses is not None:
        beyond = count > external_recipients_per_day(licenses)
    return conjunction(profile.external, beyond)


def _direct_send_would_do(profile: Profile) -> bool | None:
    return conjunction(
        negation(profile.external), negation(profile.direct_send_rejected)
    )


def _nothing_to_be_known_by(profile: Profile) -> bool | None:
    return negation(disjunction(profile.static_address, profile.tls_certificate))


def _options(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


RULES: tuple[Rule, ...] = (
    Rule(
        "D1",
        _options(1, 2, 3, 4),
        "In S/4HANA Cloud Public Edition SAP manages outbound mail; there is nothing "
        "for the customer to set up.",
        PUBLIC,
        ("product",),
        _product(Product.S4_PUBLIC),
    ),
    Rule(
        "D2",
        _options(2, 3, 4),
        "The BTP ABAP environment sends by a communication arrangement of "
        "SAP_COM_0548 with OAuth 2.0, which is option 1.",
        "Microsoft's guide, “SAP BTP ABAP Environment”",
        ("product",),
        _product(Product.BTP_ABAP),
    ),
    Rule(
        "D5",
        _options(1),
        "OAuth 2.0 for SMTP needs SAP_BASIS 7.50 or higher.",
        OPTION_1,
        ("product", "sap_basis"),
        _on_customers_side(_older),
    ),
    Rule(
        "D4",
        _options(1),
        "A certificate needs SAP_BASIS 7.51; 7.50 can use a client secret only.",
        OPTION_1,
        ("product", "sap_basis"),
        _on_customers_side(_certificate_too_early),
    ),
    Rule(
        "D13",
        _options(1),
        "SAP Note 3581654 (with a certificate: 3592080) is not implemented.",
        OPTION_1,
        (),
        _on_customers_side(lambda profile: profile.notes is False),
    ),
    Rule(
        "D9",
        _options(1),
        "Port 587 to the SMTP host is closed; have it opened, or use option 4.",
        OPTION_1,
        ("product", "port_587"),
        _on_customers_side(lambda profile: negation(profile.port_587)),
    ),
    Rule(
        "D10",
        _options(1),
        "SMTP AUTH may not be switched on for the mailbox.",
        OPTION_3,
        ("smtp_auth",),
        lambda profile: negation(profile.smtp_auth),
    ),
    Rule(
        "D12",
        _options(1, 3),
        "Kernel and CommonCryptoLib cannot use TLS 1.2, which this option demands.",
        "Microsoft's guide, “Requirements for SMTP Relay”; SAP Notes 1747180, 510007",
        ("product", "tls12"),
        _on_customers_side(lambda profile: negation(profile.tls12)),
    ),
    Rule(
        "L1",
        _options(1),
        f"A mailbox may send to {PUBLISHED.recipients_per_day:,} recipients in 24 "
        "hours.",
        LIMITS,
        ("recipients_per_day",),
        _too_many_a_day,
    ),
    Rule(
        "D6",
        _options(2),
        "Direct Send reaches recipients of the own organization only.",
        OPTION_2,
        ("external",),
        lambda profile: profile.external,
    ),
    Rule(
        "R1",
        _options(2),
        "The organization rejects Direct Send (RejectDirectSend).",
        "Set-OrganizationConfig, -RejectDirectSend",
        ("direct_send_rejected",),
        lambda profile: profile.direct_send_rejected,
    ),
    Rule(
        "D7a",
        _options(3),
        "Direct Send (option 2) does for internal recipients; the connector is for "
        "those who cannot use it.",
        OPTION_3,
        ("external", "direct_send_rejected"),
        _direct_send_would_do,
    ),
    Rule(
        "D7b",
        _options(3),
        "A connector needs a static public IPv4 address of one's own, or a TLS "
        "certificate.",
        "Microsoft's guide, “Requirements for SMTP Relay”",
        ("static_address", "tls_certificate"),
        _nothing_to_be_known_by,
    ),
    Rule(
        "D8",
        _options(2, 3),
        "Port 25 to the MX endpoint is closed.",
        "Microsoft's guide, “Requirements for SMTP Relay”",
        ("port_25",),
        lambda profile: negation(profile.port_25),
    ),
    Rule(
        "R2",
        _options(4),
        "There is no mail server that may relay, and there shall be none.",
        OPTION_4,
        ("relay_server",),
        lambda profile: negation(profile.relay_server),
    ),
    Rule(
        "L2",
        _options(1, 3, 4),
        "More external recipients in a day than the tenant may have: use a service "
        "for mass mail.",
        TENANT_LIMIT,
        ("external", "external_per_day", "licenses"),
        _beyond_tenant,
    ),
)


def rules_of(option: int) -> tuple[Rule, ...]:
    """Return the rules that may stand against an option, in their order."""
    return tuple(rule for rule in RULES if option in rule.options)
