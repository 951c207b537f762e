"""`python -m runbook_lib.cli`, where the console script is not on the path."""

from __future__ import annotations

from runbook_lib.cli import main

main(prog_name="runbook")
