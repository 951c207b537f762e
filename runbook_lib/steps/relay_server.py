"""Option 4: the catalogue of the relay server, in the guide's order."""

from __future__ import annotations

from runbook_lib.engine.runbook import Listed, Runbook
from runbook_lib.steps.delivery import SapTestMessage
from runbook_lib.steps.mail_node import MailNodeWithoutLogon
from runbook_lib.steps.prerequisites import SenderDomain
from runbook_lib.steps.received_message import MessageReceived
from runbook_lib.steps.relay_configuration import RelayConfiguration, RelaySizing
from runbook_lib.steps.relay_running import RelayRunning, RelayTestMessage
from runbook_lib.steps.sap_test_mail import TestMailSent
from runbook_lib.steps.sender_matrix import SenderMatrix
from runbook_lib.steps.sending_volume import SendingVolume

RUNBOOK = Runbook(
    name="4-relay-server",
    title="Option 4: SMTP relay server",
    listed=(
        Listed(SenderDomain),
        Listed(SenderMatrix),
        Listed(SendingVolume),
        Listed(RelaySizing),
        Listed(RelayConfiguration),
        Listed(RelayRunning),
        Listed(RelayTestMessage),
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
    "MailNodeWithoutLogon",
    "MessageReceived",
    "RelayConfiguration",
    "RelayRunning",
    "RelaySizing",
    "RelayTestMessage",
    "SapTestMessage",
    "SenderDomain",
    "SenderMatrix",
    "SendingVolume",
    "TestMailSent",
]
