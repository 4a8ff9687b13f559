"""Guards and upserts that delete, on real databases: what is beyond a limit changes nothing."""

from typing import Any

import pytest
from pydantic import ValidationError

from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyFailed
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.jobs.steps.sql_query import SqlQueryStep
from liberty.testing import build_fake_ctx
from tests.steps.copying import PAIRS, copied, place, rows, run


async def two_tables(pools: ConnectorRegistry, source: str, target: str, *, key: bool = True) -> None:
    """Rows 1 to 6 in `new`; rows 1 to 10 in `old`."""
    declared = "(id INTEGER PRIMARY KEY, name VARCHAR(20))" if key else "(id INTEGER, name VARCHAR(20))"
    await run(pools, source, f"CREATE TABLE new {declared}")
    await run(pools, target, f"CREATE TABLE old {declared}")
    for pool, table, count in ((source, "new", 6), (target, "old", 10)):
        await pools.sql(pool).execute_many(
            f"INSERT INTO {table} VALUES (:id, :name)",
            [{"id": number, "name": f"{table} {number}"} for number in range(1, count + 1)],
        )


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("options", [{"mode": "overwrite"}, {"mode": "upsert", "delete_missing": True}])
async def test_too_many_vanishing_rows_stop_the_copy(
    pools: ConnectorRegistry, source: str, target: str, options: dict[str, Any]
) -> None:
    await two_tables(pools, source, target)
    told = r"guard: 4 of the target's 10 rows would be deleted \(40.0 %\) and max_delete_pct is 5; nothing"
    with pytest.raises(CopyFailed, match=told):
        await copied(pools, (source, "new"), (target, "old"), guard={"max_delete_pct": 5}, **options)
    expected = [(number, f"old {number}") for number in range(1, 11)]
    assert await rows(pools, target, "SELECT * FROM old ORDER BY id") == expected
    facts = await copied(pools, (source, "new"), (target, "old"), guard={"max_delete_pct": 40}, **options)
    assert facts["target_rows"] == 6
    assert facts.get("rows_deleted", 4) == 4
    assert await rows(pools, target, "SELECT * FROM old ORDER BY id") == [
        (number, f"new {number}") for number in range(1, 7)
    ]


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_keys_count_not_numbers_of_rows(pools: ConnectorRegistry, source: str, target: str) -> None:
    await two_tables(pools, source, target)
    await run(pools, source, "UPDATE new SET id = id + 100")
    with pytest.raises(CopyFailed, match=r"10 of the target's 10 rows would be deleted \(100.0 %\)"):
        await copied(pools, (source, "new"), (target, "old"), guard={"max_delete_pct": 50})


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_without_a_key_the_loss_of_rows_counts(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await two_tables(pools, source, target, key=False)
    with pytest.raises(CopyFailed, match="4 of the target's 10 rows would be deleted"):
        await copied(pools, (source, "new"), (target, "old"), guard={"max_delete_pct": 39})


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
async def test_too_few_and_too_many_rows_stop_the_copy(
    pools: ConnectorRegistry, source: str, target: str, mode: str
) -> None:
    await two_tables(pools, source, target)
    few = r"guard: 6 rows would be written and min_rows is 7; nothing was changed"
    with pytest.raises(CopyFailed, match=few):
        await copied(pools, (source, "new"), (target, "old"), mode=mode, guard={"min_rows": 7})
    with pytest.raises(CopyFailed, match="and max_rows is 5"):
        await copied(pools, (source, "new"), (target, "old"), mode=mode, guard={"max_rows": 5})
    with pytest.raises(CopyFailed, match="and min_rows is 7"):
        await copied(pools, (source, "new"), (target, "made"), mode="overwrite", guard={"min_rows": 7})
    assert await rows(pools, target, "SELECT count(*), max(name) FROM old") == [(10, "old 9")]
    with pytest.raises(Exception, match="made"):
        await rows(pools, target, "SELECT * FROM made")


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_upsert_deletes_vanished_rows_only_when_told(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await two_tables(pools, source, target)
    facts = await copied(pools, (source, "new"), (target, "old"), mode="upsert")
    assert "rows_deleted" not in facts
    assert await rows(pools, target, "SELECT count(*) FROM old") == [(10,)]
    facts = await copied(pools, (source, "new"), (target, "old"), mode="upsert", delete_missing=True)
    assert (facts["rows_deleted"], facts["rows_written"], facts["target_rows"]) == (4, 0, 6)
    assert await rows(pools, target, "SELECT count(*) FROM old") == [(6,)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_keys_that_are_null_or_twice_there_are_named(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await two_tables(pools, source, target, key=False)
    options: dict[str, Any] = {"mode": "upsert", "key_columns": ["id"], "delete_missing": True}
    await run(pools, source, "UPDATE new SET id = 5 WHERE id = 2")
    with pytest.raises(
        CopyFailed, match="the source has 2 rows with the key id = 5; a key must be there once"
    ):
        await copied(pools, (source, "new"), (target, "old"), **options)
    await run(pools, source, "UPDATE new SET id = NULL WHERE id = 5")
    with pytest.raises(CopyFailed, match=r"row \d, column 'id': NULL is not allowed here, it is a key"):
        await copied(pools, (source, "new"), (target, "old"), **options)
    assert await rows(pools, target, "SELECT count(*), max(name) FROM old") == [(10, "old 9")]


@pytest.mark.parametrize("pool", ["sqlite", "pg"])
async def test_a_statement_beyond_its_guard_is_undone(pools: ConnectorRegistry, pool: str) -> None:
    await run(pools, pool, "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1), (2), (3)")

    def step(query: str, **guard: int) -> SqlQueryStep:
        return SqlQueryStep.model_validate({"connector": pool, "query": query, "guard": guard})

    ctx = build_fake_ctx(connectors=pools)
    with pytest.raises(
        CopyFailed, match="guard: 2 rows would be changed and max_rows is 1; nothing was changed"
    ):
        await step("DELETE FROM t WHERE n < 3", max_rows=1).execute(ctx)
    with pytest.raises(CopyFailed, match="guard: 0 rows would be changed and min_rows is 1"):
        await step("DELETE FROM t WHERE n > 3", min_rows=1).execute(ctx)
    with pytest.raises(CopyFailed, match="guard: 3 rows were read and min_rows is 4"):
        await step("SELECT n FROM t", min_rows=4).execute(ctx)
    assert await rows(pools, pool, "SELECT count(*) FROM t") == [(3,)]
    result = await step("DELETE FROM t WHERE n < 3", max_rows=2).execute(ctx)
    assert result.rows_affected == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"guard": {}}, "names no limit; known ones: min_rows, max_rows, max_delete_pct"),
        ({"guard": {"min_rows": 2, "max_rows": 1}}, "'min_rows' is 2, more than 'max_rows', 1"),
        ({"mode": "append", "guard": {"max_delete_pct": 5}}, "limits nothing here"),
        ({"mode": "upsert", "guard": {"max_delete_pct": 5}}, "limits nothing here"),
        ({"guard": {"max_delete_pct": 101}}, "less than or equal to 100"),
        ({"delete_missing": True}, "'delete_missing' needs mode 'upsert'"),
        (
            {"mode": "upsert", "delete_missing": True, "incremental": {"column": "id"}},
            "would delete every row that 'incremental' leaves out",
        ),
    ],
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, Any], complaint: str) -> None:
    sides = {"source": place("a", table="t"), "target": place("b", table="t")}
    with pytest.raises(ValidationError, match=complaint):
        SqlCopyStep.model_validate({**sides, **options})


def test_fetch_first_and_a_guard_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="fetch 'first' reads one"):
        SqlQueryStep.model_validate(
            {"connector": "a", "query": "SELECT 1", "fetch": "first", "guard": {"min_rows": 1}}
        )
