"""The parameters that each cmdlet of the sandbox needs."""

from typing import Any

from tests.sandbox.mail import INBOX, MAILBOX

# Parameters that fill one parameter set of each cmdlet that is carried out.
FULL: dict[str, dict[str, Any]] = {
    "Set-CASMailbox": {"Identity": MAILBOX},
    "New-ServicePrincipal": {"AppId": "a", "ObjectId": "b"},
    "Set-ServicePrincipal": {"Identity": "a"},
    "Remove-ServicePrincipal": {"Identity": "a"},
    "Add-MailboxPermission": {
        "Identity": MAILBOX,
        "User": "a",
        "AccessRights": ["FullAccess"],
    },
    "Get-MailboxPermission": {"Identity": MAILBOX},
    "Remove-MailboxPermission": {
        "Identity": MAILBOX,
        "User": "a",
        "AccessRights": ["FullAccess"],
    },
    "Add-RecipientPermission": {
        "Identity": MAILBOX,
        "Trustee": "a",
        "AccessRights": ["SendAs"],
    },
    "Remove-RecipientPermission": {
        "Identity": MAILBOX,
        "Trustee": "a",
        "AccessRights": ["SendAs"],
    },
    "Get-MessageTraceDetailV2": {
        "MessageTraceId": "11111111-2222-3333-4444-555555555555",
        "RecipientAddress": INBOX,
    },
    "New-DistributionGroup": {"Name": "a"},
    "Remove-DistributionGroup": {"Identity": "a"},
    "New-ManagementScope": {
        "Name": "a",
        "RecipientRestrictionFilter": "Alias -eq 'sap'",
    },
    "Remove-ManagementScope": {"Identity": "a"},
    "New-ManagementRoleAssignment": {"App": "a", "Role": "b"},
    "Remove-ManagementRoleAssignment": {"Identity": "a"},
    "Test-ServicePrincipalAuthorization": {"Identity": "a"},
    "New-InboundConnector": {"Name": "a", "SenderDomains": ["*"]},
    "Set-InboundConnector": {"Identity": "a"},
    "Remove-InboundConnector": {"Identity": "a"},
    "Set-Mailbox": {"Identity": MAILBOX},
    "Set-User": {"Identity": MAILBOX},
    "New-AuthenticationPolicy": {"Name": "a"},
    "Set-AuthenticationPolicy": {"Identity": "a"},
    "Remove-AuthenticationPolicy": {"Identity": "a"},
}
