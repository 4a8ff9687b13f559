"""The public test kit: what authors of plugins test their functions with."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from liberty.errors import NotFound
from liberty.jobs.steps import base
from liberty.jobs.steps.base import ChildRun, RunContext
from liberty.jobs.types import StepContext
from liberty.testing import FakeClock, build_fake_ctx, memory_registry, no_backoff, step_run


def test_a_fake_context_is_a_real_one_with_everything_documented() -> None:
    ctx = build_fake_ctx(params={"period": "2026-04"}, session_user="alice", log_level="DEBUG")
    assert isinstance(ctx, RunContext)
    assert isinstance(ctx, StepContext)
    assert (ctx.run_id, ctx.job_id, ctx.step_name, ctx.log_level) == ("r-1", "fake-job", "fake-step", "DEBUG")
    assert (ctx.session_user, ctx.trigger.kind, ctx.parent_chain, ctx.prev_rows_affected) == (
        "alice",
        "manual",
        [],
        None,
    )
    assert ctx.params == {"period": "2026-04"}
    assert ctx.explicit == {"period"}
    assert ctx.settings.app.port == 8000


@pytest.mark.parametrize(
    ("kind", "user"), [("cron", "cron"), ("cli", "cli"), ("api", "alice"), ("call_job", "cron")]
)
def test_the_trigger_may_be_given_by_kind(kind: str, user: str) -> None:
    ctx = build_fake_ctx(trigger=kind)  # type: ignore[arg-type]  # one of the literals
    assert (ctx.trigger.kind, ctx.session_user, ctx.scheduled_at is not None) == (kind, user, kind == "cron")


def test_log_calls_are_level_and_message() -> None:
    ctx = build_fake_ctx()
    ctx.log.info("▶ batch %d of %d", 1, 2)
    ctx.log.warning("100% of nothing")
    ctx.log.error(KeyError("x"))
    ctx.log.debug("d")
    assert ctx.log.calls == [
        ("INFO", "▶ batch 1 of 2"),
        ("WARNING", "100% of nothing"),
        ("ERROR", "'x'"),
        ("DEBUG", "d"),
    ]


def test_cancel_is_seen_by_the_function() -> None:
    ctx = build_fake_ctx()
    assert not ctx.is_cancelled()
    ctx.cancel()
    assert ctx.is_cancelled()
    assert build_fake_ctx(cancelled=lambda: True).is_cancelled()


def test_previous_steps_are_given_as_outputs_or_records() -> None:
    ctx = build_fake_ctx(
        previous={"fetch": {"body": [1]}, "broken": step_run("broken", status="FAILED", rows_affected=3)}
    )
    assert ctx.previous_step("fetch").output == {"body": [1]}
    assert ctx.previous_step("fetch").status == "SUCCEEDED"
    assert ctx.previous_step("broken").status == "failed"
    assert ctx.previous_step("broken").rows_affected == 3
    with pytest.raises(LookupError, match="fetch, broken"):
        ctx.previous_step("nothing")


def test_stub_connectors_answer_by_name() -> None:
    reporting = object()
    ctx = build_fake_ctx(connectors={"reporting": reporting})
    assert ctx.get_connector("reporting") is reporting
    assert ctx.connectors.sql("reporting") is reporting
    assert "reporting" in ctx.connectors
    assert ctx.connectors.names() == ["reporting"]
    with pytest.raises(NotFound, match="did you mean 'reporting'"):
        ctx.get_connector("reportin")


async def test_the_memory_registry_is_a_real_database() -> None:
    registry = memory_registry("default", "reporting")
    ctx = build_fake_ctx(connectors=registry)
    target = ctx.get_connector("reporting")
    await target.execute("CREATE TABLE t (n INTEGER)")
    await target.execute("INSERT INTO t VALUES (:n)", {"n": 4})
    assert await target.scalar("SELECT sum(n) FROM t") == 4
    async with registry.pools.engine("reporting").begin() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM t")).scalar() == 1
    assert registry.names() == ["default", "reporting"]
    await registry.close()


def test_two_memory_registries_share_nothing() -> None:
    async def tables() -> int:
        registry = memory_registry()
        await registry.get("default").execute("CREATE TABLE only_here (n INTEGER)")
        count = await registry.get("default").scalar("SELECT count(*) FROM sqlite_master")
        await registry.close()
        return int(count)

    assert [asyncio.run(tables()), asyncio.run(tables())] == [1, 1]


async def test_call_job_answers_from_the_given_children() -> None:
    child = ChildRun(run_id="r-2", job="child", status=step_run("x").status, reason=None, rows_affected=5)
    ctx = build_fake_ctx(children={"child": child})
    assert await ctx.host.call_job(ctx, "child", {"a": 1}) is child
    assert ctx.host.called_jobs == [("child", {"a": 1})]
    with pytest.raises(NotFound, match="did you mean 'child'"):
        await ctx.host.call_job(ctx, "chield", {})


def test_the_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock(datetime(2026, 3, 29, 1, 59, tzinfo=UTC))
    assert clock.now() == clock.now()
    before = clock.monotonic()
    assert clock.advance(60) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    clock.advance(timedelta(minutes=1))
    assert clock.monotonic() - before == 120
    with pytest.raises(ValueError, match="turned back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="aware"):
        FakeClock(datetime(2026, 1, 1))


def test_no_backoff_lasts_for_the_block_only() -> None:
    within = []
    with contextlib.suppress(RuntimeError), no_backoff():
        within.append(base.backoff_scale)
        raise RuntimeError("the test failed")
    assert (within, base.backoff_scale) == ([0.0], 1.0)
