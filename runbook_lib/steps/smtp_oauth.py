"""Option 1 with a client secret: the catalogue, in the guide's order."""

from __future__ import annotations

from runbook_lib.engine.runbook import Listed, Runbook
from runbook_lib.steps.application import CreateServicePrincipal, RegisterApplication
from runbook_lib.steps.credential import CreateClientSecret
from runbook_lib.steps.mailbox import (
    EnableAuthenticatedSmtp,
    GrantMailboxFullAccess,
    MailboxDelegation,
    RegisterExchangeServicePrincipal,
)
from runbook_lib.steps.permission import DeclareSendAsApp, GrantAdminConsent
from runbook_lib.steps.policies import (
    ApplicationManagementPolicy,
    OrganizationSmtpAuth,
    SecurityDefaults,
)
from runbook_lib.steps.prerequisites import (
    OperatorPermissions,
    SenderDomain,
    SenderMailbox,
    SubmissionEndpoint,
)
from runbook_lib.steps.sap_notes import SapNotesImplemented
from runbook_lib.steps.sap_release import SapReleaseSupportsCredential
from runbook_lib.steps.submission import (
    ObtainAccessToken,
    SendTestMessage,
    SignInToSmtp,
)

RUNBOOK = Runbook(
    name="1-smtp-oauth",
    title="Option 1: SMTP OAuth 2.0",
    listed=(
        Listed(SapReleaseSupportsCredential),
        Listed(OperatorPermissions),
        Listed(SenderMailbox),
        Listed(SenderDomain),
        Listed(SubmissionEndpoint),
        Listed(OrganizationSmtpAuth),
        Listed(SecurityDefaults),
        Listed(ApplicationManagementPolicy),
        Listed(RegisterApplication),
        Listed(DeclareSendAsApp),
        Listed(CreateServicePrincipal),
        Listed(GrantAdminConsent),
        Listed(CreateClientSecret),
        Listed(RegisterExchangeServicePrincipal),
        Listed(GrantMailboxFullAccess),
        Listed(MailboxDelegation),
        Listed(EnableAuthenticatedSmtp),
        Listed(ObtainAccessToken),
        Listed(SignInToSmtp),
        Listed(SendTestMessage, "internal"),
        Listed(SendTestMessage, "external"),
        Listed(SapNotesImplemented),
    ),
    proof=("sign-in-to-smtp",),
)

__all__ = [
    "RUNBOOK",
    "ApplicationManagementPolicy",
    "CreateClientSecret",
    "CreateServicePrincipal",
    "DeclareSendAsApp",
    "EnableAuthenticatedSmtp",
    "GrantAdminConsent",
    "GrantMailboxFullAccess",
    "MailboxDelegation",
    "ObtainAccessToken",
    "OperatorPermissions",
    "OrganizationSmtpAuth",
    "RegisterApplication",
    "RegisterExchangeServicePrincipal",
    "SapNotesImplemented",
    "SapReleaseSupportsCredential",
    "SecurityDefaults",
    "SendTestMessage",
    "SenderDomain",
    "SenderMailbox",
    "SignInToSmtp",
    "SubmissionEndpoint",
]
