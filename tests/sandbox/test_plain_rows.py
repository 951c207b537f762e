"""Rows of what is spoken without TLS: managed identity and time stamps."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbook_lib.sandbox import der
from runbook_lib.sandbox.timestamp import POLICY, SHA256
from tests.sandbox.conftest import Running
from tests.sandbox.directory import claims_of
from tests.sandbox.outsider import require
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

CHECKS = Checks("identity", "timestamp")
QUERY = "application/timestamp-query"
NONCE = 0x1122334455667788


def identity(world: World, **options: Any) -> httpx.Response:
    """Ask for a token of the managed identity."""
    plan = world.plans[world.tenant.tenant_id]
    query = {"resource": "https://graph.microsoft.com/", "api-version": "2019-08-01"}
    headers = {"X-IDENTITY-HEADER": options.pop("header", plan.identity_header)}
    return world.plain("GET", "/msi/token", params=query | options, headers=headers)


def query(algorithm: str = SHA256, policy: str = POLICY, size: int = 32) -> bytes:
    """Return a time stamp request with a nonce."""
    imprint = der.sequence(der.sequence(der.oid(algorithm)), der.octets(bytes(size)))
    parts = [der.integer(1), imprint, der.oid(policy), der.integer(NONCE)]
    return der.sequence(*parts, der.encoded(der.BOOLEAN, b"\xff"))


def stamped(world: World, body: bytes) -> list[der.Value]:
    """Send a time stamp request; return the parts of the reply."""
    headers = {"Content-Type": QUERY}
    answer = world.plain("POST", "/timestamp", content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/timestamp-reply"
    return der.inside(answer.content)


def failure(reply: list[der.Value]) -> bytes:
    """Return status and failure bits of a reply."""
    status, *rest = der.values(reply[0][1])
    return status[1] + b"".join(part[1] for part in rest if part[0] == der.BIT_STRING)


@CHECKS.row("identity.header")
def check_identity_header(world: World) -> None:
    """The header value says whose identity it is; a wrong one says nothing."""
    right = identity(world)
    assert right.status_code == 200
    assert claims_of(right.json()["access_token"])["tid"] == world.tenant.tenant_id
    assert identity(world, header="wrong").status_code == 401


@CHECKS.row("timestamp.nonce")
def check_nonce(world: World) -> None:
    """As it was sent."""
    reply = stamped(world, query())
    assert failure(reply) == b"\x00"
    assert der.integer(NONCE) in reply[1][1]


@CHECKS.row("timestamp.algorithm")
def check_algorithm(world: World) -> None:
    """SHA-1 is no algorithm for a time stamp of today."""
    reply = stamped(world, query("1.3.14.3.2.26", size=20))
    assert failure(reply) == b"\x02\x07\x80"
    assert len(reply) == 1


@CHECKS.row("timestamp.policy")
def check_policy(world: World) -> None:
    """There is one policy here."""
    reply = stamped(world, query(policy="1.3.6.1.4.1.32473.2"))
    assert failure(reply) == b"\x02\x00\x00\x01"


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


@pytest.mark.parametrize(
    "body",
    [b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x02\x01\x01", b"GET /"],
)
def test_what_is_no_request_is_rejected(body: bytes) -> None:
    """With badDataFormat, never with an error of the server."""
    with World() as world:
        assert failure(stamped(world, body)) == b"\x02\x02\x04"


def test_a_digest_of_the_wrong_length_is_rejected() -> None:
    """SHA-256 has 32 bytes."""
    with World() as world:
        assert failure(stamped(world, query(size=31))) == b"\x02\x02\x04"


def test_another_media_type_is_refused() -> None:
    """RFC 3161 names one."""
    with World() as world:
        assert world.plain("POST", "/timestamp", content=query()).status_code == 415


@pytest.mark.parametrize(
    "options",
    [
        {"api-version": "2017-09-01"},
        {"resource": "https://northwind.example"},
        {"client_id": "5e8d1a3c-0000-4000-8000-000000000001"},
    ],
)
def test_a_wrong_request_for_a_token(options: dict[str, str]) -> None:
    """Refused with 400 in App Service's form."""
    with World() as world:
        answer = identity(world, **options)
        assert answer.status_code == 400
        assert answer.json()["statusCode"] == 400


def test_the_managed_identity_has_the_operators_rights() -> None:
    """A runbook on a host in Azure needs no secret."""
    with World() as world:
        claims = claims_of(identity(world).json()["access_token"])
        assert "Application.ReadWrite.All" in claims["roles"]
        assert claims["wids"] == ["29232cdf-9323-42fd-ade2-1d097af3e4de"]


@pytest.mark.ci
def test_openssl_verifies_a_time_stamp(shared_sandbox: Running, tmp_path: Path) -> None:
    """An independent client makes the request and checks the reply."""
    openssl = require("openssl", "openssl")
    data, request, reply = (tmp_path / name for name in ("data", "query", "reply"))
    data.write_bytes(b"evidence")
    ask = ["ts", "-query", "-data", str(data), "-sha256", "-cert", "-out", str(request)]
    subprocess.run([openssl, *ask], check=True, capture_output=True)
    answer = httpx.post(
        shared_sandbox.ready["timestamp_authority"],
        content=request.read_bytes(),
        headers={"Content-Type": QUERY},
        trust_env=False,
    )
    reply.write_bytes(answer.content)
    check = ["ts", "-verify", "-queryfile", str(request), "-in", str(reply)]
    ca_file = shared_sandbox.ready["ca_file"]
    done = subprocess.run(
        [openssl, *check, "-CAfile", ca_file], capture_output=True, text=True
    )
    assert "Verification: OK" in done.stdout, done.stderr
    shown = subprocess.run(
        [openssl, "ts", "-reply", "-in", str(reply), "-text"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert hashlib.sha256(b"evidence").hexdigest()[:8] in shown.stdout.replace(" ", "")
