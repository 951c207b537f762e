"""Rows of SMTP submission."""

import contextlib

from runbook_lib.sandbox.tokens import issue_token
from tests.sandbox.mail import (
    INBOX,
    MAILBOX,
    OUTSIDE,
    assert_failed,
    client_tls,
    message,
    send,
    sign_in,
    xoauth2,
)
from tests.sandbox.rows import Checks
from tests.sandbox.world import EXCHANGE_APP_ID, World

CHECKS = Checks("smtp", file=__file__)
ALIAS = "sap@contoso.onmicrosoft.com"
SHARED = "basis@contoso.com"


@CHECKS.row("smtp.auth-after-tls")
def check_auth_after_tls(world: World) -> None:
    """In clear text there is no AUTH; under TLS there is, and no STARTTLS."""
    with world.smtp(tls=False) as client:
        assert not client.has_extn("auth")
        assert client.has_extn("starttls")
        assert client.docmd("AUTH", "XOAUTH2")[0] == 504
    with world.smtp() as client:
        assert client.esmtp_features["auth"].split() == ["LOGIN", "XOAUTH2"]
        assert not client.has_extn("starttls")


@CHECKS.row("smtp.ehlo-domain")
def check_ehlo_domain(world: World) -> None:
    """An underscore, a blank or nothing is no domain name."""
    with world.smtp(tls=False) as client:
        for name in ("sap_host.contoso.com", "two words", ""):
            code, text = client.docmd("EHLO", name)
            assert (code, text[:26]) == (501, b"5.5.4 Invalid domain name ")
        assert client.docmd("EHLO", "[127.0.0.1]")[0] == 250


@CHECKS.row("smtp.hello-first")
def check_hello_first(world: World) -> None:
    """After STARTTLS the client greets again before it sends mail."""
    with world.smtp(tls=False) as client:
        assert client.mail(MAILBOX)[0] == 530
        client.starttls(context=client_tls())
        code, text = client.docmd("MAIL", f"FROM:<{MAILBOX}>")
        assert (code, text[:22]) == (503, b"5.5.2 Send hello first")


@CHECKS.row("smtp.mail-needs-auth")
def check_mail_needs_auth(world: World) -> None:
    """Nobody submits mail without signing in, TLS or not."""
    for tls in (False, True):
        with world.smtp(tls=tls) as client:
            code, text = client.mail(MAILBOX)
            assert code == 530
            assert text.startswith(b"5.7.57 Client not authenticated to send mail. [")


@CHECKS.row("smtp.command-order")
def check_command_order(world: World) -> None:
    """MAIL, RCPT, DATA: in this order and MAIL once."""
    with world.signed_in(world.sender()) as client:
        assert client.rcpt(INBOX)[0] == 503
        assert client.docmd("DATA")[0] == 503
        assert client.mail(MAILBOX)[0] == 250
        assert client.mail(MAILBOX)[0] == 503
        assert client.docmd("DATA")[0] == 503


@CHECKS.row("smtp.basic-authentication")
def check_basic_authentication(world: World) -> None:
    """Name and password are asked for, and refused whatever they are."""
    with world.smtp() as client:
        assert client.docmd("AUTH", "LOGIN") == (334, b"VXNlcm5hbWU6")
        assert client.docmd("c2Fw") == (334, b"UGFzc3dvcmQ6")
        code, text = client.docmd("c2VjcmV0")
        assert code == 535
        assert b"5.7.139" in text
        assert b"basic authentication is disabled." in text


@CHECKS.row("smtp.two-step")
def check_two_step(world: World) -> None:
    """The challenge is empty, the blob follows on a line of its own."""
    token = world.token(world.sender())
    with world.smtp() as client:
        assert client.docmd("AUTH", "XOAUTH2") == (334, b"")
        code, text = client.docmd(xoauth2(token))
        assert (code, text) == (235, b"2.7.0 Authentication successful")


@CHECKS.row("smtp.token-audience")
def check_token_audience(world: World) -> None:
    """A token for Graph with the right role is still none for SMTP."""
    application = world.sender()
    client = world.tenant.service_principals[application.principal_id]
    exchange = world.tenant.service_principal_by_app_id(EXCHANGE_APP_ID)
    assert exchange is not None
    audience = "https://graph.microsoft.com"
    token = issue_token(world.sandbox, world.tenant, client, exchange, audience)
    assert_failed(world.sign_in_code(token))


@CHECKS.row("smtp.registered-principal")
def check_registered_principal(world: World) -> None:
    """Registered with the object id of the application, nothing signs in."""
    application = world.sender()
    world.run("Remove-ServicePrincipal", Identity=application.app_id)
    wrong = "11111111-2222-3333-4444-555555555555"
    world.run("New-ServicePrincipal", AppId=application.app_id, ObjectId=wrong)
    world.run(
        "Add-MailboxPermission", Identity=MAILBOX, User=wrong, AccessRights="FullAccess"
    )
    assert_failed(world.sign_in_code(world.token(application)))


@CHECKS.row("smtp.known-mailbox")
def check_known_mailbox(world: World) -> None:
    """A user without a mailbox does not sign in."""
    token = world.token(world.sender())
    assert_failed(world.sign_in_code(token, "nobody@contoso.com"))


@CHECKS.row("smtp.disabled-for-tenant")
def check_disabled_for_tenant(world: World) -> None:
    """Inherited from the organisation, SMTP AUTH is off; the mailbox turns it on."""
    token = world.token(world.sender(enable=False))
    code, text = world.sign_in_code(token)
    assert code == 535
    assert "SmtpClientAuthentication is disabled for the Tenant." in text
    world.set_smtp_disabled(False)
    assert world.sign_in_code(token)[0] == 235


@CHECKS.row("smtp.disabled-for-mailbox")
def check_disabled_for_mailbox(world: World) -> None:
    """Off for the mailbox is off, though the organisation allows it."""
    token = world.token(world.sender(enable=False))
    world.run("Set-TransportConfig", SmtpClientAuthenticationDisabled=False)
    assert world.sign_in_code(token)[0] == 235
    world.set_smtp_disabled(True)
    code, text = world.sign_in_code(token)
    assert code == 535
    assert "SmtpClientAuthentication is disabled for the Mailbox." in text


@CHECKS.row("smtp.full-access")
def check_full_access(world: World) -> None:
    """Without FullAccess to this very mailbox nothing signs in."""
    application = world.sender()
    world.run(
        "Remove-MailboxPermission",
        Identity=MAILBOX,
        User=application.principal_id,
        AccessRights=["FullAccess"],
    )
    assert_failed(world.sign_in_code(world.token(application)))


@CHECKS.row("smtp.application-role")
def check_application_role(world: World) -> None:
    """Without the app role a scope decides: its mailbox signs in, another not."""
    application = world.application()
    principal = world.register(application)
    world.set_smtp_disabled(False)
    world.run("Set-TransportConfig", SmtpClientAuthenticationDisabled=False)
    assert_failed(world.sign_in_code(world.token(application)))
    world.run(
        "New-ManagementScope",
        Name="SAP senders",
        RecipientRestrictionFilter=f"PrimarySmtpAddress -eq '{MAILBOX}'",
    )
    world.run(
        "New-ManagementRoleAssignment",
        Name="SAP sends",
        Role="Application SMTP.SendAsApp",
        App=principal["ObjectId"],
        CustomResourceScope="SAP senders",
    )
    assert world.sign_in_code(world.token(application))[0] == 235
    assert_failed(world.sign_in_code(world.token(application), INBOX))


@CHECKS.row("smtp.send-as-header")
def check_send_as_header(world: World) -> None:
    """A From field that is not the mailbox is refused at the end of the message."""
    with world.signed_in(world.sender()) as client:
        code, text = send(client, message(sender=INBOX))
        assert code == 554
        start = f"5.2.252 SendAsDenied; {MAILBOX} not allowed to send as {INBOX}; "
        assert text.startswith(start)
        assert send(client, message())[0] == 250


@CHECKS.row("smtp.send-as-envelope")
def check_send_as_envelope(world: World) -> None:
    """A MAIL FROM that is not the mailbox is refused at the end of the message."""
    with world.signed_in(world.sender()) as client:
        code, text = send(client, message(), INBOX)
        assert code == 554
        assert f"not allowed to send as {INBOX}" in text


@CHECKS.row("smtp.send-from-alias")
def check_send_from_alias(world: World) -> None:
    """An alias works once the organisation allows it."""
    application = world.sender()
    with world.signed_in(application) as client:
        assert send(client, message(sender=ALIAS), ALIAS)[0] == 554
        world.run("Set-OrganizationConfig", SendFromAliasEnabled=True)
        assert send(client, message(sender=ALIAS), ALIAS)[0] == 250


@CHECKS.row("smtp.send-as-trustee")
def check_send_as_trustee(world: World) -> None:
    """Another mailbox does not work while nobody holds SendAs for it."""
    with world.signed_in(world.sender()) as client:
        assert send(client, message(sender=SHARED), SHARED)[0] == 554


@CHECKS.row("smtp.send-as-principal")
def check_send_as_principal(world: World) -> None:
    """Another mailbox works once a SendAs row names the service principal."""
    application = world.sender()
    _grant_send_as(world, application.principal_id)
    with world.signed_in(application) as client:
        assert send(client, message(sender=SHARED), SHARED)[0] == 250


@CHECKS.row("smtp.send-as-mailbox")
def check_send_as_mailbox(world: World) -> None:
    """Another mailbox works once a SendAs row names the mailbox that signs in."""
    application = world.sender()
    _grant_send_as(world, MAILBOX)
    with world.signed_in(application) as client:
        assert send(client, message(sender=SHARED), SHARED)[0] == 250


def _grant_send_as(world: World, trustee: str) -> None:
    row = {"Identity": SHARED, "Trustee": trustee, "AccessRights": ["SendAs"]}
    world.run("Add-RecipientPermission", **row)


@CHECKS.row("smtp.recipient-limit")
def check_recipient_limit(world: World) -> None:
    """One recipient more than the mailbox's limit is put off; the mail still goes."""
    world.mailbox().mailbox["RecipientLimits"] = "2"
    with world.signed_in(world.sender()) as client:
        client.mail(MAILBOX)
        codes = [client.rcpt(f"user{n}@fabrikam.example")[0] for n in range(3)]
        assert codes == [250, 250, 452]
        assert client.data(message())[0] == 250


@CHECKS.row("smtp.size")
def check_size(world: World) -> None:
    """A size above the advertised one is refused before the message comes."""
    with world.signed_in(world.sender()) as client:
        assert client.esmtp_features["size"] == "157286400"
        code, text = client.mail(MAILBOX, ["SIZE=157286401"])
        assert (code, text[:5]) == (552, b"5.3.4")


@CHECKS.row("smtp.concurrency")
def check_concurrency(world: World) -> None:
    """The fourth sign-in of a mailbox cannot send until another one ends."""
    token = world.token(world.sender())
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(world.smtp()) for _ in range(4)]
        assert [sign_in(client, token)[0] for client in clients] == [235] * 4
        code, text = clients[3].mail(MAILBOX)
        assert (code, text[:5]) == (432, b"4.3.2")
        clients[0].quit()
        assert clients[3].mail(MAILBOX)[0] == 250


@CHECKS.row("smtp.message-id-replaced")
def check_message_id(world: World) -> None:
    """The reply, the trace and both copies carry the server's Message-ID."""
    with world.signed_in(world.sender()) as client:
        code, text = send(client, message())
    assert code == 250
    given = text.split()[2]
    assert given.endswith(".prod.outlook.com>")
    stored = world.mailbox(INBOX).inbox[0]
    assert stored["internetMessageId"] == given
    assert f"\r\nMessage-ID: {given}\r\n" in stored["content"]
    old = "X-Microsoft-Original-Message-ID: <own@client.contoso.com>\r\n"
    assert old in stored["content"]
    assert world.tenant.exchange.traces[0].row["MessageId"] == given


@CHECKS.row("smtp.sent-items")
def check_sent_items(world: World) -> None:
    """A copy of what was submitted lies in the mailbox."""
    with world.signed_in(world.sender()) as client:
        send(client, message(subject="Copy"), MAILBOX, OUTSIDE)
    assert [entry["subject"] for entry in world.mailbox().sent] == ["Copy"]


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()
