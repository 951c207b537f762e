"""The token file that a relay's smtp process reads.

Its form is that of the SASL plugin sasl-xoauth2, which does not ask for a new token
while `expiry` is ahead. Exim takes `access_token` out of the same file.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbook_lib.clients.entra import AccessToken
from runbook_lib.clients.private_files import read_private, write_private


def write_token(path: Path, token: AccessToken, now: datetime) -> datetime:
    """Replace the file in one step, mode 0600; return when the token ends.

    Raises:
        InputError: it cannot be written; the old one is unchanged.
    """
    expires_at = now + timedelta(seconds=token.expires_in)
    content = {
        "access_token": token.secret.reveal(),
        "expiry": str(int(expires_at.timestamp())),
        # The plugin refuses a file without one; it is never sent.
        "refresh_token": "unused",
    }
    write_private(path, json.dumps(content).encode())
    return expires_at


def token_times(path: Path) -> tuple[datetime, datetime] | None:
    """Return when a token was written and when it ends; None if there is none.

    What is no token file counts as none: it is replaced.

    Raises:
        InputError: others can read the file.
    """
    if not path.exists():
        return None
    try:
        expiry = int(json.loads(read_private(path))["expiry"])
    except (ValueError, KeyError, TypeError):
        return None
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return written, datetime.fromtimestamp(expiry, UTC)
