"""Parameters of a notebook: texts, never secret, each one declared."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict

from runbook_lib.errors import InputError

MODES = ("plan", "apply", "verify", "rollback")

# Parameters that say how a run is made, not what it makes.
OF_THE_RUN = frozenset(
    {"mode", "run_id", "outputs", "wait", "evidence", "probe", "completes", "record"}
)

# What a choice of an option leaves in its record, for the chosen runbook.
PARAMETERS_FILE = "parameters.yaml"
# Parameters of the notebooks that are one of a few words.
CHOICES = {
    "remove_user_read": ("yes", "no"),
    "temporary_credential": ("yes", "no"),
    "credential": ("secret", "certificate"),
    "authorization": ("full-access", "app-rbac"),
    "clear_from_sap": ("yes", "no"),
}

INJECTED = "# Parameters"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class ParametersFile(BaseModel):
    """A file of parameters for one runbook: texts by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runbook: str
    parameters: dict[str, str]

    def text(self) -> str:
        """Return the file as it is written; each value is quoted."""
        lines = [f"runbook: {json.dumps(self.runbook)}", "parameters:"]
        lines += [f"  {n}: {json.dumps(v)}" for n, v in self.parameters.items()]
        return "\n".join(lines if self.parameters else [lines[0], "parameters: {}"])


@dataclass(frozen=True)
class Parameters:
    """The values of one run: name to text."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return a value; a notebook without that parameter has an empty one."""
        return self.values.get(name, "")

    def digest(self) -> str:
        """Return the SHA-256 over what the run makes: names and values."""
        made = {n: v for n, v in self.values.items() if n not in OF_THE_RUN}
        text = json.dumps(made, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def assignments(source: str) -> dict[str, object]:
    """Return the literal assignments of a cell: name to value.

    Annotated assignments count as well. Other statements are passed over.
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return {}
    found: dict[str, object] = {}
    for statement in body:
        if isinstance(statement, ast.AnnAssign):
            targets: list[ast.expr] = [statement.target]
        elif isinstance(statement, ast.Assign):
            targets = statement.targets
        else:
            continue
        value = _literal(statement.value)
        found |= {t.id: value for t in targets if isinstance(t, ast.Name)}
    return found


def _literal(node: ast.expr | None) -> object:
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError):  # no literal, or one that Python refuses
        return None


def split_cells(cells: Iterable[str]) -> tuple[dict[str, object], dict[str, object]]:
    """Return what the parameters cell declares and what was injected after it.

    The parameters cell is the one that declares tenant and mode; papermill's
    injected cell begins with `# Parameters`. Of several executions the last
    counts.
    """
    declared: dict[str, object] = {}
    injected: dict[str, object] = {}
    for source in cells:
        found = assignments(source)
        if source.lstrip().startswith(INJECTED):
            injected = found
        elif {"tenant", "mode"} <= set(found):
            declared, injected = found, {}
    return declared, injected


def check_parameters(
    declared: Iterable[str], values: Mapping[str, object], *, where: str
) -> Parameters:
    """Return checked parameters.

    `where` names the place of the values in messages.

    Raises:
        InputError: an unknown or missing name, a value that is not a text, or a
            mode, run id, yes/no or number of seconds that is none.
    """
    names = list(declared)
    problems = [_unknown(where, name, names) for name in values if name not in names]
    problems += [f"{where}: {n}: missing" for n in names if n not in values]
    problems += [
        f"{where}: {name}: {value!r} is not a text; put it in quotes"
        for name, value in values.items()
        if name in names and not isinstance(value, str)
    ]
    if problems:
        raise InputError("\n".join(problems), remedy=f"Known: {', '.join(names)}.")
    parameters = Parameters({name: str(values[name]).strip() for name in names})
    _check_values(parameters, where)
    return parameters


def _unknown(where: str, name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{where}: {name}: unknown parameter{hint}"


def _check_values(parameters: Parameters, where: str) -> None:
    if parameters["mode"] not in MODES:
        raise InputError(
            f"{where}: mode: {parameters['mode']!r} is not a mode",
            remedy=f"Use one of {', '.join(MODES)}.",
        )
    for name in ("run_id", "record", "completes"):
        value = parameters[name]
        if value and not _RUN_ID.fullmatch(value):
            raise InputError(
                f"{where}: {name}: {value!r} is not a run id",
                remedy="Use letters, digits, dot, dash and underscore only.",
            )
    for name, words in CHOICES.items():
        if parameters[name] not in ("", *words):
            raise InputError(
                f"{where}: {name}: {parameters[name]!r} is not known",
                remedy=f"Use {' or '.join(words)}.",
            )
    if parameters["wait"] and not re.fullmatch(r"\d{1,5}", parameters["wait"]):
        raise InputError(
            f"{where}: wait: {parameters['wait']!r} is not a number of seconds",
            remedy="Give whole seconds, as 120.",
        )
