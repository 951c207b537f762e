"""The choice of an option, and the parameter file that it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from runbook_lib.cli.run import stored_parameters
from runbook_lib.errors import InputError
from runbook_lib.parameters import PARAMETERS_FILE, ParametersFile
from tests.integration.world import World, drive, runbook, step_ends

CHOICE = "0-choose-an-option"
OLD = {
    "product": "ecc",
    "sap_basis": "740",
    "crypto_library": "8.5.48",
    "external": "yes",
    "external_per_day": "500",
    "hub_network": "no",
    "application_servers": "2",
    "relay_server": "no",
    "sender": "noreply@contoso.com",
}


def test_choice_leads_to_the_chosen_runbook(world: World) -> None:
    """The file is taken by the runbook it is for, and by no other."""
    given = {**OLD, "port_mx": "yes", "static_address": "yes"}
    chosen = drive(world, "plan", notebook=CHOICE, **given)
    assert (chosen.result, chosen.exit_code) == ("succeeded", 0)
    assert world.writes() == []
    file = chosen.folder / PARAMETERS_FILE
    assert file.stat().st_mode & 0o077 == 0
    stored = stored_parameters(file, "3-relay-connector")
    assert (stored["sender"], stored["external"]) == ("noreply@contoso.com", "yes")
    assert stored["why_not_oauth"].startswith("D5: OAuth 2.0 for SMTP needs")
    with pytest.raises(InputError, match="for 3-relay-connector, not for"):
        stored_parameters(file, "1-smtp-oauth")

    where = ("--tenant", str(world.tenant_file), "--outputs", str(world.outputs))
    done = runbook("run", "3-relay-connector", *where, "--parameters", file)
    assert done.returncode == 4, done.stdout + done.stderr


def test_open_question_leaves_no_file(world: World) -> None:
    """In a plan it is planned, in a verify pending; never a recommendation."""
    plan = drive(world, "plan", notebook=CHOICE, **OLD)
    end = step_ends(plan)["choose-option"]
    assert end["outcome"] == "planned"
    assert str(end["problem"]).startswith("Undetermined. ")
    assert "Is port 25" in str(end["problem"])
    assert plan.exit_code == 4
    verify = drive(world, "verify", notebook=CHOICE, **OLD)
    assert (verify.result, verify.exit_code) == ("incomplete", 3)
    assert not (verify.folder / PARAMETERS_FILE).exists()


def test_direct_send_policy_is_measured(world: World) -> None:
    """With RejectDirectSend the same system gets option 3 in the place of 2."""
    given = {**OLD, "external": "no", "port_mx": "yes", "static_address": "yes"}
    first = drive(world, "plan", notebook=CHOICE, **given)
    world.break_tenant("set_organization_config", name="RejectDirectSend", value=True)
    second = drive(world, "plan", notebook=CHOICE, **given)
    ends = [step_ends(run)["choose-option"] for run in (first, second)]
    found = [cast("dict[str, object]", end["after"]) for end in ends]
    assert [(one["recommendation"], one["notebook"]) for one in found] == [
        ("option 2", "2-direct-send"),
        ("option 3", "3-relay-connector"),
    ]
    assert "RejectDirectSend" in str(found[1]["against option 2"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("runbook: 1-smtp-oauth\nparameters: {a: 1}\n", "parameters"),
        ("runbook: 1-smtp-oauth\n", "parameters"),
        ("runbook: 1-smtp-oauth\nparameters: {}\nmode: apply\n", "mode"),
        ("[]", "mapping"),
    ],
)
def test_wrong_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """The key is named; a number is no text."""
    file = tmp_path / "parameters.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError, match=problem):
        stored_parameters(file, "1-smtp-oauth")


@pytest.mark.parametrize("value", ["758", "yes", "a: b", '"', "\\~all", "é\n", ""])
def test_file_keeps_every_value(tmp_path: Path, value: str) -> None:
    """What YAML would read as something else is still the same text."""
    file = tmp_path / "parameters.yaml"
    written = ParametersFile(runbook="1-smtp-oauth", parameters={"product": value})
    file.write_text(written.text(), "utf-8")
    assert stored_parameters(file, "1-smtp-oauth") == {"product": value}
    empty = ParametersFile(runbook="1-smtp-oauth", parameters={})
    file.write_text(empty.text(), "utf-8")
    assert stored_parameters(file, "notebooks/1-smtp-oauth.ipynb") == {}
