"""What `sql_copy` promises about the target: it keeps everything that is defined on it, it is never empty or half
full, and a copy that fails or is aborted leaves it as it was and nothing behind."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyFailed, CopyRequest, Place
from liberty.etl.transfer.anywhere_catalog import find_table
from liberty.etl.transfer.anywhere_target import AnywhereTarget
from liberty.etl.transfer.columns import quoted
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.testing import build_fake_ctx

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 'x' AS name FROM n",
    "pg": "SELECT generate_series(1, 1000000000) AS id, 'x' AS name",
}
TARGETS = ("sqlite2", "pg")


@pytest.fixture
async def pools(tmp_path: Path, pg_url: str) -> AsyncIterator[ConnectorRegistry]:
    registry = ConnectorRegistry(
        {
            "pools": {
                "sqlite": {"url": f"sqlite:///{tmp_path}/a.db", "max_rows": 1_000_000},
                "sqlite2": {"url": f"sqlite:///{tmp_path}/b.db", "max_rows": 1_000_000},
                "pg": {"url": pg_url, "max_rows": 1_000_000},
            }
        }
    )
    yield registry
    await registry.close()


def step(source: dict[str, Any], target: str, **options: Any) -> SqlCopyStep:
    return SqlCopyStep.model_validate(
        {"source": source, "target": {"connector": target, "table": "t"}, **options}
    )


async def copy(
    pools: ConnectorRegistry, source: dict[str, Any], target: str, **options: Any
) -> dict[str, Any]:
    return (await step(source, target, **options).execute(build_fake_ctx(connectors=pools))).extras


async def run(pools: ConnectorRegistry, pool: str, *statements: str) -> None:
    for statement in statements:
        await pools.sql(pool).execute(statement)


async def rows(pools: ConnectorRegistry, pool: str, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await pools.sql(pool).rows(sql)]


def literal_rows(*pairs: tuple[Any, ...]) -> dict[str, Any]:
    """A source that gives these rows of (id, name)."""
    values = ", ".join(f"({', '.join('NULL' if v is None else repr(v) for v in pair)})" for pair in pairs)
    return {"connector": "sqlite", "query": f"SELECT column1 AS id, column2 AS name FROM (VALUES {values})"}


async def assert_nothing_left(
    pools: ConnectorRegistry, *, before: list[tuple[Any, ...]], target: str
) -> None:
    """The target as it was, every connection back, no transaction open, no stage."""
    assert await rows(pools, target, "SELECT id, name FROM t ORDER BY id") == before
    assert [(pool["pool"], pool["checked_out"]) for pool in pools.pools.stats()] == [
        ("pg", 0),
        ("sqlite", 0),
        ("sqlite2", 0),
    ]
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    async with asyncio.timeout(10):
        while await pools.sql("pg").scalar(f"SELECT count(*) {others}"):
            await asyncio.sleep(0.02)
    assert await rows(pools, "pg", "SELECT relname FROM pg_class WHERE relname LIKE 'nomaflow_stage%'") == []
    for pool in ("sqlite", "sqlite2"):
        for catalogue in ("sqlite_master", "sqlite_temp_master"):
            found = await rows(pools, pool, f"SELECT name FROM {catalogue} WHERE name LIKE 'nomaflow_stage%'")
            assert found == []


CATALOGUE = """
SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE tablename = 't'
UNION ALL SELECT 'default', adnum::text, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 't'::regclass
UNION ALL SELECT 'table', relname, concat(oid, relowner, relacl, reloptions) FROM pg_class WHERE relname = 't'
UNION ALL SELECT 'comment', objsubid::text, description FROM pg_description WHERE objoid = 't'::regclass
UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 't'::regclass
UNION ALL SELECT 'column', attname, concat(attnotnull, attidentity, attgenerated, attacl)
            FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0
ORDER BY 1, 2
"""


async def test_postgresql_keeps_all_that_is_defined_on_the_target(pools: ConnectorRegistry) -> None:
    await run(
        pools,
        "pg",
        "CREATE TABLE kinds (kind text PRIMARY KEY)",
        "INSERT INTO kinds VALUES ('a')",
        """CREATE TABLE t (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE CHECK (name <> ''),
            kind text DEFAULT 'a' REFERENCES kinds, made timestamptz DEFAULT now(), parent int REFERENCES t,
            size int GENERATED ALWAYS AS (length(name)) STORED)""",
        "CREATE INDEX t_lower ON t (lower(name)) WHERE id > 0",
        "COMMENT ON TABLE t IS 'of people'",
        "COMMENT ON COLUMN t.name IS 'full'",
        "GRANT SELECT ON t TO PUBLIC",
        "GRANT UPDATE (name) ON t TO PUBLIC",
        "CREATE VIEW v AS SELECT name, size FROM t",
        "CREATE TABLE seen (what text)",
        """CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO seen VALUES (TG_OP); RETURN NULL; END $$""",
        "CREATE TRIGGER noted AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION note()",
        "INSERT INTO t (name) VALUES ('old')",
    )
    before = await rows(pools, "pg", CATALOGUE)
    assert len(before) > 20
    await copy(pools, literal_rows((5, "five"), (6, "sixth")), "pg")
    assert await rows(pools, "pg", CATALOGUE) == before
    assert await rows(pools, "pg", "SELECT * FROM v ORDER BY 1") == [("five", 4), ("sixth", 5)]
    assert await rows(pools, "pg", "SELECT id, kind, made IS NULL FROM t ORDER BY id") == [
        (5, "a", False),
        (6, "a", False),
    ]
    await run(pools, "pg", "INSERT INTO t (name) VALUES ('next')")
    assert await pools.sql("pg").scalar("SELECT id FROM t WHERE name = 'next'") == 7


async def test_sqlite_keeps_all_that_is_defined_on_the_target(pools: ConnectorRegistry) -> None:
    await run(
        pools,
        "sqlite2",
        "CREATE TABLE kinds (kind TEXT PRIMARY KEY)",
        "INSERT INTO kinds VALUES ('a')",
        """CREATE TABLE t (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            kind TEXT DEFAULT 'a' REFERENCES kinds, size INTEGER GENERATED ALWAYS AS (length(name)) STORED)""",
        "CREATE INDEX t_lower ON t (lower(name)) WHERE id > 0",
        "CREATE VIEW v AS SELECT name, size FROM t",
        "CREATE TABLE seen (what TEXT)",
        "CREATE TRIGGER noted AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (new.name); END",
        "INSERT INTO t (name) VALUES ('old')",
    )
    schema = "SELECT type, name, sql, rootpage FROM sqlite_master ORDER BY name"
    before = await rows(pools, "sqlite2", schema)
    await copy(pools, literal_rows((5, "five"), (6, "sixth")), "sqlite2")
    assert await rows(pools, "sqlite2", schema) == before
    assert await rows(pools, "sqlite2", "SELECT * FROM v ORDER BY 1") == [("five", 4), ("sixth", 5)]
    assert await rows(pools, "sqlite2", "SELECT id, kind FROM t ORDER BY id") == [(5, "a"), (6, "a")]
    await run(pools, "sqlite2", "INSERT INTO t (name) VALUES ('next')")
    assert await pools.sql("sqlite2").scalar("SELECT id FROM t WHERE name = 'next'") == 7


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("action", ["CASCADE", "NO ACTION"])
async def test_rows_that_refer_to_the_target_survive_an_overwrite(
    pools: ConnectorRegistry, target: str, action: str
) -> None:
    await run(
        pools,
        target,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20))",
        f"CREATE TABLE child (id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t ON DELETE {action})",
        "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')",
        "INSERT INTO child VALUES (10, 1), (20, 2)",
    )
    await copy(pools, literal_rows((1, "one"), (2, "changed"), (4, "four")), target)
    assert await rows(pools, target, "SELECT * FROM t ORDER BY id") == [
        (1, "one"),
        (2, "changed"),
        (4, "four"),
    ]
    assert await rows(pools, target, "SELECT id FROM child ORDER BY id") == [(10,), (20,)]
    if action == "NO ACTION":
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            await copy(pools, literal_rows((2, "alone")), target)
        assert len(await rows(pools, target, "SELECT * FROM t")) == 3


async def old_rows(pools: ConnectorRegistry, target: str) -> list[tuple[Any, ...]]:
    await run(
        pools,
        target,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20) CHECK (name <> 'bad'))",
        "INSERT INTO t VALUES (1, 'old one'), (2, 'old two')",
    )
    return [(1, "old one"), (2, "old two")]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
async def test_a_failed_copy_leaves_the_target_as_it_was(
    pools: ConnectorRegistry, target: str, mode: str
) -> None:
    before = await old_rows(pools, target)
    nothing = literal_rows((7, "a"), (8, "b"), (9, "c"), (None, "d"))
    with pytest.raises(CopyFailed, match=r"row 4, column 'id': NULL is not allowed here"):
        await copy(pools, nothing, target, mode=mode, batch_size=2)
    with pytest.raises(Exception, match=r"(?i)check constraint"):
        await copy(pools, literal_rows((7, "a"), (8, "bad")), target, mode=mode, batch_size=1)
    if mode == "append":
        with pytest.raises(Exception, match=r"(?i)unique"):
            await copy(pools, literal_rows((7, "a"), (2, "again")), target, mode=mode)
    await assert_nothing_left(pools, before=before, target=target)


@contextmanager
def announced(text: str) -> Iterator[asyncio.Event]:
    """An event that is set by the first log line of a copy holding `text`."""
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if text in record.getMessage():
                loop.call_soon_threadsafe(seen.set)

    logger, listener = logging.getLogger("nomaflow.sql_copy"), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    try:
        yield seen
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)


async def aborted(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({task})
    assert task.cancelled()


@pytest.mark.parametrize("source", ["sqlite", "pg"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
async def test_an_abort_while_rows_arrive_leaves_nothing(
    pools: ConnectorRegistry, source: str, target: str, mode: str
) -> None:
    before = await old_rows(pools, target)
    with announced("batch 3") as third_batch:
        endless = {"connector": source, "query": ENDLESS[source]}
        task = asyncio.create_task(copy(pools, endless, target, mode=mode, batch_size=500))
        async with asyncio.timeout(20):
            await third_batch.wait()
        await aborted(task)
    await assert_nothing_left(pools, before=before, target=target)


async def test_an_abort_after_the_commit_was_sent_comes_too_late(pools: ConnectorRegistry) -> None:
    await old_rows(pools, "pg")
    await run(
        pools,
        "pg",
        """CREATE FUNCTION think() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$""",
        """CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION think()""",
    )
    committing = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COMMIT%'"
    task = asyncio.create_task(copy(pools, literal_rows((7, "a")), "pg"))
    async with asyncio.timeout(10):
        while not await pools.sql("pg").scalar(committing):
            await asyncio.sleep(0.01)
        task.cancel()
        facts = await task
    assert facts["target_rows"] == 1
    assert task.cancelling() == 1, "who asked is not forgotten"
    await assert_nothing_left(pools, before=[(7, "a")], target="pg")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("turns", [0, 1, 2, 5, 10, 20, 40, 80, 160])
async def test_an_abort_at_any_moment_leaves_nothing(
    pools: ConnectorRegistry, target: str, turns: int
) -> None:
    before = await old_rows(pools, target)
    source = {"connector": "sqlite", "query": f"{ENDLESS['sqlite']} LIMIT 50000"}
    task = asyncio.create_task(copy(pools, source, target, batch_size=1_000))
    for _ in range(turns):
        await asyncio.sleep(0.001)
    task.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({task})
    if not task.cancelled():  # the commit was on its way already
        assert task.result()["target_rows"] == 50_000
        before = [(number, "x") for number in range(1, 50_001)]
    await assert_nothing_left(pools, before=before, target=target)


async def test_an_abort_while_another_writer_holds_the_target(pools: ConnectorRegistry) -> None:
    for target in TARGETS:
        before = await old_rows(pools, target)
        async with pools.pools.engine(target).connect() as other:
            other = await other.execution_options(sqlite_begin="IMMEDIATE")
            await other.exec_driver_sql("UPDATE t SET name = 'locked' WHERE id = 1")
            with announced("batch 1") as loaded:
                task = asyncio.create_task(copy(pools, literal_rows((7, "a")), target))
                async with asyncio.timeout(5):
                    await loaded.wait()
                await asyncio.wait({task}, timeout=0.3)
                assert not task.done(), "it waits for the other writer"
                await aborted(task)
            await other.rollback()
        await assert_nothing_left(pools, before=before, target=target)


@pytest.mark.parametrize("target", TARGETS)
async def test_readers_see_all_old_or_all_new_rows(pools: ConnectorRegistry, target: str) -> None:
    await run(pools, target, "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20))")
    many = {"connector": "sqlite", "query": f"{ENDLESS['sqlite']} LIMIT 20000"}
    await copy(pools, many, target)
    more = {"connector": "sqlite", "query": f"{ENDLESS['sqlite']} LIMIT 30000"}
    task = asyncio.create_task(copy(pools, more, target))
    counts = []
    while not task.done():
        counts.append(await pools.sql(target).scalar("SELECT count(*) FROM t"))
    await task
    counts.append(await pools.sql(target).scalar("SELECT count(*) FROM t"))
    assert set(counts) == {20_000, 30_000}
    assert counts == sorted(counts)


async def test_a_database_without_code_of_its_own_gets_one_transaction(pools: ConnectorRegistry) -> None:
    before = await old_rows(pools, "sqlite2")
    place = Place("sqlite2", table="t")
    for rows_sent, outcome in (([(7, "a"), (7, "b")], "refused"), ([(7, "a"), (8, "b")], "written")):
        async with pools.pools.engine("sqlite2").connect() as connection:
            table = await find_table(connection, None, "t")
            assert table is not None
            assert [(column.name, column.kind, column.key) for column in table.columns] == [
                ("id", "int", 1),
                ("name", "text", 0),
            ]
            request = CopyRequest(connectors=pools, source=place, target=place, label="x", mode="overwrite")
            target = AnywhereTarget(connection, request, table)
            await target.begin(table.columns, None)
            if outcome == "refused":
                with pytest.raises(CopyFailed, match=r"rows 1 to 2: UNIQUE constraint failed: t.id"):
                    await target.load(rows_sent, [1, 2])
            else:
                await target.load(rows_sent, [1, 2])
                assert (await target.finish(2)).target_rows == 2
            await target.close()
        expected = before if outcome == "refused" else [(7, "a"), (8, "b")]
        assert await rows(pools, "sqlite2", "SELECT id, name FROM t ORDER BY id") == expected


def test_identifiers_are_quoted_whatever_they_hold() -> None:
    assert quoted('a"; DROP TABLE t; --') == '"a""; DROP TABLE t; --"'
