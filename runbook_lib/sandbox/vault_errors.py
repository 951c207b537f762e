"""Errors of Key Vault in its envelope.

Source: Microsoft Learn, "Azure Key Vault REST API error codes"; texts as quoted in
published logs.
"""

from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.state import JsonObject, Tenant
from runbook_lib.sandbox.tokens import Claims


class VaultError(Exception):
    """A request that a vault refuses; `inner` is the code inside, or null."""

    def __init__(
        self, status: int, code: str, message: str, inner: str | None = None
    ) -> None:
        """Take the parts of the envelope."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner


def error_answer(call: Call, tenant: Tenant, problem: VaultError) -> Answer:
    """Return the reply for a refused request; a 401 says where to sign in."""
    error: JsonObject = {"code": problem.code, "message": problem.message}
    if problem.inner:
        error["innererror"] = {"code": problem.inner}
    answer = Answer(problem.status, {"error": error})
    if problem.status == 401 and call.sandbox.holds("vault.challenge"):
        cloud = call.sandbox.cloud
        answer.headers["WWW-Authenticate"] = (
            f'Bearer authorization="{cloud.authority}/{tenant.tenant_id}",'
            f' resource="{cloud.vault_resource}"'
        )
    return answer


def forbidden(call: Call, tenant: Tenant, claims: Claims, action: str) -> VaultError:
    """Return the refusal of a caller whose role does not allow an action."""
    return VaultError(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\nIf role"
        " assignments, deny assignments or role definitions were changed recently,"
        " please observe propagation time.\r\n"
        f"Caller: appid={claims['appid']};oid={claims['oid']};iss={claims['iss']}\r\n"
        f"Action: 'Microsoft.KeyVault/vaults/secrets/{action}'\r\n"
        f"Vault: {call.host.partition('.')[0]};location=westeurope",
        "ForbiddenByRbac",
    )


def not_found(name: str) -> VaultError:
    """Return the 404 for a secret, or a version of it, that is not there."""
    return VaultError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. If you"
        " recently deleted this secret you may be able to recover it using the correct"
        " recovery command. For help resolving this issue, please see"
        " https://go.microsoft.com/fwlink/?linkid=2125182",
    )
