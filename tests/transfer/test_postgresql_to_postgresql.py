"""The quick path between PostgreSQL databases: taken when bytes may pass unread, and then equal to the general path."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyFailed
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.testing import build_fake_ctx
from tests.conftest import SHARED_SERVER

MANY = "SELECT i AS id, repeat('x', 100) AS name FROM generate_series(1, 1000000000) AS i"
EVERY_TYPE = """CREATE TABLE t (
    id bigint PRIMARY KEY, small smallint, n numeric, narrow numeric(10,2), f real, d double precision,
    words text, short varchar(5), fixed char(4), yes boolean, raw bytea, day date, clock time, wall timestamp(3),
    instant timestamptz, doc json, docb jsonb, uid uuid, span interval, net inet, tags text[], grid int[][],
    r int4range, mood mood, age age, "Select" text, size int GENERATED ALWAYS AS (length(words)) STORED)"""
TYPES = ("CREATE TYPE mood AS ENUM ('sad', 'glad')", "CREATE DOMAIN age AS int CHECK (VALUE >= 0)")
ROWS = """INSERT INTO t VALUES
    (-9223372036854775808, 32767, 'NaN', -0.01, 1.5, 'Infinity', '', 'ab  ', 'a', true, '\\x00ff', 'infinity',
     '23:59:59.999999', '1890-01-01 00:00:00.123', '-infinity', '{"a":  1}', '{"a": 1.10}',
     '6f9619ff-8b86-d011-b42d-00c04fc964ff', '1 mon -3 days 00:00:00.000001', '10.0.0.1/8', '{"a,b",NULL,""}',
     '{{1,2},{3,4}}', '[1,5)', 'glad', 7, 'reserved'),
    (1, NULL, 1e-30, NULL, NULL, 0.30000000000000004, 'naïve 日本 😀', NULL, NULL, NULL, '', '9999-12-31', NULL, NULL,
     '9999-12-31 23:59:59.999999+00', NULL, NULL, NULL, NULL, NULL, '{}', NULL, 'empty', NULL, NULL, NULL)"""


@pytest.fixture
async def pools(pytestconfig: pytest.Config, pg_url: str) -> AsyncIterator[ConnectorRegistry]:
    with pytestconfig.stash[SHARED_SERVER].database() as other:
        registry = ConnectorRegistry({"pools": {"a": {"url": pg_url}, "b": {"url": other}}})
        yield registry
        await registry.close()


async def run(pools: ConnectorRegistry, pool: str, *statements: str) -> None:
    for statement in statements:
        await pools.sql(pool).execute(statement)


async def texts(pools: ConnectorRegistry, pool: str) -> list[Any]:
    return [tuple(row.values()) for row in await pools.sql(pool).rows("SELECT t::text FROM t ORDER BY 1")]


async def copy(pools: ConnectorRegistry, source: dict[str, Any], **options: Any) -> dict[str, Any]:
    step = SqlCopyStep.model_validate(
        {"source": {"connector": "a", **source}, "target": {"connector": "b", "table": "t"}, **options}
    )
    return (await step.execute(build_fake_ctx(connectors=pools))).extras


@contextmanager
def path_line(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    caplog.clear()
    found: list[str] = []
    with caplog.at_level(logging.INFO, "nomaflow.sql_copy"):
        yield found
    found += [line for line in caplog.messages if line.startswith("path: ")]


@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
async def test_every_type_arrives_as_by_the_general_path(
    pools: ConnectorRegistry, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    for pool in ("a", "b"):
        await run(pools, pool, *TYPES, EVERY_TYPE)
    await run(pools, "a", ROWS)
    with path_line(caplog) as told:
        facts = await copy(pools, {"table": "t"}, mode=mode)
    assert told == ["path: binary COPY"]
    assert facts["source_rows"] == facts["target_rows"] == facts["rows_written"] == 2
    quick = await texts(pools, "b")
    assert quick == await texts(pools, "a")
    with path_line(caplog) as told:
        await copy(pools, {"table": "t"}, strip_both_columns=["Select"])
    assert told == ["path: general; not binary COPY, because strip_both_columns changes texts"]
    assert await texts(pools, "b") == quick


async def test_parameters_and_conditions_reach_the_source(
    pools: ConnectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    await run(pools, "a", "CREATE TABLE t (id int PRIMARY KEY, name text, day date)")
    await run(
        pools,
        "a",
        "INSERT INTO t VALUES (1, 'O''Hara $1', '2026-01-01'), (2, 'x\\y', '2026-01-02'), (3, NULL, NULL)",
    )
    with path_line(caplog) as told:
        await copy(pools, {"table": "t", "params": {"name": "O'Hara $1"}}, where="name = :name")
    assert told == ["path: binary COPY"]
    assert await texts(pools, "b") == [('(1,"O\'Hara $1",2026-01-01)',)]
    query = {
        "query": "SELECT id, name, day FROM t WHERE day = :day -- the day",
        "params": {"day": "2026-01-02"},
    }
    with path_line(caplog) as told:
        await copy(pools, query)
    assert told == ["path: binary COPY"]
    assert len(await texts(pools, "b")) == 1
    tricky = {"query": "SELECT id, '$1' AS name, day FROM t WHERE id = :id", "params": {"id": 3}}
    with path_line(caplog) as told:
        await copy(pools, tricky)
    assert told == [
        "path: general; not binary COPY, because the query has parameters, and a $ before a number as well"
    ]
    assert await texts(pools, "b") == [("(3,$1,)",)]


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("numeric", "numeric(5,2)", "numeric has another length or scale in the target"),
        ("integer", "bigint", "it is integer in the source and bigint in the target"),
        ("regclass", "regclass", "regclass may mean something else in another database"),
    ],
)
async def test_types_that_differ_take_the_general_path(
    pools: ConnectorRegistry, caplog: pytest.LogCaptureFixture, source: str, target: str, reason: str
) -> None:
    await run(pools, "a", f"CREATE TABLE t (v {source})")
    await run(pools, "b", f"CREATE TABLE t (v {target})")
    with path_line(caplog) as told:
        await copy(pools, {"table": "t"})
    assert told == [f"path: general; not binary COPY, because of column 'v': {reason}"]


@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
async def test_a_failure_in_the_middle_changes_nothing(pools: ConnectorRegistry, mode: str) -> None:
    await run(pools, "b", "CREATE TABLE t (id int PRIMARY KEY, name text CHECK (name <> 'bad'))")
    await run(pools, "b", "INSERT INTO t VALUES (1, 'old')")
    before = await texts(pools, "b")
    nothing = "SELECT nullif(i, 5000) AS id, 'x' AS name FROM generate_series(2, 9000) AS i"
    with pytest.raises(CopyFailed, match=r"row 4999, column 'id': NULL is not allowed here"):
        await copy(pools, {"query": nothing}, mode=mode)
    with pytest.raises(Exception, match="division by zero"):
        await copy(
            pools, {"query": "SELECT 1 / (5000 - i) AS id FROM generate_series(2, 9000) AS i"}, mode=mode
        )
    bad = "SELECT i AS id, CASE i WHEN 7 THEN 'bad' ELSE 'x' END AS name FROM generate_series(2, 9) AS i"
    with pytest.raises(Exception, match="check constraint"):
        await copy(pools, {"query": bad}, mode=mode)
    assert await texts(pools, "b") == before


@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
@pytest.mark.parametrize("turns", [0, 3, 10, 40, 120, 400])
async def test_an_abort_at_any_moment_leaves_nothing(pools: ConnectorRegistry, mode: str, turns: int) -> None:
    await run(pools, "b", "CREATE TABLE t (id int PRIMARY KEY, name text)", "INSERT INTO t VALUES (1, 'old')")
    before = await texts(pools, "b")
    endless = MANY.replace("SELECT i AS", "SELECT i + 1 AS")
    task = asyncio.create_task(copy(pools, {"query": endless}, mode=mode))
    for _ in range(turns):
        await asyncio.sleep(0.001)
    task.cancel()
    async with asyncio.timeout(4):
        await asyncio.wait({task})
    assert task.cancelled()
    assert await texts(pools, "b") == before
    assert [pool["checked_out"] for pool in pools.pools.stats()] == [0, 0]
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for pool in ("a", "b"):
        async with asyncio.timeout(4):
            while await pools.sql(pool).scalar(f"{busy} AND state <> 'idle'"):
                await asyncio.sleep(0.02)
    assert (
        await pools.sql("b").scalar("SELECT count(*) FROM pg_class WHERE relname LIKE 'nomaflow_stage%'") == 0
    )


async def test_where_others_write_the_rows_are_staged(
    pools: ConnectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    await run(pools, "b", "CREATE TABLE t (id int PRIMARY KEY, name text)", "INSERT INTO t VALUES (1, 'old')")
    async with pools.pools.engine("b").connect() as other:
        await other.exec_driver_sql("UPDATE t SET name = 'locked'")
        with caplog.at_level(logging.INFO, "nomaflow.sql_copy"):
            task = asyncio.create_task(copy(pools, {"query": "SELECT 2 AS id, 'new' AS name"}))
            await asyncio.wait({task}, timeout=0.5)
        assert not task.done()
        await other.rollback()
    await task
    assert "others write to the target; rows gather in a stage first" in caplog.messages
    assert await texts(pools, "b") == [("(2,new)",)]
