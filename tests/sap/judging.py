"""Every validator under one name: text in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runbook_lib.sap.arrangement import judge_arrangement, read_arrangement
from runbook_lib.sap.components import judge_components
from runbook_lib.sap.connection import judge_connection
from runbook_lib.sap.default_domain import judge_default_domain, read_default_domain
from runbook_lib.sap.finding import Finding
from runbook_lib.sap.mail_node import (
    SBCS,
    SCOT,
    judge_configuration,
    judge_node,
    read_node,
)
from runbook_lib.sap.note import judge_note
from runbook_lib.sap.oauth_client import judge_client, read_client
from runbook_lib.sap.parameter_list import judge_parameter_list
from runbook_lib.sap.parameter_value import judge_parameter_value
from runbook_lib.sap.profile import judge_profile
from runbook_lib.sap.send_requests import Asked, judge_send_requests
from runbook_lib.sap.service_tree import judge_service_tree
from runbook_lib.sap.services import judge_services
from runbook_lib.sap.signing_certificate import judge_certificate
from runbook_lib.sap.trace import judge_trace
from runbook_lib.sap.trust_list import judge_trust_list
from tests.sap.samples import CLIENT, CLOCK, HOST, LOOKED_AT, MARKER, NODE, NOW

Judge = Callable[[str], Sequence[Finding]]

ASKED = Asked(MARKER, "ops@example.com", looked_at=LOOKED_AT, clock=CLOCK)

JUDGES: Mapping[str, Judge] = {
    "profile": lambda text: judge_profile(text).findings,
    "parameter value": lambda text: judge_parameter_value(text).findings,
    "parameter list": lambda text: judge_parameter_list(text).findings,
    "smicm": lambda text: judge_services(text).findings,
    "sicf": judge_service_tree,
    "strust": judge_trust_list,
    "snote": lambda text: judge_note(text, "3581654"),
    "components": lambda text: judge_components(text).findings,
    "sost": lambda text: judge_send_requests(text, ASKED),
    "dev_icm": lambda text: judge_trace(text, HOST),
    "connection": lambda text: judge_connection(text, host=HOST),
    "scot": lambda text: judge_node(read_node(text, SCOT), NODE),
    "sbcs": lambda text: judge_configuration(read_node(text, SBCS), None, NODE),
    "oauth client": lambda text: judge_client(read_client(text), CLIENT),
    "arrangement": lambda text: judge_arrangement(read_arrangement(text), NODE, CLIENT),
    "default domain": lambda text: judge_default_domain(
        read_default_domain(text), ["contoso.com"]
    ),
    "certificate": lambda text: judge_certificate(text.encode(), now=NOW).findings,
}

OF_LETTER = {
    "A": "profile",
    "B": "parameter value",
    "C": "parameter list",
    "D": "smicm",
    "F": "strust",
    "G": "sost",
    "H": "dev_icm",
}
