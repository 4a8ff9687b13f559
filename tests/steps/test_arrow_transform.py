"""`transform_mode = "arrow"`: a plugin's function that gets whole batches."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyFailed
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.plugins import Plugins
from liberty.testing import build_fake_ctx
from tests.steps.copying import copy_step, rows, run

PLUGIN = """
import pyarrow as pa
import pyarrow.compute as pc

def adults(batch):
    kept = batch.filter(pc.greater_equal(batch["age"], 18))
    if not kept.num_rows:
        return None
    return pa.table({"label": pc.utf8_upper(kept["name"]), "id": kept["id"]})

def same(batch):
    return batch

def as_rows(batch):
    return batch.to_pylist()

def broken(batch):
    raise ZeroDivisionError

def uneven(batch):
    return batch.rename_columns(["id", "name", "age" if batch["id"][0].as_py() == 1 else "years"])
"""


@pytest.fixture
def module() -> str:
    """A name that no other test of this process has loaded."""
    return f"shape_{uuid.uuid4().hex}"


@pytest.fixture
def plugins(tmp_path: Path, module: str) -> Plugins:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / f"{module}.py").write_text(PLUGIN)
    return Plugins(tmp_path / "plugins")


@pytest.fixture
async def people(pools: ConnectorRegistry) -> None:
    await run(pools, "sqlite", "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)")
    await run(
        pools,
        "sqlite",
        "INSERT INTO people VALUES (1, 'Alice', 30), (2, 'Bob', 17), (3, NULL, NULL), (4, 'Charlie', 18)",
    )


async def transformed(
    pools: ConnectorRegistry, plugins: Plugins, module: str, name: str, **options: Any
) -> dict[str, Any]:
    step = copy_step(
        ("sqlite", "people"), ("pg", "t"), transform=f"{module}:{name}", transform_mode="arrow", **options
    )
    return (await step.execute(build_fake_ctx(connectors=pools, plugins=plugins.snapshot()))).extras


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("batch_size", [1, 2, 100])
async def test_a_transform_gets_batches(
    pools: ConnectorRegistry, plugins: Plugins, module: str, batch_size: int
) -> None:
    facts = await transformed(pools, plugins, module, "adults", batch_size=batch_size)
    assert (facts["rows_read"], facts["rows_written"], facts["rows_dropped"]) == (4, 2, 2)
    assert await rows(pools, "pg", "SELECT * FROM t ORDER BY id") == [("ALICE", 1), ("CHARLIE", 4)]


@pytest.mark.usefixtures("people")
async def test_what_fails_changes_nothing(
    pools: ConnectorRegistry, plugins: Plugins, module: str, caplog: pytest.LogCaptureFixture
) -> None:
    await transformed(pools, plugins, module, "same")
    before = await rows(pools, "pg", "SELECT * FROM t ORDER BY id")
    assert len(before) == 4
    with pytest.raises(
        CopyFailed, match="the transform returned a list; it returns a pyarrow RecordBatch or Table"
    ):
        await transformed(pools, plugins, module, "as_rows")
    with pytest.raises(ZeroDivisionError):
        await transformed(pools, plugins, module, "broken", batch_size=2)
    assert f"transform {module}:broken stopped at rows 1 to 2" in caplog.text
    with pytest.raises(
        CopyFailed, match="rows 2 and following: the transform returned the columns id, name, years"
    ):
        await transformed(pools, plugins, module, "uneven", batch_size=1)
    await run(pools, "sqlite", "UPDATE people SET age = 'old' WHERE id = 4")
    with pytest.raises(CopyFailed, match="row 4, column 'age': 'old' does not fit the Arrow type int64"):
        await transformed(pools, plugins, module, "same")
    assert await rows(pools, "pg", "SELECT * FROM t ORDER BY id") == before


def test_a_mode_without_a_transform_is_refused_at_load() -> None:
    side = {"connector": "a", "table": "t"}
    with pytest.raises(ValidationError, match="'transform_mode' belongs to 'transform'"):
        SqlCopyStep.model_validate({"source": side, "target": side, "transform_mode": "arrow"})
