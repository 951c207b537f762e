"""Option 3: the catalogue of the relay connector, in the guide's order."""

from __future__ import annotations

from runbook_lib.engine.runbook import Listed, Runbook
from runbook_lib.steps.connector import ConnectorConflicts, CreateRelayConnector
from runbook_lib.steps.delivery import SapTestMessage
from runbook_lib.steps.mail_flow_operator import OperatorManagesConnectors
from runbook_lib.steps.mail_node import MailNodeWithoutLogon
from runbook_lib.steps.mx_endpoint import MxEndpoint, MxPort
from runbook_lib.steps.prerequisites import SenderDomain
from runbook_lib.steps.public_address import SenderIdentification
from runbook_lib.steps.received_message import MessageReceived
from runbook_lib.steps.relay_conditions import RelayConditions
from runbook_lib.steps.sap_test_mail import TestMailSent
from runbook_lib.steps.sender_attested import SenderAttested
from runbook_lib.steps.sender_matrix import SenderMatrix
from runbook_lib.steps.sending_volume import SendingVolume
from runbook_lib.steps.spf_record import SpfRecord

RUNBOOK = Runbook(
    name="3-relay-connector",
    title="Option 3: SMTP relay connector",
    listed=(
        Listed(RelayConditions),
        Listed(OperatorManagesConnectors),
        Listed(SenderDomain),
        Listed(SenderMatrix),
        Listed(SendingVolume),
        Listed(SenderIdentification),
        Listed(SenderAttested),
        Listed(MxEndpoint),
        Listed(MxPort),
        Listed(ConnectorConflicts),
        Listed(CreateRelayConnector),
        Listed(SpfRecord),
        Listed(MailNodeWithoutLogon),
        Listed(SapTestMessage, "internal"),
        Listed(SapTestMessage, "external"),
        Listed(TestMailSent),
        Listed(MessageReceived, "internal"),
        Listed(MessageReceived, "external"),
    ),
    proof=("sap-test-message:internal", "sap-test-message:external"),
)

__all__ = [
    "RUNBOOK",
    "ConnectorConflicts",
    "CreateRelayConnector",
    "MailNodeWithoutLogon",
    "MessageReceived",
    "MxEndpoint",
    "MxPort",
    "OperatorManagesConnectors",
    "RelayConditions",
    "SapTestMessage",
    "SenderAttested",
    "SenderDomain",
    "SenderIdentification",
    "SenderMatrix",
    "SendingVolume",
    "SpfRecord",
    "TestMailSent",
]
