"""SQL steps and connectors on a MariaDB server."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.jobs.steps.sql_query import SqlQueryStep
from liberty.testing import build_fake_ctx

BOTH = ("mysql", "mysql2")


@pytest.mark.parametrize("pool", BOTH)
async def test_a_connector_reads_and_writes(mysql_pools: ConnectorRegistry, pool: str) -> None:
    crm = mysql_pools.sql(pool)
    await crm.execute(
        "CREATE TABLE `order` (id INT AUTO_INCREMENT KEY, name TEXT, total DECIMAL(9,2), at DATE)"
    )
    insert = "INSERT INTO `order` (name, total, at) VALUES (:name, :total, :at)"
    values = {"name": "Zoë 😀 100% 'x' \\ :y", "total": Decimal("12.34"), "at": date(2026, 1, 2)}
    assert (await crm.execute(insert, values)).rowcount == 1
    assert (
        await crm.execute_many(insert, [{**values, "at": "2026-01-03"}, {**values, "total": 5}])
    ).rowcount == 2
    assert await crm.rows(
        "SELECT name, total, at FROM `order` WHERE total > :least ORDER BY id", {"least": 10}
    ) == [
        values,
        {**values, "at": date(2026, 1, 3)},
    ]
    assert await crm.first("SELECT id FROM `order` WHERE name LIKE '%:y' ORDER BY id") == {"id": 1}
    assert await crm.scalar("SELECT count(*) FROM `order` WHERE id % 2 = 1") == 2
    assert [row["id"] async for row in crm.stream("SELECT id FROM `order` ORDER BY id", batch_size=2)] == [
        1,
        2,
        3,
    ]


async def test_a_step_keeps_some_rows_and_leaves_the_rest(mysql_pools: ConnectorRegistry) -> None:
    step = SqlQueryStep.model_validate(
        {"connector": "mysql", "query": "SELECT seq AS id, NOW() AS at FROM seq_1_to_200000000"}
    )
    limited = ConnectorRegistry(
        {
            "pools": {
                "mysql": {**mysql_pools.pools.config("mysql").model_dump(exclude_none=True), "max_rows": 100}
            }
        }
    )
    async with asyncio.timeout(30):
        result = await step.execute(build_fake_ctx(connectors=limited))
    assert len(result.extras["rows"]) == 100
    assert isinstance(result.extras["rows"][0]["at"], datetime | str)
    # The connection it came on can be used again.
    assert await limited.sql("mysql").scalar("SELECT 1") == 1
    assert {pool["checked_out"] for pool in limited.pools.stats()} == {0}
    await limited.close()


async def test_an_aborted_statement_is_ended_on_the_server(mysql_pools: ConnectorRegistry) -> None:
    step = SqlQueryStep.model_validate({"connector": "mysql", "query": "SELECT SLEEP(600)"})
    task = asyncio.create_task(step.execute(build_fake_ctx(connectors=mysql_pools)))
    running = "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT SLEEP(%'"
    async with asyncio.timeout(30):
        while not await mysql_pools.sql("mysql2").scalar(running):
            await asyncio.sleep(0.02)
    task.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await task
        while await mysql_pools.sql("mysql2").scalar(running):
            await asyncio.sleep(0.02)
    assert {pool["checked_out"] for pool in mysql_pools.pools.stats()} == {0}


async def test_a_timestamp_is_what_was_written(mysql_pools: ConnectorRegistry) -> None:
    crm = mysql_pools.sql("mysql")
    await crm.execute("CREATE TABLE t (at DATETIME(6))")
    at = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC).replace(tzinfo=None)
    await crm.execute("INSERT INTO t VALUES (:at)", {"at": at})
    assert await crm.scalar("SELECT at FROM t") == at
