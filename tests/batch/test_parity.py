"""Every shipped notebook on both engines, cell by cell."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.batch.world import Many, many
from tests.integration.world import running

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]-*.ipynb"))
CHANGING = (
    (r"\x1b\[[0-9;]*m", ""),
    (r"\d{8}T\d{6}Z-[0-9a-f]{6}", "RUN"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "TIME"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"[0-9a-f]{64}", "DIGEST"),
)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Many]:
    """Return a fresh sandbox with one tenant."""
    with running(tmp_path) as world:
        yield many(world)


def outputs(there: Many, notebook: str, engine: str) -> list[Any]:
    """Run a notebook; return its cells' sources, ends and outputs, made comparable."""
    done = there.batch("--engine", engine, notebook=notebook)
    (tenant,) = done.tenants.values()
    record = there.outputs / tenant["tenant"] / tenant["tenant_run"]
    executed = json.loads((record / "notebook.ipynb").read_bytes())
    cells = [
        comparable(
            {
                "kind": cell["cell_type"],
                "source": "".join(cell["source"]).strip(),
                "end": cell["metadata"]["runbook"],
                "status": cell["metadata"]["papermill"]["status"],
                "outputs": [joined(output) for output in cell.get("outputs", [])],
            }
        )
        for cell in executed["cells"]
    ]
    shutil.rmtree(there.outputs)
    return cells


def comparable(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell without what differs from run to run."""
    text = json.dumps(cell, ensure_ascii=False)
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    found: dict[str, Any] = json.loads(text)
    return found


def joined(value: Any) -> Any:
    """Join texts that nbformat stores as lists of lines."""
    if isinstance(value, dict):
        return {key: joined(item) for key, item in value.items()}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "".join(value)
    return value


@pytest.mark.ci
@pytest.mark.parametrize("notebook", SHIPPED)
def test_engines_agree(there: Many, notebook: str) -> None:
    """Sources, ends and outputs are the same, apart from times and ids."""

    direct = outputs(there, notebook, "direct")
    stock = outputs(there, notebook, "stock")
    assert len(direct) == len(stock)
    for ours, reference in zip(direct, stock, strict=True):
        assert ours == reference
