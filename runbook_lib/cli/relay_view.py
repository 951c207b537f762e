"""`runbook probe --relay`: what a relay's own host sees of it, as one JSON file."""

from __future__ import annotations

import configparser
import json
import socket
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbook_lib.clients.relay_smtp import look_at_relay
from runbook_lib.clients.token_file import token_times
from runbook_lib.clients.wire import Wire
from runbook_lib.engine.record import timestamp, utc_now
from runbook_lib.errors import (
    CannotLook,
    InputError,
    RunbookError,
    UntrustedCertificate,
)
from runbook_lib.relay.probed import RELAY_SCHEMA

# A message that waits longer than this does not just wait its turn.
STANDS_AFTER = timedelta(hours=1)
POSTQUEUE = "/usr/sbin/postqueue"


@dataclass(frozen=True)
class Asked:
    """What to look at. `queue` is the folder of main.cf; empty texts: not asked."""

    relay: str
    host: str
    sender: str
    queue: str = ""
    token: str = ""
    ca_file: Path | None = None


@dataclass
class Found:
    """What was seen so far; a property is null where it could not be seen."""

    properties: dict[str, object] = field(default_factory=dict)
    context: dict[str, object] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def look_here(asked: Asked) -> dict[str, object]:
    """Return what is seen of a relay from here: one JSON object. Nothing is sent."""
    found = Found()
    for look in (_connection, _queue, _token):
        try:
            look(asked, found)
        except RunbookError as error:
            found.problems.append(error.message)
    return {
        "schema": RELAY_SCHEMA,
        "host": asked.host,
        "relay": asked.relay,
        "seen_from": socket.gethostname(),
        "time": timestamp(utc_now()),
        "properties": found.properties,
        "context": found.context,
        "problems": found.problems,
    }


def _connection(asked: Asked, found: Found) -> None:
    address, _, port = asked.relay.rpartition(":")
    if not port.isdigit():
        raise InputError("--relay is address:port", remedy="Write 10.1.2.4:25.")
    wire = Wire(
        connect_to={(asked.host, int(port)): (address.strip("[]"), int(port))},
        ca_file=asked.ca_file,
    )
    try:
        facts = look_at_relay(
            wire, asked.host, int(port), sender=asked.sender, helo=asked.host
        )
    except UntrustedCertificate:
        found.properties["certificate"] = "not trusted"
        raise
    except CannotLook:
        found.properties["TLS"] = None
        raise
    found.properties["TLS"] = facts.tls_version
    found.properties["certificate"] = "trusted"
    relaying = "accepted" if facts.accepted else "refused"
    found.properties["relaying for a stranger"] = relaying
    found.context["reply to a stranger"] = facts.relays
    found.context["reply without TLS"] = facts.clear
    found.context["certificate SHA-256"] = facts.certificate_sha256


def _queue(asked: Asked, found: Found) -> None:
    if not asked.queue:
        return
    messages = _waiting(asked.queue)
    times = [int(str(message["arrival_time"])) for message in messages]
    arrived = [datetime.fromtimestamp(time, UTC) for time in times]
    oldest = min(arrived, default=None)
    stands = oldest is not None and utc_now() - oldest > STANDS_AFTER
    found.properties["queue"] = "stands" if stands else "moves"
    found.context["messages in the queue"] = len(messages)
    found.context["oldest message"] = timestamp(oldest) if oldest else None
    found.context["reasons to wait"] = _reasons(messages)


def _waiting(config: str) -> list[dict[str, object]]:
    """Return the messages in Postfix's queue, as `postqueue -j` tells them."""
    command = [POSTQUEUE, "-c", config, "-j"]
    try:
        done = subprocess.run(  # noqa: S603 - Postfix's own program
            command, capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotLook(f"The queue of {config} cannot be read: {error}.") from None
    return [json.loads(line) for line in done.stdout.splitlines()]


def _reasons(messages: list[dict[str, object]]) -> list[str]:
    """Return up to five different reasons, the most frequent first."""
    counts: dict[str, int] = {}
    for message in messages:
        recipients = message.get("recipients")
        for recipient in recipients if isinstance(recipients, list) else []:
            reason = str(recipient.get("delay_reason", ""))
            counts[reason] = counts.get(reason, 0) + 1
    counts.pop("", None)
    return sorted(counts, key=lambda reason: -counts[reason])[:5]


def _token(asked: Asked, found: Found) -> None:
    if not asked.token:
        found.properties["token"] = "none"  # noqa: S105 - that there is none
        return
    ends = token_end(Path(asked.token))
    good = ends is not None and ends > utc_now()
    found.properties["token"] = "good" if good else "ended"
    found.context["token ends"] = timestamp(ends) if ends else None


def token_end(path: Path) -> datetime | None:
    """Return when the token in a token file or a proxy's configuration ends.

    Raises:
        InputError: the file cannot be read.
    """
    if path.suffix == ".json":
        known = token_times(path)
        return known[1] if known else None
    config = configparser.RawConfigParser()
    if not config.read(path, "utf-8"):
        raise InputError(f"The token's file {path} cannot be read.")
    ends = [
        config.getint(section, "access_token_expiry")
        for section in config.sections()
        if config.has_option(section, "access_token_expiry")
    ]
    return datetime.fromtimestamp(max(ends), UTC) if ends else None
