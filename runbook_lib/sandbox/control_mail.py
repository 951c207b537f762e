"""What a test can do to mail behind a tenant's back; see `control_operations.py`."""

from collections.abc import Callable
from typing import Any

from runbook_lib.sandbox.certificates import issue_client_certificate
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


MAIL_OPERATIONS: dict[str | None, Callable[..., Any]] = {
    "issue_certificate": issue_certificate,
}
