"""YAML files checked against a model, with errors that name key, file and line."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runbook_lib.errors import InputError

T = TypeVar("T", bound=BaseModel)


def read_model(path: Path, model: type[T], *, what: str) -> T:
    """Read a YAML file into a model.

    `what` names the kind of file in messages.

    Raises:
        InputError: missing, unreadable, not YAML, or not as the model says.
            Every wrong key is one line.
    """
    text = _text(path, what)
    node = _compose(path, text, what)
    data = yaml.safe_load(text)
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


def _compose(path: Path, text: str, what: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "malformed"
        raise InputError(
            f"{path}{line}: the {what} is not YAML: {problem}",
            remedy="Check indentation, colons and quotes near that line.",
        ) from None


def _keys(model: type[BaseModel]) -> list[str]:
    return [f.alias or name for name, f in model.model_fields.items()]


def _sentence(
    path: Path, node: yaml.Node | None, model: type[BaseModel], error: ErrorDetails
) -> str:
    key = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = get_close_matches(str(error["loc"][-1]), _keys(model), n=1)
        message = "unknown key" + (f"; did you mean {known[0]}?" if known else "")
    where = f"{path}:{_line(node, error['loc'])}"
    return f"{where}: {key}: {message}" if key else f"{where}: {message}"


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
