"""Declared conditions: reputation, blocks and limits that no server can know."""

from pathlib import Path

import pytest

from runbook_lib.sandbox.smtp_conditions import CONDITIONS
from tests.sandbox.mail import INBOX, MAILBOX, OUTSIDE, message, send, sign_in
from tests.sandbox.rows import Checks
from tests.sandbox.test_server_control import changed
from tests.sandbox.world import World

STRANGER = "someone@fabrikam.example"

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sandbox-smtp.md"

CHECKS = Checks("smtp", file=__file__)

# Condition -> subject, and what the next attempt is refused with.
AT_THE_MX_SIDE = {
    "banned-address": ("203.0.113.1", "550 5.7.606"),
    "listed-address": ("203.0.113.1", "550 5.7.511"),
    "new-address": ("203.0.113.1", "451 4.7.500"),
    "distrusted-address": ("203.0.113.1", "550 5.7.708"),
    "wrong-region": ("contoso.com", "451 4.4.62"),
    "spf-violation-rejected": ("contoso.com", "550 5.7.23"),
    "threshold-exceeded": ("contoso.com", "550 5.7.705"),
    "unregistered-domains": ("contoso.com", "550 5.7.750"),
    "busy-mailbox": (INBOX, "432 4.3.2"),
}
AT_SUBMISSION = {
    "external-limit": ("contoso.com", "550 5.7.233"),
    "conditional-access": (MAILBOX, "535 5.7.139"),
    "blocked-sender": (MAILBOX, "550 5.1.8"),
    "full-mailbox": (MAILBOX, "554 5.2.2"),
    "threshold-exceeded": ("contoso.com", "550 5.7.705"),
}


def declare(world: World, condition: str, subject: str, *, on: bool = True) -> None:
    """Declare a condition through the control endpoint."""
    changed(world, "set_mail_condition", condition=condition, subject=subject, on=on)


def sent_directly(world: World) -> str:
    """Send one message at the MX side; return code and status of the answer."""
    with world.mx() as client:
        code, text = send(client, message(MAILBOX), MAILBOX, INBOX)
    return f"{code} {text.split()[0]}"


def submitted(world: World, token: str, *recipients: str) -> str:
    """Sign in and send; return code and status of the first refusal or the end."""
    with world.smtp() as client:
        code, text = sign_in(client, token)
        if code == 235:
            code, text = send(client, message(), MAILBOX, *recipients)
    return f"{code} {text.split()[0]}"


@CHECKS.row("smtp.conditions")
def check_conditions(world: World) -> None:
    """A ban holds from its declaration until it is taken back."""
    assert sent_directly(world) == "250 2.6.0"
    declare(world, "banned-address", "203.0.113.1")
    assert sent_directly(world) == "550 5.7.606"
    declare(world, "banned-address", "203.0.113.1", on=False)
    assert sent_directly(world) == "250 2.6.0"


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize("condition", AT_THE_MX_SIDE)
def test_condition_at_the_mx_side(condition: str) -> None:
    """Each condition brings its reply, and nothing is delivered."""
    subject, wanted = AT_THE_MX_SIDE[condition]
    with World() as world:
        declare(world, condition, subject)
        assert sent_directly(world) == wanted
        assert world.tenant.exchange.traces == []


@pytest.mark.parametrize("condition", AT_SUBMISSION)
def test_condition_at_submission(condition: str) -> None:
    """Each condition brings its reply; another mailbox is not concerned."""
    subject, wanted = AT_SUBMISSION[condition]
    with World() as world:
        token = world.token(world.sender())
        assert submitted(world, token, OUTSIDE) == "250 2.0.0"
        declare(world, condition, subject)
        assert submitted(world, token, OUTSIDE) == wanted


def test_older_refusal_of_a_sender() -> None:
    """It comes in place of the usual one, and for a sender that is not covered only."""
    with World() as world, world.smtp() as client:
        assert sign_in(client, world.token(world.sender()))[0] == 235
        declare(world, "older-send-as-refusal", "contoso.com")
        assert send(client, message(), MAILBOX, INBOX)[0] == 250
        code, text = send(client, message(INBOX), MAILBOX, INBOX)
        assert code == 550
        assert text.startswith("5.7.60 SMTP; Client does not have permissions to send")


def test_every_condition_is_tried() -> None:
    """None is declared in vain; two are tried apart."""
    tried = {*AT_THE_MX_SIDE, *AT_SUBMISSION, "basic-retired", "older-send-as-refusal"}
    assert set(CONDITIONS) == tried


@pytest.mark.parametrize("name", CONDITIONS)
def test_page_lists_every_condition(name: str) -> None:
    """With its subject and the code of its reply."""
    known = CONDITIONS[name]
    code = f"{known.reply.code} {known.reply.lines[0].split()[0]}"
    assert f"| `{name}` | {known.of} | {code} |" in PAGE.read_text(encoding="utf-8")
