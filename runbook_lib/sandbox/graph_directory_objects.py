"""What applications and service principals have in common as directory objects.

Source: Microsoft Learn, Graph v1.0 reference, "directoryObject resource type".
"""

from collections.abc import Mapping

from runbook_lib.sandbox.graph_call import GraphCall
from runbook_lib.sandbox.graph_query import context_url
from runbook_lib.sandbox.http import Answer
from runbook_lib.sandbox.state import JsonObject


def shown(entry: JsonObject) -> JsonObject:
    """Return an object as a plain read shows it: certificates without bytes."""
    keys = [{**credential, "key": None} for credential in entry["keyCredentials"]]
    return {**entry, "keyCredentials": keys}


def seen(graph: GraphCall, entries: Mapping[str, JsonObject]) -> list[JsonObject]:
    """Return the objects that a list shows: those whose lag is over."""
    faults = graph.sandbox.faults
    return [
        shown(entry)
        for entry in entries.values()
        if not faults.lagging("filter", entry["id"])
    ]


def created(graph: GraphCall, entity_set: str, kind: str, entry: JsonObject) -> Answer:
    """Answer 201 with a new object of this kind, and with where it is."""
    context = context_url(graph.call, entity_set, None, "/$entity")
    answer = Answer(201, {"@odata.context": context, **shown(entry)})
    answer.headers["Location"] = (
        f"https://{graph.call.host}/v2/{graph.tenant.tenant_id}/directoryObjects/"
        f"{entry['id']}/Microsoft.DirectoryServices.{kind}"
    )
    return answer
