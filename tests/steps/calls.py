"""Which methods of the clients a step may call: read from the syntax tree.

The analysis follows functions and methods of the steps' own modules, so every
branch counts, also one that no test takes.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from types import FunctionType, ModuleType

from runbook_lib.engine.step import Step

CLIENTS = ("graph", "exchange", "submission", "resolver", "sink")
READING = ("observe", "observe_with", "follow", "validate", "expect", "applicable")
WRITING = ("apply", "revert", "clear", "act", "parts", "borrow", "give_back")


def calls_of(step: type[Step], names: tuple[str, ...]) -> frozenset[str]:
    """Return `client.method` of what these methods of a step may call."""
    found: set[str] = set()
    for name in names:
        method = getattr(step, name, None)
        if isinstance(method, FunctionType) and in_steps(method.__module__):
            found |= reached(step, method)
    return frozenset(found)


def in_steps(module: str) -> bool:
    """Tell whether a module belongs to the steps."""
    return module.startswith("runbook_lib.steps")


def reached(step: type[Step], start: FunctionType) -> set[str]:
    """Return the client calls of a function and of all that it reaches."""
    found: set[str] = set()
    open_, seen = [start], {start}
    while open_:
        function = open_.pop()
        calls, others = looked_at(step, function)
        found |= calls
        fresh = [other for other in others if other not in seen]
        seen.update(fresh)
        open_.extend(fresh)
    return found


def looked_at(
    step: type[Step], function: FunctionType
) -> tuple[set[str], list[FunctionType]]:
    """Return the client calls of one function, and the functions that it names."""
    tree = tree_of(function)
    calls: set[str] = set()
    others: list[FunctionType] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            inner = node.value
            if isinstance(inner, ast.Attribute) and inner.attr in CLIENTS:
                calls.add(f"{inner.attr}.{node.attr}")
            elif isinstance(inner, ast.Name) and inner.id == "self":
                others.extend(functions_in(step, node.attr))
        elif isinstance(node, ast.Name):
            module = sys.modules[function.__module__]
            others.extend(functions_in(module, node.id))
    return calls, others


def functions_in(owner: type | ModuleType, name: str) -> Iterator[FunctionType]:
    """Yield the function of that name, if it is one of the steps' own."""
    found = getattr(owner, name, None)
    if isinstance(found, FunctionType) and in_steps(found.__module__):
        yield found


@cache
def tree_of(function: FunctionType) -> ast.AST:
    """Return the syntax tree of a function."""
    lines, _ = inspect.getsourcelines(function)
    indent = len(lines[0]) - len(lines[0].lstrip())
    return ast.parse("".join(line[indent:] for line in lines))
