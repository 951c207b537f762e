"""Sending limits of a mailbox: rate, recipients a day, size."""

import pytest

from runbook_lib.sandbox.smtp_limits import DAY, MINUTE, external_limit
from runbook_lib.sandbox.state import SentShare
from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE, message, send
from tests.sandbox.rows import Checks
from tests.sandbox.test_server_control import changed, control
from tests.sandbox.world import Application, World

CHECKS = Checks("smtp", file=__file__)


class Clock:
    """A clock that a test turns."""

    def __init__(self, world: World) -> None:
        """Take over the clock of a sandbox."""
        self.now = 1000.0
        world.sandbox.clock = lambda: self.now


def answers(world: World, application: Application, count: int) -> list[int]:
    """Send some messages in one session; return the codes of their ends."""
    with world.signed_in(application) as client:
        return [send(client, message(), MAILBOX, INBOX)[0] for _ in range(count)]


def statuses(world: World) -> list[str]:
    """Return what the trace shows after its own lag."""
    for _ in range(3):
        rows = world.run("Get-MessageTraceV2", RecipientAddress=INBOX)
    return [row["Status"] for row in rows]


@CHECKS.row("smtp.rate")
def check_rate(world: World) -> None:
    """The 31st message within a minute is taken, and goes on when it may."""
    clock, application = Clock(world), world.sender()
    assert answers(world, application, 32) == [250] * 32
    assert len(world.mailbox(INBOX).inbox) == 30
    assert sorted(statuses(world)) == ["Delivered"] * 30 + ["Pending"] * 2
    clock.now += MINUTE
    assert statuses(world) == ["Delivered"] * 32
    assert len(world.mailbox(INBOX).inbox) == 32


@CHECKS.row("smtp.daily-recipients")
def check_daily_recipients(world: World) -> None:
    """10,000 within 24 hours, and no more until the first are a day old."""
    clock, application = Clock(world), world.sender()
    world.mailbox().shares.append(SentShare(clock.now, clock.now, 9_999))
    with world.signed_in(application) as client:
        code, text = send(client, message(), MAILBOX, INBOX, MAILBOX)
        assert code == 554
        assert text.startswith("5.2.0 STOREDRV.Submission.Exception:SubmissionQuota")
        assert send(client, message(), MAILBOX, INBOX)[0] == 250
        assert send(client, message(), MAILBOX, INBOX)[0] == 554
        clock.now += DAY
        assert send(client, message(), MAILBOX, INBOX)[0] == 250


@CHECKS.row("smtp.mailbox-size")
def check_mailbox_size(world: World) -> None:
    """The mailbox's MaxSendSize holds below the server's own limit."""
    application = world.sender()
    world.run("Set-Mailbox", Identity=MAILBOX, MaxSendSize="1MB")
    large = message() + b"x" * 1_048_576
    with world.signed_in(application) as client:
        code, text = send(client, large, MAILBOX, INBOX)
        assert code == 552
        assert text.startswith("5.3.4 ")
        assert send(client, message(), MAILBOX, INBOX)[0] == 250


@CHECKS.row("smtp.external-limit")
def check_external_limit(world: World) -> None:
    """Recipients inside do not count, and after a day there is room again."""
    clock, application = Clock(world), world.sender()
    exchange = world.tenant.exchange
    exchange.licenses = 0
    exchange.external.append((clock.now, 4_999))
    with world.signed_in(application) as client:
        assert send(client, message(), MAILBOX, OUTSIDE, INBOX)[0] == 250
        code, text = send(client, message(), MAILBOX, OUTSIDE)
        assert code == 550
        assert text.startswith("5.7.233 ")
        assert send(client, message(), MAILBOX, INBOX)[0] == 250
        clock.now += DAY
        assert send(client, message(), MAILBOX, OUTSIDE)[0] == 250
    exchange.external[:] = [(clock.now, 5_000)]
    relay = {"ConnectorType": "OnPremises", "SenderIPAddresses": ["203.0.113.10"]}
    world.run("New-InboundConnector", Name="SAP", SenderDomains=["*"], **relay)
    with world.mx("127.0.0.10") as client:
        assert send(client, message(), MAILBOX, OUTSIDE)[0] == 550


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize("extra", range(-3, 4))
def test_message_ends_wherever_a_long_line_is_cut(extra: int) -> None:
    """Pieces of a line above 64 KiB may end between CR and LF."""
    with World() as world:
        application = world.sender()
        head = message()
        body = b"x" * (2 * 65_536 + extra - len(head))
        with world.signed_in(application) as client:
            assert send(client, head + body, MAILBOX, INBOX)[0] == 250
        assert world.mailbox(INBOX).inbox[0]["content"].rstrip().endswith("xxx")


def test_another_mailbox_has_limits_of_its_own() -> None:
    """What one mailbox used up does not concern another."""
    with World() as world:
        clock = Clock(world)
        world.mailbox(INBOX).shares.append(SentShare(clock.now, clock.now, 10_000))
        assert answers(world, world.sender(), 1) == [250]


def test_a_refused_message_counts_for_nothing() -> None:
    """A message from a sender that is not allowed uses up no recipients."""
    with World() as world:
        application = world.sender()
        with world.signed_in(application) as client:
            assert send(client, message(INBOX), MAILBOX, INBOX)[0] == 554
        assert world.mailbox().shares == []


@pytest.mark.parametrize(
    ("licenses", "limit"), [(0, 5_000), (1, 10_000), (25, 14_259), (1_000, 72_446)]
)
def test_external_limit_follows_the_licences(licenses: int, limit: int) -> None:
    """500 × licences^0.7 + 9,500; 5,000 for a trial."""
    with World() as world:
        changed(world, "set_licenses", licenses=licenses)
        assert external_limit(world.tenant) == limit
        assert control(world, "set_licenses", licenses=-1).status_code == 400
