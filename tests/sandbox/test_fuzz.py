"""Odd requests to each host for a while, always the same ones."""

import pytest

from tests.sandbox.fuzz_login import LoginTarget
from tests.sandbox.fuzz_sap import SapTarget
from tests.sandbox.fuzz_targets import GraphTarget, VaultTarget
from tests.sandbox.fuzzing import fuzz, run_batch
from tests.sandbox.world import World

# Graph and tokens guard a tenant; the other two are smaller.
SECONDS = {GraphTarget: 30, LoginTarget: 30, VaultTarget: 10, SapTarget: 10}
TARGETS = list(SECONDS)
Target = type[GraphTarget] | type[LoginTarget] | type[VaultTarget] | type[SapTarget]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_a_batch_of_odd_requests(target: Target) -> None:
    """No server error, no hang, no change without right."""
    with World() as world:
        aimed = target(world)
        run_batch(0, aimed.shots(), aimed.send)


@pytest.mark.ci
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_odd_requests_for_a_while(target: Target) -> None:
    """The same for as long as continuous integration has time."""
    with World() as world:
        aimed = target(world)
        assert fuzz(SECONDS[target], aimed.shots(), aimed.send) > 1


@pytest.mark.ci
def test_a_fault_is_found() -> None:
    """The fuzzing would notice a change without right: here made on purpose."""
    with World(broken="graph.permission") as world:
        aimed = GraphTarget(world)
        shots = aimed.shots()
        with pytest.raises(AssertionError):
            fuzz(4 * SECONDS[GraphTarget], shots, aimed.send)
