"""Option 2: the catalogue of Direct Send. It changes nothing in the tenant."""

from __future__ import annotations

from runbook_lib.engine.runbook import Listed, Runbook
from runbook_lib.steps.delivery import SapTestMessage
from runbook_lib.steps.direct_send_policy import DirectSendPolicy, InternalRecipients
from runbook_lib.steps.mail_flow_operator import OperatorReadsMailFlow
from runbook_lib.steps.mail_node import MailNodeWithoutLogon
from runbook_lib.steps.mx_endpoint import MxEndpoint, MxPort
from runbook_lib.steps.prerequisites import SenderDomain
from runbook_lib.steps.public_address import SenderIdentification
from runbook_lib.steps.received_message import MessageReceived
from runbook_lib.steps.sap_test_mail import TestMailSent
from runbook_lib.steps.sender_matrix import SenderMatrix
from runbook_lib.steps.sending_volume import SendingVolume
from runbook_lib.steps.spf_record import SpfRecord

RUNBOOK = Runbook(
    name="2-direct-send",
    title="Option 2: SMTP Direct Send",
    listed=(
        Listed(OperatorReadsMailFlow),
        Listed(SenderDomain),
        Listed(InternalRecipients),
        Listed(SenderMatrix),
        Listed(SendingVolume),
        Listed(SenderIdentification),
        Listed(DirectSendPolicy),
        Listed(MxEndpoint),
        Listed(MxPort),
        Listed(SpfRecord),
        Listed(MailNodeWithoutLogon),
        Listed(SapTestMessage, "internal"),
        Listed(TestMailSent),
        Listed(MessageReceived, "internal"),
    ),
    proof=("sap-test-message:internal",),
)

__all__ = [
    "RUNBOOK",
    "DirectSendPolicy",
    "InternalRecipients",
    "MailNodeWithoutLogon",
    "MessageReceived",
    "MxEndpoint",
    "MxPort",
    "OperatorReadsMailFlow",
    "SapTestMessage",
    "SenderDomain",
    "SenderIdentification",
    "SenderMatrix",
    "SendingVolume",
    "SpfRecord",
    "TestMailSent",
]
