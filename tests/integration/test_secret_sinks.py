"""A whole run whose client secret goes into a sealed file, or into a keyring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import keyring
import pyrage
import pytest
import yaml

from runbook_lib.clients.keyring_sink import PROBE
from runbook_lib.errors import TokenRefused
from runbook_lib.secret import Mask, Secret
from runbook_lib.session import open_session, scope
from runbook_lib.tenant import read_tenant
from tests.integration.test_certificate import application, outcomes
from tests.integration.world import World, drive, step_ends

ADDRESS = "keyring:runbook/contoso"
SECRET = "create-client-secret"


def use(world: World, sink: str) -> None:
    """Name another sink in the tenant file."""
    tenant = yaml.safe_load(world.tenant_file.read_text("utf-8"))
    text = yaml.safe_dump({**tenant, "secret_sink": sink})
    world.tenant_file.write_text(text, "utf-8")


def key_id(ended: dict[str, Any]) -> str:
    """Return the keyId of the client secret that a run made."""
    return str(ended[SECRET]["after"]["keyId"])


def signs_in(world: World, secret: str) -> bool:
    """Ask for a token with a secret, as SAP will; tell whether there was one."""
    session = open_session(
        read_tenant(world.tenant_file),
        run="as-sap",
        environment={},
        traffic=lambda exchange: None,
        mask=Mask(),
        sink_folder=world.folder,
    )
    client = session.application_client(
        str(application(world)["appId"]), Secret(secret)
    )
    try:
        client.token(scope(session.tenant, "exchange"), fresh=True)
    except TokenRefused:
        return False
    finally:
        session.close()
    return True


def test_a_sealed_secret_is_made_and_proven_by_its_recipient(world: World) -> None:
    """The run cannot read it, so its sign-in is left out and nothing is claimed."""
    recipient = pyrage.x25519.Identity.generate()
    use(world, f"age:{recipient.to_public()}")
    before = world.dump()
    applied = drive(world, "apply", evidence=world.evidence())
    assert applied.result == "incomplete"
    assert outcomes(applied)[SECRET] == "changed"
    end = step_ends(applied)["sign-in-to-smtp"]
    assert (end["outcome"], end["reason"]) == ("skipped", "depends_on_skipped")
    folder = world.record("any").parent / "credentials"
    (sealed,) = folder.iterdir()
    key = key_id(cast("dict[str, Any]", step_ends(applied)))
    assert sealed.name == f"{key}.age"
    secret = pyrage.decrypt(sealed.read_bytes(), [recipient]).decode()
    assert signs_in(world, secret)
    assert not signs_in(world, f"{secret}x")

    verify = drive(world, "verify", evidence=world.evidence())
    assert outcomes(verify)[SECRET] == "ok"
    drive(world, "rollback", record=applied.folder.name)
    assert world.dump() == before
    assert list(folder.iterdir()) == []


def test_a_sink_that_cannot_seal_stops_before_the_secret(world: World) -> None:
    """The sink is tried first: Entra ID is not asked for a secret."""
    use(world, f"age:{pyrage.x25519.Identity.generate().to_public()}")
    folder = world.record("any").parent / "credentials"
    folder.parent.mkdir(parents=True, mode=0o700)
    folder.write_text("in the way", "utf-8")
    applied = drive(world, "apply", evidence=world.evidence())
    end = step_ends(applied)[SECRET]
    assert (end["outcome"], applied.result) == ("error", "failed")
    assert end["remedy"]
    assert [e for e in world.log() if e["path"].endswith("/addPassword")] == []


@pytest.fixture
def plain_keyring(tmp_path: Path) -> Iterator[Path]:
    """Use keyrings.alt's file as the system's keyring, below a test's folder."""
    alternative = pytest.importorskip("keyrings.alt.file")
    before, path = keyring.get_keyring(), tmp_path / "keyring.cfg"
    file = alternative.PlaintextKeyring()
    file.file_path = str(path)
    keyring.set_keyring(file)
    yield path
    keyring.set_keyring(before)


@pytest.mark.ci
def test_a_secret_in_a_keyring_is_read_back_and_used(
    world: World, plain_keyring: Path
) -> None:
    """A keyring of others: proven, used for the sign-in, emptied by the rollback."""
    use(world, ADDRESS)
    before = world.dump()
    applied = drive(world, "apply", evidence=world.evidence())
    assert outcomes(applied)["sign-in-to-smtp"] == "ok"
    service = ADDRESS.partition(":")[2]
    key = key_id(cast("dict[str, Any]", step_ends(applied)))
    stored = keyring.get_password(service, key)
    assert stored is not None
    assert signs_in(world, stored)
    assert keyring.get_password(service, PROBE) is None
    for path in applied.folder.rglob("*"):
        assert path.is_dir() or stored.encode() not in path.read_bytes()

    drive(world, "rollback", record=applied.folder.name)
    assert world.dump() == before
    assert keyring.get_password(service, key) is None
