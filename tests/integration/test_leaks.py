"""No credential is left in outputs, notebook, logs, exceptions or process lists."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import pytest

from runbook_lib.evidence.leaks import find, find_patterns
from runbook_lib.secret import Mask, Secret
from tests.integration.world import NOTEBOOK, World, drive

TOKEN = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2lnbmF0dXJl-planted"
PLANTED = 'kL8~Q/pl+an"ted\\secret_0123456789'


def xoauth2(token: str) -> str:
    """Return the SASL initial response that carries a token."""
    text = f"user=sap@contoso.com\x01auth=Bearer {token}\x01\x01"
    return base64.b64encode(text.encode()).decode()


FORMS = {
    "plain": (PLANTED, PLANTED.encode()),
    "URL": (PLANTED, quote(PLANTED, safe="").encode()),
    "base64": (PLANTED, base64.b64encode(PLANTED.encode())),
    "base64url": (PLANTED, base64.urlsafe_b64encode(PLANTED.encode())),
    "base64 within a longer text": (
        PLANTED,
        base64.b64encode(b"client:" + PLANTED.encode() + b";"),
    ),
    "XOAUTH2": (TOKEN, xoauth2(TOKEN).encode()),
    "JSON": (PLANTED, json.dumps({"secret": PLANTED}).encode()),
    "gzip": (PLANTED, gzip.compress(b"text " + PLANTED.encode())),
}


@pytest.fixture
def secrets() -> Iterator[list[Secret]]:
    """Collect every secret and token that a run comes to know."""
    known: list[Secret] = []
    add = Mask.add

    def collecting(self: Mask, secret: Secret) -> Secret:
        known.append(secret)
        return add(self, secret)

    with mock.patch.object(Mask, "add", collecting):
        yield known


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Collect everything that any logger writes, at the finest level."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter().format(record))

    root, handler = logging.getLogger(), Collector()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def test_search_finds_every_planted_form(world: World) -> None:
    """In a copy of a real record, each form of a secret is found."""
    applied = drive(world, "apply")
    copy = world.folder / "copy"
    shutil.copytree(applied.folder, copy)
    for name, (text, content) in FORMS.items():
        place = copy / "planted"
        place.write_bytes(b"before " + content + b" after\n")
        found = {leak.file for leak in find(copy, [Secret(text)])}
        assert found == {"planted"}, name
    (copy / "planted").write_bytes(TOKEN.encode())
    assert [leak.file for leak in find_patterns(copy)] == ["planted"]


def test_nothing_is_found_after_a_good_and_a_failed_run(
    world: World, secrets: list[Secret], logged: list[str]
) -> None:
    """Records, ledger and logs hold none of the secrets that the runs knew."""
    drive(world, "plan")
    applied = drive(world, "apply", evidence=world.evidence())
    assert applied.result == "incomplete"
    for path in world.sink.iterdir():
        path.write_text("wrong-secret-0123456789-wrong", "utf-8")
    assert drive(world, "verify").result == "failed"

    texts = {secret.reveal() for secret in secrets}
    assert world.tenant["operator_client_secret"] in texts
    assert sum(text.startswith("eyJ") for text in texts) >= 3
    assert "wrong-secret-0123456789-wrong" in texts
    assert find(world.outputs, secrets) == []
    assert find_patterns(world.outputs) == []
    log = world.folder / "log"
    log.mkdir()
    (log / "all.txt").write_text("\n".join(logged), "utf-8")
    assert any("HTTP" in line for line in logged)
    assert find(log, secrets) == []
    assert find_patterns(log) == []


def test_process_list_and_notebook_hold_no_secret(world: World) -> None:
    """While the command line runs, no process names a secret; nor does what it left."""
    drive(world, "apply")
    known = [path.read_text("utf-8") for path in world.sink.iterdir()]
    known.append(str(world.tenant["operator_client_secret"]))
    command = [sys.executable, "-m", "runbook_lib.cli", "run", NOTEBOOK]
    given = ["--tenant", str(world.tenant_file), "--mode", "verify"]
    child = subprocess.Popen(
        [*command, *given, "--outputs", str(world.outputs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seen: set[bytes] = set()
    while child.poll() is None:
        seen |= set(command_lines())
    said, _ = child.communicate()
    assert any(b"ipykernel" in line for line in seen)
    assert child.returncode == 3, said
    for text in known:
        assert text not in said
        assert not any(text.encode() in line for line in seen)
    assert len(list(world.outputs.glob("*/*/notebook.ipynb"))) == 1
    assert find(world.outputs, [Secret(text) for text in known]) == []
    assert find_patterns(world.outputs) == []


def command_lines() -> Iterator[bytes]:
    """Yield the command lines of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:  # it ended in the meantime
            continue
