"""The warm template: a process from which those of the tenants are forked.

It is a fresh interpreter with one thread, has everything imported and used
once, and never holds a secret, an environment variable of a tenant or code of
a notebook. Run as `python -m runbook_lib.batch.template CONTROL PARENT`: the
number of the control socket, and the process that the template serves.

Requests over the control socket, JSON in one packet each:

    {"fork": tag}                with the lease as a passed descriptor
    {"signal": number, "pid": n} for the whole process group

Replies: {"ready": pid}, {"forked": pid, "tag": tag},
{"exited": pid, "status": n, "cpu": seconds, "rss": KiB}.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress

from runbook_lib.batch.child import serve
from runbook_lib.batch.lease import die_with_parent
from runbook_lib.batch.shell import NotebookShell, make_shell

PACKET = 1 << 16
END_OF_CONTROL = b""


class Template:
    """Forks on request, and reports how what it forked ended."""

    def __init__(self, control: socket.socket, shell: NotebookShell) -> None:
        """Serve this control socket."""
        self._control = control
        self._shell = shell
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._children: dict[int, int] = {}  # process file descriptor -> pid

    def run(self) -> None:
        """Serve until the control socket is closed; then nothing forked survives."""
        self._reply(ready=os.getpid())
        while True:
            for key, _events in self._selector.select():
                if key.fileobj is not self._control:
                    self._reap(key.fd)
                elif not self._answer():
                    self._end_all()
                    return

    def _answer(self) -> bool:
        """Answer one request; False when there will be no more."""
        packet, descriptors, _flags, _address = socket.recv_fds(
            self._control, PACKET, 1
        )
        if packet == END_OF_CONTROL:
            return False
        request = json.loads(packet)
        if "fork" in request:
            self._fork(request["fork"], socket.socket(fileno=descriptors[0]))
        else:
            self._send_signal(request["pid"], request["signal"])
        return True

    def _fork(self, tag: int, lease: socket.socket) -> None:
        template = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child(lease, template)
        lease.close()
        descriptor = os.pidfd_open(pid)
        self._children[descriptor] = pid
        self._selector.register(descriptor, selectors.EVENT_READ)
        self._reply(forked=pid, tag=tag)

    def _become_child(self, lease: socket.socket, template: int) -> None:
        """Serve the lease; the process never comes back from here."""
        try:
            serve(lease, self._shell, template)
        finally:
            os._exit(1)

    def _send_signal(self, pid: int, number: int) -> None:
        """Signal a child that was not reaped yet, and what it started."""
        if pid not in self._children.values():
            return
        try:
            os.killpg(pid, number)
        except ProcessLookupError:  # it has no group of its own yet
            os.kill(pid, number)

    def _reap(self, descriptor: int) -> None:
        pid = self._children.pop(descriptor)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        _pid, status, usage = os.wait4(pid, 0)
        with suppress(ProcessLookupError):  # what it started ends with it
            os.killpg(pid, signal.SIGKILL)
        self._reply(
            exited=pid,
            status=os.waitstatus_to_exitcode(status),
            cpu=usage.ru_utime + usage.ru_stime,
            rss=usage.ru_maxrss,
        )

    def _end_all(self) -> None:
        for pid in self._children.values():
            self._send_signal(pid, signal.SIGKILL)
        for pid in self._children.values():
            os.waitpid(pid, 0)

    def _reply(self, **fields: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self._control.send(json.dumps(fields).encode())


def threads() -> int:
    """Return how many threads this process has."""
    return len(os.listdir("/proc/self/task"))


def main() -> None:
    """Warm up, then serve."""
    gc.disable()  # importing makes no garbage that is worth looking for
    control, parent = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(control, False)
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch decides what ends
    shell = make_shell()
    # Only now: modules look for a shell when they are imported.
    from runbook_lib.batch.warming import warm_up

    warm_up(shell)
    gc.freeze()  # nothing is collected before: a hole would be filled by each child
    if threads() != 1:
        raise RuntimeError(f"the template has {threads()} threads, so it cannot fork")
    Template(socket.socket(fileno=control), shell).run()


if __name__ == "__main__":
    main()
