"""What a process does that was forked from the template, for one tenant.

Environment, parameters and folder come over the lease, a socket that leads
straight to the process that runs the batch: the template never has them.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from runbook_lib.batch.executing import execute_cells
from runbook_lib.batch.journal import Journal
from runbook_lib.batch.lease import die_with_parent, receive
from runbook_lib.batch.shell import NotebookShell

# Collections of young objects touch what is shared with the template, and a
# tenant's process lives for a second or two.
SELDOM = (50_000, 20, 50)


def serve(lease: socket.socket, shell: NotebookShell, parent: int) -> NoReturn:
    """Take one request from the lease, execute it, and end."""
    _separate(lease.fileno(), parent)
    request = receive(lease)
    _enter(request["environment"], Path(request["folder"]))
    journal = Journal(Path(request["journal"]))
    sys.modules["__main__"] = shell.user_module
    try:
        execute_cells(request["cells"], shell, journal.write)
    finally:
        os._exit(0)


def _separate(lease: int, parent: int) -> None:
    """Become a process of its own: session, signals, descriptors, random numbers."""
    os.setsid()
    die_with_parent(parent)
    gc.set_threshold(*SELDOM)
    gc.enable()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, lease)
    os.closerange(lease + 1, os.sysconf("SC_OPEN_MAX"))
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    tempfile.tempdir = None


def _enter(environment: dict[str, str], folder: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
