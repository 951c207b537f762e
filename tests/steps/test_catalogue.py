"""Rules that hold for every step of every notebook, now and later."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from runbook_lib import steps
from runbook_lib.engine.effects import MessageProbe
from runbook_lib.engine.runbook import Runbook
from runbook_lib.engine.step import Attestation, Change, Check, Probe, Step
from runbook_lib.steps.application import RegisterApplication
from runbook_lib.steps.catalogue import RUNBOOKS
from runbook_lib.steps.mailbox import EnableAuthenticatedSmtp
from runbook_lib.steps.permission import DeclareSendAsApp
from tests.steps.calls import READING, WRITING, calls_of
from tests.steps.fakes import MAILBOX, OBJECT, FakeSession, new_application, seen_as

FOLDER = Path(steps.__file__).parent
CLASSES = sorted(
    {entry.step for runbook in RUNBOOKS.values() for entry in runbook.listed},
    key=lambda step: step.__name__,
)
TEXTS = ("str", "tuple[str", "Sequence[str")
KINDS: tuple[type[Step], ...] = (Check, Change, Probe, Attestation)

# What each method of a client writes. A new one is added here, or a test fails.
WRITES = {
    "graph.create_application": "application",
    "graph.update_application": "application",
    "graph.delete_application": "application",
    "graph.add_password": "application",
    "graph.remove_password": "application",
    "graph.create_service_principal": "service principal",
    "graph.delete_service_principal": "service principal",
    "graph.grant_app_role": "app role assignment",
    "graph.revoke_app_role": "app role assignment",
    "exchange.new_service_principal": "Exchange service principal",
    "exchange.remove_service_principal": "Exchange service principal",
    "exchange.add_mailbox_permission": "mailbox permission",
    "exchange.remove_mailbox_permission": "mailbox permission",
    "exchange.set_cas_mailbox": "CAS mailbox",
    "exchange.add_recipient_permission": "recipient permission",
    "exchange.remove_recipient_permission": "recipient permission",
    "exchange.set_organization_config": "organization config",
    "exchange.new_management_scope": "management scope",
    "exchange.remove_management_scope": "management scope",
    "exchange.new_role_assignment": "role assignment",
    "exchange.remove_role_assignment": "role assignment",
    "exchange.new_inbound_connector": "inbound connector",
    "exchange.set_inbound_connector": "inbound connector",
    "exchange.remove_inbound_connector": "inbound connector",
    "sink.prove_writable": "sink",
    "sink.store": "sink",
    "sink.remove": "sink",
    "submission.send": "message",
}
# What each method of a client reads.
READS = {
    "graph.applications_named": "application",
    "graph.application_by_app_id": "application",
    "graph.application": "application",
    "graph.application_owners": "application owner",
    # Exchange Online's own service principal is read to look the role up.
    "graph.service_principal_by_app_id": "service principal",
    # To say which of the three ids it is that stands in a wrong place.
    "graph.service_principal": "service principal",
    "graph.app_role_assignments": "app role assignment",
    "graph.delegated_grants": "delegated grant",
    "graph.directory_roles": "directory role",
    "graph.default_app_management_policy": "policy",
    "graph.security_defaults_enabled": "policy",
    "graph.service_configuration_records": "domain",
    "exchange.mailbox": "mailbox",
    "exchange.cas_mailbox": "CAS mailbox",
    "exchange.transport_config": "transport config",
    "exchange.organization_config": "organization config",
    "exchange.accepted_domains": "accepted domain",
    "exchange.recipient": "recipient",
    "exchange.service_principal": "Exchange service principal",
    "exchange.mailbox_permissions": "mailbox permission",
    "exchange.recipient_permissions": "recipient permission",
    "exchange.management_scope": "management scope",
    "exchange.role_assignment": "role assignment",
    "exchange.distribution_group": "group",
    "exchange.service_principal_authorization": "role assignment",
    "exchange.inbound_connectors": "inbound connector",
    "exchange.message_trace": "message",
    "resolver.addresses": "DNS",
    "resolver.mx": "DNS",
    "submission.observe_endpoint": "SMTP host",
    "submission.sign_in": "SMTP host",
    "sink.holds": "sink",
    "sink.read": "sink",
}
# A Check and a Change of one notebook that meet, each pair with its reason.
MEET = {
    # Two ways of letting the application in: never both in one run.
    ("NoEntraPermission", "GrantAdminConsent"),
    ("NoEntraPermission", "CreateServicePrincipal"),
    # One looks, the other sets what the first would have failed for: never both.
    ("AliasSending", "AllowAliasSending"),
    # It looks at the connectors of others, never at the one that is made.
    ("ConnectorConflicts", "CreateRelayConnector"),
}


def written(step: type[Step]) -> set[str]:
    """Return what a step writes."""
    return {WRITES[call] for call in calls_of(step, WRITING) if call in WRITES}


def looked_at(step: type[Step]) -> set[str]:
    """Return what a step reads when it observes."""
    return {READS[call] for call in calls_of(step, READING)}


def test_there_are_steps_that_read_and_write() -> None:
    """Without this, every rule below would hold for nothing."""
    assert "graph.create_application" in calls_of(RegisterApplication, WRITING)
    assert "graph.application_owners" in calls_of(RegisterApplication, READING)
    assert "graph.service_principal_by_app_id" in calls_of(DeclareSendAsApp, READING)
    assert sum(bool(written(step)) for step in CLASSES) >= 8


@pytest.mark.parametrize("step", CLASSES, ids=lambda step: str(step.__name__))
def test_every_call_is_known_as_a_read_or_a_write(step: type[Step]) -> None:
    """So that the rules below see all of them."""
    known = set(READS) | set(WRITES)
    assert calls_of(step, READING) | calls_of(step, WRITING) <= known


@pytest.mark.parametrize("step", CLASSES, ids=lambda step: str(step.__name__))
def test_observing_never_writes(step: type[Step]) -> None:
    """Plan and verify observe, and nothing else."""
    assert not calls_of(step, READING) & set(WRITES)


@pytest.mark.parametrize("step", CLASSES, ids=lambda step: str(step.__name__))
def test_only_changes_and_declared_probes_write(step: type[Step]) -> None:
    """A Check or an Attestation has no method that writes; a Probe says its effect."""
    if issubclass(step, Change):
        assert written(step)
    elif issubclass(step, Probe):
        assert bool(written(step)) is (step.effect != "none")
    else:
        assert not written(step)


@pytest.mark.parametrize("runbook", RUNBOOKS.values(), ids=lambda r: str(r.name))
def test_no_check_reads_what_a_change_of_its_notebook_writes(runbook: Runbook) -> None:
    """A prerequisite that the run itself changes would prove nothing."""
    checks = [step for step in runbook.catalogue if issubclass(step, Check)]
    changes = [step for step in runbook.catalogue if issubclass(step, Change)]
    found = {
        (check.__name__, change.__name__): looked_at(check) & written(change)
        for check in checks
        for change in changes
        if looked_at(check) & written(change)
    }
    assert set(found) <= MEET, found


def test_every_exception_is_needed() -> None:
    """A pair that no longer meets is taken off the list."""
    by_name = {step.__name__: step for step in CLASSES}
    for check, change in MEET:
        if {check, change} <= set(by_name):
            assert looked_at(by_name[check]) & written(by_name[change])


EXAMPLES = (
    RegisterApplication("SAP"),
    DeclareSendAsApp(application=OBJECT),
    EnableAuthenticatedSmtp(mailbox=MAILBOX),
)


@pytest.mark.parametrize("step", EXAMPLES, ids=lambda step: str(step.id))
def test_the_analysis_sees_what_really_happens(step: Change) -> None:
    """Recorded calls of real steps on fakes are among those that are read off."""
    fake = FakeSession()
    fake.graph.applications = [new_application(notes=None)]
    fake.exchange.cas = {MAILBOX: {}}
    seen = step.observe(seen_as(fake)).properties
    assert set(fake.calls()) <= calls_of(type(step), READING)
    fake.graph.applications[0]["notes"] = fake.mark  # a stranger's is not written to
    step.apply(seen_as(fake))
    step.revert(seen_as(fake), seen, step.observe(seen_as(fake)).properties)
    possible = calls_of(type(step), READING) | calls_of(type(step), WRITING)
    assert set(fake.calls()) <= possible
    assert set(fake.calls()) & set(WRITES)


@pytest.mark.parametrize("step", CLASSES, ids=lambda step: str(step.__name__))
def test_steps_are_frozen_values_with_text_inputs(step: type[Step]) -> None:
    """What the record holds of a step rebuilds it."""
    parameters = getattr(step, "__dataclass_params__")  # noqa: B009 - mypy knows
    assert parameters.frozen
    for field in dataclasses.fields(step):
        assert str(field.type).startswith(TEXTS), field.name


@pytest.mark.parametrize("step", CLASSES, ids=lambda step: str(step.__name__))
def test_steps_have_one_kind_and_all_its_methods(step: type[Step]) -> None:
    """Nothing falls back on a base class that does nothing."""
    (kind,) = [kind for kind in KINDS if issubclass(step, kind)]
    needed = {"expect"} | {
        Check: {"observe"},
        Change: {"observe", "apply", "revert"},
        Probe: set(),
        Attestation: {"validate"},
    }[kind]
    if issubclass(step, MessageProbe):
        needed |= {"follow", "parts" if "parts" in vars(step) else "act"}
    for name in needed:
        owner = getattr(step, name).__module__
        assert owner.startswith("runbook_lib.steps"), name


FORBIDDEN_MODULES = frozenset(
    {"httpx", "pandas", "os", "time", "socket", "subprocess", "random", "requests"}
)
FORBIDDEN_CALLS = frozenset({"now", "utcnow", "today"})


def step_files() -> list[Path]:
    """Return the modules of the steps."""
    return sorted(FOLDER.rglob("*.py"))


@pytest.mark.parametrize("path", step_files(), ids=lambda p: str(p.relative_to(FOLDER)))
def test_steps_reach_the_outside_through_the_session_only(path: Path) -> None:
    """No library of the wire, no environment, no clock of their own."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
            assert not names & FORBIDDEN_MODULES, node.lineno
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in FORBIDDEN_MODULES
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "getenv"}, node.lineno
            if node.attr in FORBIDDEN_CALLS:
                assert ast.unparse(node) == "session.now", node.lineno


def test_no_step_states_an_identifier_of_the_role() -> None:
    """The role is looked up by value: its GUID differs between clouds."""
    source = inspect.getsource(inspect.getmodule(DeclareSendAsApp))  # type: ignore[arg-type]
    assert "SMTP.SendAsApp" in source
    # Exchange Online, Microsoft Graph, User.Read: the same in every cloud.
    assert len(set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", source))) == 3
