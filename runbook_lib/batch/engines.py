"""Which engine runs the next tenant: direct where the system can, else stock."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from typing import Self

from runbook_lib.batch.forking import DirectEngine, available
from runbook_lib.batch.processes import Engine, Unavailable
from runbook_lib.batch.stock import StockEngine

MOST_TEMPLATES = 100
TRIES = 3


class Engines:
    """Keeps the engine that starts processes, and those whose processes still end.

    A template that is gone is replaced. Where none can be started, the stock
    engine takes its place, and that is said.
    """

    def __init__(
        self,
        asked: str,
        selector: selectors.BaseSelector,
        changed: Callable[[str, str], None],
    ) -> None:
        """Start nothing yet; `changed` is told of another engine, and why."""
        self._asked = asked
        self._selector = selector
        self._changed = changed
        self._engines: list[Engine] = []
        self._looked_at: list[Engine] = []

    def current(self) -> Engine:
        """Return the engine for the next process."""
        if not self._engines:
            self._use(self._first())
        elif self._engines[-1].gone:
            self._use(self._next())
        return self._engines[-1]

    def collect(self) -> None:
        """Take in from every engine which processes ended."""
        for engine in list(self._looked_at):
            engine.collect()
            if engine.gone:
                self._selector.unregister(engine)
                self._looked_at.remove(engine)

    def close(self) -> None:
        """End everything that was started."""
        for engine in self._looked_at:
            self._selector.unregister(engine)
        for engine in self._engines:
            engine.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close it."""
        self.close()

    def _use(self, engine: Engine) -> None:
        if engine.fileno() >= 0:
            self._selector.register(engine, selectors.EVENT_READ)
            self._looked_at.append(engine)
        self._engines.append(engine)

    def _first(self) -> Engine:
        if self._asked == "stock":
            return StockEngine()
        try:
            return _direct()
        except Unavailable as error:
            if self._asked == "direct":
                raise
            return self._stock(error.message)

    def _next(self) -> Engine:
        if len(self._engines) >= MOST_TEMPLATES:
            return self._stock("The warm template ended too often")
        try:
            engine = _direct()
        except Unavailable as error:
            return self._stock(error.message)
        self._changed(engine.name, "The warm template ended and was started again")
        return engine

    def _stock(self, why: str) -> StockEngine:
        engine = StockEngine()
        self._changed(engine.name, why[:1].upper() + why[1:])
        return engine


def _direct() -> DirectEngine:
    """Start a template; one that is killed while it starts is started again.

    Raises:
        Unavailable: this system has none, or it ended each time.
    """
    for _ in range(TRIES - 1):
        try:
            return DirectEngine()
        except Unavailable:
            if not available():
                raise
    return DirectEngine()
