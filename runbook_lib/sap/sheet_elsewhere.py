"""What the sheet says of products in SAP's cloud where option 1 was not chosen."""

from __future__ import annotations

from runbook_lib.sap.release import Product
from runbook_lib.sap.sheet import (
    CHOOSER,
    CONNECTOR_ADMIN,
    Action,
    SheetFacts,
)
from runbook_lib.sap.sheet_cloud import (
    ARRANGEMENT,
    SYSTEM,
    allow_list,
    communication_arrangement,
    communication_system,
)
from runbook_lib.sap.values import SapValue

CONNECTOR = "Cloud Connector › Cloud To On-Premises › Access Control"
_NOT_DESCRIBED = "Neither the guide nor SAP's page on mail describes it for a relay."

# The guide names the options for each product; the rest is concluded from what the
# options need.
REASONS = {
    (Product.BTP_ABAP, 2): (
        "The guide offers the BTP ABAP environment option 1 only. Direct Send needs a "
        "sending address that your SPF record can name; mail of this environment "
        "leaves from addresses of SAP, which other customers use as well (concluded; "
        "not stated by SAP)."
    ),
    (Product.BTP_ABAP, 3): (
        "The guide offers the BTP ABAP environment option 1 only. A connector needs a "
        "static address that is yours alone, or a certificate for your domain on the "
        "SMTP connection; this environment offers neither that we know of."
    ),
    (Product.S4_PUBLIC, 2): "SAP manages mail of the Public Edition: no customer sets "
    "up Direct Send there.",
    (Product.S4_PUBLIC, 3): "SAP manages mail of the Public Edition: no customer sets "
    "up a relay connector for it, and its mail leaves from addresses of SAP.",
    (Product.S4_PUBLIC, 4): "SAP manages mail of the Public Edition: no customer can "
    "name a relay there.",
}


def no_way(facts: SheetFacts) -> Action:
    """Return why the option is none for the product, and which one to take."""
    instead = {
        Product.BTP_ABAP: (
            "Take option 1: run the notebook 1-smtp-oauth with product btp-abap and "
            "credential certificate; its sheet holds the values.",
            "If your mail has to pass a relay of your own, take option 4: this "
            "environment reaches it through Cloud Connector.",
        ),
        Product.S4_PUBLIC: (
            "Ask SAP in a support case for mail through Exchange Online; the sheet of "
            "option 1 (notebook 1-smtp-oauth, product s4-public) holds the questions.",
        ),
    }
    return Action(
        id="no-way",
        title=f"Choose another option: option {facts.option} is not for this product",
        executor=CHOOSER,
        place="nowhere: there is nothing to enter",
        steps=instead[facts.product],
        reason=REASONS[facts.product, facts.option],
        proof="The notebook 0-choose-an-option names an option for this product.",
        back_out="",
    )


def btp_relay_actions(facts: SheetFacts) -> list[Action]:
    """Return the actions for a relay in your own network, behind Cloud Connector."""
    return [
        _exposed(facts),
        _system(),
        _arrangement(),
        allow_list(facts),
    ]


def _exposed(facts: SheetFacts) -> Action:
    return Action(
        id="cloud-connector",
        title="Let the environment reach the relay through Cloud Connector",
        executor=CONNECTOR_ADMIN,
        place=CONNECTOR,
        steps=(
            "Map a virtual host and port to the relay, for this subaccount.",
            "Note the location ID, if there are several Cloud Connectors.",
            "On the relay, allow mail from the host of Cloud Connector only.",
        ),
        reason="The relay stands in your network; the environment has no other way.",
        proof="Cloud Connector shows the internal host as reachable.",
        back_out="Remove the mapping.",
        values=(
            SapValue(CONNECTOR, "Internal host", facts.mail_host),
            SapValue(CONNECTOR, "Internal port", "25", "As the relay listens."),
            SapValue(CONNECTOR, "Protocol", "TCP", _NOT_DESCRIBED),
        ),
    )


def _system() -> Action:
    return communication_system(
        title="Create the communication system for the relay",
        steps=("Enter the values below, and switch Cloud Connector on.",),
        reason="It says where mail goes: to the virtual host of the relay.",
        values=(
            SapValue(SYSTEM, "System ID and name (free; an example)", "MAIL_RELAY"),
            SapValue(SYSTEM, "Host Name", "the virtual host from above"),
            SapValue(SYSTEM, "Port", "the virtual port from above"),
            SapValue(SYSTEM, "Cloud Connector", "on"),
            SapValue(SYSTEM, "SCC Location ID", "as noted; empty for a single one"),
        ),
        corrections=(
            "The guide describes option 4 with SCOT only, which this environment does "
            "not have.",
        ),
    )


def _arrangement() -> Action:
    return communication_arrangement(
        steps=(
            "Choose the communication system from above.",
            "Choose the outbound user that your relay asks for; with a relay that "
            "knows SAP by its address, see whether the screen lets you leave it out.",
        ),
        reason="It joins mail and the communication system.",
        proof="The arrangement is active.",
        values=(
            SapValue(ARRANGEMENT, "Scenario", "SAP_COM_0548"),
            SapValue(ARRANGEMENT, "Outbound user", "as the relay asks", _NOT_DESCRIBED),
        ),
    )
