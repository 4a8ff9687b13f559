"""Incremental copies by a mark: what is new comes once, what shares the mark's value is not lost."""

from dataclasses import replace
from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid
from liberty.jobs.marks import CopyMark
from liberty.testing import FakeContext, build_fake_ctx
from tests.steps.copying import PAIRS, copy_step, rows, run

VALUES = {
    # By the column's type: how the values of five rows are written, the second and third being equal.
    "INTEGER": ("1", "2", "2", "2", "3"),
    "TIMESTAMP": tuple(f"'2026-01-0{n} 10:00:00.25'" for n in (1, 2, 2, 2, 3)),
    "VARCHAR(10)": ("'a'", "'b'", "'b'", "'b'", "'c'"),
}


async def log_table(pools: ConnectorRegistry, pool: str, kind: str) -> None:
    await run(pools, pool, f"CREATE TABLE log (id INTEGER PRIMARY KEY, at {kind}, note VARCHAR(20))")


async def add(pools: ConnectorRegistry, pool: str, kind: str, *numbers: int) -> None:
    for number in numbers:
        await run(pools, pool, f"INSERT INTO log VALUES ({number}, {VALUES[kind][number - 1]}, 'n{number}')")


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("kind", list(VALUES))
@pytest.mark.parametrize("mode", ["append", "upsert"])
async def test_rows_at_the_mark_that_come_late_are_not_lost_and_none_comes_twice(
    pools: ConnectorRegistry, source: str, target: str, kind: str, mode: str
) -> None:
    await log_table(pools, source, kind)
    options: dict[str, Any] = {"mode": mode, "incremental": {"column": "AT"}, "verify": True}
    options |= {"key_columns": ["id"]} if mode == "upsert" else {}
    step = copy_step((source, "log"), (target, "log2"), **options)
    ctx = build_fake_ctx(connectors=pools)
    await add(pools, source, kind, 1, 2)
    assert (await step.execute(ctx)).rows_affected == 2
    await add(pools, source, kind, 3, 4)  # the same value as row 2 has
    assert (await step.execute(ctx)).rows_affected == 2
    assert (await step.execute(ctx)).rows_affected == 0
    await add(pools, source, kind, 5)
    result = await step.execute(ctx)
    assert result.rows_affected == 1
    assert ctx.host.copy_marks["fake-step"].revision == 4
    assert await rows(pools, target, "SELECT id, note FROM log2 ORDER BY id") == [
        (number, f"n{number}") for number in range(1, 6)
    ]


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_copy_whose_mark_was_not_stored_is_repeated_without_harm(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await log_table(pools, source, "INTEGER")
    await add(pools, source, "INTEGER", 1, 2)
    step = copy_step((source, "log"), (target, "log2"), mode="append", incremental={"column": "at"})
    ctx = build_fake_ctx(connectors=pools)
    await step.execute(ctx)
    before = ctx.host.copy_marks["fake-step"]
    await add(pools, source, "INTEGER", 3, 4, 5)
    await step.execute(ctx)
    ctx.host.copy_marks["fake-step"] = before
    assert (await step.execute(ctx)).rows_affected == 0
    assert await rows(pools, target, "SELECT count(*) FROM log2") == [(5,)]


@pytest.mark.parametrize("source", ["sqlite", "pg"])
async def test_a_failed_copy_leaves_the_mark(pools: ConnectorRegistry, source: str) -> None:
    await log_table(pools, source, "INTEGER")
    await add(pools, source, "INTEGER", 1)
    options: dict[str, Any] = {"mode": "append", "incremental": {"column": "at"}}
    ctx = build_fake_ctx(connectors=pools)
    await copy_step((source, "log"), ("sqlite2", "log2"), **options).execute(ctx)
    before = ctx.host.copy_marks["fake-step"]
    await add(pools, source, "INTEGER", 2)
    with pytest.raises(Exception, match="guard: 1 row would be written and min_rows is 9"):
        await copy_step((source, "log"), ("sqlite2", "log2"), guard={"min_rows": 9}, **options).execute(ctx)
    assert ctx.host.copy_marks["fake-step"] == before


def marked(pools: ConnectorRegistry, mark: CopyMark) -> FakeContext:
    ctx = build_fake_ctx(connectors=pools)
    ctx.host.copy_marks["fake-step"] = mark
    return ctx


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_mark_set_by_hand_decides_where_a_copy_goes_on(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await log_table(pools, source, "TIMESTAMP")
    await add(pools, source, "TIMESTAMP", 1, 2, 5)
    step = copy_step((source, "log"), (target, "log2"), mode="append", incremental={"column": "at"})
    like = CopyMark.of("2026-01-01 00:00:00")
    ctx = marked(pools, CopyMark.written("2026-01-02 10:00:00.25", like))
    assert (await step.execute(ctx)).rows_affected == 2
    ctx = marked(pools, replace(like, kind="start", value=None))
    assert (await step.execute(ctx)).rows_affected == 1, "from the start; what is there stays as it is"


async def test_a_mark_that_fits_no_column_says_so(pools: ConnectorRegistry) -> None:
    await log_table(pools, "pg", "INTEGER")
    await add(pools, "pg", "INTEGER", 1)
    step = copy_step(("pg", "log"), ("sqlite", "log2"), mode="append", incremental={"column": "at"})
    with pytest.raises(Invalid, match="the mark 'yesterday' does not fit column 'at'; reset it"):
        await step.execute(marked(pools, CopyMark("text", "yesterday")))


def test_marks_keep_their_kind() -> None:
    assert CopyMark.written("7", CopyMark.of(3)).as_value() == 7
    assert CopyMark.written("7", CopyMark.of("3")).as_value() == "7"
    with pytest.raises(Invalid, match="'x' is no int, as the marks before it were"):
        CopyMark.written("x", CopyMark.of(3))
