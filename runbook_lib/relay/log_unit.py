"""The addition to Postfix's systemd unit that lets every part of it write the log."""

from __future__ import annotations

from runbook_lib.relay.places import Places


def log_unit(places: Places) -> str:
    """Return the drop-in that gives the log to Postfix's own user before a start.

    The log is made, and made anew by `postfix logrotate`, as root's. After a power
    failure postsuper looks through the queue as the user postfix, before postlogd
    runs; if it has something to say and may not write the log, Postfix does not start.

    Source: postsuper(1), postlogd(8), MAILLOG_README; seen with Postfix 3.7.11.
    """
    return f"""\
# Postfix would not start after a power failure if its own user could not write here.
[Service]
ExecStartPre=/usr/bin/touch {places.log}
ExecStartPre=/usr/bin/chown postfix:postfix {places.log}
"""
