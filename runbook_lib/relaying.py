"""What notebook 4 calls: the relay's files into the record, and SAP's values."""

from __future__ import annotations

from runbook_lib.clients.private_files import prepare_folder, write_private
from runbook_lib.relay.bundle import render
from runbook_lib.relay.guards import refusals
from runbook_lib.relay.request import designed
from runbook_lib.running import Run
from runbook_lib.sap.relay_node import relay_node
from runbook_lib.views import frontend
from runbook_lib.views.values import values_table

FOLDER = "relay"


def relay_files(run: Run) -> None:
    """Write the files of the relay into the record, and show where each goes.

    What a guard refuses is not written, and that is said.
    """
    design = designed(run.tenant, run.parameters.values)
    if refusals(design):
        print("No files were written: the configuration is refused, as said above.")
        return
    folder = run.record.folder / FOLDER
    prepare_folder(folder)
    for name, file in render(design).items():
        write_private(folder / name, file.text.encode())
        where = f"{file.path}, mode {file.mode:04o}" if file.path else "see README.md"
        print(f"{FOLDER}/{name}: {where}")


def relay_server_values(run: Run, *, domain: str) -> None:
    """Show what SAP Basis enters: the relay as mail host, and no logon data."""
    rows = relay_node(run.parameters["relay_host"], domain)
    frontend.show_html(*values_table([vars(row) for row in rows]))
