"""Which sheet belongs to which option and product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runbook_lib.sap import sheet_closing as closing
from runbook_lib.sap import sheet_mail as mail
from runbook_lib.sap.release import Product
from runbook_lib.sap.sheet import Action, Sheet, SheetFacts
from runbook_lib.sap.sheet_blanks import blanks
from runbook_lib.sap.sheet_cloud import btp_actions, public_actions
from runbook_lib.sap.sheet_elsewhere import btp_relay_actions, no_way
from runbook_lib.sap.sheet_host import host_actions
from runbook_lib.sap.sheet_words import handing_over, words_of

PRODUCTS = {
    Product.S4_ON_PREMISES: "SAP S/4HANA on-premises",
    Product.S4_PRIVATE: "SAP S/4HANA Cloud Private Edition",
    Product.S4_PUBLIC: "SAP S/4HANA Cloud Public Edition",
    Product.BTP_ABAP: "SAP BTP ABAP environment",
    Product.NETWEAVER: "SAP NetWeaver AS ABAP",
    Product.ECC: "SAP ECC",
}
OPTIONS = {
    1: "SMTP OAuth 2.0",
    2: "SMTP Direct Send",
    3: "Microsoft 365 SMTP relay connector",
    4: "SMTP relay server",
}
INTRO = (
    "Everything on this sheet is entered by people in SAP: there is no interface for "
    "it. "
    "Work from top to bottom, keep the evidence that is named, and hand it back."
)
NO_WAY = (
    "This product has no way by this option. The sheet says why, and which option to "
    "take; nothing on it is entered anywhere."
)


def handover_sheet(facts: SheetFacts) -> Sheet:
    """Return the sheet; the Private Edition is the on-premises one, with SAP ECS."""
    kinds: dict[Product, Callable[[SheetFacts], Sheet]] = {
        Product.BTP_ABAP: _btp,
        Product.S4_PUBLIC: _public,
    }
    return kinds.get(facts.product, _on_premises)(facts)


def _on_premises(facts: SheetFacts) -> Sheet:
    actions = [*host_actions(facts), *_mail(facts)]
    tests = closing.on_premises_tests(facts)
    return _sheet(facts, actions, tests)


def _mail(facts: SheetFacts) -> list[Action]:
    last = [mail.default_domain(facts), mail.senders(facts), mail.send_job(facts)]
    if facts.option != 1:
        return [mail.relay(facts), *last]
    certificate = [mail.export(facts)] if facts.credential == "certificate" else []
    return [
        mail.notes(facts),
        *certificate,
        mail.client(facts),
        mail.authorizations(facts),
        mail.smtp(facts),
        *last,
    ]


def _btp(facts: SheetFacts) -> Sheet:
    if facts.option in (2, 3):
        return _without_a_way(facts)
    if facts.option == 4:
        return _sheet(facts, btp_relay_actions(facts), closing.btp_tests(facts))
    return _sheet(facts, btp_actions(facts), closing.btp_tests(facts))


def _public(facts: SheetFacts) -> Sheet:
    if facts.option != 1:
        return _without_a_way(facts)
    return _sheet(facts, public_actions(facts), closing.public_tests(facts))


def _without_a_way(facts: SheetFacts) -> Sheet:
    """Return the sheet that says plainly that there is nothing to do here."""
    bare = Sheet(_title(facts), facts, NO_WAY, (no_way(facts),), (), ())
    return bare


def _title(facts: SheetFacts) -> str:
    option = f"option {facts.option}, {OPTIONS[facts.option]}"
    return f"{PRODUCTS[facts.product]}: {option}"


def _sheet(facts: SheetFacts, actions: list[Action], tests: list[str]) -> Sheet:
    """Return a sheet; evidence is asked for only where a step takes it in."""
    asked = [
        action if action.evidence in facts.steps else replace(action, evidence=None)
        for action in actions
    ]
    return Sheet(
        title=_title(facts),
        facts=facts,
        intro=INTRO,
        actions=tuple(asked),
        tests=tuple(tests),
        expiries=tuple(closing.expiries(facts)),
        blanks=tuple(blanks(asked, facts.steps)),
        handing_over=tuple(handing_over(facts)),
        words=tuple(words_of(asked, tests)),
    )
