"""JupyterLab with private folders on loopback, and the page that shows it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]
FOLDERS = (
    *("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"),
    *("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR"),
)
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its root folder, port and token."""

    root: Path
    port: int
    token: str

    def url(self, path: str) -> str:
        """Return the address that opens a notebook in a fresh workspace."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{path}?token={self.token}&reset"

    def call(self, method: str, path: str) -> Any:
        """Call the server's API and return its JSON, or None."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            body = answer.read()
        return json.loads(body) if body else None

    def end_sessions(self) -> None:
        """End all kernels; they outlive the browser otherwise."""
        for session in self.call("GET", "sessions"):
            self.call("DELETE", f"sessions/{session['id']}")


@contextmanager
def running_lab(folder: Path, environment: Mapping[str, str]) -> Iterator[Lab]:
    """Start JupyterLab, yield it once it answers, and end it by its pid."""
    lab = Lab(folder / "root", _free_port(), secrets.token_hex(16))
    lab.root.mkdir(parents=True)
    private = {name: str(folder / name.lower()) for name in FOLDERS}
    _silence(Path(private["JUPYTERLAB_SETTINGS_DIR"]))
    log = (folder / "lab.log").open("wb")
    process = subprocess.Popen(
        _command(lab),
        env={**os.environ, **private, **environment},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait(lab, process)
        yield lab
        lab.end_sessions()
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _command(lab: Lab) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
        f"--port={lab.port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={lab.token}",
        f"--ServerApp.root_dir={lab.root}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]


def _silence(settings: Path) -> None:
    folder = settings / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(lab: Lab, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            lab.call("GET", "status")
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"JupyterLab did not start: see {lab.root.parent}/lab.log")


class NotebookPage:
    """One notebook in the browser; methods wait until what they ask for is there."""

    def __init__(self, page: Any, lab: Lab, path: str) -> None:
        """Open the notebook and wait for its kernel."""
        self.page = page
        self.lab = lab
        self.path = path
        page.goto(lab.url(path))
        self.ready()

    def ready(self) -> None:
        """Wait for the notebook and its kernel: idle alone is said too early."""
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session"
            "?.kernel?.connectionStatus === 'connected'",
            timeout=60_000,
        )
        self.idle()

    def idle(self) -> None:
        """Wait until the kernel does nothing."""
        mark = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
        self.page.locator(mark).first.wait_for(timeout=60_000)

    def run_all(self) -> None:
        """Run all cells, and wait for the last."""
        self.command("notebook:run-all-cells")
        self.idle()

    def run_cell(self, number: int) -> None:
        """Run one cell again."""
        self.cell(number).locator(".jp-InputPrompt").click()
        self.command("notebook:run-cell")
        self.idle()

    def command(self, name: str) -> None:
        """Perform one of JupyterLab's commands and wait for its end."""
        self.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)

    def restart_kernel(self) -> None:
        """Restart the kernel as the menu does, without a dialog."""
        self.page.evaluate(
            "async () => await window.jupyterapp.shell.currentWidget"
            ".sessionContext.session.kernel.restart()"
        )
        self.ready()

    def reload(self) -> None:
        """Save and reload the page; the kernel goes on."""
        self.command("docmanager:save")
        self.page.reload()
        self.ready()

    def cell(self, number: int) -> Any:
        """Return a code cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def button(self, number: int, name: str) -> Any:
        """Return a button of a cell's panel."""
        return self.cell(number).get_by_role("button", name=name, exact=True)

    def panel(self, number: int) -> Any:
        """Return the widget that holds a cell's live card."""
        return self.cell(number).locator(".rb-live")

    def card(self, number: int) -> Any:
        """Return the live card of a cell."""
        return self.panel(number).locator(".rb").first

    def static(self, number: int) -> Any:
        """Return the static card of a cell."""
        return self.cell(number).locator(".rb-static .rb").first

    def status(self, number: int) -> Any:
        """Return what the panel tells last."""
        return self.cell(number).locator("[role=status],[role=alert]").last
