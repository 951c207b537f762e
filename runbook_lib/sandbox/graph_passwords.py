"""addPassword and removePassword of an application.

Source: Microsoft Learn, "application: addPassword", "application: removePassword".
"""

from datetime import datetime

from runbook_lib.sandbox.directory import new_secret
from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_errors import bad_request
from runbook_lib.sandbox.graph_policies import check_new_password
from runbook_lib.sandbox.graph_query import context_url
from runbook_lib.sandbox.graph_types import check_body
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.ids import is_guid
from runbook_lib.sandbox.state import JsonObject
from runbook_lib.sandbox.tokens import secret_hash

# What the service makes itself and a caller cannot choose.
MADE_BY_SERVICE = frozenset({"customKeyIdentifier", "hint", "keyId", "secretText"})


def add_password(graph: GraphCall) -> Answer:
    """Answer POST /applications/{id}/addPassword: 200 and the text, only here."""
    application = graph.application()
    graph.may_change(application["id"])
    wanted = _wanted(graph)
    credential, text = new_secret(graph.tenant, wanted, graph.sandbox.now())
    start, end = (
        datetime.fromisoformat(credential[name])
        for name in ("startDateTime", "endDateTime")
    )
    if end <= start:
        raise bad_request(
            "Credential end date must be after its start date.",
            code="InvalidValue",
            target="endDateTime",
        )
    check_new_password(graph, application, end - start)
    application["passwordCredentials"].append(credential)
    if not graph.sandbox.holds("graph.secret-shown-once"):
        credential["secretText"] = text
    graph.tenant.secret_hashes[credential["keyId"]] = secret_hash(text)
    graph.sandbox.faults.start_lag("secret", credential["keyId"])
    context = context_url(graph.call, "microsoft.graph.passwordCredential", None)
    return Answer(200, {"@odata.context": context, **credential, "secretText": text})


def remove_password(graph: GraphCall) -> Answer:
    """Answer POST /applications/{id}/removePassword."""
    application = graph.application()
    graph.may_change(application["id"])
    body = graph.body()
    key_id = body.get("keyId")
    if set(body) != {"keyId"} or not isinstance(key_id, str) or not is_guid(key_id):
        raise bad_request("The parameter 'keyId' must be a GUID.")
    credentials = application["passwordCredentials"]
    kept = [entry for entry in credentials if entry["keyId"] != key_id.lower()]
    unknown = len(kept) == len(credentials)
    if unknown and graph.sandbox.holds("graph.unknown-key-id"):
        raise bad_request(f"No password credential found with keyId '{key_id}'.")
    application["passwordCredentials"] = kept
    graph.tenant.secret_hashes.pop(key_id.lower(), None)
    return Answer(204)


def _wanted(graph: GraphCall) -> JsonObject:
    """Return the checked `passwordCredential` of the body; empty where absent."""
    body = graph.body()
    unknown = set(body) - {"passwordCredential"}
    if unknown and graph.sandbox.holds("graph.unknown-property"):
        raise bad_request(
            f"The parameter '{min(unknown)}' in the request payload is not a valid"
            " parameter for the operation 'addPassword'."
        )
    sent = body.get("passwordCredential")
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise bad_request("The parameter 'passwordCredential' must be an object.")
    return check_body(graph.sandbox, "passwordCredential", sent, MADE_BY_SERVICE)
