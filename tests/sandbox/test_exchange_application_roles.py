"""RBAC for Applications: scopes, assignments, groups, and what SMTP makes of them."""

import pytest

from tests.sandbox.mail import INBOX, MAILBOX, assert_failed
from tests.sandbox.world import World, error_of

GROUP = "SAP mail senders"


def assign(world: World, principal: str, text: str) -> None:
    """Let a service principal send for the mailboxes of a filter."""
    scope = {"Name": "SAP senders", "RecipientRestrictionFilter": text}
    world.run("New-ManagementScope", **scope)
    world.run(
        "New-ManagementRoleAssignment",
        Name="SAP sends",
        Role="Application SMTP.SendAsApp",
        App=principal,
        CustomResourceScope="SAP senders",
    )


def test_application_role_is_tested_and_removed() -> None:
    """Test- says what is in scope; removal needs the assignment gone first."""
    with World() as world:
        principal = world.register(world.application())
        world.run(
            "New-ManagementScope",
            Name="SAP senders",
            RecipientRestrictionFilter="Alias -eq 'sap'",
        )
        world.run(
            "New-ManagementRoleAssignment",
            Name="SAP sends",
            Role="Application SMTP.SendAsApp",
            App=principal["ObjectId"],
            CustomResourceScope="SAP senders",
        )
        for resource, within in (
            (MAILBOX, "True"),
            (INBOX, "False"),
            (None, "Not Run"),
        ):
            row = world.run(
                "Test-ServicePrincipalAuthorization",
                Identity=principal["ObjectId"],
                Resource=resource,
            )[0]
            assert (row["GrantedPermissions"], row["InScope"]) == (
                "SMTP.SendAsApp",
                within,
            )
        scope = {"Identity": "SAP senders"}
        assert world.invoke("Remove-ManagementScope", scope).status_code == 400
        world.run("Remove-ManagementRoleAssignment", Identity="SAP sends")
        world.run("Remove-ManagementScope", **scope)
        assert world.run("Get-ManagementScope") == []
        assert world.run("Get-ManagementRoleAssignment") == []


@pytest.mark.parametrize("text", ["Alias -ne 'sap'", "Shoe -eq 'x'"])
def test_scope_filter_that_is_not_understood_is_refused(text: str) -> None:
    """The sandbox does not guess what a filter means."""
    with World() as world:
        wanted = {"Name": "x", "RecipientRestrictionFilter": text}
        answer = world.invoke("New-ManagementScope", wanted)
        assert answer.status_code == 400
        assert "not implemented in the sandbox" in error_of(answer)[1]


def test_scope_over_a_group_holds_its_members() -> None:
    """Microsoft's own way: a group, a scope over it, an assignment; then SMTP."""
    with World() as world:
        application = world.application()
        principal = world.register(application)
        world.run("Set-TransportConfig", SmtpClientAuthenticationDisabled=False)
        world.run("New-DistributionGroup", Name=GROUP, Type="Security", Members=MAILBOX)
        group = world.run("Get-DistributionGroup", Identity=GROUP)[0]
        filter_text = f"MemberOfGroup -eq '{group['DistinguishedName']}'"
        assign(world, principal["ObjectId"], filter_text)
        token = world.token(application)
        assert world.sign_in_code(token)[0] == 235
        assert_failed(world.sign_in_code(token, INBOX))
        world.run("Remove-DistributionGroup", Identity=GROUP)
        assert_failed(world.sign_in_code(token))


def test_scope_over_a_group_that_is_not_there_is_refused() -> None:
    """A mistyped distinguished name does not make a scope that holds nobody."""
    with World() as world:
        wanted = {"Name": "x", "RecipientRestrictionFilter": "MemberOfGroup -eq 'CN=x'"}
        assert world.invoke("New-ManagementScope", wanted).status_code == 404


def test_assignment_without_a_scope_reaches_every_mailbox() -> None:
    """That is why a scope should always be given."""
    with World() as world:
        application = world.application()
        principal = world.register(application)
        world.run("Set-TransportConfig", SmtpClientAuthenticationDisabled=False)
        world.run(
            "New-ManagementRoleAssignment",
            Role="Application SMTP.SendAsApp",
            App=principal["ObjectId"],
        )
        token = world.token(application)
        codes = [world.sign_in_code(token, name)[0] for name in (MAILBOX, INBOX)]
        assert codes == [235, 235]


def test_assignment_takes_effect_late() -> None:
    """With a lag the sign-in fails until the assignment has reached SMTP."""
    with World(faults="lag@application-role=1") as world:
        application = world.application()
        principal = world.register(application)
        world.set_smtp_disabled(False)
        assign(world, principal["ObjectId"], "Alias -eq 'sap'")
        token = world.token(application)
        assert [world.sign_in_code(token)[0] for _ in range(2)] == [535, 235]


def test_group_is_a_recipient_with_a_name_of_its_own() -> None:
    """Get-Recipient lists mailboxes and groups; a name is taken once."""
    with World() as world:
        made = world.run("New-DistributionGroup", Name=GROUP, Type="Security")[0]
        assert made["RecipientTypeDetails"] == "MailUniversalSecurityGroup"
        address = "SAPmailsenders@contoso.com"
        for name in (GROUP, address, made["Guid"]):
            found = world.run("Get-Recipient", Identity=name)[0]
            assert found["PrimarySmtpAddress"] == address
        assert world.run("Get-Recipient", Identity=MAILBOX)[0]["Alias"] == "sap"
        assert len(world.run("Get-Recipient")) == 4
        assert world.invoke("Get-Recipient", {"Identity": "x"}).status_code == 404
        again = world.invoke("New-DistributionGroup", {"Name": GROUP})
        assert "already exist" in error_of(again)[1]
