"""Errors of Microsoft Graph in its envelope, and the headers of each reply.

Source: Microsoft Learn, "Microsoft Graph error responses and resource types".
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from runbook_lib.sandbox.http import Answer, Call

JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)


class GraphError(Exception):
    """A request that Graph refuses, with HTTP status, code and message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: list[dict[str, str]] | None = None,
    ) -> None:
        """Take the parts of the envelope; `details` are left out where null."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def bad_request(message: str, **detail: str) -> GraphError:
    """Return the 400 of the directory; `detail` gives `code` and `target`."""
    details = [{**detail, "message": message}] if detail else None
    return GraphError(400, "Request_BadRequest", message, details)


def unreadable(message: str) -> GraphError:
    """Return the 400 of Graph's own front end."""
    return GraphError(400, "BadRequest", message)


def not_found(identifier: str) -> GraphError:
    """Return the 404 for an object that is absent or not replicated yet."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{identifier}' does not exist or one of its queried"
        " reference-property objects are not present.",
    )


def denied() -> GraphError:
    """Return the 403 for a token without the permission that is needed."""
    return GraphError(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )


def unsupported_query(message: str) -> GraphError:
    """Return the 400 for a query that needs advanced query capabilities."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def reply_headers(call: Call) -> dict[str, str]:
    """Return request id, echoed client-request-id and the diagnostic headers."""
    request_id = str(uuid.uuid4())
    return {
        "request-id": request_id,
        "client-request-id": _echoed(call) or request_id,
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E",'
        '"Ring":"5","ScaleUnit":"000","RoleInstance":"AM2PEPF00000000"}}',
        "x-ms-resource-unit": "1",
        "Cache-Control": "no-cache",
        "Strict-Transport-Security": "max-age=31536000",
    }


def _echoed(call: Call) -> str | None:
    """Return the caller's own id of its request."""
    if not call.sandbox.holds("graph.client-request-id"):
        return None
    return call.headers.get("client-request-id")


def with_headers(call: Call, answer: Answer) -> Answer:
    """Add the headers that every reply of Graph has."""
    headers = reply_headers(call)
    if answer.body is not None and not isinstance(answer.body, bytes):
        headers |= {"Content-Type": JSON_TYPE, "OData-Version": "4.0"}
    answer.headers = headers | answer.headers
    return answer


def error_answer(call: Call, problem: GraphError) -> Answer:
    """Return the reply for a refused request."""
    answer = with_headers(call, Answer(problem.status, b""))
    error: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.details:
        error["details"] = problem.details
    error["innerError"] = {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}",
        "request-id": answer.headers["request-id"],
        "client-request-id": answer.headers["client-request-id"],
    }
    answer.body = {"error": error}
    answer.headers["Content-Type"] = "application/json"
    if problem.status == 401:
        answer.headers["WWW-Authenticate"] = (
            'Bearer realm="", authorization_uri='
            f'"{call.sandbox.cloud.authority}/common/oauth2/authorize",'
            ' client_id="00000003-0000-0000-c000-000000000000"'
        )
    return answer
