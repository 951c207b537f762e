"""Files that only their owner may read."""

import os
from pathlib import Path
from typing import IO


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 at once: a reader sees all of it or nothing."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with open_private(unfinished) as file:
        file.write(text)
    unfinished.replace(path)


def open_private(path: Path) -> IO[str]:
    """Open a new, empty file of mode 0600 for writing; an old one is removed."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(path, flags, 0o600)
    return open(descriptor, "w", encoding="utf-8", buffering=1)
