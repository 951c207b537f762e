"""Pages of an answer: Prefer odata.maxpagesize, and what a next link carries.

The link carries the cmdlet, its parameters and the offset. The same body is
posted to it again; GET is taken too, since public clients do both.
Source: field reports (CIPP and a Python client post, a Go client gets).
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from runbook_lib.sandbox.http import Call

DEFAULT_PAGE_SIZE = 1000

_PAGE_SIZE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class PageMark:
    """Where a further page begins, and of which call."""

    cmdlet_input: dict[str, Any]
    offset: int
    page_size: int

    def text(self) -> str:
        """Return the mark as it stands in a link."""
        whole = [self.cmdlet_input, self.offset, self.page_size]
        return base64.urlsafe_b64encode(json.dumps(whole).encode()).decode()


def read_mark(text: str) -> PageMark | None:
    """Read a mark out of a link; null where it is none of ours."""
    try:
        whole = json.loads(base64.urlsafe_b64decode(text.encode()))
        cmdlet_input, offset, page_size = whole
    except (ValueError, TypeError, binascii.Error):
        return None
    fits = isinstance(cmdlet_input, dict) and isinstance(offset, int)
    return PageMark(cmdlet_input, offset, page_size) if fits else None


def page_size_of(call: Call) -> int:
    """Return how many objects the client wants at once."""
    match = _PAGE_SIZE.search(call.headers.get("prefer", ""))
    wanted = int(match[1]) if match else DEFAULT_PAGE_SIZE
    return min(max(wanted, 1), DEFAULT_PAGE_SIZE)


def next_link(call: Call, mark: PageMark) -> str:
    """Return the absolute address of the next page."""
    return f"https://{call.host}{call.path}?$skiptoken={mark.text()}"
