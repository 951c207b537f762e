"""Exim from the rendered configuration, as an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runbook_lib.relay.bundle import render
from runbook_lib.relay.design import RelayDesign
from tests.relay.postfix import answers, eventually
from tests.relay.tenant import Program

USER = "Debian-exim"


@dataclass
class Exim:
    """One instance, and what is in its queue."""

    design: RelayDesign
    config: Path

    @property
    def address(self) -> tuple[str, int]:
        """Return where SAP hands over."""
        return self.design.listen, self.design.port

    def queue(self) -> str:
        """Return the messages that wait, as `exim -bp` lists them."""
        command = [self.design.places.exim_program, "-C", str(self.config), "-bp"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=30, user=USER
        )
        return done.stdout.strip()

    def log(self) -> str:
        """Return what it wrote into its logs."""
        logs = Path(self.design.places.exim_spool).glob("*log")
        files = (path for path in logs if path.is_file())
        return "".join(path.read_text("utf-8", "replace") for path in files)

    def token_is_its_own(self) -> None:
        """Give the token file to Exim's user, as the unit's user would own it."""
        shutil.chown(self.design.places.token, USER)


def exim_program() -> str:
    """Return Exim: unpacked beside this Python, for Debian has one mailer at a time."""
    unpacked = Path(sys.prefix) / "exim/usr/sbin/exim4"
    found = str(unpacked) if unpacked.exists() else shutil.which("exim4")
    if found is None or not _has_user():
        pytest.skip("needs Exim (Debian package exim4-daemon-light) and its user")
    return found


def _has_user() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


@contextmanager
def running_exim(design: RelayDesign, folder: Path) -> Iterator[Exim]:
    """Run Exim in the foreground, below a folder."""
    # Copied to where its user may enter, wherever this checkout lies.
    program = str(shutil.copy(exim_program(), folder))
    places = replace(design.places, exim_program=program)
    design = replace(design, places=places)
    config = folder / "exim.conf"
    config.write_text(render(design)["exim.conf"].text, "utf-8")
    for name in (places.exim_spool, str(Path(places.token).parent)):
        Path(name).mkdir(exist_ok=True)
        shutil.chown(name, USER)
    shutil.chown(places.server_certificate, USER)
    command = [program, "-C", str(config), "-bdf", "-q1s"]
    running = Program(
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command],
        dict(os.environ),
        folder / "exim.out",
    )
    running.start()
    found = Exim(design, config)
    try:
        eventually(
            lambda: answers(found.address),
            why=lambda: running.log.read_text() + found.log(),
        )
        yield found
    finally:
        running.kill()
