"""Why sign-in fails: security defaults, policies, passwords; and who says so again."""

import base64

import pytest

from tests.sandbox.mail import MAILBOX, sign_in
from tests.sandbox.rows import Checks
from tests.sandbox.test_server_control import changed
from tests.sandbox.world import World

CHECKS = Checks("smtp", file=__file__)


def password_answer(world: World, name: str = MAILBOX) -> str:
    """Sign in with a name and a password; return the answer without its stamp."""
    with world.smtp() as client:
        client.docmd("AUTH", "LOGIN")
        client.docmd(base64.b64encode(name.encode()).decode())
        code, text = client.docmd(base64.b64encode(b"secret").decode())
    return f"{code} {text.decode().partition(' [')[0]}"


def allow_basic(world: World, *, allowed: bool) -> None:
    """Give the SAP mailbox an authentication policy about Basic and SMTP."""
    world.run("New-AuthenticationPolicy", Name="Mail", AllowBasicAuthSmtp=allowed)
    world.run("Set-User", Identity=MAILBOX, AuthenticationPolicy="Mail")


@CHECKS.row("smtp.security-defaults")
def check_security_defaults(world: World) -> None:
    """With security defaults an application is locked out too."""
    token = world.token(world.sender())
    changed(world, "set_security_defaults", enabled=True)
    code, text = world.sign_in_code(token)
    assert code == 535
    assert "user is locked by your organization's security defaults policy" in text


@CHECKS.row("smtp.authentication-policy")
def check_authentication_policy(world: World) -> None:
    """A policy that forbids Basic is named; one that allows it judges the password."""
    world.set_smtp_disabled(False)
    allow_basic(world, allowed=False)
    assert "the request did not meet the criteria" in password_answer(world)
    world.run("Set-AuthenticationPolicy", Identity="Mail", AllowBasicAuthSmtp=True)
    assert "the user credentials were incorrect" in password_answer(world)


@CHECKS.row("smtp.cause-of-refusal")
def check_cause(world: World) -> None:
    """MAIL after a failed sign-in repeats why it failed."""
    token = world.token(world.sender(enable=False))
    with world.smtp() as client:
        assert sign_in(client, token)[0] == 535
        code, text = client.mail(MAILBOX)
    assert code == 530
    assert b"5.7.57 Client not authenticated to send mail. [Error: 535 5.7.139" in text


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_token_is_no_password() -> None:
    """A policy against Basic authentication leaves XOAUTH2 alone."""
    with World() as world:
        token = world.token(world.sender())
        allow_basic(world, allowed=False)
        assert world.sign_in_code(token)[0] == 235


def test_default_policy_holds_for_all() -> None:
    """The organisation's policy holds where the user has none."""
    with World() as world:
        world.set_smtp_disabled(False)
        world.run("New-AuthenticationPolicy", Name="All", AllowBasicAuthSmtp=True)
        world.run("Set-OrganizationConfig", DefaultAuthenticationPolicy="All")
        assert "the user credentials were incorrect" in password_answer(world)


@pytest.mark.parametrize(
    ("disabled", "wanted"),
    [(None, "disabled for the Tenant"), (True, "disabled for the Mailbox")],
)
def test_disabled_smtp_refuses_passwords_too(
    disabled: bool | None, wanted: str
) -> None:
    """The mailbox's own value wins over the organisation's."""
    with World() as world:
        world.set_smtp_disabled(disabled)
        assert wanted in password_answer(world)


def test_other_causes_of_a_refused_password() -> None:
    """Security defaults, a retired protocol, and a name that nobody has."""
    with World() as world:
        world.set_smtp_disabled(False)
        changed(world, "set_security_defaults", enabled=True)
        assert "security defaults policy" in password_answer(world)
        retired = {"condition": "basic-retired", "subject": "contoso.com"}
        changed(world, "set_mail_condition", **retired)
        assert password_answer(world).startswith("550 5.7.30 Basic authentication")
        for name in ("nobody@contoso.com", "a@fabrikam.example", "\x00"):
            assert "basic authentication is disabled" in password_answer(world, name)


@pytest.mark.parametrize("line", ["AUTH XOAUTH2 \u00e9", "AUTH LOGIN \u00e9"])
def test_sign_in_with_other_than_ascii_is_refused(line: str) -> None:
    """The connection stays open and the refusal is the usual one."""
    with World() as world, world.smtp() as client:
        client.send(f"{line}\r\n".encode())
        code, _ = client.getreply()
        if code == 334:
            code, _ = client.docmd("\x00")
        assert code == 535
        assert client.noop()[0] == 250
