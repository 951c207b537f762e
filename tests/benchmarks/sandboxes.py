"""A sandbox of some number of tenants, and what it costs.

Processor time is that of the sandbox alone, read from /proc: the client's own work
does not count, and other work on the machine hardly does.
"""

import os
import ssl
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.sandbox.conftest import wait_until_ready

START_SECONDS = 120
GRAPH_SCOPE = "https://graph.microsoft.com/.default"

_TICKS = os.sysconf("SC_CLK_TCK")


class MeasuredSandbox:
    """A running sandbox with many tenants."""

    def __init__(self, folder: Path, tenants: int) -> None:
        """Start it and note how long that took, in seconds of wall and processor."""
        ready_file = folder / f"ready-{tenants}" / "ready.json"
        ready_file.parent.mkdir()
        options = ["--ready-file", str(ready_file), "--tenants", str(tenants)]
        begun = time.monotonic()
        command = [sys.executable, "-m", "runbook_lib.sandbox", *options]
        self._process = subprocess.Popen(command)
        self.ready = wait_until_ready(self._process, ready_file, START_SECONDS)
        self.start_seconds = time.monotonic() - begun
        self.start_cpu = self.cpu_seconds()
        self.tenants: list[dict[str, Any]] = self.ready["tenants"]
        context = ssl.create_default_context(cafile=self.ready["ca_file"])
        self._client = httpx.Client(
            base_url=self.ready["https"], verify=context, trust_env=False
        )

    def __enter__(self) -> Self:
        """Use it for the length of a with block."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._client.close()
        self._process.terminate()
        self._process.wait(30)

    def cpu_seconds(self) -> float:
        """Return the processor time of the sandbox so far."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_kilobytes(self) -> float:
        """Return the memory that belongs to the sandbox alone, in kB."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        private = [line.split()[1] for line in lines if line.startswith("Private_")]
        return float(sum(map(int, private)))

    def token(self, tenant: dict[str, Any]) -> str:
        """Return the operator's Graph token of a tenant."""
        answer = self._client.post(
            f"/{tenant['tenant_id']}/oauth2/v2.0/token",
            headers={"Host": "login.microsoftonline.com"},
            data={
                "grant_type": "client_credentials",
                "client_id": tenant["operator_client_id"],
                "client_secret": tenant["operator_client_secret"],
                "scope": GRAPH_SCOPE,
            },
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def read(self, token: str) -> None:
        """Read the applications of one name, as a step does."""
        answer = self._client.get(
            "/v1.0/applications?$filter=displayName eq 'SAP SMTP'",
            headers={"Host": "graph.microsoft.com", "Authorization": f"Bearer {token}"},
        )
        assert len(answer.json()["value"]) == 1, answer.text

    def milliseconds(self, work: Any, items: list[Any]) -> float:
        """Return the processor time of one call of `work`, in ms."""
        work(items[0])
        begun = self.cpu_seconds()
        for item in items:
            work(item)
        return 1000 * (self.cpu_seconds() - begun) / len(items)
