"""What the single cmdlets do."""

import pytest

from tests.sandbox.mail import INBOX, MAILBOX
from tests.sandbox.world import World, error_of

SHARED = "basis@contoso.com"


def test_mailbox_is_found_by_all_its_names() -> None:
    """Address, alias address, alias, GUID and distinguished name name one mailbox."""
    with World() as world:
        entry = world.run("Get-Mailbox", Identity=MAILBOX)[0]
        names = [entry[key] for key in ("Alias", "Guid", "DistinguishedName", "Name")]
        names.append("SAP@contoso.onmicrosoft.com")
        for name in names:
            found = world.run("Get-Mailbox", Identity=name)
            assert [mailbox["Guid"] for mailbox in found] == [entry["Guid"]]


def test_mailboxes_are_selected_by_kind() -> None:
    """RecipientTypeDetails narrows the list on the server."""
    with World() as world:
        shared = world.run("Get-Mailbox", RecipientTypeDetails=["SharedMailbox"])
        assert [entry["PrimarySmtpAddress"] for entry in shared] == [SHARED]


def test_unbuilt_parameter_is_refused() -> None:
    """A listed parameter that the sandbox ignores never passes silently."""
    with World() as world:
        answer = world.invoke("Get-Mailbox", {"Filter": "Alias -eq 'sap'"})
        assert answer.status_code == 400
        assert "not implemented in the sandbox" in error_of(answer)[1]


def test_user_object_has_no_mailbox_settings() -> None:
    """Get-User shows the account behind a mailbox."""
    with World() as world:
        user = world.run("Get-User", Identity=MAILBOX)[0]
        assert user["UserPrincipalName"] == MAILBOX
        assert user["AuthenticationPolicy"] is None
        assert "EmailAddresses" not in user


def test_change_is_read_back_and_dated() -> None:
    """A setting that was changed shows, with the date of the change."""
    with World() as world:
        before = world.run("Get-OrganizationConfig")[0]
        world.run("Set-OrganizationConfig", RejectDirectSend=True)
        after = world.run("Get-OrganizationConfig")[0]
        assert (before["RejectDirectSend"], after["RejectDirectSend"]) == (False, True)
        assert after["WhenChangedUTC"] > before["WhenChangedUTC"]
        assert after["WhenCreatedUTC"] == before["WhenCreatedUTC"]


def test_transport_config_starts_as_in_new_tenants() -> None:
    """SMTP AUTH is off in the organisation, inherited by the mailbox."""
    with World() as world:
        config = world.run("Get-TransportConfig")[0]
        assert config["SmtpClientAuthenticationDisabled"] is True
        cas = world.run("Get-CASMailbox", Identity=MAILBOX)[0]
        assert cas["SmtpClientAuthenticationDisabled"] is None


def test_what_if_tells_the_same_errors() -> None:
    """A rehearsal finds what is missing, changes nothing and uses up no id."""
    with World() as world:
        missing = {"Identity": "nobody@contoso.com", "WhatIf": True}
        assert world.invoke("Set-CASMailbox", missing).status_code == 404
        wanted = {"AppId": "a", "ObjectId": "b"}
        assert world.run("New-ServicePrincipal", **wanted, WhatIf=True) == []
        assert world.run("Get-ServicePrincipal") == []
        with World() as other:
            first, second = (
                w.run("New-ServicePrincipal", **wanted) for w in (world, other)
            )
            assert first[0]["Guid"] == second[0]["Guid"]


def test_accepted_domains() -> None:
    """Mail and initial domain are accepted; an unknown one is not found."""
    with World() as world:
        domains = world.run("Get-AcceptedDomain")
        shown = {entry["DomainName"]: entry["InitialDomain"] for entry in domains}
        assert shown == {"contoso.com": False, "contoso.onmicrosoft.com": True}
        wanted = {"Identity": "fabrikam.com"}
        assert world.invoke("Get-AcceptedDomain", wanted).status_code == 404


@pytest.mark.parametrize("cmdlet", ["Get-InboundConnector", "Get-AuthenticationPolicy"])
def test_new_tenant_has_none(cmdlet: str) -> None:
    """A list without entries is an empty value."""
    with World() as world:
        assert world.run(cmdlet) == []


def test_principal_is_found_by_all_its_names() -> None:
    """ObjectId, AppId, Name, GUID and SID name one service principal."""
    with World() as world:
        made = world.register(world.application())
        for key in ("ObjectId", "AppId", "Name", "Guid", "Sid"):
            found = world.run("Get-ServicePrincipal", Identity=made[key])
            assert found == [made]
        assert world.run("Get-ServicePrincipal", Identity=None) == [made]


def test_principal_is_renamed_and_removed() -> None:
    """Set- changes the display name; a removed one is not found."""
    with World() as world:
        made = world.register(world.application())
        name = made["ObjectId"]
        world.run("Set-ServicePrincipal", Identity=name, DisplayName="SAP mail")
        shown = world.run("Get-ServicePrincipal", Identity=name)[0]
        assert shown["DisplayName"] == "SAP mail"
        world.run("Remove-ServicePrincipal", Identity=name, Confirm=False)
        answer = world.invoke("Get-ServicePrincipal", {"Identity": name})
        assert answer.status_code == 404


def test_permission_rows_are_filtered_by_user() -> None:
    """-User returns the row of one account; the default row is SELF's."""
    with World() as world:
        application = world.sender()
        rows = world.run("Get-MailboxPermission", Identity=MAILBOX)
        assert rows[0]["User"] == "NT AUTHORITY\\SELF"
        assert rows[0]["AccessRights"] == ["FullAccess", "ReadPermission"]
        own = world.run(
            "Get-MailboxPermission", Identity=MAILBOX, User=application.principal_id
        )
        assert own == rows[1:]
        assert own[0]["AccessRights"] == ["FullAccess"]
        assert world.run("Get-MailboxPermission", Identity=MAILBOX, User=INBOX) == []


def test_rights_join_and_leave_one_row() -> None:
    """Further rights join the row of the account; the last one takes it away."""
    with World() as world:
        for right in ("FullAccess", "readpermission"):
            row = world.run(
                "Add-MailboxPermission",
                Identity=MAILBOX,
                User=INBOX,
                AccessRights=[right],
            )[0]
        assert row["AccessRights"] == ["FullAccess", "ReadPermission"]
        for left in (1, 0):
            right = row["AccessRights"][left]
            world.run(
                "Remove-MailboxPermission",
                Identity=MAILBOX,
                User=INBOX,
                AccessRights=right,
            )
            rows = world.run("Get-MailboxPermission", Identity=MAILBOX, User=INBOX)
            assert len(rows) == left


def test_stranger_gets_no_permission() -> None:
    """An account that does not exist is not found."""
    with World() as world:
        wanted = {
            "Identity": MAILBOX,
            "User": "nobody@contoso.com",
            "AccessRights": ["FullAccess"],
        }
        assert world.invoke("Add-MailboxPermission", wanted).status_code == 404


def test_send_as_rows() -> None:
    """A trustee is added once, shown, and removed."""
    with World() as world:
        sid = world.register(world.application())["Sid"]
        wanted = {"Identity": SHARED, "Trustee": sid, "AccessRights": ["SendAs"]}
        assert world.run("Add-RecipientPermission", **wanted)[0]["Trustee"] == sid
        again = world.invoke("Add-RecipientPermission", wanted).json()
        assert "already present" in again["@adminapi.warnings"][0]
        rows = world.run("Get-RecipientPermission", Identity=SHARED)
        assert [row["Trustee"] for row in rows] == ["NT AUTHORITY\\SELF", sid]
        world.run("Remove-RecipientPermission", **wanted)
        assert world.run("Get-RecipientPermission", Identity=SHARED, Trustee=sid) == []
