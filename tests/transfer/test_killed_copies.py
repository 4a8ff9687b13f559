"""A copy that is killed or aborted at a batch boundary: the target is as it was and nothing is left."""

import asyncio
import logging
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyOutcome, CopyRequest, Place, copy
from liberty.etl.transfer.request import Mode

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2500)"
SOURCES = {
    "lite": f"{NUMBERS} SELECT i AS id, 'x' AS name FROM n",
    "pg": "SELECT i AS id, 'x' AS name FROM generate_series(1, 2500) AS i",
}
PAIRS = [("lite", "pg"), ("pg", "into"), ("lite", "into")]
BATCHES = [1, 2, 3, 4, 5]

VICTIM = """
import asyncio, logging, os, signal, sys
from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyRequest, Place, copy

source, target, query, mode, batch = sys.argv[1:]

class Killer(logging.Handler):
    def emit(self, record):
        if f"batch {batch} " in record.getMessage():
            os.kill(os.getpid(), signal.SIGKILL)

logging.getLogger("nomaflow.sql_copy").setLevel(logging.INFO)
logging.getLogger("nomaflow.sql_copy").addHandler(Killer())

async def main():
    registry = ConnectorRegistry({"pools": {"a": {"url": source}, "b": {"url": target}}})
    place = Place("a", query=query)
    await copy(CopyRequest(
        connectors=registry, source=place, target=Place("b", table="t"), label="v", mode=mode, batch_size=500
    ))

asyncio.run(main())
"""


@pytest.fixture
async def pools(tmp_path: Path, pg_url: str) -> AsyncIterator[ConnectorRegistry]:
    registry = ConnectorRegistry(
        {
            "pools": {
                "pg": {"url": pg_url},
                "lite": {"url": f"sqlite:///{tmp_path}/a.db"},
                "into": {"url": f"sqlite:///{tmp_path}/b.db"},
            }
        }
    )
    for pool in ("pg", "into"):
        await registry.sql(pool).execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20))")
        await registry.sql(pool).execute("INSERT INTO t VALUES (7, 'old')")
    yield registry
    await registry.close()


async def assert_untouched(pools: ConnectorRegistry, target: str) -> None:
    assert [tuple(row.values()) for row in await pools.sql(target).rows("SELECT * FROM t")] == [(7, "old")]
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    async with asyncio.timeout(20):
        while await pools.sql("pg").scalar(f"SELECT count(*) {others}"):
            await asyncio.sleep(0.02)
    stages = "LIKE 'nomaflow_stage%'"
    assert await pools.sql("pg").scalar(f"SELECT count(*) FROM pg_class WHERE relname {stages}") == 0
    file = pools.sql("into").engine.url.database or ""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute(f"SELECT * FROM sqlite_master WHERE name {stages}").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


class Aborter(logging.Handler):
    """Cancels a task when a batch is done."""

    def __init__(self, batch: int, task: "asyncio.Task[CopyOutcome]") -> None:
        super().__init__()
        self._line = f"batch {batch} "
        self._task = task
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        if self._line in record.getMessage():
            self._loop.call_soon_threadsafe(self._task.cancel)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("mode", ["overwrite", "upsert"])
async def test_an_abort_at_every_batch_boundary(
    pools: ConnectorRegistry, source: str, target: str, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nomaflow.sql_copy")
    logger = logging.getLogger("nomaflow.sql_copy")
    for batch in BATCHES:
        request = CopyRequest(
            connectors=pools,
            source=Place(source, query=SOURCES[source]),
            target=Place(target, table="t"),
            label="a",
            mode=mode,
            batch_size=500,
        )
        task = asyncio.create_task(copy(request))
        aborter = Aborter(batch, task)
        logger.addHandler(aborter)
        await asyncio.wait({task})
        logger.removeHandler(aborter)
        assert task.cancelled()
        await assert_untouched(pools, target)
        assert [pool["checked_out"] for pool in pools.pools.stats()] == [0, 0, 0]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("batch", BATCHES)
async def test_a_process_killed_at_a_batch_boundary(
    pools: ConnectorRegistry, source: str, target: str, batch: int
) -> None:
    urls = [pools.pools.engine(pool).url.render_as_string(hide_password=False) for pool in (source, target)]
    mode = "overwrite" if batch % 2 else "upsert"
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", VICTIM, *urls, SOURCES[source], mode, str(batch)
    )
    assert await victim.wait() == -9
    await assert_untouched(pools, target)
    place = Place(source, query=SOURCES[source])
    again = CopyRequest(
        connectors=pools, source=place, target=Place(target, table="t"), label="v", mode="overwrite"
    )
    assert (await copy(again)).target_rows == 2500
