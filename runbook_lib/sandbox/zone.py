"""Whoever keeps a DNS zone: publishes records, as no runbook can."""

from typing import Any

from runbook_lib.sandbox.control_client import operate


def publish(ready: dict[str, Any], domain: str, records: dict[str, list[str]]) -> None:
    """Replace the records of a domain in a running sandbox.

    `ready` is the content of its ready file; `records` are texts of a zone file by
    type.
    """
    tenant = next(entry for entry in ready["tenants"] if entry["domain"] == domain)
    operate(ready, tenant["tenant_id"], "set_dns", name=domain, records=records)
