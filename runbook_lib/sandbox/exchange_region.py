"""The regional host of the admin API, and how a client is told of it.

Any host of the admin API serves all tenants here. `EXOModuleFile` at the global
host answers 302 to the regional one with an internal port; the API itself is at
that host's port 443. The fault `exchange-302` lets InvokeCommand redirect too.
Source: CISA ScubaGear (EXORestHelper), which reads the prefix from the redirect.
"""

from runbook_lib.sandbox.exchange_cmdlets import HANDLERS
from runbook_lib.sandbox.http import Answer, Call

REGION = "eurprd01"
INTERNAL_PORT = 446


def is_regional(call: Call) -> bool:
    """Say whether a request came to a regional host."""
    return call.host not in call.sandbox.cloud.exchange


def redirect(call: Call, *, port: int | None = None) -> Answer:
    """Return the redirect to the same path at the regional host."""
    host = f"{REGION}.{call.sandbox.cloud.exchange[0]}"
    query = f"?{call.query_text}" if call.query_text else ""
    where = f"https://{host}{f':{port}' if port else ''}{call.path}{query}"
    return Answer(302, None, {"Location": where})


def module_file(call: Call) -> Answer:
    """Answer EXOModuleFile: a redirect, or at the regional host the cmdlets."""
    if not is_regional(call) and call.sandbox.holds("exchange.regional-redirect"):
        return redirect(call, port=INTERNAL_PORT)
    return Answer(200, {"value": [{"exportedCmdlets": sorted(HANDLERS)}]})
