"""Experiments touch nothing of anybody: a database in use is refused, and what they made is gone afterwards."""

from pathlib import Path

import pytest
from sqlalchemy import text

from liberty.chaos import Plan
from liberty.chaos.cluster import arranged, job
from liberty.database import Tx, open_database
from liberty.database.sandbox import PREFIX
from liberty.errors import Conflict, Invalid
from liberty.jobs.store import runs
from tests.factories import NOW, migrated, run_of

JOBS = job("quick", "work", "single_instance = false")
_SCHEMAS = text("SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE :prefix")
_TABLES = text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")


@pytest.mark.timeout(120)
async def test_on_postgresql_nothing_is_left_and_nothing_else_was_touched(pg_url: str) -> None:
    async def left(tx: Tx) -> tuple[int, int]:
        return await tx.scalar(_SCHEMAS, {"prefix": f"{PREFIX}%"}), await tx.scalar(_TABLES)

    database = open_database(pg_url)
    try:
        async with arranged(Plan(database=pg_url, replicas=1), JOBS) as cluster:
            run_id = (await cluster.replicas[0].trigger("quick"))["run_id"]
            row = await cluster.ended(run_id, 60)
            assert row is not None
            assert row.status == "succeeded"
            assert {mark.run_id for mark in cluster.marks()} == {run_id}
            assert await database.read(left) == (1, 0)
        assert await database.read(left) == (0, 0)
        assert not cluster.folder.exists()
        assert not cluster.replicas[0].alive
    finally:
        await database.close()


async def test_a_database_with_run_history_is_refused(pg_url: str) -> None:
    async with migrated(pg_url) as database:
        await database.write(runs.insert_queued, run_of(), NOW)
        with pytest.raises(Conflict, match="run history of an installation"):
            async with arranged(Plan(database=pg_url, replicas=1), JOBS):
                pass


async def test_a_file_that_exists_is_refused_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "mine.db"
    file.write_bytes(b"mine")
    with pytest.raises(Conflict, match="exists"):
        async with arranged(Plan(database=f"sqlite:///{file}"), JOBS):
            pass
    assert file.read_bytes() == b"mine"


async def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(Invalid, match="sqlite:///FILE or postgresql"):
        async with arranged(Plan(database="mysql://alice@db.example/x"), JOBS):
            pass


@pytest.mark.timeout(120)
async def test_a_named_file_is_made_and_removed(tmp_path: Path) -> None:
    async with arranged(Plan(database=f"sqlite:///{tmp_path / 'new.db'}"), JOBS) as cluster:
        assert (tmp_path / "new.db").exists()
        assert len(cluster.replicas) == 1
    assert list(tmp_path.iterdir()) == []
