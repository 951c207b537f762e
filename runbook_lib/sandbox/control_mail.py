"""What a test can do to mail behind a tenant's back; see `control_operations.py`."""

from collections.abc import Callable
from email import policy
from typing import Any

from runbook_lib.sandbox.certificates import issue_client_certificate
from runbook_lib.sandbox.sap import EHLO_NAME, mail_of
from runbook_lib.sandbox.smtp_conditions import CONDITIONS
from runbook_lib.sandbox.smtp_delivery import Submission, deliver, recipient_mailbox
from runbook_lib.sandbox.smtp_headers import origin, received
from runbook_lib.sandbox.smtp_replies import FRONT_HOST
from runbook_lib.sandbox.smtp_source import Source, cipher_text
from runbook_lib.sandbox.state import Sandbox, Tenant

# SAP, as Exchange Online sees it: see `smtp_source.py`.
SAP_ADDRESS = "203.0.113.10"


def issue_certificate(
    sandbox: Sandbox, tenant: Tenant, *, names: list[str]
) -> dict[str, str]:
    """Issue a TLS client certificate for a mail server: `certificate`, `private_key`.

    It is for these domains; the first is the common name.
    """
    if sandbox.authority is None:
        raise KeyError("authority")
    return issue_client_certificate(sandbox.authority, names)


def set_mail_condition(
    sandbox: Sandbox, tenant: Tenant, *, condition: str, subject: str, on: bool = True
) -> None:
    """Declare a condition of `smtp_conditions.py`, or take it back.

    `subject` is a public address, a mailbox's address, or a tenant's mail domain.
    """
    if condition not in CONDITIONS:
        raise KeyError(condition)
    declared = sandbox.mail_conditions.setdefault(subject.lower(), set())
    (declared.add if on else declared.discard)(condition)


def set_licenses(sandbox: Sandbox, tenant: Tenant, *, licenses: int) -> None:
    """Say how many licences of Exchange Online a tenant has; 0 for a trial."""
    if isinstance(licenses, bool) or not isinstance(licenses, int) or licenses < 0:
        raise ValueError("licenses is a whole number, 0 or more")
    tenant.exchange.licenses = licenses


def submit_mail(
    sandbox: Sandbox, tenant: Tenant, *, mailbox: str, recipient: str, subject: str
) -> dict[str, str]:
    """Deliver a message that SAP, signed in, would have sent from a mailbox."""
    owner = recipient_mailbox(tenant, mailbox)
    if owner is None:
        raise KeyError(mailbox)
    cipher = cipher_text("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    source = Source(SAP_ADDRESS, cipher=cipher)
    submission = Submission(
        mailbox,
        [recipient],
        mail_of(mailbox, recipient, subject).as_bytes(policy=policy.SMTP),
        SAP_ADDRESS,
        mailbox=owner,
        fields=(
            received(source, EHLO_NAME, FRONT_HOST, "15.20.0.1"),
            *origin(internal=True),
        ),
    )
    return {"messageId": deliver(sandbox, tenant, submission)}


def received_header(
    sandbox: Sandbox, tenant: Tenant, *, recipient: str, subject: str
) -> dict[str, str]:
    """Return the header of the newest message with a subject that somebody has."""
    mailbox = recipient_mailbox(tenant, recipient)
    inbox = mailbox.inbox if mailbox else []
    found = [entry for entry in inbox if subject in entry["subject"]]
    if not found:
        raise KeyError(subject)
    head, _, _ = found[-1]["content"].replace("\r\n", "\n").partition("\n\n")
    return {"header": head}


MAIL_OPERATIONS: dict[str | None, Callable[..., Any]] = {
    "issue_certificate": issue_certificate,
    "received_header": received_header,
    "set_licenses": set_licenses,
    "set_mail_condition": set_mail_condition,
    "submit_mail": submit_mail,
}
