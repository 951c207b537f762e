"""addKey and removeKey: an application rolls its own certificates.

Both ask for a proof that the caller holds one of the application's keys: a JWT that
a registered, valid certificate signed, for Azure AD Graph's resource, issued by the
object id of the application. With it an application needs no permission of Graph.

Source: Microsoft Learn, "application: addKey", "application: removeKey", "Generate
proof of possession tokens for rolling keys"; a field report for the reply to a key
that is not there. How a bad proof is refused was not read.
"""

import base64
from datetime import datetime

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from runbook_lib.sandbox.assertion import ALGORITHMS, SKEW_SECONDS
from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_errors import bad_request, denied
from runbook_lib.sandbox.graph_key_credentials import checked_key_credentials
from runbook_lib.sandbox.graph_permissions import WRITE_APPLICATIONS
from runbook_lib.sandbox.graph_query import context_url
from runbook_lib.sandbox.graph_types import check_body
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.ids import is_guid
from runbook_lib.sandbox.state import JsonObject

AUDIENCE = "00000002-0000-0000-c000-000000000000"
TIMES = ["exp", "nbf", "aud", "iss"]


def add_key(graph: GraphCall) -> Answer:
    """Answer POST /applications/{id}/addKey: 200 and the credential without its key."""
    application, body = _permitted(graph)
    sent = body.get("keyCredential")
    if not isinstance(sent, dict) or body.get("passwordCredential") is not None:
        raise bad_request("The parameter 'keyCredential' must be a certificate.")
    _check_proof(graph, application, body.get("proof"))
    wanted = check_body(graph.sandbox, "keyCredential", sent, frozenset({"keyId"}))
    known = application["keyCredentials"]
    added = checked_key_credentials(graph, application, [wanted])
    if not graph.sandbox.holds("graph.add-key"):
        known = []
    application["keyCredentials"] = [*known, *added]
    context = context_url(graph.call, "microsoft.graph.keyCredential", None)
    return Answer(200, {"@odata.context": context, **added[0], "key": None})


def remove_key(graph: GraphCall) -> Answer:
    """Answer POST /applications/{id}/removeKey."""
    application, body = _permitted(graph)
    key_id = body.get("keyId")
    if not isinstance(key_id, str) or not is_guid(key_id):
        raise bad_request("The parameter 'keyId' must be a GUID.")
    _check_proof(graph, application, body.get("proof"))
    known = application["keyCredentials"]
    kept = [entry for entry in known if entry["keyId"] != key_id.lower()]
    if len(kept) == len(known) and graph.sandbox.holds("graph.remove-unknown-key"):
        raise bad_request("No credentials found to be removed.")
    application["keyCredentials"] = kept
    return Answer(204)


def _permitted(graph: GraphCall) -> tuple[JsonObject, JsonObject]:
    """Return application and body, if the caller may roll keys.

    The application itself may; anybody else needs the right to change it.
    """
    application = graph.application()
    if graph.claims["appid"] != application["appId"] or "scp" in graph.claims:
        people = graph.sandbox.holds("graph.directory-role")
        if not WRITE_APPLICATIONS.permits(graph.claims, people=people):
            raise denied()
        graph.may_change(application["id"])
    return application, graph.body()


def _check_proof(graph: GraphCall, application: JsonObject, proof: object) -> None:
    """Refuse a caller who holds no valid key of the application."""
    if not graph.sandbox.holds("graph.proof-of-possession"):
        return
    text = proof if isinstance(proof, str) else ""
    keys = _valid_keys(graph, application)
    if not any(_proven(text, key, application["id"]) for key in keys):
        raise bad_request("The proof of possession is missing or invalid.")


def _valid_keys(graph: GraphCall, application: JsonObject) -> list[rsa.RSAPublicKey]:
    """Return the keys of the certificates that are registered and not expired."""
    now = graph.sandbox.now()
    keys = (
        x509.load_der_x509_certificate(base64.b64decode(entry["key"])).public_key()
        for entry in application["keyCredentials"]
        if datetime.fromisoformat(entry["endDateTime"]) > now
    )
    return [key for key in keys if isinstance(key, rsa.RSAPublicKey)]


def _proven(text: str, key: rsa.RSAPublicKey, object_id: str) -> bool:
    """Say whether a proof was signed with a key, for this application and now."""
    try:
        jwt.decode(
            text,
            key,
            algorithms=list(ALGORITHMS),
            audience=AUDIENCE,
            issuer=object_id,
            leeway=SKEW_SECONDS,
            options={"require": TIMES},
        )
    except jwt.PyJWTError:
        return False
    return True
