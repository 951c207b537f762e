"""The lease: a socket between the process that runs a batch and a tenant's process.

What a tenant's process needs travels over it and over nothing else: cells,
parameters, environment. It reads empty once the process is gone.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
from typing import Any

PR_SET_PDEATHSIG = 1
LENGTH = 4
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Be killed when the parent process ends, however it ends.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)


def has_ended(lease: socket.socket) -> bool:
    """Tell whether the process at the other end is gone, once something is there.

    One that is killed before it has read its request resets the connection.
    """
    try:
        return not lease.recv(1)
    except ConnectionResetError:
        return True


def send(lease: socket.socket, request: dict[str, Any]) -> None:
    """Send one request: four bytes of length, then JSON."""
    data = json.dumps(request).encode()
    lease.sendall(len(data).to_bytes(LENGTH, "big") + data)


def receive(lease: socket.socket) -> dict[str, Any]:
    """Receive one request; the process ends if the other side is gone."""
    with lease.makefile("rb") as stream:
        length = stream.read(LENGTH)
        data = stream.read(int.from_bytes(length, "big"))
    if not data:
        os._exit(1)
    request: dict[str, Any] = json.loads(data)
    return request
