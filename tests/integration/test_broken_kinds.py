"""Verify and apply with one thing broken: with a certificate, and with a role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from runbook_lib.engine.history import Ends
from runbook_lib.evidence.close import Closed
from runbook_lib.steps.permission import EXCHANGE_ONLINE, SEND_AS_APP
from tests.integration import test_application_role, test_broken, test_certificate
from tests.integration.fault_bench import hurried
from tests.integration.test_broken import TROUBLESHOOTING, Broken, app_id
from tests.integration.world import World, drive, step_ends

KINDS: Mapping[str, Callable[[World], dict[str, str]]] = {
    "secret": lambda world: {"evidence": world.evidence()},
    "certificate": test_certificate.chosen,
    "app-rbac": test_application_role.chosen,
}
OF_THE_SECRET = {"wrong secret", "expired secret"}
OF_FULL_ACCESS = {"consent missing", "FullAccess missing"}


def certificate_missing(world: World, apply: Ends) -> None:
    """Take the certificates away."""
    with world.graph() as graph:
        graph.update_application(object_id(apply), {"keyCredentials": []})


def object_id(apply: Ends) -> str:
    """Return the object ID of the application that an apply made."""
    return str(apply["register-application"]["after"]["id"])  # type: ignore[index]


def consent_beside_the_role(world: World, apply: Ends) -> None:
    """Grant the permission of Entra ID that the role must not have beside it."""
    principal = str(apply["create-service-principal"]["after"]["id"])  # type: ignore[index]
    with world.graph() as graph:
        exchange = graph.service_principal_by_app_id(EXCHANGE_ONLINE)
        assert exchange is not None
        roles: list[dict[str, str]] = exchange["appRoles"]  # type: ignore[assignment]
        (role,) = [one["id"] for one in roles if one["value"] == SEND_AS_APP]
        graph.grant_app_role(
            principal, resource_id=str(exchange["id"]), app_role_id=role
        )


def assignment_missing(world: World, apply: Ends) -> None:
    """Take the role away."""
    name = "SAP senders"
    world.exchange("Remove-ManagementRoleAssignment", Identity=name, Confirm=False)


def scope_missing(world: World, apply: Ends) -> None:
    """Take role and scope away."""
    assignment_missing(world, apply)
    world.exchange("Remove-ManagementScope", Identity="SAP senders", Confirm=False)


def exchange_principal_missing(world: World, apply: Ends) -> None:
    """Let Exchange forget the service principal."""
    world.break_tenant("remove_exchange_service_principal", app_id=app_id(apply))


def group_missing(world: World, apply: Ends) -> None:
    """Delete the senders' group."""
    group = test_application_role.GROUP
    world.exchange("Remove-DistributionGroup", Identity=group, Confirm=False)


OWN: dict[str, dict[str, Broken]] = {
    "certificate": {
        "certificate missing": Broken(
            certificate_missing, "upload-certificate", "failed", "upload-certificate"
        ),
    },
    "app-rbac": {
        "permission beside the role": Broken(
            consent_beside_the_role,
            "no-entra-permission",
            "failed",
            "no-entra-permission",
        ),
        "role missing": Broken(
            assignment_missing,
            "assign-send-as-app-role",
            "failed",
            "assign-send-as-app-role",
        ),
        "scope missing": Broken(
            scope_missing, "limit-to-sender-group", "failed", "limit-to-sender-group"
        ),
        "group missing": Broken(
            group_missing, "limit-to-sender-group", "failed", "limit-to-sender-group"
        ),
        "unknown to Exchange": Broken(
            exchange_principal_missing,
            "register-exchange-service-principal",
            "failed",
            "register-exchange-service-principal",
        ),
    },
}


def table(kind: str) -> dict[str, Broken]:
    """Return the faults of a kind: the foundation's that apply, and its own."""
    left_out = OF_THE_SECRET if kind == "certificate" else OF_FULL_ACCESS
    common = {n: b for n, b in test_broken.TABLE.items() if n not in left_out}
    return {**common, **OWN[kind]}


ROWS = [(kind, name) for kind in OWN for name in table(kind)]


@pytest.mark.parametrize(("kind", "name"), ROWS)
def test_verify_names_what_is_broken(world: World, kind: str, name: str) -> None:
    """The first step that is not ok is the broken one, with its remedy."""
    broken, given = table(kind)[name], KINDS[kind](world)
    with hurried():
        applied = drive(world, "apply", **given)
        assert applied.result == "incomplete"  # evidence of SAP comes later
        broken.make(world, step_ends(applied))
        written, stored = len(world.writes()), world.dump()
        verify = drive(world, "verify", **given)
    bad = first_bad(verify)
    assert bad == (broken.step, broken.outcome, broken.remedy)
    assert verify.exit_code == 1
    assert (len(world.writes()), world.dump()) == (written, stored)
    assert f'id="{broken.remedy}"' in TROUBLESHOOTING.read_text("utf-8")


def first_bad(closed: Closed) -> tuple[object, object, object]:
    """Return the first step that is neither ok nor left out, and its remedy."""
    good = ("ok", "skipped", "changed")
    ends = step_ends(closed).items()
    step, end = next((s, e) for s, e in ends if e["outcome"] not in good)
    return step, end["outcome"], end.get("remedy_id")


@pytest.mark.parametrize("kind", KINDS)
def test_conditional_access_is_named(world: World, kind: str) -> None:
    """Nothing is written where the policy issues no token."""
    given = KINDS[kind](world)
    world.break_tenant("add_fault", fault="conditional-access=1000")
    before = len(world.writes())
    ended = drive(world, "apply", **given)
    bad = first_bad(ended)
    assert bad == ("operator-permissions", "error", "token-conditional-access")
    assert len(world.writes()) == before


@pytest.mark.parametrize("kind", ["secret", "app-rbac"])
def test_a_policy_that_forbids_secrets_stops_before_any_write(
    world: World, kind: str
) -> None:
    """It advises a certificate, which the policy lets pass."""
    given = KINDS[kind](world)
    forbidden = [{"restrictionType": "passwordAddition", "state": "enabled"}]
    world.break_tenant("set_app_management_policy", password_credentials=forbidden)
    before = len(world.writes())
    ended = drive(world, "apply", **given)
    bad = first_bad(ended)
    assert bad[:2] == ("application-management-policy", "failed")
    assert len(world.writes()) == before
    assert "certificate" in str(step_ends(ended)[str(bad[0])]["remedy"])
    given = test_certificate.chosen(world)
    assert drive(world, "apply", **given).result == "incomplete"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AADSTS700024: Client assertion is not within its valid time range.", "times"),
        ("AADSTS700027: The key was not found. Thumbprint of key", "unknown"),
    ],
    ids=["assertion out of time", "wrong thumbprint"],
)
def test_what_entra_told_sap_is_named(world: World, code: str, remedy: str) -> None:
    """SAP alone signs with its key; what it was answered is handed in."""
    given = test_certificate.chosen(world)
    path = Path(given["evidence"]) / "sap-token-test.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("Valid, expires in 3599 seconds", code), "utf-8")
    ended = drive(world, "apply", **given)
    found = {
        "times": "token-assertion-times",
        "unknown": "token-certificate-unknown",
    }
    end = step_ends(ended)["sap-token-test"]
    assert (end["outcome"], end["remedy_id"]) == ("failed", found[remedy])
    assert f'id="{found[remedy]}"' in TROUBLESHOOTING.read_text("utf-8")


@dataclass(frozen=True)
class Symptom:
    """Something that takes its time: of which kind of run, and who notices."""

    kind: str
    relation: str
    step: str
    remedy: str


SYMPTOMS = {
    "role not in the token": Symptom(
        "secret", "roles", "obtain-access-token", "token-roles-missing"
    ),
    "secret not known": Symptom(
        "secret", "secret", "obtain-access-token", "token-wrong-secret"
    ),
    "full access without effect": Symptom(
        "secret",
        "mailbox-permission",
        "sign-in-to-smtp",
        "smtp-authentication-unsuccessful",
    ),
    "role of Exchange without effect": Symptom(
        "app-rbac",
        "application-role",
        "sign-in-to-smtp",
        "smtp-authentication-unsuccessful",
    ),
    "temporary secret not known": Symptom(
        "certificate",
        "secret",
        "sign-in-with-temporary-secret",
        "token-wrong-secret",
    ),
}


def lagging(world: World, name: str, lag: str, **windows: float) -> Closed:
    """Apply with a lag of one relation, in the windows given."""
    symptom = SYMPTOMS[name]
    given = KINDS[symptom.kind](world)
    if symptom.kind == "certificate":
        given["temporary_credential"] = "yes"
    world.break_tenant("add_fault", fault=f"lag@{symptom.relation}={lag}")
    known = {"visibility": 5.0, "effect": 60.0, "trace": 60.0, **windows}
    test_broken._edit(world, windows=known)
    with hurried():
        return drive(world, "apply", wait="2", **given)


@pytest.mark.parametrize("name", SYMPTOMS)
def test_a_symptom_that_resolves_is_waited_for(world: World, name: str) -> None:
    """It ends ok, and so does all that builds on it."""
    ended = lagging(world, name, "3")
    assert step_ends(ended)[SYMPTOMS[name].step]["outcome"] == "ok"
    assert ended.result == "incomplete"  # evidence of SAP comes later


@pytest.mark.parametrize("name", SYMPTOMS)
def test_a_symptom_that_stays_is_pending_within_the_window(
    world: World, name: str
) -> None:
    """With a time; it is neither a pass nor a failure."""
    ended = lagging(world, name, "3600s")
    end = step_ends(ended)[SYMPTOMS[name].step]
    assert (end["outcome"], end["remedy_id"]) == ("pending", "replication")
    assert end["until"]
    assert ended.result == "incomplete"


@pytest.mark.parametrize("name", SYMPTOMS)
def test_a_symptom_that_outlives_the_window_is_failed(world: World, name: str) -> None:
    """With the reading and the remedy of its cause."""
    ended = lagging(world, name, "3600s", effect=0.5)
    end = step_ends(ended)[SYMPTOMS[name].step]
    assert (end["outcome"], end["remedy_id"]) == ("failed", SYMPTOMS[name].remedy)
    assert ended.result == "failed"
