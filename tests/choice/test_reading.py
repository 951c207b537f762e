"""What is declared, read into a profile; and the step that asks and recommends."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.engine.expect import met
from runbook_lib.engine.step import NotAsExpected, Observation
from runbook_lib.errors import InputError
from runbook_lib.session import Session
from runbook_lib.steps.catalogue import RUNBOOKS
from runbook_lib.steps.choice.profile import Profile
from runbook_lib.steps.choice.reading import (
    NUMBERS,
    YES_NO,
    number,
    read_profile,
    reads_tls12,
    yes_no,
)
from runbook_lib.steps.choice.steps import ChooseOption
from runbook_lib.steps.choose_option import AGAINST_OAUTH, CARRIED, carried

SMTP, MX = "smtp.office365.com", "contoso-com.mail.protection.outlook.com"

GOOD = {*(f"option {number}" for number in (1, 2, 3, 4)), "managed by SAP"}

# What the notebook declares before anybody fills it in, and a filled-in system.
EMPTY = find_notebook("0-choose-an-option").declared
DECLARED = {
    **EMPTY,
    "product": "s4-onprem",
    "sap_basis": "758",
    "crypto_library": "8.5.48",
    "external": "yes",
    "recipients_per_day": "2000",
    "external_per_day": "500",
    "hub_network": "no",
    "application_servers": "2",
    "port_submission": "yes",
    "smtp_auth": "yes",
}


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), (" No ", False), ("", None), ("  ", None)]
)
def test_yes_no_or_unknown(text: str, value: bool | None) -> None:
    """Nothing is unknown, and never a no."""
    assert yes_no("external", text) is value


@pytest.mark.parametrize("text", ["maybe", "true", "0", "y"])
def test_other_words_are_refused(text: str) -> None:
    """The parameter is named."""
    with pytest.raises(InputError, match="external"):
        yes_no("external", text)


@pytest.mark.parametrize(
    ("text", "value"), [("2500", 2500), ("10,000", 10_000), ("0", 0), ("", None)]
)
def test_numbers(text: str, value: int | None) -> None:
    """Thousands may have commas; nothing is unknown."""
    assert number("senders", text) == value


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "²", "1e4"])
def test_other_numbers_are_refused(text: str) -> None:
    """A number is whole and not negative."""
    with pytest.raises(InputError, match="senders"):
        number("senders", text)


@pytest.mark.parametrize(
    ("basis", "kernel", "library", "able"),
    [
        (750, "", "8.5.48", True),
        (740, "", "8.4.38", True),
        (740, "", "8.4.37", False),
        (740, "", "8.10.0", True),
        (740, "", "", None),
        (731, "", "8.5.48", None),
        (731, "7.21 PL 33", "8.5.48", True),
        (731, "721 patch 32", "8.5.48", False),
        (731, "7.21", "8.5.48", None),
        (731, "7.22", "8.5.48", True),
        (731, "7.20 PL 999", "8.5.48", False),
        (700, "7.20", "", False),
        (None, "7.53 PL 1100", "CommonCryptoLib 8.5.48 (+MT)", True),
    ],
)
def test_tls_of_kernel_and_library(
    basis: int | None, kernel: str, library: str, able: bool | None
) -> None:
    """Kernel 7.21 patch level 33 and CommonCryptoLib 8.4.38 are the least."""
    assert reads_tls12(basis, kernel, library) is able


@pytest.mark.parametrize(("kernel", "library"), [("new", "8.5.48"), ("", "eight")])
def test_odd_versions_are_refused(kernel: str, library: str) -> None:
    """The parameter is named, and how it is written."""
    with pytest.raises(InputError, match=r"kernel|crypto_library"):
        reads_tls12(731, kernel, library)


def test_profile_has_all_that_is_declared() -> None:
    """Every fact has its parameter, and the notebook's names are the ones read."""
    measured = {"port_587": "yes", "port_25": "no"}
    declared = {**DECLARED, **measured, "licenses": "trial"}
    profile = read_profile(declared, direct_send_rejected=True)
    assert (profile.port_587, profile.port_25) == (True, False)
    assert (profile.licenses, profile.direct_send_rejected) == (0, True)
    special = {"product", "sap_basis", "credential", "tls12", "licenses"}
    special |= {"direct_send_rejected"}
    known = {f.name for f in fields(Profile)}
    assert known == special | set(YES_NO) | set(NUMBERS)


def seen(**declared: str) -> Observation:
    """Return what the step sees of these facts."""
    values = {**DECLARED, **declared}
    organization = SimpleNamespace(
        organization_config=lambda: {"RejectDirectSend": False}
    )
    endpoints = SimpleNamespace(smtp=SMTP)
    session = SimpleNamespace(
        exchange=organization, tenant=SimpleNamespace(endpoints=endpoints)
    )
    facts = [f"{name}={value}" for name, value in values.items()]
    step = ChooseOption(facts=facts, mx_host=MX)
    found = step.observe(cast("Session", session))
    chosen = met(step.expect(), found.properties)
    assert chosen is (found.properties["recommendation"] in GOOD)
    return found


def against(option: int) -> str:
    """Return the property with the rule against an option."""
    return f"against option {option}"


def test_recommendation_names_notebook_and_reasons() -> None:
    """One option, and a line against each other one."""
    found = seen()
    assert found.properties["recommendation"] == "option 1"
    assert found.properties["notebook"] == "1-smtp-oauth"
    for other in (2, 3, 4):
        assert re.match(r"D\d+: .+ \(.+\)$", str(found.properties[against(other)]))
    assert against(1) not in found.properties
    assert found.awaits is None


def test_questions_are_asked() -> None:
    """The sentence begins with what it is: undetermined."""
    found = seen(port_submission="")
    assert found.properties["recommendation"] == "undetermined"
    assert found.awaits is not None
    assert found.awaits.sentence.startswith("Undetermined. Is port 587")


def test_nothing_is_assumed_of_a_system() -> None:
    """The notebook as it comes asks for all that option 1 needs, and no default."""
    own = set(EMPTY) - {"tenant", "mode", "run_id", "outputs"}
    assert {EMPTY[name] for name in own} == {""}
    found = seen(**dict.fromkeys(own, ""))
    assert found.properties["recommendation"] == "undetermined"
    assert found.awaits is not None
    for word in ("product", "SAP_BASIS", "CommonCryptoLib", "port 587", "SMTP AUTH"):
        assert word in found.awaits.sentence


def test_ports_are_shown_with_their_vantage(tmp_path: Path) -> None:
    """Declared, measured or not known."""
    declared = seen().context
    assert declared["port_587"] == "open: as declared"
    assert declared["port_25"] == "not known"
    probe = probed(tmp_path, connects=True)
    measured = seen(probe_submission=probe, port_submission="").context
    assert measured["port_587"] == "open: runbook probe on erp at now"


def test_nothing_fits_leads_to_next_steps() -> None:
    """The guide's last section."""
    found = seen(external_per_day="900,000", licenses="10")
    assert found.properties["recommendation"] == "nothing fits"
    assert "Mass mail" in str(found.properties["next steps"])
    assert found.awaits is None


def probed(folder: Path, connects: bool | None) -> str:
    """Write a probe of the SMTP host; return its path."""
    path = folder / "probe.json"
    properties: dict[str, Any] = {"connects": connects}
    known = {"schema": 1, "host": SMTP, "seen_from": "erp", "time": "now"}
    path.write_text(json.dumps({**known, "properties": properties}), "utf-8")
    return str(path)


def test_probe_counts_in_the_place_of_a_declaration(tmp_path: Path) -> None:
    """What was measured on the SAP host needs no declaration."""
    given = {"port_submission": "", "relay_server": "yes", "port_mx": "no"}
    closed = probed(tmp_path, connects=False)
    assert seen(probe_submission=closed, **given).properties["notebook"] == (
        "4-relay-server"
    )
    opened = probed(tmp_path, connects=True)
    assert seen(probe_submission=opened, **given).properties["notebook"] == (
        "1-smtp-oauth"
    )


def test_probe_that_contradicts_stops(tmp_path: Path) -> None:
    """One of the two is wrong, and a person has to say which."""
    with pytest.raises(NotAsExpected, match="port_submission is declared yes"):
        seen(probe_submission=probed(tmp_path, connects=False))


def test_probe_that_shows_nothing_is_unknown(tmp_path: Path) -> None:
    """It is asked again, and not taken for a closed port."""
    found = seen(probe_submission=probed(tmp_path, None), port_submission="")
    assert found.properties["recommendation"] == "undetermined"


@pytest.mark.parametrize("notebook", CARRIED)
def test_carried_parameters_exist_on_both_sides(notebook: str) -> None:
    """A name that one of the two notebooks lost would be refused at the next run."""
    assert notebook in RUNBOOKS
    theirs = find_notebook(notebook).declared
    assert set(CARRIED[notebook]) <= set(theirs)
    assert set(CARRIED[notebook].values()) <= {*DECLARED, AGAINST_OAUTH}


def test_unknown_values_are_not_carried() -> None:
    """An empty value would hide the default of the other notebook."""
    assert carried("2-direct-send", {"sender": "a@contoso.com", "probe_mx": ""}) == {
        "sender": "a@contoso.com"
    }
