"""Five hundred tenant files, some of them broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

from runbook_lib.cli.notebooks import find_notebook
from tests.batch.world import command_line
from tests.integration.world import running


def opening_only(folder: Path, name: str) -> None:
    """Write a notebook that opens its run and performs no step, for many tenants."""
    notebook = json.loads(find_notebook(name).path.read_bytes())
    kept = ("imports", "parameters", "open-run")
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] in kept]
    folder.mkdir()
    (folder / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")


def test_broken_files_are_refused_by_name(tmp_path: Path) -> None:
    """500 files, 20 broken: nothing starts; with --keep-going 480 run."""
    with running(tmp_path, "--tenants", "500") as world:
        files = [Path(tenant["tenant_file"]) for tenant in world.ready["tenants"]]
        for file in files[::25]:
            text = file.read_text("utf-8")
            file.write_text(re.sub("(?m)^mailbox: .*", "mailbox: nobody", text))
        command = ["batch", "0-choose-an-option", "--outputs", str(world.outputs)]
        command += ["--json", *(f"--tenants={file}" for file in files)]
        opening_only(tmp_path / "notebooks", "0-choose-an-option")
        refused = command_line(*command, folder=tmp_path)
        assert refused.returncode == 2
        assert refused.stderr.count("mailbox") == 20
        assert all(file.name in refused.stderr for file in files[::25])
        assert not world.outputs.exists()
        done = command_line(*command, "--keep-going", folder=tmp_path)
    found = json.loads(done.stdout)["tenants"]
    assert len(found) == 500
    assert sum(tenant["end"] == "completed" for tenant in found) == 480
    assert sum(tenant["exit_code"] == 2 for tenant in found) == 20
    assert done.returncode == 2
