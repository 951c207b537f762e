"""New lines of a log that is turned over now and then."""

from __future__ import annotations

from pathlib import Path


class LogTail:
    """Reads what was added to a log since it was looked at last.

    The first look starts at the end: what is old says nothing about now. A log that
    was exchanged or cut is read from its start.
    """

    def __init__(self, path: Path) -> None:
        """Start at the end of the log, or with nothing if there is none."""
        self._path = path
        self._file, self._offset = self._end()

    def _end(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_size

    def new_text(self) -> str:
        """Return the added text; a log that cannot be read adds none."""
        file, size = self._end()
        if file != self._file or size < self._offset:
            self._file, self._offset = file, 0
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                added = stream.read()
        except OSError:
            return ""
        self._offset += len(added)
        return added.decode("utf-8", "replace")
