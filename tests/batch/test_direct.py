"""The direct engine: what a cell shows, how a process ends, what it cannot see."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from runbook_lib.batch.cells import Notebook
from runbook_lib.batch.ends import End
from runbook_lib.batch.fold import Fold, fold
from runbook_lib.batch.forking import DirectEngine
from runbook_lib.batch.journal import read_journal
from runbook_lib.batch.lease import has_ended
from runbook_lib.batch.processes import Process
from runbook_lib.batch.transforming import PythonFirst
from tests.batch.world import awaited, descendants

SECRET = "only-for-tenant-a-5e0d2b"


@pytest.fixture(scope="module")
def engine() -> Iterator[DirectEngine]:
    """Return a direct engine with a warm template."""
    with DirectEngine() as started:
        yield started


def notebook(*cells: str) -> Notebook:
    """Return a notebook of code cells."""
    code = {"cell_type": "code", "execution_count": None}
    made: list[dict[str, Any]] = [
        {**code, "metadata": {}, "outputs": [], "source": s} for s in cells
    ]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def begin(engine: DirectEngine, folder: Path, *cells: str, **variables: str) -> Process:
    """Have cells executed in a process of their own."""
    return engine.start(
        {
            "cells": list(cells),
            "environment": {"PATH": os.environ["PATH"], **variables},
            "folder": str(folder),
            "journal": str(folder / "journal"),
        }
    )


def wait(engine: DirectEngine, process: Process) -> None:
    """Wait until a process has ended."""
    while process.exit is None:
        select.select([engine], [], [], 1)
        engine.collect()
    process.lease.close()


def ran(engine: DirectEngine, folder: Path, *cells: str, **variables: str) -> Fold:
    """Execute cells and return the notebook that the journal makes."""
    wait(engine, begin(engine, folder, *cells, **variables))
    found = fold(notebook(*cells), read_journal(folder / "journal"))
    found.finish(found.ended())
    return found


def outputs(found: Fold) -> list[list[dict[str, Any]]]:
    """Return the outputs, cell by cell."""
    return [cell["outputs"] for cell in found.notebook["cells"]]


def shown(found: Fold) -> list[str]:
    """Return the text of each cell's first output."""
    texts = (cell["outputs"][0] for cell in found.notebook["cells"] if cell["outputs"])
    return [o.get("text") or o["data"]["text/plain"] for o in texts]


def ends(found: Fold) -> list[str]:
    """Return how each cell ended."""
    return [cell["metadata"]["runbook"]["end"] for cell in found.notebook["cells"]]


def test_streams_keep_their_order(engine: DirectEngine, tmp_path: Path) -> None:
    """What goes to the two streams is shown in the order in which it was written."""
    code = "import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')\n'd'"
    (first,) = outputs(ran(engine, tmp_path, code))
    kinds = [(o.get("name"), o.get("text")) for o in first[:3]]
    assert kinds == [("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c\n")]
    assert first[3]["output_type"] == "execute_result"
    assert first[3]["data"]["text/plain"] == "'d'"


def test_other_programs_are_heard(engine: DirectEngine, tmp_path: Path) -> None:
    """What a program writes that a cell starts belongs to the cell."""
    code = "import subprocess\nsubprocess.run(['sh', '-c', 'echo out; echo err >&2'])"
    texts = {o["name"]: o["text"] for o in outputs(ran(engine, tmp_path, code))[0][1:]}
    assert texts == {"stdout": "out\n", "stderr": "err\n"}


def test_ends_of_cells_are_heeded(engine: DirectEngine, tmp_path: Path) -> None:
    """A semicolon silences a value, one within a text does not; await waits."""
    waiting = "import asyncio\nawait asyncio.sleep(0)\n'waited'"
    found = ran(engine, tmp_path, "1;", "';'", "2  # ;", waiting)
    texts = [[o["data"]["text/plain"] for o in shown] for shown in outputs(found)]
    assert texts == [[], ["';'"], ["2"], ["'waited'"]]


CELLS = (
    *("%time 1", "x = !ls", "  a = 1", "\n\na = 1", "In [1]: x", ">>> 1", "a?", "ls"),
    *("x = %pwd", "%%bash\nls", '"""\n%a\n"""', "a = (1\n%b)", "# what?", "", "a;"),
    *(
        "a\n...",
        "x = '?'",
        "1 #?",
        "a\r\nb",
        "f'{a!r}'",
        "await x",
        "def f(): pass\n\n",
    ),
    *('"""\n>>> 1\n"""', "a = [\n  1]\n", "a\\\n=1", "\x00", "(", "a.b.c(d)\n"),
)


@pytest.mark.parametrize("cell", CELLS)
def test_cells_become_the_python_of_ipython(cell: str) -> None:
    """What is left as it is, IPython would have left as it is."""
    reference = TransformerManager()  # type: ignore[no-untyped-call]
    assert PythonFirst().transform_cell(cell) == reference.transform_cell(cell)


def test_another_transformer_is_asked() -> None:
    """One that somebody added sees every cell."""
    manager = PythonFirst()
    manager.line_transforms.append(lambda lines: ["changed\n"])
    assert manager.transform_cell("1") == "changed\n"


def test_displays_are_updated(engine: DirectEngine, tmp_path: Path) -> None:
    """A display with an id gets its new content, also from a later cell."""
    first = (
        "from IPython.display import HTML, display\n"
        "handle = display(HTML('old'), display_id=True)"
    )
    found = ran(engine, tmp_path, first, "handle.update(HTML('new'))")
    assert outputs(found)[0][0]["data"]["text/html"] == "new"
    assert outputs(found)[1] == []


def test_widgets_leave_their_state(engine: DirectEngine, tmp_path: Path) -> None:
    """The state of widgets is stored in the notebook, as front ends expect it."""
    found = ran(engine, tmp_path, "import ipywidgets\nipywidgets.IntSlider(3)")
    (stored,) = found.notebook["metadata"]["widgets"].values()
    names = {model["model_name"] for model in stored["state"].values()}
    assert "IntSliderModel" in names
    view = outputs(found)[0][0]["data"]["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] in stored["state"]


def test_nobody_answers_a_question(engine: DirectEngine, tmp_path: Path) -> None:
    """input() fails, as it does under papermill."""
    found = ran(engine, tmp_path, "input('?')")
    assert outputs(found)[0][0]["ename"] == "StdinNotImplementedError"


def test_a_failed_cell_stops_the_notebook(engine: DirectEngine, tmp_path: Path) -> None:
    """The cells after one that raised did not run."""
    found = ran(engine, tmp_path, "1", "1 / 0", "3")
    assert ends(found) == ["completed", "failed", "not run"]
    assert found.ended() is End.FAILED
    states = [c["metadata"]["papermill"]["status"] for c in found.notebook["cells"]]
    assert states == ["completed", "failed", "pending"]
    assert found.notebook["metadata"]["papermill"]["exception"] is True


@pytest.mark.parametrize(
    "death", ["import os, signal; os.kill(os.getpid(), 9)", "import os; os._exit(0)"]
)
def test_a_dead_process_is_not_completed(
    engine: DirectEngine, tmp_path: Path, death: str
) -> None:
    """Whatever ended the process, its cell died and the rest did not run."""
    found = ran(engine, tmp_path, "print('before')", f"print('said')\n{death}", "3")
    assert ends(found) == ["completed", "died", "not run"]
    assert found.ended() is End.DIED
    assert found.notebook["metadata"]["runbook"] == {"end": "died"}


def test_an_interrupted_cell_is_told_apart(
    engine: DirectEngine, tmp_path: Path
) -> None:
    """A cell that a signal of the batch ended is timed out, not failed."""
    process = begin(engine, tmp_path, "import time\ntime.sleep(60)", "2")
    awaited(lambda: list(read_journal(tmp_path / "journal")))
    engine.signal(process, signal.SIGINT)
    wait(engine, process)
    found = fold(notebook("…", "2"), read_journal(tmp_path / "journal"))
    found.finish(End.TIMED_OUT)
    assert ends(found) == ["timed out", "not run"]


def test_one_process_sees_nothing_of_another(
    engine: DirectEngine, tmp_path: Path
) -> None:
    """Secrets, modules, environment, working folder and exceptions stay apart."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    spoil = (
        "import builtins, os, sys, types, json\n"
        f"builtins.leak = {SECRET!r}\n"
        "sys.modules['stranger'] = types.ModuleType('stranger')\n"
        "os.environ['STRANGE'] = '1'; os.chdir('/'); json.dumps = None\n"
        "sys.path.insert(0, '/strange'); raise ValueError(os.environ['SECRET'])"
    )
    ran(engine, tmp_path / "a", spoil, SECRET=SECRET)
    look = (
        "import builtins, gc, json, os, sys\n"
        "found = [hasattr(builtins, 'leak'), 'stranger' in sys.modules,\n"
        " 'STRANGE' in os.environ, 'SECRET' in os.environ, '/strange' in sys.path,\n"
        " json.dumps is None, hasattr(sys, 'last_value') and bool(sys.last_value)]\n"
        "print(os.getcwd())\nfound"
    )
    found = ran(engine, tmp_path / "b", look)
    assert shown(found)[0] == f"{tmp_path / 'b'}\n"
    assert outputs(found)[0][1]["data"]["text/plain"] == str([False] * 7)


def test_template_never_has_a_secret(engine: DirectEngine, tmp_path: Path) -> None:
    """Neither its memory nor that of a later process holds one of another tenant."""
    for _ in range(3):
        ran(engine, tmp_path, "import os\nkept = os.environ['SECRET']", SECRET=SECRET)
    (template,) = engine.pids()
    assert SECRET.encode() not in memory(template)
    later = begin(engine, tmp_path, "import time\ntime.sleep(60)")
    awaited(lambda: list(read_journal(tmp_path / "journal")))
    assert SECRET.encode() not in memory(later.pid)
    engine.signal(later, signal.SIGKILL)
    wait(engine, later)


def test_unread_request_is_no_surprise(engine: DirectEngine, tmp_path: Path) -> None:
    """A process that is killed before it has read its request has ended."""
    request = {
        "cells": ["1"],
        "environment": {"LARGE": "x" * 100_000},
        "folder": str(tmp_path),
        "journal": str(tmp_path / "journal"),
    }
    for _ in range(5):
        process = engine.start(request)
        os.kill(process.pid, signal.SIGKILL)
        select.select([process.lease], [], [], 5)
        assert has_ended(process.lease)
        wait(engine, process)


def test_a_reset_lease_has_ended() -> None:
    """The end of the socket whose other side did not read what was sent."""
    ours, theirs = socket.socketpair()
    with ours:
        ours.send(b"unread")
        theirs.close()
        assert has_ended(ours)


def memory(pid: int) -> bytes:
    """Return what can be read of a process's writable memory."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            place, rights, *_ = line.split()
            if rights.startswith("rw"):
                start, end = (int(part, 16) for part in place.split("-"))
                mem.seek(start)
                found.append(mem.read(end - start))
    assert found
    return b"".join(found)


def test_processes_are_their_own(engine: DirectEngine, tmp_path: Path) -> None:
    """Own session, own random numbers, no descriptor but lease and journal."""
    code = (
        "import os, random, secrets, uuid\n"
        "opened = len(os.listdir('/proc/self/fd')) - 1\n"
        "threads = len(os.listdir('/proc/self/task'))\n"
        "(os.getsid(0) == os.getpid(), threads, opened, random.random(),\n"
        " uuid.uuid4().hex, secrets.token_hex(4))"
    )
    seen = [
        eval(shown(ran(engine, tmp_path, code))[0])  # noqa: S307 - a tuple we made
        for _ in range(2)
    ]
    for own, threads, opened, *_chance in seen:
        assert (own, threads) == (True, 1)
        assert opened == 5  # 0, 1, 2, lease, journal
    assert not set(seen[0][3:]) & set(seen[1][3:])


def test_nothing_outlives_its_parent(tmp_path: Path) -> None:
    """When the engine is closed, or its template is killed, no process remains."""
    for closing in (True, False):
        engine = DirectEngine()
        process = begin(engine, tmp_path, "import time\ntime.sleep(60)")
        (template,) = engine.pids()
        awaited(lambda p=template: len(descendants(p)) == 1)
        if not closing:
            os.kill(template, signal.SIGKILL)
        engine.close()
        awaited(lambda p=process: not Path(f"/proc/{p.pid}").exists(), patience=10)
        process.lease.close()


def test_death_is_seen_at_once(engine: DirectEngine, tmp_path: Path) -> None:
    """The lease says so, without polling."""
    process = begin(engine, tmp_path, "import time\ntime.sleep(60)")
    awaited(lambda: list(read_journal(tmp_path / "journal")))
    killed = time.monotonic()
    os.kill(process.pid, signal.SIGKILL)
    assert process.lease.recv(1) == b""
    assert time.monotonic() - killed < 5
    wait(engine, process)
    assert process.exit is not None
    assert process.exit.status == -signal.SIGKILL
