"""Signing in to SMTP submission: the blob, the claims, the log."""

import base64
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from runbook_lib.sandbox.keys import signing_key
from runbook_lib.sandbox.smtp_authentication import read_blob
from tests.sandbox.mail import (
    MAILBOX,
    sign_in,
    wait_until,
)
from tests.sandbox.world import World


def test_long_sign_in_line_is_taken() -> None:
    """A line of 12,288 octets and more reaches the judgement (RFC 4954)."""
    with World() as world:
        application = world.sender()
        blob = base64.b64encode(
            f"user={MAILBOX}\x01auth=Bearer {world.token(application)}"
            f"\x01x={'y' * 20_000}\x01\x01".encode()
        ).decode()
        assert len(blob) > 12_288
        with world.smtp() as client:
            assert client.docmd("AUTH", f"XOAUTH2 {blob}")[0] == 235


@pytest.mark.parametrize(
    "blob",
    [
        "not base64!",
        base64.b64encode(b"user=a@b\x01auth=Bearer x").decode(),
        base64.b64encode(b"user=\x01auth=Bearer x\x01\x01").decode(),
        base64.b64encode(b"user=a@b\x01auth=Basic x\x01\x01").decode(),
        base64.b64encode(b"\xff\xfe\x01\x01").decode(),
    ],
)
def test_malformed_blob_is_nobody(blob: str) -> None:
    """What is not a SASL string of XOAUTH2 names no user and no token."""
    assert read_blob(blob) is None


def test_sign_in_can_be_called_off() -> None:
    """A star ends the sign-in without an attempt."""
    with World() as world, world.smtp() as client:
        client.docmd("AUTH", "XOAUTH2")
        assert client.docmd("*")[0] == 501
        assert client.docmd("AUTH", "PLAIN AAAA")[0] == 504


def test_nobody_signs_in_twice() -> None:
    """A second AUTH on the connection is out of order (RFC 4954)."""
    with World() as world:
        application = world.sender()
        with world.signed_in(application) as client:
            assert sign_in(client, world.token(application))[0] == 503


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 235),
        ({"exp": int(time.time()) - 10}, 535),
        ({"aud": "https://outlook.office.com"}, 235),
        ({"aud": "https://example.com"}, 535),
        ({"oid": "11111111-2222-3333-4444-555555555555"}, 535),
        ({"tid": "11111111-2222-3333-4444-555555555555"}, 535),
        ({"roles": ["IMAP.AccessAsApp"]}, 535),
    ],
)
def test_claims_decide(change: dict[str, Any], code: int) -> None:
    """Each claim that SMTP reads is judged on its own."""
    with World() as world:
        token = world.token(world.sender())
        claims = jwt.decode(token, options={"verify_signature": False}) | change
        key = signing_key()
        forged = jwt.encode(claims, key.private, algorithm="RS256")
        assert world.sign_in_code(forged)[0] == code


def test_signature_decides() -> None:
    """The same claims under another key open nothing."""
    with World() as world:
        token = world.token(world.sender())
        claims = jwt.decode(token, options={"verify_signature": False})
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        assert world.sign_in_code(jwt.encode(claims, other, "RS256"))[0] == 535


def test_mailbox_of_another_tenant_is_out_of_reach() -> None:
    """The tenant is the token's, whatever mailbox is named."""
    with World(tenants=2) as world:
        token = world.token(world.sender())
        assert world.sign_in_code(token, "sap@fabrikam.com")[0] == 535


def test_one_line_sign_in_is_masked() -> None:
    """The blob on the AUTH line leaves no trace in the log."""
    with World() as world:
        world.sign_in_code(world.token(world.sender()))
        assert world.logged(method="AUTH")[0]["body"] == "XOAUTH2 ***"


def test_permission_takes_effect_late() -> None:
    """With a lag the sign-in fails until the permission has reached SMTP."""
    with World(faults="lag@mailbox-permission=2") as world:
        token = world.token(world.sender())
        codes = [world.sign_in_code(token)[0] for _ in range(3)]
        assert codes == [535, 535, 235]


def test_lost_client_frees_its_place() -> None:
    """A client that vanishes does not count as signed in for ever."""
    with World() as world:
        token = world.token(world.sender())
        for _ in range(5):
            with world.smtp() as client:
                assert sign_in(client, token)[0] == 235
        wait_until(lambda: len(world.logged(method="AUTH")) == 5)
        with world.signed_in_with(token) as client:
            wait_until(lambda: client.mail(MAILBOX)[0] == 250)
