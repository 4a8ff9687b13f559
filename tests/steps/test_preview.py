"""Previews of steps on real databases: what they tell, and that nothing is written."""

from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid
from liberty.jobs.steps.call_job import CallJobStep
from liberty.jobs.steps.http import HttpStep
from liberty.jobs.steps.python import PythonStep
from liberty.jobs.steps.sql_query import SqlQueryStep
from liberty.testing import build_fake_ctx
from tests.steps.copying import PAIRS, copy_step, rows, run


async def orders(pools: ConnectorRegistry, pool: str, table: str, count: int) -> None:
    await run(
        pools, pool, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, total NUMERIC(10,2), note VARCHAR(40))"
    )
    if count:
        await pools.sql(pool).execute_many(
            f"INSERT INTO {table} VALUES (:n, 1.25, 'note')", [{"n": n} for n in range(1, count + 1)]
        )


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_copy_tells_counts_columns_path_and_rows(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await orders(pools, source, "orders", 30)
    await run(
        pools, target, "CREATE TABLE copy (ID BIGINT, total NUMERIC(10,2), note VARCHAR(40), more INTEGER)"
    )
    await run(pools, target, "INSERT INTO copy (id) VALUES (1), (2)")
    step = copy_step((source, "orders"), (target, "copy"), where="id > 5", guard={"min_rows": 100})
    found = await step.preview(build_fake_ctx(connectors=pools))
    assert (found["source_rows"], found["target_rows"], len(found["rows"])) == (25, 2, 20)
    assert [column["source"] for column in found["columns"]] == ["id", "total", "note"]
    assert found["columns"][0]["change"].lower() == "integer becomes bigint"
    assert found["path"]
    assert found["guard"] == "guard: 25 rows would be written and min_rows is 100"
    assert found["problems"] == []
    assert await rows(pools, target, "SELECT count(*) FROM copy") == [(2,)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_target_that_does_not_exist_is_not_made(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await orders(pools, source, "orders", 3)
    found = await copy_step((source, "orders"), (target, "made")).preview(build_fake_ctx(connectors=pools))
    assert (found["target_rows"], found["notes"]) == (None, ["the target does not exist and would be made"])
    with pytest.raises(Exception, match="made"):
        await rows(pools, target, "SELECT * FROM made")


@pytest.mark.parametrize("source", ["sqlite", "pg"])
async def test_what_would_fail_is_told(pools: ConnectorRegistry, source: str) -> None:
    await orders(pools, source, "orders", 3)
    await run(pools, "pg", "CREATE TABLE narrow (id SMALLINT, total INTEGER, note VARCHAR(2))")
    found = await copy_step((source, "orders"), ("pg", "narrow")).preview(build_fake_ctx(connectors=pools))
    assert [problem.partition(":")[0] for problem in found["problems"]] == [
        "row 1, column 'total'",
        "row 1, column 'note'",
    ]
    assert all(
        column["change"].endswith("a value that does not fit fails the copy") for column in found["columns"]
    )
    await run(pools, "pg", "CREATE TABLE other (nothing INTEGER)")
    found = await copy_step((source, "orders"), ("pg", "other")).preview(build_fake_ctx(connectors=pools))
    assert found["problems"][0].startswith("target table 'public.other' has no column 'id'")


@pytest.mark.parametrize("pool", ["sqlite", "pg"])
async def test_a_statement_is_tried_out_and_undone(pools: ConnectorRegistry, pool: str) -> None:
    await orders(pools, pool, "orders", 30)
    ctx = build_fake_ctx(connectors=pools)

    async def preview(query: str, **keys: Any) -> dict[str, Any]:
        return await SqlQueryStep.model_validate({"connector": pool, "query": query, **keys}).preview(ctx)

    found = await preview("DELETE FROM orders WHERE id > 10", guard={"max_rows": 5})
    assert found == {
        "statement": "DELETE",
        "rows_affected": 20,
        "guard": "guard: 20 rows would be written and max_rows is 5",
    }
    assert (await preview("INSERT INTO orders (id) VALUES (99)"))["rows_affected"] == 1
    found = await preview("SELECT id FROM orders ORDER BY id")
    assert (found["rows_read"], len(found["rows"]), found["rows"][0]) == (30, 20, {"id": 1})
    with pytest.raises(Invalid, match="is CREATE, which is not tried out"):
        await preview("CREATE TABLE made (id INTEGER)")
    assert await rows(pools, pool, "SELECT count(*), max(id) FROM orders") == [(30, 30)]


async def test_a_read_that_writes_is_refused_by_postgresql(pools: ConnectorRegistry) -> None:
    await run(pools, "pg", "CREATE SEQUENCE numbers")
    step = SqlQueryStep.model_validate({"connector": "pg", "query": "SELECT nextval('numbers') AS n"})
    with pytest.raises(Exception, match="read-only transaction"):
        await step.preview(build_fake_ctx(connectors=pools))


async def test_an_incremental_copy_tells_where_it_goes_on(pools: ConnectorRegistry) -> None:
    await orders(pools, "sqlite", "orders", 5)
    step = copy_step(("sqlite", "orders"), ("pg", "copy"), mode="append", incremental={"column": "id"})
    ctx = build_fake_ctx(connectors=pools)
    await step.execute(ctx)
    await run(pools, "sqlite", "INSERT INTO orders VALUES (6, 1, 'new')")
    found = await step.preview(ctx)
    assert (found["watermark"], found["source_rows"]) == ("5", 2)
    assert ctx.host.copy_marks["fake-step"].value == "5"


async def test_steps_that_would_act_elsewhere_only_say_so() -> None:
    ctx = build_fake_ctx(params={"a": 1})
    assert await PythonStep(callable="work:fn").preview(ctx) == {
        "would_call": "work:fn",
        "arguments": {"a": 1},
    }
    called = await CallJobStep(target_job="other", params={"x": 2}).preview(ctx)
    assert called == {"would_run": "other", "params": {"x": 2}}
    assert ctx.host.called_jobs == []
    step = HttpStep.model_validate(
        {
            "url": "http://127.0.0.1:9/x?token=abc",
            "method": "POST",
            "body": {"n": 1},
            "auth": {"type": "none"},
        }
    )
    request = (await step.preview(ctx))["request"]
    assert (request["method"], request["url"], request["body"]) == (
        "POST",
        "http://127.0.0.1:9/x?token=***",
        {"n": 1},
    )
