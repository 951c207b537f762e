"""What tenants cost: start, memory, tokens and Graph requests, 1 against 2,000."""

import pytest

from tests.benchmarks.performance_page import write_table
from tests.benchmarks.sandboxes import MeasuredSandbox

FEW, MANY = 200, 2_000
REQUESTS = 400
START_RATIO = 12
TENANT_KILOBYTES = 20
REQUEST_RATIO = 4

Measured = dict[str, float]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Measure once, give the numbers to all tests, and write them down."""
    folder = tmp_path_factory.mktemp("fleet")
    found: Measured = {}
    with MeasuredSandbox(folder, 1) as one:
        found |= _requests(one, "1")
    with MeasuredSandbox(folder, FEW) as few:
        found["start few"] = few.start_seconds
        found["memory few"] = few.memory_kilobytes()
        _touch(few)
        found["touched few"] = few.memory_kilobytes()
    with MeasuredSandbox(folder, MANY) as many:
        found["start many"] = many.start_seconds
        found["memory many"] = many.memory_kilobytes()
        found |= _requests(many, "many")
        _touch(many)
        found["touched many"] = many.memory_kilobytes()
    write_table("sandbox", _rows(found))
    return found


def _requests(sandbox: MeasuredSandbox, name: str) -> Measured:
    """Measure tokens and Graph requests, each for another tenant than before."""
    step = max(1, len(sandbox.tenants) // REQUESTS)
    chosen = (sandbox.tenants[::step] * REQUESTS)[:REQUESTS]
    tokens = {tenant["tenant_id"]: sandbox.token(tenant) for tenant in chosen}
    held = [tokens[tenant["tenant_id"]] for tenant in chosen]
    return {
        f"token {name}": sandbox.milliseconds(sandbox.token, chosen),
        f"graph {name}": sandbox.milliseconds(sandbox.read, held),
    }


def _touch(sandbox: MeasuredSandbox) -> None:
    """Use every tenant once."""
    for tenant in sandbox.tenants:
        sandbox.read(sandbox.token(tenant))


def _per_tenant(found: Measured, what: str) -> float:
    """Return the memory that one more tenant takes, in kB."""
    return (found[f"{what} many"] - found[f"{what} few"]) / (MANY - FEW)


def _rows(found: Measured) -> list[tuple[str, ...]]:
    """Return the table of the page."""

    def ratio(what: str, below: str = "1") -> str:
        return f"{found[f'{what} many'] / found[f'{what} {below}']:.1f}"

    return [
        ("measure", "result", "limit"),
        (f"start with {MANY:,} tenants ÷ with {FEW}", ratio("start", "few"), "12"),
        (
            "memory per tenant, not used yet",
            f"{_per_tenant(found, 'memory'):.1f} kB",
            "20 kB",
        ),
        (
            "memory per tenant, all of them used",
            f"{_per_tenant(found, 'touched'):.1f} kB",
            "20 kB",
        ),
        (
            f"token: processor time at {MANY:,} tenants ÷ at 1",
            f"{ratio('token')} ({found['token 1']:.1f} ms at 1)",
            str(REQUEST_RATIO),
        ),
        (
            f"Graph request: processor time at {MANY:,} tenants ÷ at 1",
            f"{ratio('graph')} ({found['graph 1']:.1f} ms at 1)",
            str(REQUEST_RATIO),
        ),
    ]


def test_the_start_grows_no_faster_than_the_fleet(measured: Measured) -> None:
    """Ten times the tenants, at most twelve times the time."""
    assert measured["start many"] / measured["start few"] <= START_RATIO


@pytest.mark.parametrize("what", ["memory", "touched"])
def test_a_tenant_takes_little_memory(measured: Measured, what: str) -> None:
    """Before anybody uses it, and after everybody did."""
    assert _per_tenant(measured, what) <= TENANT_KILOBYTES


@pytest.mark.parametrize("what", ["token", "graph"])
def test_a_request_hardly_depends_on_the_fleet(measured: Measured, what: str) -> None:
    """Even where each request is for another tenant than the one before."""
    assert measured[f"{what} many"] / measured[f"{what} 1"] <= REQUEST_RATIO
