"""Rows of the Exchange admin API."""

from runbook_lib.sandbox.tokens import issue_token
from tests.sandbox.mail import INBOX, MAILBOX
from tests.sandbox.rows import Checks
from tests.sandbox.world import EXCHANGE_APP_ID, World, error_of

CHECKS = Checks("exchange", file=__file__)


@CHECKS.row("exchange.audience")
def check_audience(world: World) -> None:
    """A token for Graph is refused, whatever roles it carries."""
    operator = world.operators[world.tenant.tenant_id].client_id
    client = world.tenant.service_principal_by_app_id(operator)
    exchange = world.tenant.service_principal_by_app_id(EXCHANGE_APP_ID)
    assert client is not None
    assert exchange is not None
    audience = "https://graph.microsoft.com"
    token = issue_token(world.sandbox, world.tenant, client, exchange, audience)
    answer = world.invoke("Get-Mailbox", token=token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.content == b""


@CHECKS.row("exchange.tenant-of-token")
def check_tenant_of_token(world: World) -> None:
    """The operator of one tenant cannot read another."""
    other = world.other_tenant().tenant_id
    assert world.status("Get-Mailbox", tenant_id=other) == 403


@CHECKS.row("exchange.manage-as-app")
def check_manage_as_app(world: World) -> None:
    """The directory role alone opens nothing."""
    assignments = world.tenant.app_role_assignments
    exchange = "Office 365 Exchange Online"
    for key, entry in list(assignments.items()):
        if entry["resourceDisplayName"] == exchange:
            del assignments[key]
    assert world.invoke("Get-Mailbox").status_code == 401


@CHECKS.row("exchange.directory-role")
def check_directory_role(world: World) -> None:
    """The app role alone runs no cmdlet."""
    world.tenant.directory_role_assignments.clear()
    assert world.status("Get-Mailbox") == 403


@CHECKS.row("exchange.reader-reads")
def check_reader_reads(world: World) -> None:
    """Global Reader reads and does not write."""
    for entry in world.tenant.directory_role_assignments.values():
        entry["roleDefinitionId"] = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
    assert world.invoke("Get-Mailbox").status_code == 200
    change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": False}
    assert world.status("Set-CASMailbox", change) == 403
    assert world.mailbox().cas["SmtpClientAuthenticationDisabled"] is None


@CHECKS.row("exchange.beta-only")
def check_beta_only(world: World) -> None:
    """InvokeCommand of v1.0 is no allowed method."""
    assert world.invoke("Get-Mailbox", version="v1.0").status_code == 405


@CHECKS.row("exchange.unknown-cmdlet")
def check_unknown_cmdlet(world: World) -> None:
    """A cmdlet that is not there looks like one that is not permitted."""
    assert world.status("Get-Nonsense", {}) == 403


@CHECKS.row("exchange.unknown-parameter")
def check_unknown_parameter(world: World) -> None:
    """A misspelt parameter is refused by name."""
    answer = world.invoke("Get-Mailbox", {"Identiy": MAILBOX})
    assert answer.status_code == 400
    assert error_of(answer) == (
        "System.Management.Automation.ParameterBindingException",
        "A parameter cannot be found that matches parameter name 'Identiy'.",
    )


@CHECKS.row("exchange.mandatory-parameter")
def check_mandatory_parameter(world: World) -> None:
    """Add-MailboxPermission needs rights."""
    answer = world.invoke("Add-MailboxPermission", {"Identity": MAILBOX, "User": INBOX})
    assert answer.status_code == 400
    assert "missing mandatory parameters: AccessRights" in error_of(answer)[1]


@CHECKS.row("exchange.parameter-type")
def check_parameter_type(world: World) -> None:
    """The text "false" is no Boolean."""
    change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": "false"}
    answer = world.invoke("Set-CASMailbox", change)
    assert answer.status_code == 400
    assert error_of(answer)[0].endswith(
        "ParameterBindingArgumentTransformationException"
    )


@CHECKS.row("exchange.enumeration")
def check_enumeration(world: World) -> None:
    """A right that does not exist is refused with the list of rights."""
    wanted = {"Identity": MAILBOX, "User": INBOX, "AccessRights": ["SendAs"]}
    answer = world.invoke("Add-MailboxPermission", wanted)
    assert answer.status_code == 400
    assert "FullAccess" in error_of(answer)[1]


@CHECKS.row("exchange.not-implemented")
def check_not_implemented(world: World) -> None:
    """A cmdlet that is not built never passes for a success."""
    answer = world.invoke("Get-RemoteDomain")
    assert answer.status_code == 400
    assert "not implemented in the sandbox" in error_of(answer)[1]


@CHECKS.row("exchange.what-if")
def check_what_if(world: World) -> None:
    """WhatIf leaves the mailbox as it is."""
    world.run(
        "Set-CASMailbox",
        Identity=MAILBOX,
        SmtpClientAuthenticationDisabled=True,
        WhatIf=True,
    )
    assert world.mailbox().cas["SmtpClientAuthenticationDisabled"] is None


@CHECKS.row("exchange.paging")
def check_paging(world: World) -> None:
    """Two at a time, three mailboxes take two pages."""
    prefer = {"Prefer": "odata.maxpagesize=2"}
    first = world.invoke("Get-Mailbox", headers=prefer).json()
    assert len(first["value"]) == 2
    query = first["@odata.nextLink"].partition("InvokeCommand")[2]
    second = world.invoke("Get-Mailbox", headers=prefer, query=query).json()
    names = [entry["Alias"] for entry in first["value"] + second["value"]]
    assert sorted(names) == ["basis", "inbox", "sap"]
    assert "@odata.nextLink" not in second


@CHECKS.row("exchange.cas-null-inherits")
def check_cas_null(world: World) -> None:
    """Null takes a value back to inheriting."""
    world.set_smtp_disabled(False)
    world.set_smtp_disabled(None)
    shown = world.run("Get-CASMailbox", Identity=MAILBOX)[0]
    assert shown["SmtpClientAuthenticationDisabled"] is None


@CHECKS.row("exchange.unchanged-warning")
def check_unchanged_warning(world: World) -> None:
    """Setting the same value again succeeds with a warning."""
    change = {"SmtpClientAuthenticationDisabled": True}
    answer = world.invoke("Set-TransportConfig", change)
    assert answer.status_code == 200
    assert "no settings" in "".join(answer.json()["@adminapi.warnings"])


@CHECKS.row("exchange.any-object-id")
def check_any_object_id(world: World) -> None:
    """The object id of the application instead of the service principal is taken."""
    made = world.graph("POST", "applications", {"displayName": "wrong-id"})
    wanted = {"AppId": made["appId"], "ObjectId": made["id"]}
    assert world.invoke("New-ServicePrincipal", wanted).status_code == 200


@CHECKS.row("exchange.duplicate-principal")
def check_duplicate_principal(world: World) -> None:
    """A second registration of one application is refused."""
    application = world.application()
    world.register(application)
    again = {"AppId": application.app_id, "ObjectId": application.principal_id}
    answer = world.invoke("New-ServicePrincipal", again)
    assert answer.status_code == 400
    assert "already exist" in error_of(answer)[1]


@CHECKS.row("exchange.removed-principal-leaves-sid")
def check_removed_principal(world: World) -> None:
    """After removal the permission row still names the SID."""
    application = world.sender()
    sid = world.run("Get-ServicePrincipal", Identity=application.app_id)[0]["Sid"]
    world.run("Remove-ServicePrincipal", Identity=application.app_id)
    rows = world.run("Get-MailboxPermission", Identity=MAILBOX)
    assert [row["User"] for row in rows] == ["NT AUTHORITY\\SELF", sid]


@CHECKS.row("exchange.permission-by-sid")
def check_permission_by_sid(world: World) -> None:
    """Whatever names the principal, the row carries its SID."""
    application = world.application()
    sid = world.register(application)["Sid"]
    row = world.run(
        "Add-MailboxPermission",
        Identity=MAILBOX,
        User=application.app_id,
        AccessRights=["FullAccess"],
    )[0]
    assert row["User"] == sid


@CHECKS.row("exchange.permission-present-warning")
def check_permission_present(world: World) -> None:
    """Adding the same right twice succeeds with a warning."""
    wanted = {"Identity": MAILBOX, "User": INBOX, "AccessRights": ["FullAccess"]}
    assert world.invoke("Add-MailboxPermission", wanted).json()["value"]
    answer = world.invoke("Add-MailboxPermission", wanted)
    assert answer.status_code == 200
    assert "already present" in "".join(answer.json()["@adminapi.warnings"])


@CHECKS.row("exchange.permission-absent-error")
def check_permission_absent(world: World) -> None:
    """Removing a right that nobody gave is an error."""
    wanted = {"Identity": MAILBOX, "User": INBOX, "AccessRights": ["FullAccess"]}
    answer = world.invoke("Remove-MailboxPermission", wanted)
    assert answer.status_code == 400
    assert "because the ACE doesn't exist on the object" in error_of(answer)[1]


@CHECKS.row("exchange.send-as-absent-error")
def check_send_as_absent(world: World) -> None:
    """Removing a SendAs row that nobody added is an error."""
    wanted = {"Identity": MAILBOX, "Trustee": INBOX, "AccessRights": ["SendAs"]}
    answer = world.invoke("Remove-RecipientPermission", wanted)
    assert answer.status_code == 400
    assert "the ACE isn't present" in error_of(answer)[1]


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests(tenants=2)
