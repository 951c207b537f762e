"""Files of a record: written whole, readable by their owner only."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from runbook_lib.clients.private_files import sync_folder, write_new

CHUNK = 1 << 20
UNFINISHED = ".new"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all (mode 0600)."""
    write_all(path.parent, {path.name: data})


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files of one folder, each whole or not at all; all are on disk then."""
    for name, data in files.items():
        new = folder / (name + UNFINISHED)
        write_new(new, data)
        os.replace(new, folder / name)
    sync_folder(folder)


def move(source: Path, target: Path) -> None:
    """Rename within one file system, and put the rename itself on disk."""
    os.replace(source, target)
    sync_folder(target.parent)


def chunks(path: Path, size: int = CHUNK) -> Iterator[bytes]:
    """Yield the bytes of a file, at most `size` at a time."""
    with path.open("rb") as stream:
        while chunk := stream.read(size):
            yield chunk


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    for chunk in chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def entries(folder: Path) -> list[str]:
    """List all that is not a folder below a folder, as relative paths, sorted.

    Links are listed and never followed.
    """
    found = [p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()]
    names = (path.relative_to(folder).as_posix() for path in found)
    return sorted(names, key=os.fsencode)


def is_plain(path: Path) -> bool:
    """Tell whether a path is a regular file and not a link to one."""
    return path.is_file() and not path.is_symlink()
