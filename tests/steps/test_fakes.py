"""The fakes are no kinder than the real clients: same methods, same parameters."""

from __future__ import annotations

import inspect

import pytest

from runbook_lib.clients.dns import Resolver
from runbook_lib.clients.entra import EntraClient
from runbook_lib.clients.exchange import ExchangeClient
from runbook_lib.clients.graph import GraphClient
from runbook_lib.clients.sinks import Sink
from runbook_lib.clients.smtp import SubmissionClient
from runbook_lib.session import Session
from tests.steps.fakes import (
    FakeEntra,
    FakeExchange,
    FakeGraph,
    FakeResolver,
    FakeSession,
    FakeSink,
    FakeSubmission,
)

PAIRS: list[tuple[type, type]] = [
    (FakeGraph, GraphClient),
    (FakeExchange, ExchangeClient),
    (FakeSubmission, SubmissionClient),
    (FakeResolver, Resolver),
    (FakeSink, Sink),
    (FakeEntra, EntraClient),
]


def parameters(kind: type, name: str) -> list[tuple[str, object, bool]]:
    """Return name, kind and whether there is a default, of each parameter."""
    found = inspect.signature(getattr(kind, name)).parameters.values()
    return [(p.name, p.kind, p.default is p.empty) for p in found]


@pytest.mark.parametrize(("fake", "real"), PAIRS, ids=lambda kind: str(kind.__name__))
def test_every_method_is_one_of_the_real_client(fake: type, real: type) -> None:
    """With the same parameters, required and optional."""
    methods = [n for n, f in vars(fake).items() if inspect.isfunction(f)]
    public = [name for name in methods if not name.startswith("_")]
    assert public
    for name in public:
        assert parameters(fake, name) == parameters(real, name), name


def test_the_session_has_no_more_than_the_real_one() -> None:
    """`calls`, `operator`, `sap` and `clients` are the test's own."""
    own = {"calls", "operator", "sap", "clients"}
    names = {n for n in dir(FakeSession()) if not n.startswith("_")} - own
    real = set(Session.__dataclass_fields__) | set(dir(Session))
    assert names <= real
    for name in ("operator_token", "application_client"):
        assert parameters(FakeSession, name) == parameters(Session, name)
