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
    "Set-DistributionGroup": {"Identity": "a"},
    "Remove-DistributionGroup": {"Identity": "a"},
    "New-UnifiedGroup": {"DisplayName": "a"},
    "Set-UnifiedGroup": {"Identity": "a"},
    "Remove-UnifiedGroup": {"Identity": "a"},
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
    "New-RoleGroup": {"Name": "a"},
    "Remove-RoleGroup": {"Identity": "a"},
    "Get-RoleGroupMember": {"Identity": "a"},
    "Add-RoleGroupMember": {"Identity": "a", "Member": "b"},
    "Remove-RoleGroupMember": {"Identity": "a", "Member": "b"},
    "Set-User": {"Identity": MAILBOX},
    "New-AuthenticationPolicy": {"Name": "a"},
    "Set-AuthenticationPolicy": {"Identity": "a"},
    "Remove-AuthenticationPolicy": {"Identity": "a"},
}

# Parameters with which each cmdlet that changes something does so, in this order,
# in a tenant that has one of everything by the name `known`.
CHANGING: dict[str, dict[str, Any]] = {
    "Set-Mailbox": {"Identity": MAILBOX, "MaxSendSize": "10MB"},
    "Set-CASMailbox": {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": True},
    "Set-TransportConfig": {"SmtpClientAuthenticationDisabled": False},
    "Set-OrganizationConfig": {"RejectDirectSend": True},
    "New-AuthenticationPolicy": {"Name": "other"},
    "Set-AuthenticationPolicy": {"Identity": "known", "AllowBasicAuthSmtp": True},
    "Set-User": {"Identity": MAILBOX, "AuthenticationPolicy": "known"},
    "Remove-AuthenticationPolicy": {"Identity": "known"},
    "Add-MailboxPermission": {
        "Identity": MAILBOX,
        "User": "basis@contoso.com",
        "AccessRights": ["FullAccess"],
    },
    "Remove-MailboxPermission": {
        "Identity": MAILBOX,
        "User": INBOX,
        "AccessRights": ["FullAccess"],
    },
    "Add-RecipientPermission": {
        "Identity": MAILBOX,
        "Trustee": "basis@contoso.com",
        "AccessRights": ["SendAs"],
    },
    "Remove-RecipientPermission": {
        "Identity": MAILBOX,
        "Trustee": INBOX,
        "AccessRights": ["SendAs"],
    },
    "New-InboundConnector": {"Name": "other", "SenderDomains": ["*"]},
    "Set-InboundConnector": {"Identity": "known", "Enabled": False},
    "Remove-InboundConnector": {"Identity": "known"},
    "New-DistributionGroup": {"Name": "other", "Members": [INBOX]},
    "Set-DistributionGroup": {
        "Identity": "known",
        "RequireSenderAuthenticationEnabled": False,
    },
    "Remove-DistributionGroup": {"Identity": "known"},
    "New-UnifiedGroup": {"DisplayName": "team", "Members": [INBOX]},
    "Set-UnifiedGroup": {"Identity": "team", "DisplayName": "Team"},
    "Remove-UnifiedGroup": {"Identity": "team"},
    "New-ManagementScope": {
        "Name": "other",
        "RecipientRestrictionFilter": "Alias -eq 'sap'",
    },
    "New-ManagementRoleAssignment": {
        "Name": "other",
        "App": "known-object",
        "Role": "Application SMTP.SendAsApp",
        "CustomResourceScope": "known",
    },
    "Remove-ManagementRoleAssignment": {"Identity": "known"},
    "Remove-ManagementScope": {"Identity": "other"},
    "New-RoleGroup": {"Name": "other", "Roles": ["Mail Recipients"]},
    "Add-RoleGroupMember": {"Identity": "known", "Member": INBOX},
    "Remove-RoleGroupMember": {"Identity": "known", "Member": INBOX},
    "Remove-RoleGroup": {"Identity": "known"},
    "New-ServicePrincipal": {"AppId": "a", "ObjectId": "b", "DisplayName": "c"},
    "Set-ServicePrincipal": {"Identity": "a", "DisplayName": "d"},
    "Remove-ServicePrincipal": {"Identity": "a"},
}

# The same for those that read.
READING: dict[str, dict[str, Any]] = {
    "Get-Mailbox": {},
    "Get-User": {},
    "Get-CASMailbox": {},
    "Get-TransportConfig": {},
    "Get-OrganizationConfig": {},
    "Get-AcceptedDomain": {},
    "Get-AuthenticationPolicy": {},
    "Get-InboundConnector": {},
    "Get-MailboxPermission": {"Identity": MAILBOX},
    "Get-RecipientPermission": {"Identity": MAILBOX},
    "Get-ServicePrincipal": {},
    "Get-DistributionGroup": {},
    "Get-UnifiedGroup": {},
    "Get-Recipient": {},
    "Get-ManagementScope": {},
    "Get-ManagementRoleAssignment": {},
    "Get-RoleGroup": {},
    "Get-RoleGroupMember": {"Identity": "known"},
    "Get-MessageTraceV2": {},
    "Get-MessageTraceDetailV2": {
        "MessageTraceId": "11111111-2222-3333-4444-555555555555",
        "RecipientAddress": INBOX,
    },
    "Test-ServicePrincipalAuthorization": {"Identity": "known-object"},
}
