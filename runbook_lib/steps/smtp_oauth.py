"""Option 1: the catalogue, in the guide's order."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_lib.engine.runbook import Listed, Runbook
from runbook_lib.steps.alias_sending import AliasSending, AllowAliasSending
from runbook_lib.steps.application import CreateServicePrincipal, RegisterApplication
from runbook_lib.steps.application_role import (
    AssignSendAsAppRole,
    LimitToSenderGroup,
    NoEntraPermission,
    ServicePrincipalAuthorization,
)
from runbook_lib.steps.certificate import (
    SapTokenTest,
    UploadCertificate,
)
from runbook_lib.steps.credential import CreateClientSecret
from runbook_lib.steps.delivery import SapMessageTraced
from runbook_lib.steps.mailbox import (
    EnableAuthenticatedSmtp,
    GrantMailboxFullAccess,
    MailboxDelegation,
    RegisterExchangeServicePrincipal,
)
from runbook_lib.steps.message import SendTestMessage
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
from runbook_lib.steps.received_message import MessageReceived
from runbook_lib.steps.sap_arrangement import CommunicationArrangementConfigured
from runbook_lib.steps.sap_certificate import JwtCertificateExported
from runbook_lib.steps.sap_host import (
    IcmServiceActive,
    NetworkFromSapHost,
    SapConnectServiceActive,
)
from runbook_lib.steps.sap_mail import (
    DefaultDomainSet,
    OAuthClientConfigured,
    SmtpConfigured,
)
from runbook_lib.steps.sap_notes import SapNotesImplemented
from runbook_lib.steps.sap_release import SapReleaseSupportsCredential
from runbook_lib.steps.sap_test_mail import TestMailSent
from runbook_lib.steps.sender_matrix import SenderMatrix
from runbook_lib.steps.sender_messages import SendFromFurtherSenders
from runbook_lib.steps.senders import GrantSendAs, SenderAddresses
from runbook_lib.steps.sending_volume import SendingVolume
from runbook_lib.steps.submission import ObtainAccessToken, SignInToSmtp
from runbook_lib.steps.temporary_secret import SignInWithTemporarySecret


def _proof(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return what proves the sign-in: only SAP can sign in with its certificate."""
    if parameters.get("credential") != "certificate":
        return ("sign-in-to-smtp",)
    if parameters.get("temporary_credential") == "yes":
        return ("sign-in-with-temporary-secret",)
    return ("sap-token-test",)


RUNBOOK = Runbook(
    name="1-smtp-oauth",
    title="Option 1: SMTP OAuth 2.0",
    listed=(
        Listed(SapReleaseSupportsCredential),
        Listed(OperatorPermissions),
        Listed(SenderMailbox),
        Listed(SenderDomain),
        Listed(SenderAddresses),
        Listed(AliasSending),
        Listed(SubmissionEndpoint),
        Listed(OrganizationSmtpAuth),
        Listed(SecurityDefaults),
        Listed(ApplicationManagementPolicy),
        Listed(RegisterApplication),
        Listed(DeclareSendAsApp),
        Listed(CreateServicePrincipal),
        Listed(GrantAdminConsent),
        Listed(CreateClientSecret),
        Listed(JwtCertificateExported),
        Listed(UploadCertificate),
        Listed(RegisterExchangeServicePrincipal),
        Listed(GrantMailboxFullAccess),
        Listed(MailboxDelegation),
        Listed(NoEntraPermission),
        Listed(LimitToSenderGroup),
        Listed(AssignSendAsAppRole),
        Listed(ServicePrincipalAuthorization),
        Listed(GrantSendAs),
        Listed(AllowAliasSending),
        Listed(EnableAuthenticatedSmtp),
        Listed(ObtainAccessToken),
        Listed(SignInToSmtp),
        Listed(SignInWithTemporarySecret),
        Listed(SendTestMessage, "internal"),
        Listed(SendTestMessage, "external"),
        Listed(SendFromFurtherSenders),
        Listed(SenderMatrix),
        Listed(SendingVolume),
        Listed(SapTokenTest),
        Listed(SapNotesImplemented),
        Listed(NetworkFromSapHost),
        Listed(IcmServiceActive),
        Listed(SapConnectServiceActive),
        Listed(OAuthClientConfigured),
        Listed(SmtpConfigured),
        Listed(DefaultDomainSet),
        Listed(CommunicationArrangementConfigured),
        Listed(TestMailSent),
        Listed(SapMessageTraced),
        Listed(MessageReceived, "internal"),
    ),
    proof=("sign-in-to-smtp",),
    proof_by=_proof,
)

__all__ = [
    "RUNBOOK",
    "AliasSending",
    "AllowAliasSending",
    "ApplicationManagementPolicy",
    "AssignSendAsAppRole",
    "CommunicationArrangementConfigured",
    "CreateClientSecret",
    "CreateServicePrincipal",
    "DeclareSendAsApp",
    "DefaultDomainSet",
    "EnableAuthenticatedSmtp",
    "GrantAdminConsent",
    "GrantMailboxFullAccess",
    "GrantSendAs",
    "IcmServiceActive",
    "JwtCertificateExported",
    "LimitToSenderGroup",
    "MailboxDelegation",
    "MessageReceived",
    "NetworkFromSapHost",
    "NoEntraPermission",
    "OAuthClientConfigured",
    "ObtainAccessToken",
    "OperatorPermissions",
    "OrganizationSmtpAuth",
    "RegisterApplication",
    "RegisterExchangeServicePrincipal",
    "SapConnectServiceActive",
    "SapMessageTraced",
    "SapNotesImplemented",
    "SapReleaseSupportsCredential",
    "SapTokenTest",
    "SecurityDefaults",
    "SendFromFurtherSenders",
    "SendTestMessage",
    "SenderAddresses",
    "SenderDomain",
    "SenderMailbox",
    "SenderMatrix",
    "SendingVolume",
    "ServicePrincipalAuthorization",
    "SignInToSmtp",
    "SignInWithTemporarySecret",
    "SmtpConfigured",
    "SubmissionEndpoint",
    "TestMailSent",
    "UploadCertificate",
]
