"""RSPFPAR (or RSPARAM): the list of all profile parameters of an instance."""

from __future__ import annotations

from runbook_lib.sap.finding import unclear
from runbook_lib.sap.parameter import Parameter
from runbook_lib.sap.profile import Profile, judge_parameters
from runbook_lib.sap.sources import INFERENCE
from runbook_lib.sap.table import Row, read_table

RSPFPAR = "RSPFPAR"

LIST_NOT_READ = unclear(
    "LIST_NOT_READ",
    "The text is not a list with the columns Parameter Name and User-Defined Value.",
    "Run RSPFPAR for icm/*, then System > List > Save > Local File, unconverted.",
    INFERENCE,
)

# The German headings are from memory.
HEADINGS = {
    "name": ("Parameter Name", "Parametername", "Profile Parameter"),
    "value": (
        "User-Defined Value",
        "Benutzerdefinierter Wert",
        "Benutzerdef. Wert",
    ),
    "default": (
        "System Default Value",
        "Systemvorschlagswert",
        "System Default Value (Unsubstituted Form)",
    ),
}


def judge_parameter_list(text: str) -> Profile:
    """Judge the list; a parameter without a user's value has the system's."""
    table = read_table(text, HEADINGS, frozenset({"name", "value"}), RSPFPAR)
    if table is None:
        finding = LIST_NOT_READ.missing("column Parameter Name", RSPFPAR)
        return Profile({}, (), (finding,))
    parameters = [_parameter(row) for row in table.rows]
    return judge_parameters(parameters, RSPFPAR, whole=False)


def _parameter(row: Row) -> Parameter:
    return Parameter(row["name"], row["value"] or row["default"], row.line)
