"""Option 1 with SAP's signing certificate."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from runbook_lib.evidence.close import Closed
from tests.integration.world import EVIDENCE, World, drive, run_notebook, step_ends

KEY = rsa.generate_private_key(65537, 2048)
TOKEN_TEST = EVIDENCE.replace(
    "3581654  SMTP OAuth 2.0  Completely implemented", "Valid, expires in 3599 seconds"
)


def sap_certificate(folder: Path, *, days: int = 365) -> Path:
    """Write a self-signed certificate as STRUST exports it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OA2CJC")])
    now = datetime.now(UTC).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(KEY, hashes.SHA256())
    )
    path = folder / "sap.crt"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


def chosen(world: World, **more: str) -> dict[str, str]:
    """Return the parameters of a run with a certificate, and evidence of SAP."""
    folder = Path(world.evidence())
    (folder / "sap-token-test.yaml").write_text(TOKEN_TEST, "utf-8")
    path = sap_certificate(world.folder)
    given = {"credential": "certificate", "certificate": str(path)}
    return {**given, "evidence": str(folder), **more}


def application(world: World) -> dict[str, Any]:
    """Return our application, from the dump."""
    found = json.loads(world.dump())["tenant"]["applications"].values()
    return next(a for a in found if a["displayName"] == "SAP SMTP OAuth")


def outcomes(closed: Closed) -> dict[str, str]:
    """Return the outcome of each step."""
    return {step: str(end["outcome"]) for step, end in step_ends(closed).items()}


def test_all_modes_with_a_certificate(world: World) -> None:
    """Plan, apply, verify and rollback; the proof is SAP's own token test."""
    before, given = world.dump(), chosen(world)
    plan = drive(world, "plan", **given)
    assert outcomes(plan)["upload-certificate"] == "planned"
    assert outcomes(plan)["create-client-secret"] == "skipped"
    assert world.dump() == before

    applied = drive(world, "apply", **given)
    assert applied.result == "incomplete"
    assert outcomes(applied)["sign-in-to-smtp"] == "skipped"
    assert outcomes(applied)["sap-token-test"] == "ok"
    assert len(application(world)["keyCredentials"]) == 1
    assert application(world)["passwordCredentials"] == []
    stored = world.dump()
    world.evidence(applied, "certificate")
    late = {**given, "completes": applied.folder.name}
    assert drive(world, "verify", **late).result == "succeeded"
    assert world.dump() == stored

    drive(world, "rollback", record=applied.folder.name)
    assert world.dump() == before


def test_without_the_token_test_it_is_incomplete(world: World) -> None:
    """Nobody but SAP can prove SAP's key."""
    given = chosen(world)
    (Path(given["evidence"]) / "sap-token-test.yaml").unlink()
    applied = drive(world, "apply", **given)
    assert applied.result == "incomplete"
    assert outcomes(applied)["sap-token-test"] == "pending"


def test_a_refused_token_fails_whatever_was_stated(world: World) -> None:
    """A pasted AADSTS code is no success."""
    given = chosen(world)
    text = TOKEN_TEST.replace("Valid, expires in 3599 seconds", "AADSTS700027 valid")
    (Path(given["evidence"]) / "sap-token-test.yaml").write_text(text, "utf-8")
    applied = drive(world, "apply", **given)
    assert applied.result == "failed"
    assert outcomes(applied)["sap-token-test"] == "failed"


def test_temporary_secret_proves_and_goes(world: World) -> None:
    """It signs in, is removed, and a verify run makes none."""
    given = chosen(world, temporary_credential="yes")
    plan = drive(world, "plan", **given)
    row = step_ends(plan)["sign-in-with-temporary-secret"]
    assert (row["outcome"], row["action"]) == ("planned", "create")
    applied = drive(world, "apply", **given)
    assert applied.result == "incomplete"
    assert outcomes(applied)["sign-in-with-temporary-secret"] == "ok"
    assert application(world)["passwordCredentials"] == []
    added = [e for e in world.log() if e["path"].endswith("/addPassword")]
    removed = [e for e in world.log() if e["path"].endswith("/removePassword")]
    assert (len(added), len(removed)) == (1, 1)
    written = len(world.writes())
    verify = drive(world, "verify", **given)
    assert outcomes(verify)["sign-in-with-temporary-secret"] == "skipped"
    assert len(world.writes()) == written


def test_existing_certificates_stay(world: World) -> None:
    """A second certificate is put beside the first, and taken away alone."""
    drive(world, "apply", **chosen(world))
    first = application(world)["keyCredentials"]
    stored = world.dump()
    second = drive(world, "apply", **chosen(world, client_secret_name="other"))
    keys = application(world)["keyCredentials"]
    assert len(keys) == 2
    assert first[0] in keys
    drive(world, "rollback", record=second.folder.name)
    assert application(world)["keyCredentials"] == first
    assert world.dump() == stored


def test_two_phases_for_btp(world: World) -> None:
    """Without a certificate the run gives the application ID and waits."""
    given = chosen(world, product="btp-abap")
    first = drive(world, "apply", **{**given, "certificate": ""})
    assert first.result == "incomplete"
    assert outcomes(first)["upload-certificate"] == "pending"
    registered = cast("dict[str, Any]", step_ends(first)["register-application"])
    assert registered["after"]["appId"]
    world.evidence(first, "certificate")
    second = drive(world, "apply", completes=first.folder.name, **given)
    assert second.result == "succeeded"


def test_a_private_key_stops_before_any_kernel(world: World) -> None:
    """The command line refuses it with exit code 2, keeps nothing, asks nobody."""
    path = world.folder / "oops.pem"
    path.write_bytes(
        KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    given = {**chosen(world), "certificate": str(path)}
    found = run_notebook(world, "plan", **given)
    assert found["exit_code"] == 2
    assert "private key" in found["stderr"]
    assert "disclosed" in found["stderr"]
    assert world.log() == []
    assert not list(world.outputs.glob("*/*"))
