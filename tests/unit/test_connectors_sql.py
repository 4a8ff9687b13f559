"""SQL connectors on SQLite and PostgreSQL: queries, raw SQL, limits, transactions, cancelling."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from liberty.connectors import ConnectorRegistry, SqlConnector
from liberty.errors import Invalid, NotFound

CRM: dict[str, Any] = {
    "type": "sql",
    "pool": "default",
    "queries": [
        {
            "name": "orders",
            "sql": "select id, customer from orders where id >= :since order by id",
            "params": {"since": 0},
        },
        {
            "name": "by-ids",
            "sql": "select id from orders where id in :ids order by id",
            "params": [{"name": "ids", "multiple": True}],
        },
        {"name": "add", "writable": True, "sql": "insert into orders (id, customer) values (:id, :customer)"},
        {"name": "sneaky", "sql": "delete from orders"},
        {
            "name": "on",
            "sql": "select :day as d",
            "params": [{"name": "day", "type": "date", "required": True}],
        },
        {"name": "dialect", "sql": {"default": "select 'other' as d", "sqlite": "select 'sqlite' as d"}},
    ],
    "tables": [
        {
            "name": "orders",
            "get": {"sql": "select * from orders"},
            "delete": {"sql": "delete from orders where id = :id"},
        }
    ],
}


@pytest.fixture
async def registry(database_url: str) -> AsyncIterator[ConnectorRegistry]:
    found = ConnectorRegistry({"pools": {"default": {"url": database_url}}, "connectors": {"crm": CRM}})
    assert [problem.key for problem in found.problems] == ["connectors.crm.queries.sneaky"]
    await found.get("default").execute(
        "create table orders (id integer primary key, customer text, due date)"
    )
    yield found
    await found.close()


@pytest.fixture
def crm(registry: ConnectorRegistry) -> SqlConnector:
    return registry.sql("crm")


async def test_declared_queries_read_and_write(crm: SqlConnector) -> None:
    for number in (1, 2, 3):
        result = await crm.execute("add:write", {"id": number, "customer": f"c{number}"})
        assert (result.rowcount, result.row_count, result.statement_type) == (1, 1, "INSERT")
    result = await crm.execute("orders", {"since": 2})
    assert result.columns == ["id", "customer"]
    assert result.rows == [{"id": 2, "customer": "c2"}, {"id": 3, "customer": "c3"}]
    assert (result.row_count, result.truncated, result.first()) == (2, False, {"id": 2, "customer": "c2"})
    assert await crm.run("orders", since=3) == [{"id": 3, "customer": "c3"}]
    assert [row["id"] for row in await crm.execute("orders")] == [1, 2, 3]  # the declared default
    assert await crm.rows("by-ids", {"ids": [1, 3]}) == [{"id": 1}, {"id": 3}]
    assert (await crm.execute("orders_delete", {"id": 1})).rowcount == 1


async def test_missing_parameters_of_declared_queries_are_null(crm: SqlConnector) -> None:
    await crm.execute("add", {"id": 1})
    assert await crm.first("select customer from orders") == {"customer": None}


async def test_raw_sql_of_every_shape(crm: SqlConnector) -> None:
    assert (
        await crm.execute("insert into orders (id, customer) values (:a, :b)", {"a": 7, "b": ":x"})
    ).rowcount == 1
    assert await crm.scalar("select count(*) from orders") == 1
    assert await crm.scalar("insert into orders (id) values (8) returning id") == 8
    assert await crm.first("select id from orders where id = :id", {"id": 99}) is None
    assert [row["id"] async for row in crm.stream("select id from orders order by id")] == [7, 8]
    result = await crm.execute("select 1 as a, 2 as a, 'x' as b")
    assert result.rows == [{"a": 1, "a_2": 2, "b": "x"}]


async def test_execute_many_is_one_transaction(crm: SqlConnector) -> None:
    rows = [{"id": number, "customer": "x"} for number in (1, 2, 1)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        await crm.execute_many("add", rows)
    assert await crm.scalar("select count(*) from orders") == 0
    await crm.execute_many("add", rows[:2])
    assert await crm.scalar("select count(*) from orders") == 2


async def test_wrong_calls_say_what_is_wrong(crm: SqlConnector) -> None:
    with pytest.raises(NotFound, match="no query 'ordres'; did you mean 'orders'"):
        await crm.execute("ordres")
    with pytest.raises(Invalid, match="no parameter 'sinse'; did you mean 'since'"):
        await crm.execute("orders", {"sinse": 1})
    with pytest.raises(Invalid, match="binds :id, but no parameter 'id'"):
        await crm.execute("select :id")
    with pytest.raises(Invalid, match="parameter 'idd' is not used"):
        await crm.execute("select :id", {"id": 1, "idd": 2})
    with pytest.raises(Invalid, match="'day' is required"):
        await crm.execute("on")
    with pytest.raises(Invalid, match="'day' = 'soon' is not a date"):
        await crm.execute("on", {"day": "soon"})
    with pytest.raises(Invalid, match="writable = true"):
        await crm.execute("sneaky")
    with pytest.raises(Invalid, match="may not use pool 'other'"):
        await crm.execute("orders", pool="other")
    with pytest.raises(Invalid, match="more than one statement"):
        await crm.execute("select 1; select 2")


async def test_a_read_keeps_at_most_max_rows_and_says_so(
    crm: SqlConnector, caplog: pytest.LogCaptureFixture
) -> None:
    await crm.execute_many("add", [{"id": number, "customer": "x"} for number in range(30)])
    result = await crm.execute("orders", max_rows=10)
    assert (len(result), result.truncated) == (10, True)
    assert "cut at 10 rows" in caplog.text
    assert (await crm.execute("orders", max_rows=30)).truncated is False
    assert len([row async for row in crm.stream("orders", batch_size=7)]) == 30


async def test_a_failed_statement_leaves_nothing_and_frees_its_connection(
    crm: SqlConnector, registry: ConnectorRegistry
) -> None:
    await crm.execute("add", {"id": 1})
    with pytest.raises(Exception, match=r"(?i)unique"):
        await crm.execute("add", {"id": 1})
    assert await crm.scalar("select count(*) from orders") == 1
    assert [entry["checked_out"] for entry in registry.pools.stats()] == [0]


async def test_parameters_are_not_shown_in_errors(crm: SqlConnector) -> None:
    with pytest.raises(DBAPIError) as caught:
        await crm.execute("insert into nowhere (a) values (:a)", {"a": "canary-value"})
    assert "canary-value" not in str(caught.value)


async def test_dates_and_numbers_may_be_given_as_text(crm: SqlConnector) -> None:
    await crm.execute(
        "insert into orders (id, customer, due) values (:id, :c, :due)",
        {"id": 5, "c": "x", "due": date(2024, 2, 29)},
    )
    await crm.execute(
        "insert into orders (id, customer, due) values (:id, :c, :due)",
        {"id": "6", "c": 12, "due": "2024-03-01"},
    )
    assert await crm.scalar("select count(*) from orders where due >= :day", {"day": "2024-03-01"}) == 1
    assert await crm.scalar("select customer from orders where id = :id", {"id": "6"}) == "12"
    assert [
        row["id"] async for row in crm.stream("select id from orders where due < :day", {"day": "2024-03-01"})
    ] == [5]


async def test_decimals_and_objects_can_be_bound(crm: SqlConnector) -> None:
    assert Decimal(
        str(await crm.scalar("select cast(:n as numeric(10, 2))", {"n": Decimal("1.10")}))
    ) == Decimal("1.10")
    assert await crm.scalar("select cast(:o as text)", {"o": {"a": 1}}) == '{"a": 1}'


async def test_dialect_text_is_chosen(crm: SqlConnector, database_url: str) -> None:
    assert await crm.scalar("dialect") == ("sqlite" if "sqlite" in database_url else "other")


async def test_a_declared_read_cannot_write_on_postgresql(pg_url: str) -> None:
    query = {"name": "q", "sql": "select setval('s', 5)"}
    definitions = {
        "pools": {"default": {"url": pg_url}},
        "connectors": {"c": {"type": "sql", "queries": [query]}},
    }
    registry = ConnectorRegistry(definitions)
    await registry.get("default").execute("create sequence s")
    with pytest.raises(Exception, match="read-only transaction"):
        await registry.sql("c").execute("q")
    assert await registry.sql("default").scalar("select setval('s', 7)") == 7
    assert await registry.sql("default").scalar("select nextval('s')") == 8
    await registry.close()


async def test_vacuum_runs_outside_a_transaction(crm: SqlConnector) -> None:
    await crm.execute("vacuum orders" if crm.engine.dialect.name == "postgresql" else "vacuum main")
    await crm.execute("add", {"id": 1})
    assert await crm.scalar("select count(*) from orders") == 1


STILL_SLEEPING = (
    "select count(*) from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() "
    "and query like '%pg_sleep(60)%'"
)
SLOW_ON_SQLITE = (
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1e12) select count(*) from n"
)


@pytest.mark.parametrize("how", ["execute", "stream", "engine"])
async def test_cancelling_ends_the_query_in_the_database(
    crm: SqlConnector, registry: ConnectorRegistry, how: str
) -> None:
    slow = SLOW_ON_SQLITE if crm.engine.dialect.name == "sqlite" else "select count(pg_sleep(60))"
    started = asyncio.Event()

    async def run() -> None:
        if how == "execute":
            started.set()
            await crm.execute(slow)
        elif how == "stream":
            started.set()
            _ = [row async for row in crm.stream(slow)]
        else:
            async with crm.engine.begin() as connection:
                started.set()
                await connection.exec_driver_sql(slow)

    task = asyncio.create_task(run())
    await started.wait()
    done, _ = await asyncio.wait({task}, timeout=0.3)
    assert not done, "the query must still run when it is cancelled"
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 2
    assert [entry["checked_out"] for entry in registry.pools.stats()] == [0]
    # All connections work, and the write lock is free: nothing runs on unseen.
    await asyncio.gather(*(crm.execute("add", {"id": number}) for number in range(8)))
    if crm.engine.dialect.name == "postgresql":
        assert await crm.scalar(STILL_SLEEPING) == 0


async def test_cancelling_a_write_on_sqlite_takes_it_back(sqlite_url: str) -> None:
    registry = ConnectorRegistry({"pools": {"default": {"url": sqlite_url}}})
    connector = registry.sql("default")
    await connector.execute("create table t (i integer)")
    slow = "insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 1e9) select i from n"
    task = asyncio.create_task(connector.execute(slow))
    await asyncio.wait({task}, timeout=0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with sqlite3.connect(sqlite_url.partition("///")[2], timeout=0) as other:
        assert other.execute("select count(*) from t").fetchone() == (0,)
        other.execute("insert into t values (1)")  # would be refused at once if the lock was still held
    await registry.close()


async def test_cancelling_a_write_that_waits_for_a_lock_does_not_wait_on(sqlite_url: str) -> None:
    registry = ConnectorRegistry({"pools": {"default": {"url": sqlite_url}}})
    connector = registry.sql("default")
    await connector.execute("create table t (i integer)")
    with closing(sqlite3.connect(sqlite_url.partition("///")[2], isolation_level=None)) as other:
        other.execute("begin immediate")
        task = asyncio.create_task(connector.execute("insert into t values (1)"))
        done, _ = await asyncio.wait({task}, timeout=0.5)
        assert not done, "it must wait for the lock"
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun < 2
        waiting = asyncio.create_task(
            connector.execute_many("insert into t values (:i)", [{"i": number} for number in range(3)])
        )
        await asyncio.wait({waiting}, timeout=0.5)
        other.execute("rollback")
        await waiting
    assert await connector.rows("select i from t order by i") == [{"i": 0}, {"i": 1}, {"i": 2}]
    await registry.close()
