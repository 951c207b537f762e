"""Who is refused by the SAP side: every method, every entity set, every wrong caller.

Methods and sets come from the tables that the sandbox itself serves by.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from runbook_lib.sandbox.btp_communication_types import SERVICES
from runbook_lib.sandbox.dump import dump
from runbook_lib.sandbox.sapcontrol_methods import METHODS
from runbook_lib.sandbox.seed_sap import (
    ADMINISTRATOR,
    OBSERVER,
    OTHER_READER,
    READER,
)
from tests.sandbox.sap_systems import BTP, HOST, envelope
from tests.sandbox.world import World

PARAMETERS = {
    "ParameterValue": {"parameter": "rdisp/start_icman"},
    "AccessCheck": {"function": "ABAPGetComponentList"},
    "ReadDeveloperTrace": {"filename": "dev_icm", "size": "0"},
}
CASES = ("no user", "wrong password", "other tenant", "other system", "missing right")
PATHS = [
    (service, path)
    for service, sets in SERVICES.items()
    for path in ("", "$metadata", *sets)
]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world of two tenants for all refusals: none of them may change it."""
    with World(tenants=2) as made:
        yield made


def sign_in(world: World, case: str, right: str, without_right: str) -> Any:
    """Return name and password of a case; `right` has the right there."""
    mine = world.plans[world.tenant.tenant_id].sap_users
    other = world.plans[world.other_tenant().tenant_id].sap_users
    elsewhere = READER if right == ADMINISTRATOR else ADMINISTRATOR
    return {
        "no user": None,
        "wrong password": (right, "wrong"),
        "other tenant": (right, other[right]),
        "other system": (elsewhere, mine[elsewhere]),
        "missing right": (without_right, mine[without_right]),
        "entitled": (right, mine[right]),
    }[case]


def called(world: World, method: str, case: str) -> int:
    """Call a method of the start service; return the status."""
    content = envelope(method, PARAMETERS.get(method, {}))
    auth = sign_in(world, case, ADMINISTRATOR, OBSERVER)
    return world.request("POST", HOST, content=content, auth=auth).status_code


def read(world: World, service: str, path: str, case: str) -> int:
    """Read from communication management; return the status."""
    root = f"{BTP}/sap/opu/odata4/sap/{service}/srvd_a2x/sap/{service}/0001"
    auth = sign_in(world, case, READER, OTHER_READER)
    return world.request("GET", f"{root}/{path}", auth=auth).status_code


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", METHODS)
def test_start_service_refuses(world: World, method: str, case: str) -> None:
    """What is protected asks for its administrator; the rest is open to all."""
    before = dump(world.sandbox, world.tenant)
    refused = METHODS[method].protected or method == "AccessCheck"
    status = 500 if case == "missing right" else 401
    wanted = status if refused else 200
    assert called(world, method, case) == wanted
    assert dump(world.sandbox, world.tenant) == before


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("service", "path"), PATHS)
def test_communication_management_refuses(
    world: World, service: str, path: str, case: str
) -> None:
    """Nothing is open to all there."""
    wanted = 403 if case == "missing right" else 401
    assert read(world, service, path, case) == wanted


def test_the_entitled_are_answered(world: World) -> None:
    """The same requests succeed with the rights, so that the matrix means something."""
    assert {called(world, method, "entitled") for method in METHODS} == {200}
    assert {read(world, *place, "entitled") for place in PATHS} == {200}
