"""`python -m runbook_lib.batch.stock_worker LEASE PARENT`: one papermill run."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from runbook_lib.batch.journal import Journal
from runbook_lib.batch.lease import die_with_parent, receive


def main() -> None:
    """Take one request from the lease and execute it with papermill."""
    lease, parent = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    lease.set_inheritable(False)
    if sys.platform == "linux":
        die_with_parent(parent)
    request = receive(lease)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])

    from papermill.exceptions import PapermillExecutionError

    from runbook_lib.batch import papermill_engines

    papermill_engines.register()
    from nbclient.exceptions import DeadKernelError
    from papermill.execute import execute_notebook

    output = Path(request["journal"] + ".ipynb")
    try:
        execute_notebook(
            request["source"],
            str(output),
            parameters=request["parameters"],
            engine_name="stock",
            journal=Journal(Path(request["journal"])),
            progress_bar=False,
        )
    except (PapermillExecutionError, DeadKernelError):
        pass  # the journal tells
    finally:
        output.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
