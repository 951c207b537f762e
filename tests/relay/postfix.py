"""A Postfix of our own on loopback, made from rendered files alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runbook_lib.relay.bundle import LOG_UNIT, render
from runbook_lib.relay.design import RelayDesign
from runbook_lib.relay.places import Places
from tests.sandbox.outsider import require

PATIENCE = 40.0


def eventually(
    true: Callable[[], bool],
    *,
    within: float = PATIENCE,
    why: Callable[[], str] = lambda: "it did not come true",
) -> None:
    """Wait until something is true; fail with what `why` says by then."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, why()
        time.sleep(0.1)


def places(folder: Path, trust: Path) -> Places:
    """Return places below a folder that every user may enter."""
    return Places(
        config=str(folder / "etc"),
        queue=str(folder / "spool"),
        data=str(folder / "data"),
        log=str(folder / "maillog"),
        log_prefixes=str(folder),
        trust=str(trust),
        server_certificate=str(folder / "server.pem"),
        client_certificate=str(folder / "client.pem"),
        proxy_config=str(folder / "emailproxy.config"),
        proxy_certificate=str(folder / "application.crt"),
        proxy_key=str(folder / "application.key"),
        token=str(folder / "token" / "token.json"),
        exim_spool=str(folder / "exim"),
        exim_log=str(folder / "exim" / "%slog"),
        exim_user="Debian-exim",
        lookup="native",
        backoff=(1, 2),
    )


@dataclass
class Postfix:
    """One instance: its design, its folder, and what it has in its queue."""

    design: RelayDesign
    folder: Path

    @property
    def config(self) -> str:
        """Return the folder of main.cf."""
        return self.design.places.config

    @property
    def address(self) -> tuple[str, int]:
        """Return where SAP hands over."""
        return self.design.listen, self.design.port

    def log(self) -> str:
        """Return what it wrote into its log."""
        path = Path(self.design.places.log)
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def install(self) -> None:
        """Write the rendered files to their places, and nothing else."""
        require("postfix", "postfix")
        for folder in ("etc", "spool", "data", "token"):
            (self.folder / folder).mkdir(exist_ok=True)
        shutil.chown(self.folder / "data", "postfix")
        shutil.chown(self.folder / "token", "postfix")
        for file in render(self.design).values():
            if file.path is not None and file.path.startswith(str(self.folder)):
                Path(file.path).write_text(file.text, "utf-8")
                Path(file.path).chmod(file.mode)

    def postfix(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a `postfix` command for this instance."""
        return _run("postfix", "-c", self.config, command)

    def parameters(self) -> subprocess.CompletedProcess[str]:
        """Return what postconf shows of main.cf, and warns about."""
        return _run("postconf", "-c", self.config, "-n")

    def start(self) -> None:
        """Start as its systemd unit would, and wait until the port answers."""
        for line in render(self.design)[LOG_UNIT].text.splitlines():
            if line.startswith("ExecStartPre="):
                subprocess.run(line.partition("=")[2].split(), check=True)
        done = self.postfix("start")
        assert done.returncode == 0, done.stderr + self.log()
        eventually(lambda: answers(self.address), why=self.log)

    def stop(self) -> None:
        """Stop it; one that is down already is no fault."""
        self.postfix("stop")
        eventually(lambda: not self.processes(), why=self.log)

    def processes(self) -> list[int]:
        """Return the ids of the master and of all its children."""
        path = Path(self.design.places.queue, "pid", "master.pid")
        if not path.exists():
            return []
        master = int(path.read_text("ascii"))
        return [pid for pid in (master, *children(master)) if is_postfix(pid)]

    def kill(self) -> None:
        """End the master and every child without warning, as a power failure."""
        found = self.processes()
        assert found, "Postfix does not run"
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: not any(map(is_postfix, found)))

    def flush(self) -> None:
        """Try everything in the queue now."""
        _run("postqueue", "-c", self.config, "-f")

    def queue(self) -> list[dict[str, object]]:
        """Return the messages in the queue, as postqueue -j tells them."""
        done = _run("postqueue", "-c", self.config, "-j")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def reasons(self) -> str:
        """Return why the messages in the queue wait."""
        recipients = [r for m in self.queue() for r in _recipients(m)]
        return " | ".join(str(r.get("delay_reason", "")) for r in recipients)

    def emptied(self, within: float = PATIENCE) -> None:
        """Wait for an empty queue, trying everything again and again."""

        def empty() -> bool:
            self.flush()
            return not self.queue()

        eventually(
            empty, within=within, why=lambda: self.reasons() + self.log()[-3000:]
        )

    def deferred(self, reason: str = "", within: float = PATIENCE) -> str:
        """Wait until a message waits for this reason, and return all reasons.

        A first try may have met a server that was only starting, so there are more.
        """

        def waits() -> bool:
            reasons = self.reasons().strip(" |")
            if reasons and reason not in reasons:
                self.flush()
            return bool(reasons) and reason in reasons

        eventually(waits, within=within, why=lambda: self.reasons() + self.log())
        return self.reasons()


def _recipients(message: Mapping[str, object]) -> list[dict[str, object]]:
    found = message["recipients"]
    assert isinstance(found, list)
    return found


def children(parent: int) -> list[int]:
    """Return the ids of a process's children."""
    found = Path(f"/proc/{parent}/task/{parent}/children")
    with suppress(OSError):
        return [int(text) for text in found.read_text("ascii").split()]
    return []


def is_postfix(pid: int) -> bool:
    """Tell whether a process lives and is one of Postfix."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/stat").read_text("ascii")
        program = os.readlink(f"/proc/{pid}/exe")
        return "/postfix/" in program and ") Z " not in status
    return False


def answers(address: tuple[str, int]) -> bool:
    """Tell whether a port is open."""
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60
    )


@contextmanager
def running(design: RelayDesign, folder: Path) -> Iterator[Postfix]:
    """Install and run a relay; stopped at the end, whatever happened."""
    relay = Postfix(design, folder)
    relay.install()
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()


class Relay(Protocol):
    """Whatever takes mail at an address."""

    @property
    def address(self) -> tuple[str, int]:
        """Return where SAP hands over."""


def swaks(
    relay: Relay,
    *more: str,
    sender: str = "sap@contoso.com",
    recipient: str = "inbox@contoso.com",
) -> subprocess.CompletedProcess[str]:
    """Hand one message to a relay as SAP would, with swaks, under TLS."""
    program = require("swaks", "swaks")
    host, port = relay.address
    return _run(
        program,
        *("--server", host, "--port", str(port), "--ehlo", "sap1.contoso.com"),
        *("--from", sender, "--to", recipient, "--tls"),
        *more,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str | None:
    """Return the code of swaks' first refused command, or None."""
    found = re.search(r"^ *<[-~*]\* +(\d{3}[ -].*)$", done.stdout + done.stderr, re.M)
    return found[1] if found else None
