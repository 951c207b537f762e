"""JSON batching: each item is a request of its own."""

from typing import Any

import pytest

from tests.sandbox.directory import Directory, error_of
from tests.sandbox.world import World

JSON = {"Content-Type": "application/json"}


def item(number: str, method: str, url: str, **rest: Any) -> dict[str, Any]:
    """Return one item of a batch."""
    return {"id": number, "method": method, "url": url, **rest}


def batch(directory: Directory, *items: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Send a batch; return the responses by id."""
    answer = directory.send("POST", "$batch", {"requests": list(items)})
    assert answer.status_code == 200, answer.text
    return {entry["id"]: entry for entry in answer.json()["responses"]}


def test_items_are_answered_one_by_one() -> None:
    """A failure of one is no failure of the others."""
    with World() as world:
        directory = Directory(world)
        responses = batch(
            directory,
            item("a", "GET", "/applications?$select=id&$top=1"),
            item("b", "GET", "/applications/none"),
            item("c", "POST", "/applications", headers=JSON, body={"displayName": "x"}),
            item("d", "POST", "/applications", body={"displayName": "y"}),
        )
    statuses = {name: entry["status"] for name, entry in responses.items()}
    assert statuses == {"a": 200, "b": 404, "c": 201, "d": 400}
    assert len(responses["a"]["body"]["value"]) == 1
    assert responses["b"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert responses["c"]["headers"]["Location"]


def test_a_204_has_no_body() -> None:
    """A deletion inside a batch answers without body."""
    with World() as world:
        directory = Directory(world)
        made = directory.new_application()
        url = f"/applications/{made['id']}"
        responses = batch(directory, item("1", "DELETE", url))
    assert responses["1"]["status"] == 204
    assert "body" not in responses["1"]


def test_log_judges_each_item() -> None:
    """A batch writes if one of its items does; each item has its own line."""
    with World() as world:
        directory = Directory(world)
        reading = item("1", "GET", "/organization")
        writing = item(
            "2", "POST", "/applications", headers=JSON, body={"displayName": "x"}
        )
        batch(directory, reading)
        batch(directory, reading, writing)
        lines = world.logged(host="graph.microsoft.com")
    seen = [(line["method"], line["path"], line["write"]) for line in lines]
    assert seen == [
        ("GET", "/v1.0/organization", False),
        ("POST", "/v1.0/$batch", False),
        ("GET", "/v1.0/organization", False),
        ("POST", "/v1.0/applications", True),
        ("POST", "/v1.0/$batch", True),
    ]


@pytest.mark.parametrize(
    "requests",
    [
        None,
        "none",
        [5],
        [{"id": "1", "method": "GET"}],
        [{"id": 1, "method": "GET", "url": "/organization"}],
        [item("1", "GET", "/organization"), item("1", "GET", "/domains")],
        [item("1", "GET", "/organization", headers=5)],
        [item("1", "GET", "/organization", dependsOn=5)],
        [item("1", "GET", "/organization", dependsOn=[{}])],
        [item("1", "GET", "/organization", dependsOn=["1"])],
        [item("1", "GET", "/organization", dependsOn=["2"]), item("2", "GET", "/x")],
    ],
)
def test_malformed_batches_are_refused_as_a_whole(requests: Any) -> None:
    """Nothing of it is sent."""
    with World() as world:
        directory = Directory(world)
        answer = directory.send("POST", "$batch", {"requests": requests})
        sent = world.logged(host="graph.microsoft.com", method="GET")
    assert error_of(answer)[:2] == (400, "BadRequest")
    assert sent == []


def test_a_batch_needs_a_token_too() -> None:
    """Without one the batch as a whole is refused."""
    with World() as world:
        body = {"requests": [item("1", "GET", "/organization")]}
        answer = Directory(world).send("POST", "$batch", body, token="nonsense")
    assert answer.status_code == 401
