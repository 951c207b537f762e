"""How many relays, connections and gigabytes a load asks for, with arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runbook_lib.mail_limits import PUBLISHED, Limits

HOUR = 3600
# Seconds that one message takes on a kept connection, measured with Postfix 3.7:
# 46 ms in the TLS proxy; and Exchange Online's own replies, assumed.
SECONDS_A_MESSAGE = 0.5
# What Postfix keeps of a message: its bytes, the envelope, one file system block.
FILE_OVERHEAD = 8192
# Free space beyond the computed backlog.
RESERVE = 2.0


@dataclass(frozen=True)
class Load:
    """What SAP sends: messages and bytes in the busiest hour, and through the day.

    `size` is bytes on the wire of a mean message (an attachment grows by a third),
    `outage` the hours that the upstream may be away, `recipients` the mean of a
    message. `mailboxes` sign in; 0 means a connector.
    """

    peak_hour: int
    day: int
    size: int
    outage: float
    mailboxes: int = 1
    recipients: float = 1.0


@dataclass(frozen=True)
class Sizing:
    """The answer. `drain_hours` is None where the queue would never empty.

    `rate` is messages an hour that the upstream takes, `connections` at the same
    time, `backlog` messages and `disk` bytes after the outage. `problems` name each
    limit that does not suffice; `lines` are the arithmetic.
    """

    relays: int
    mailboxes: int
    connections: int
    rate: float
    backlog: int
    disk: int
    drain_hours: float | None
    problems: tuple[str, ...]
    lines: tuple[str, ...]


def size_relays(load: Load, limits: Limits = PUBLISHED) -> Sizing:
    """Return the sizing of a load against the limits of its mailboxes."""
    if load.mailboxes:
        return _by_mailboxes(load, limits)
    return _by_connector(load)


def _by_mailboxes(load: Load, limits: Limits) -> Sizing:
    per_mailbox = limits.messages_per_minute * 60
    rate = float(per_mailbox * load.mailboxes)
    recipients = math.ceil(load.day * load.recipients)
    for_rate = math.ceil(load.peak_hour / per_mailbox)
    for_day = math.ceil(recipients / limits.recipients_per_day)
    needed = max(for_rate, for_day, 1)
    connections = math.ceil(rate / HOUR * SECONDS_A_MESSAGE)
    lines = [
        f"rate of a mailbox: {limits.messages_per_minute} a minute x 60 = "
        f"{per_mailbox} an hour",
        f"mailboxes for the peak: {load.peak_hour} / {per_mailbox}, rounded up = "
        f"{for_rate}",
        f"recipients a day: {load.day} x {load.recipients:g} = {recipients}; / "
        f"{limits.recipients_per_day}, rounded up = {for_day} mailboxes",
        f"rate of {load.mailboxes}: {per_mailbox} x {load.mailboxes} = "
        f"{rate:g} an hour",
        f"connections: {rate:g} / {HOUR} x {SECONDS_A_MESSAGE:g} s, rounded up = "
        f"{connections}, of {limits.connections * load.mailboxes} allowed",
    ]
    problems = _too_few(load, needed, for_rate)
    return _sized(load, rate, connections, needed, problems, lines)


def _too_few(load: Load, needed: int, for_rate: int) -> list[str]:
    if needed <= load.mailboxes:
        return []
    reason = "rate" if for_rate > load.mailboxes else "recipients a day"
    return [
        f"{load.mailboxes} of {needed} mailboxes: the limit of {reason} does not "
        "suffice. Add mailboxes, or take a connector."
    ]


def _by_connector(load: Load) -> Sizing:
    connections = 10
    rate = connections * HOUR / SECONDS_A_MESSAGE
    lines = [
        f"rate of a connector: {connections} connections x {HOUR} / "
        f"{SECONDS_A_MESSAGE:g} s = {rate:g} an hour (assumed; no limit is published)",
    ]
    problems = []
    if load.peak_hour > rate:
        problems.append("The peak is more than a connector was assumed to take.")
    return _sized(load, rate, connections, 0, problems, lines)


def _sized(
    load: Load,
    rate: float,
    connections: int,
    mailboxes: int,
    problems: list[str],
    lines: list[str],
) -> Sizing:
    backlog = math.ceil(load.peak_hour * load.outage)
    each = load.size + FILE_OVERHEAD
    disk = math.ceil(backlog * each * RESERVE)
    drain = _drain(load, rate, backlog)
    relays = 2
    lines = [
        *lines,
        f"relays: 1 would do for {load.peak_hour} an hour; one more, so that one may "
        f"stop = {relays}",
        f"backlog: {load.peak_hour} x {load.outage:g} h = {backlog} messages",
        f"disk: {backlog} x ({load.size} + {FILE_OVERHEAD}) bytes x {RESERVE:g} = "
        f"{disk} bytes, on each relay",
        drain[1],
    ]
    if drain[0] is None:
        problems = [*problems, "The queue would not empty while SAP sends on."]
    return Sizing(
        relays,
        mailboxes,
        connections,
        rate,
        backlog,
        disk,
        drain[0],
        tuple(problems),
        tuple(lines),
    )


def _drain(load: Load, rate: float, backlog: int) -> tuple[float | None, str]:
    """Return the hours until the queue is empty, while the peak goes on."""
    left = rate - load.peak_hour
    if backlog == 0:
        return 0.0, "drain: nothing waits"
    if left <= 0:
        return None, (
            f"drain: {rate:g} - {load.peak_hour} an hour leaves nothing: it grows"
        )
    hours = backlog / left
    return hours, (
        f"drain while SAP sends on: {backlog} / ({rate:g} - {load.peak_hour}) = "
        f"{hours:.2f} h"
    )
