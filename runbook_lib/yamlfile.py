"""YAML files checked against a model, with errors that name key, file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runbook_lib.errors import InputError

try:  # the same loader in C, where it was built
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

T = TypeVar("T", bound=BaseModel)


class _Loader(SafeLoader):
    """Leaves times as the texts that they are in the file."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as in the base class
        first: [(tag, form) for tag, form in known if not tag.endswith(":timestamp")]
        for first, known in SafeLoader.yaml_implicit_resolvers.items()
    }


def read_model(path: Path, model: type[T], *, what: str) -> T:
    """Read a YAML file into a model.

    `what` names the kind of file in messages.

    Raises:
        InputError: missing, unreadable, not YAML, a key twice, or not as the
            model says. Every wrong key is one line; no value is repeated.
    """
    node, data = _loaded(path, _text(path, what), what)
    if not isinstance(data, dict):
        raise InputError(
            f"{path}: not a {what}: a mapping of keys is expected",
            remedy=f"Keys: {', '.join(_keys(model))}.",
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_sentence(path, node, model, e) for e in error.errors()]
        raise InputError(
            "\n".join(lines), remedy=f"Correct the {what} and run again."
        ) from None


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such {what}", remedy="Check the path of the file."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(
            f"{path}: the {what} cannot be read: {reason}",
            remedy="Check the file and its permissions.",
        ) from None


def _loaded(path: Path, text: str, what: str) -> tuple[yaml.Node | None, object]:
    """Return the nodes of a file, for their lines, and its data."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        _refuse_repeated(path, node)
        return node, loader.construct_document(node) if node else None
    except RecursionError:
        raise InputError(
            f"{path}: the {what} is nested without end",
            remedy="Remove anchors and aliases from it.",
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "malformed"
        raise InputError(
            f"{path}{line}: the {what} is not YAML: {_without_values(problem)}",
            remedy="Check indentation, colons and quotes near that line.",
        ) from None


def _without_values(problem: str) -> str:
    """Return a parser's sentence without what it quotes: that may be a secret."""
    return re.sub(r"'[^']{2,}'", "(not shown)", problem)


def _refuse_repeated(path: Path, node: yaml.Node | None) -> None:
    """Refuse a key that stands twice: YAML would silently take the last one."""
    for mapping in _mappings(node):
        seen: dict[str, int] = {}
        for key, _ in mapping.value:
            line = key.start_mark.line + 1
            name = str(key.value)
            if name in seen:
                raise InputError(
                    f"{path}:{line}: {name}: stands twice, first in line {seen[name]}",
                    remedy="Keep one of the two lines.",
                )
            seen[name] = line


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item)


def _keys(model: type[BaseModel]) -> list[str]:
    return [f.alias or name for name, f in model.model_fields.items()]


def _sentence(
    path: Path, node: yaml.Node | None, model: type[BaseModel], error: ErrorDetails
) -> str:
    key = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        keys = _keys(_model_at(model, error["loc"][:-1]))
        known = get_close_matches(str(error["loc"][-1]), keys, n=1)
        message = "unknown key" + (f"; did you mean {known[0]}?" if known else "")
    where = f"{path}:{_line(node, error['loc'])}"
    return f"{where}: {key}: {message}" if key else f"{where}: {message}"


def _model_at(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> type[BaseModel]:
    """Return the model that a location of a file is checked against."""
    for part in location:
        fields = {f.alias or n: f.annotation for n, f in model.model_fields.items()}
        kinds = (fields.get(str(part)), *get_args(fields.get(str(part))))
        inner = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        model = inner[0] if inner else model
    return model


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Return the line of the deepest part of the location that is in the file."""
    line = 1
    for part in location:
        found = _child(node, part)
        if found is None:
            break
        line, node = found
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        item = node.value[part]
        return item.start_mark.line + 1, item
    return None
