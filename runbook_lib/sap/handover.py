"""Which sheet belongs to which option and product."""

from __future__ import annotations

from collections.abc import Callable

from runbook_lib.sap import sheet_closing as closing
from runbook_lib.sap import sheet_mail as mail
from runbook_lib.sap.release import Product
from runbook_lib.sap.sheet import Action, Sheet, SheetFacts
from runbook_lib.sap.sheet_blanks import blanks
from runbook_lib.sap.sheet_cloud import btp_actions, public_actions
from runbook_lib.sap.sheet_host import host_actions

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
    return _sheet(facts, btp_actions(facts), closing.btp_tests(facts))


def _public(facts: SheetFacts) -> Sheet:
    return _sheet(facts, public_actions(facts), closing.public_tests(facts))


def _sheet(facts: SheetFacts, actions: list[Action], tests: list[str]) -> Sheet:
    option = f"option {facts.option}, {OPTIONS[facts.option]}"
    return Sheet(
        title=f"{PRODUCTS[facts.product]}: {option}",
        facts=facts,
        intro=INTRO,
        actions=tuple(actions),
        tests=tuple(tests),
        expiries=tuple(closing.expiries(facts)),
        blanks=tuple(blanks(actions)),
    )
