"""The access log: its keys, its decisions, and that no secret gets into it."""

import base64
import io
import json
from typing import Any

import pytest

from runbook_lib.sandbox.log import MASK, AccessLog
from tests.sandbox.directory import LOGIN, Directory
from tests.sandbox.world import World

KEYS = [
    "time",
    "protocol",
    "host",
    "method",
    "path",
    "query",
    "body",
    "status",
    "tenant",
    "write",
]
# Three parts that look like a token; not one that anybody ever issued.
TOKEN = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"RS256"}', b'{"aud":"https://x"}', b"signature")
)
BLOB = base64.b64encode(
    f"user=sap@contoso.com\x01auth=Bearer {TOKEN}\x01\x01".encode()
).decode()


def written(**request: Any) -> dict[str, Any]:
    """Return the one line that a request leaves."""
    file = io.StringIO()
    AccessLog(file).write(
        **{"protocol": "https", "host": "x", "method": "GET"} | request
    )
    (line,) = file.getvalue().splitlines()
    entry: dict[str, Any] = json.loads(line)
    return entry


def test_line_has_the_promised_keys_in_order() -> None:
    """Every line has all ten keys; the time is UTC with milliseconds."""
    entry = written()
    assert list(entry) == KEYS
    assert len(entry["time"]) == len("2026-01-01T00:00:00.000Z")
    assert entry["time"].endswith("Z")
    assert entry["write"] is False


@pytest.mark.parametrize(
    "body",
    [
        {"client_secret": "s3cret"},
        {"client_assertion": "s3cret"},
        {"passwordCredential": {"secretText": "s3cret"}},
        [{"access_token": "s3cret"}],
        "client_secret=s3cret&scope=x",
        '{"secretText": "s3cret"}',
        "Authorization: Bearer s3cret-long-enough",
        b"client_secret=s3cret",
    ],
)
def test_named_secrets_are_masked(body: Any) -> None:
    """Wherever a secret has a name, its value is replaced."""
    entry = json.dumps(written(body=body))
    assert "s3cret" not in entry
    assert MASK in entry


@pytest.mark.parametrize("field", ["body", "query", "path"])
def test_tokens_and_blobs_are_masked_everywhere(field: str) -> None:
    """A token is recognised by its form, in clear and inside base64."""
    for text in (f"a {TOKEN} b", f"a {BLOB} b"):
        value = written(**{field: text})[field]
        assert value == f"a {MASK} b"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (f"XOAUTH2 {BLOB}", "XOAUTH2 ***"),
        ("XOAUTH2", "XOAUTH2 ***"),
        (BLOB, "***"),
        ("QUJD", "***"),
        (None, None),
    ],
)
def test_of_an_smtp_sign_in_only_the_mechanism_stays(
    body: str | None, shown: str | None
) -> None:
    """Whatever follows AUTH is a credential, short or long."""
    assert written(protocol="smtp", method="AUTH", body=body)["body"] == shown


def test_certificates_stay_readable() -> None:
    """A public certificate in base64 is evidence, not a secret."""
    certificate = base64.b64encode(bytes(range(200))).decode()
    body = {"keyCredentials": [{"key": certificate}]}
    assert written(body=body)["body"] == body


def test_a_run_through_all_services_leaves_no_secret() -> None:
    """Every secret and token of a whole set-up is absent from the log."""
    with World() as world:
        directory = Directory(world)
        application = world.application("SMTP.SendAsApp")
        token = world.token(application)
        world.request(
            "GET", f"{LOGIN}/x/y?client_secret={application.secret}&token={token}"
        )
        text = world.log_file.getvalue()
    secrets = [directory.operator.client_secret, application.secret, token]
    assert [secret for secret in secrets if secret in text] == []
    assert "client_secret" in text


def test_graph_writes_are_told_from_reads() -> None:
    """Anything but GET and HEAD writes, whether it succeeds or not."""
    with World() as world:
        directory = Directory(world)
        directory.send("GET", "organization")
        directory.send("POST", "applications", {"displayName": "x"})
        directory.send("POST", "applications", {})
        directory.send("PATCH", "applications/none", {})
        directory.send("DELETE", "applications/none")
        lines = world.logged(host="graph.microsoft.com")
    assert [line["write"] for line in lines] == [False, True, True, True, True]
    assert [line["status"] for line in lines] == [200, 201, 400, 404, 404]
    assert {line["tenant"] for line in lines} == {world.tenant.tenant_id}


def test_query_is_logged_decoded() -> None:
    """The log shows a filter as a person would write it."""
    with World() as world:
        Directory(world).send("GET", "applications?$filter=appId%20eq%20%27x%27")
        (line,) = world.logged(path="/v1.0/applications")
    assert line["query"] == "$filter=appId eq 'x'"
