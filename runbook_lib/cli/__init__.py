"""The command line: `runbook`."""

from __future__ import annotations

from runbook_lib.cli.group import main

__all__ = ["main"]
