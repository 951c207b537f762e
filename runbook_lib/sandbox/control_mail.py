"""What a test can do to mail behind a tenant's back; see `control_operations.py`."""

from collections.abc import Callable
from typing import Any

from runbook_lib.sandbox.certificates import issue_client_certificate
from runbook_lib.sandbox.smtp_conditions import CONDITIONS
from runbook_lib.sandbox.state import Sandbox, Tenant


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


MAIL_OPERATIONS: dict[str | None, Callable[..., Any]] = {
    "issue_certificate": issue_certificate,
    "set_licenses": set_licenses,
    "set_mail_condition": set_mail_condition,
}
