"""All cmdlets that the sandbox carries out, and how one is run."""

import copy
import dataclasses
from typing import Any

from runbook_lib.sandbox import (
    exchange_application_roles,
    exchange_connectors,
    exchange_groups,
    exchange_mailboxes,
    exchange_organization,
    exchange_permissions,
    exchange_policies,
    exchange_principals,
    exchange_role_groups,
    exchange_trace,
    exchange_unified_groups,
)
from runbook_lib.sandbox.exchange_contract import Cmdlet, bind
from runbook_lib.sandbox.exchange_errors import CmdletError
from runbook_lib.sandbox.exchange_invocation import Handler, Invocation
from runbook_lib.sandbox.exchange_unsupported import cmdlet_not_implemented
from runbook_lib.sandbox.state import JsonObject, Sandbox, Tenant

HANDLERS: dict[str, Handler] = {
    **exchange_mailboxes.CMDLETS,
    **exchange_organization.CMDLETS,
    **exchange_connectors.CMDLETS,
    **exchange_policies.CMDLETS,
    **exchange_role_groups.CMDLETS,
    **exchange_principals.CMDLETS,
    **exchange_permissions.CMDLETS,
    **exchange_application_roles.CMDLETS,
    **exchange_groups.CMDLETS,
    **exchange_unified_groups.CMDLETS,
    **exchange_trace.CMDLETS,
}


def run_cmdlet(
    sandbox: Sandbox, tenant: Tenant, cmdlet: Cmdlet, parameters: dict[str, Any]
) -> tuple[list[JsonObject], list[str]]:
    """Run a cmdlet; return its objects and its warnings.

    Raises CmdletError where it refuses.
    """
    bound = _bound(sandbox, cmdlet, parameters)
    handler = HANDLERS.get(cmdlet.name)
    if handler is None:
        if sandbox.holds("exchange.not-implemented"):
            raise cmdlet_not_implemented(cmdlet.name)
        return [], []
    what_if = bound.get("WhatIf") is True and sandbox.holds("exchange.what-if")
    invocation = Invocation(
        sandbox, _rehearsed(tenant) if what_if else tenant, cmdlet, bound
    )
    values = handler(invocation)
    return [] if what_if else values, invocation.warnings


def _rehearsed(tenant: Tenant) -> Tenant:
    """Return a tenant whose Exchange side may be changed without any effect."""
    exchange, ids = copy.deepcopy((tenant.exchange, tenant.ids))
    return dataclasses.replace(tenant, exchange=exchange, ids=ids)


def _bound(
    sandbox: Sandbox, cmdlet: Cmdlet, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Bind parameters; rows that are switched off let their error pass."""
    given = dict(parameters)
    if not sandbox.holds("exchange.unknown-parameter"):
        given = {k: v for k, v in given.items() if k.lower() in cmdlet.parameters}
    try:
        return bind(cmdlet, given)
    except CmdletError as error:
        if error.row and not sandbox.holds(error.row):
            return {cmdlet.parameters[k.lower()].name: v for k, v in given.items()}
        raise
