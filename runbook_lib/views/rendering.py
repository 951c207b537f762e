"""Recorded values as text and as HTML: exact, escaped, and never misleading."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import cast

SHORT = 24
LONGEST_TEXT = 600
LONGEST_LIST = 20
TEXTS = 4096  # kept as HTML: most texts of a card are shown again and again

TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"
)
TIME_LEFT_OUT = "(time: see the report)"

# Texts that read like another JSON value are quoted, so that "null" is not null.
_AMBIGUOUS = re.compile(r"null|true|false|-?\d+(\.\d+)?|\s.*|.*\s|\[.*|\{.*", re.DOTALL)
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_MATCHERS = ("one of", "including", "present", "at least", "known after apply")
_BREAKS = re.compile(r"(?<=[/._@:=,\-])(?=[^\s/._@:=,\-])|(?<=[a-z])(?=[A-Z])")


def visible(text: str) -> str:
    """Return a text in which control and direction characters can be seen."""
    if text.isprintable():  # as most are; no character of those is printable
        return text
    return "".join(
        char if unicodedata.category(char) not in _INVISIBLE else _code_point(char)
        for char in text
    )


def _code_point(char: str) -> str:
    return " " if char in "\n\t" else f"\\u{ord(char):04x}"


def without_times(value: object) -> object:
    """Return a JSON value in which every time is replaced by a fixed text.

    A committed notebook must not change because it was made at another time.
    """
    if isinstance(value, str):
        timed = "-" in value and ":" in value  # as few are
        return TIME.sub(TIME_LEFT_OUT, value) if timed else value
    if isinstance(value, (dict, Mapping)):
        return {key: without_times(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_times(item) for item in value]
    return value


def matcher(value: object) -> tuple[str, object] | None:
    """Return name and argument of an expectation that was written as a mapping."""
    if isinstance(value, (dict, Mapping)) and len(value) == 1:
        name, argument = next(iter(value.items()))
        if name in _MATCHERS:
            return name, argument
    return None


def value_text(value: object) -> str:
    """Return a value on one line: null is `null`, and only null is."""
    known = matcher(value)
    if known is not None:
        return _matcher_text(*known)
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{visible(str(k))}: {value_text(v)}" for k, v in sorted(value.items())
        )
        return "{" + inner + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_items(value)) + "]"
    return _scalar(value)


def _items(values: list[object] | tuple[object, ...]) -> list[str]:
    shown = [value_text(item) for item in values[:LONGEST_LIST]]
    left = len(values) - LONGEST_LIST
    return [*shown, f"… and {left} more in the record"] if left > 0 else shown


def _matcher_text(name: str, argument: object) -> str:
    if name == "present":
        return "any value"
    if isinstance(argument, list | tuple):
        return f"{name} {', '.join(_items(argument))}"
    return f"{name} {value_text(argument)}"


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = visible(str(value))
    if len(text) > LONGEST_TEXT:
        left = len(text) - LONGEST_TEXT
        text = f"{text[:LONGEST_TEXT]}… and {left} more characters in the record"
    if isinstance(value, str) and (not value or _AMBIGUOUS.fullmatch(value)):
        return f'"{text}"'
    return text


def value_html(value: object) -> str:
    """Return a value as HTML; lists and mappings become lists."""
    known = matcher(value)
    if known is not None:
        return _matcher_html(*known)
    if isinstance(value, Mapping) and value:
        return _list_html(
            [
                f"{soft(str(key))}: {value_html(item)}"
                for key, item in sorted(value.items())
            ]
        )
    if _is_dialogue(value):
        return _dialogue_html(cast("list[str]", value))
    if isinstance(value, list | tuple) and len(value) > 1:
        shown = [value_html(item) for item in value[:LONGEST_LIST]]
        left = len(value) - LONGEST_LIST
        more = [f"<i>… and {left} more in the record</i>"] if left > 0 else []
        return _list_html([*shown, *more])
    if isinstance(value, list | tuple) and value:
        return value_html(value[0])
    text = value_text(value)
    short = ' class="rb-short"' if len(text) <= SHORT else ""
    inner = "<i>null</i>" if value is None else soft(text)
    return f"<code{short}>{inner}</code>"


def _is_dialogue(value: object) -> bool:
    """Tell whether a list holds the lines of an SMTP dialogue."""
    if not isinstance(value, list) or len(value) < 2:
        return False
    return all(isinstance(i, str) and i.startswith(("S: ", "C: ")) for i in value)


def _dialogue_html(lines: list[str]) -> str:
    """Return a dialogue, whole and folded: it is evidence, so no line is left out."""
    text = "\n".join(escape(visible(line)) for line in lines)
    summary = f"Dialogue, {len(lines)} lines (S: server, C: client)"
    return f"<details><summary>{summary}</summary><pre>{text}</pre></details>"


def prose_html(text: str) -> str:
    """Return a sentence as HTML; what stands between backquotes is code."""
    parts = soft(text).split("`")
    if len(parts) % 2 == 0:
        return soft(text)
    return "".join(
        f"<code>{part}</code>" if number % 2 else part
        for number, part in enumerate(parts)
    )


def _matcher_html(name: str, argument: object) -> str:
    if name == "present":
        return "<i>any value</i>"
    return f"<i>{escape(name)}</i> {value_html(argument)}"


def _list_html(items: list[str]) -> str:
    rows = "".join(f"<li>{item}</li>" for item in items)
    return f'<ul style="margin:0;padding-left:18px">{rows}</ul>'


@lru_cache(TEXTS)
def soft(text: str) -> str:
    """Return an escaped text that may break inside long identifiers.

    `<wbr>` adds no character to what is copied.
    """
    seen = visible(text)
    if len(seen) <= 18:
        return escape(seen)
    return "<wbr>".join(escape(part) for part in _BREAKS.split(seen))
