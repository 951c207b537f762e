"""A sandbox of our own, for demo and lab: started, awaited, ended."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runbook_lib.errors import RunbookError

PATIENCE = 30.0


@contextmanager
def sandbox(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run `runbook sandbox` as a child process; yield its ready file's content.

    Raises:
        RunbookError: it did not become ready.
    """
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "runbook_lib.sandbox", "--ready-file", str(ready)]
    child = subprocess.Popen([*command, *options])  # noqa: S603 - our own program
    try:
        yield _awaited(child, ready)
    finally:
        child.terminate()
        child.wait(timeout=PATIENCE)


def _awaited(child: subprocess.Popen[bytes], ready: Path) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and child.poll() is None:
        if ready.exists() and (text := ready.read_text("utf-8")).endswith("}\n"):
            found: dict[str, Any] = json.loads(text)
            return found
        time.sleep(0.05)
    raise RunbookError(
        "the sandbox did not become ready",
        remedy="Run `runbook sandbox --ready-file F` by hand and read what it says.",
    )
