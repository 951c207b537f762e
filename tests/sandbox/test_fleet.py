"""Thousands of tenants: made late, packed when idle, the same as if they were not."""

import pytest

from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.fleet import Fleet
from runbook_lib.sandbox.ids import IdSource
from runbook_lib.sandbox.log import AccessLog
from runbook_lib.sandbox.seed import Plan, make_tenant, seed_tenants
from runbook_lib.sandbox.state import Sandbox, Tenant

COUNT = 12


def fleet_of(most_unpacked: int) -> tuple[Sandbox, dict[str, Plan]]:
    """Return a sandbox of some tenants that keeps few of them at hand."""
    sandbox = Sandbox(seed=1, log=AccessLog())
    plans = seed_tenants(sandbox, COUNT)
    assert isinstance(sandbox.tenants, Fleet)
    sandbox.tenants._most = most_unpacked
    return sandbox, plans


def packed(sandbox: Sandbox) -> int:
    """Return how many tenants are packed."""
    assert isinstance(sandbox.tenants, Fleet)
    return len(sandbox.tenants._packed)


def test_a_plan_is_what_the_tenant_becomes() -> None:
    """Ids and secrets that are told before a tenant is made are its own."""
    sandbox, plans = fleet_of(64)
    for tenant_id, plan in plans.items():
        tenant = make_tenant(sandbox, plan)
        assert tenant.tenant_id == tenant_id
        operator = tenant.application_by_app_id(plan.operator.client_id)
        assert operator is not None
        assert operator["displayName"] == "runbook-operator"
        (credential,) = operator["passwordCredentials"]
        assert plan.operator.client_secret.startswith(credential["hint"])


def test_packing_changes_nothing() -> None:
    """Dumps and the ids to come are as in a fleet that is never packed."""
    whole, _ = fleet_of(64)
    small, _ = fleet_of(2)
    for _ in range(2):
        for tenant_id in small.tenants:
            one, other = small.tenants[tenant_id], whole.tenants[tenant_id]
            assert dump(small, one) == dump(whole, other)
            assert one.ids.guid() == other.ids.guid()
    assert packed(small) >= COUNT - 3
    assert packed(whole) == 0


def test_a_change_survives_packing() -> None:
    """What was written is there when the tenant is unpacked."""
    sandbox, _ = fleet_of(1)
    first = next(iter(sandbox.tenants))
    sandbox.tenants[first].security_defaults_enabled = True
    for tenant in sandbox.tenants.values():
        assert tenant.tenant_id
    assert sandbox.tenants[first].security_defaults_enabled


def test_a_tenant_that_is_held_is_never_packed() -> None:
    """Who holds one sees the same object as everybody else."""
    sandbox, _ = fleet_of(1)
    held: Tenant = next(iter(sandbox.tenants.values()))
    for tenant in sandbox.tenants.values():
        assert tenant.name
    assert sandbox.tenants[held.tenant_id] is held


def test_a_tenant_is_found_by_its_domains() -> None:
    """By id, mail domain and initial domain, whatever the case; by nothing else."""
    sandbox, plans = fleet_of(2)
    for plan in plans.values():
        for name in (
            plan.tenant_id,
            plan.domain.upper(),
            f"{plan.name}.onmicrosoft.com",
        ):
            tenant = sandbox.tenant(name)
            assert tenant is not None
            assert tenant.name == plan.name
    assert sandbox.tenant("northwind.example") is None


def test_a_fleet_is_a_mapping() -> None:
    """Tenants are added, replaced and removed as in a dictionary."""
    sandbox, plans = fleet_of(2)
    first, second, *_ = plans
    tenant = sandbox.tenants[first]
    sandbox.tenants[second] = tenant
    assert sandbox.tenants[second] is tenant
    del sandbox.tenants[second]
    assert second not in sandbox.tenants
    assert len(sandbox.tenants) == COUNT - 1
    with pytest.raises(KeyError):
        sandbox.tenants[second]


def test_a_sequence_of_ids_goes_on() -> None:
    """A tenant's ids after packing are those that would have come."""
    ids = IdSource("1/contoso")
    drawn = [ids.guid(), ids.letters(43), ids.hexadecimal(7), str(ids.number(1, 9))]
    again = IdSource("1/contoso")
    state = IdSource.__new__(IdSource)
    assert again.guid() == drawn[0]
    state.__setstate__(again.__getstate__())
    assert [state.letters(43), state.hexadecimal(7), str(state.number(1, 9))] == drawn[
        1:
    ]
