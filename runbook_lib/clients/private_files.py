"""Files that only their owner can read, written so that none is ever half there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from runbook_lib.errors import InputError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def prepare_folder(folder: Path) -> None:
    """Make a folder of mode 0700, or accept one that others cannot enter.

    Raises:
        InputError: it cannot be made, is no folder, or is open to others.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise _unwritable(folder, error) from None
    if mode & OTHERS:
        raise InputError(
            f"{folder} is open to other users.", remedy=f"Run: chmod 700 {folder}"
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 by a temporary one, fsync and rename.

    Raises:
        InputError: it cannot be written; a file that was there is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_new(temporary, content)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def remove_file(path: Path) -> None:
    """Remove a file for good; one that is not there is no fault."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def read_private(path: Path) -> bytes:
    """Return the content of a file that only its owner can read.

    The mode is asked of the open file, so nobody can exchange it in between.

    Raises:
        InputError: missing, no plain file, or readable by others.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISREG(mode) and not mode & OTHERS:
                return file.read()
    except OSError as error:
        raise InputError(
            f"The secret's file {path} cannot be read: {error.strerror}.",
            remedy="Check the path in the reference and who owns the file.",
        ) from None
    if not stat.S_ISREG(mode):
        raise InputError(f"The secret's file {path} is no plain file.")
    raise InputError(
        f"The secret's file {path} can be read by other users.",
        remedy=f"Run: chmod 600 {path}",
    )


def write_new(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600 and put it on disk; an old one is removed.

    Raises:
        OSError: it cannot be written.
    """
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename or removal outlast a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} cannot be written: {error.strerror}.",
        remedy="Name a folder that this user may write.",
    )
