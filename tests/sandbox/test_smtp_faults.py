"""Faults of SMTP submission on request."""

import smtplib
import socket

import pytest

from tests.sandbox.mail import (
    INBOX,
    MAILBOX,
    message,
    send,
)
from tests.sandbox.world import World


def test_busy_server_refuses_the_connection() -> None:
    """421 instead of a greeting, once."""
    with World(faults="smtp-421=1") as world:
        port = world.submission_port
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            smtplib.SMTP("127.0.0.1", port)
        assert caught.value.smtp_code == 421
        with world.smtp():
            pass


def test_temporary_refusals() -> None:
    """451 at MAIL and 430 at the end of the message leave nothing behind."""
    with (
        World(faults="smtp-451=1 smtp-430=1") as world,
        world.signed_in(world.sender()) as client,
    ):
        assert client.mail(MAILBOX)[0] == 451
        code, text = send(client, message())
        assert code == 430
        assert "STOREDRV; mailbox logon failure" in text
        assert world.mailbox(INBOX).inbox == []
        assert send(client, message())[0] == 250


@pytest.mark.parametrize(("fault", "arrived"), [("before", 0), ("after", 1)])
def test_reset_before_and_after_the_effect(fault: str, arrived: int) -> None:
    """The client sees the same; the mail is there or not."""
    with (
        World(faults=f"reset-{fault}@smtp=1") as world,
        world.signed_in(world.sender()) as client,
    ):
        with pytest.raises((OSError, smtplib.SMTPServerDisconnected)):
            send(client, message())
        assert len(world.mailbox(INBOX).inbox) == arrived
        assert f"reset {fault} the effect" in world.log_file.getvalue()


def test_slow_server() -> None:
    """Every reply comes late; a client with little patience gives up."""
    with World(faults="smtp-slow=5") as world:
        address = ("127.0.0.1", world.submission_port)
        client = socket.create_connection(address, timeout=0.2)
        with client, pytest.raises(TimeoutError):
            client.recv(1)
