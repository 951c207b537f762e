"""Choosing an option: the catalogue, and what the chosen runbook is given."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_lib.engine.runbook import Listed, Runbook
from runbook_lib.steps.choice.steps import ChooseOption, MailPolicies
from runbook_lib.steps.mx_endpoint import MxEndpoint

RUNBOOK = Runbook(
    name="0-choose-an-option",
    title="Choose an option",
    listed=(Listed(MailPolicies), Listed(MxEndpoint), Listed(ChooseOption)),
    proof=(),
)

# What the choice says against option 1, beside the parameters.
AGAINST_OAUTH = "against option 1"

# Runbook -> its parameter -> ours that holds the value.
CARRIED: Mapping[str, Mapping[str, str]] = {
    "1-smtp-oauth": {
        "product": "product",
        "sap_basis": "sap_basis",
        "probe": "probe_submission",
    },
    "2-direct-send": {"sender": "sender", "probe": "probe_mx"},
    "3-relay-connector": {
        "sender": "sender",
        "external": "external",
        "probe": "probe_mx",
        "why_not_oauth": AGAINST_OAUTH,
    },
}


def carried(notebook: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that a chosen runbook takes over, as far as known.

    `values` are the parameters of the choice, and what it says against option 1.
    """
    names = CARRIED.get(notebook, {})
    return {theirs: values[ours] for theirs, ours in names.items() if values.get(ours)}


__all__ = [
    "AGAINST_OAUTH",
    "CARRIED",
    "RUNBOOK",
    "ChooseOption",
    "MailPolicies",
    "MxEndpoint",
    "carried",
]
