"""A run killed with its kernel, through papermill and through the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from runbook_lib.cli.notebooks import find_notebook
from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.record import EVENTS
from tests.integration.alike import alike, differing, marked
from tests.integration.fault_bench import Bench
from tests.integration.fault_cases import LAG, Undisturbed, undisturbed
from tests.integration.world import NOTEBOOK, runbook

pytestmark = pytest.mark.ci

RUN = "killed-run"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a sandbox for runs with a client secret."""
    with Bench.open(tmp_path / "bench", "secret") as bench:
        yield bench


def kill_at(bench: Bench, command: list[str], place: int, when: str) -> None:
    """Start a command, and kill it with all its processes where the sandbox stalls."""
    bench.disturb(LAG, f"request-stall-{when}={place}")
    child = subprocess.Popen(
        command,
        start_new_session=True,
        cwd=bench.world.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    deadline = time.monotonic() + 120
    while b'"stalled' not in bench.tail():
        assert child.poll() is None, "it ended before the request"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def same_again(bench: Bench, command: list[str]) -> None:
    """Run the same command again, to its end."""
    done = subprocess.run(
        command,
        cwd=bench.world.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode in (0, 3), done.stderr


def place_of(reference: Undisturbed, what: str) -> int:
    """Return the place of a request in the undisturbed run."""
    return [request.what for request in reference.requests].index(what) + 1


def judge(bench: Bench, reference: Undisturbed) -> None:
    """Compare what came of it with the undisturbed run, and roll it back."""
    told: tuple[Event, ...] = read_chain(bench.world.record(RUN) / EVENTS).events
    kinds = [event["event"] for event in told]
    assert kinds.count("run.resumed") == 1
    assert kinds[-1] == "run.closed"
    dump = bench.world.dump()
    assert differing(alike(dump, bench.start, told, RUN), reference.dump) == []
    assert max(marked(dump, RUN).values()) == 1
    assert bench.stored() == reference.stored
    back = runbook(
        *("run", NOTEBOOK, "--tenant", bench.world.tenant_file, "--json"),
        *("--mode", "rollback", "-p", f"record={RUN}"),
        *("-p", f"outputs={bench.world.outputs}"),
    )
    assert json.loads(back.stdout)["result"] == "rolled back"
    assert bench.world.dump() == bench.start
    assert bench.stored() == 0


def test_through_papermill(bench: Bench) -> None:
    """The record stays open, the same command resumes it, and seal closes it."""
    reference = undisturbed(bench)
    given = bench.world.given("apply", run_id=RUN, **bench.given)
    file, out = bench.world.folder / "given.yaml", bench.world.folder / "out.ipynb"
    file.write_text(yaml.safe_dump(given), "utf-8")
    command = [
        *(
            sys.executable,
            "-m",
            "papermill",
            str(find_notebook(NOTEBOOK).path.resolve()),
        ),
        *(str(out), "-f", str(file), "--no-progress-bar"),
    ]
    kill_at(bench, command, place_of(reference, "addPassword"), "after")
    same_again(bench, command)
    sealed = runbook("seal", bench.world.record(RUN), "--notebook", out, "--json")
    assert json.loads(sealed.stdout)["result"] == reference.result, sealed.stderr
    judge(bench, reference)


def test_through_the_command_line(bench: Bench) -> None:
    """The closing process dies as well; the same command resumes and closes."""
    reference = undisturbed(bench)
    given = {"outputs": str(bench.world.outputs), "run_id": RUN, **bench.given}
    pairs = [part for n, v in given.items() for part in ("-p", f"{n}={v}")]
    command = [
        *(sys.executable, "-m", "runbook_lib.cli", "run", NOTEBOOK),
        *("--tenant", str(bench.world.tenant_file), "--mode", "apply", *pairs),
    ]
    kill_at(bench, command, place_of(reference, "Set-CASMailbox"), "before")
    same_again(bench, command)
    judge(bench, reference)
