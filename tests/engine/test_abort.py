"""Aborting a run whatever it is doing: within two seconds, with every row saying so, and nothing written afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from liberty.errors import Conflict, NotFound
from liberty.jobs.service.runs import RunDetail
from tests.factories import AppsRepo, Program, caller, eventually, python_job

LIMIT_SECONDS = 2.0

SLEEPERS = """
async def swallows(ctx):
    mark(ctx, "started-only")
    while not marked(ctx, "go"):
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            log.info("ignored the cancel")
    log.info("a late line")
    return {"rows_affected": 99}

def polls(ctx):
    mark(ctx, "started-only")
    while not ctx.is_cancelled():
        time.sleep(0.01)
    log.info("saw the cancel")
    return {"rows_affected": 1}

def stuck(ctx):
    mark(ctx, "started-only")
    while not marked(ctx, "go"):
        time.sleep(0.01)
    log.info("a late line")
    mark(ctx, "came-back")
    return {"rows_affected": 99}
"""


async def aborted(program: Program, job: str, started: str = "started-only") -> RunDetail:
    """Start `job`, abort it once it is in its step, and check what every aborted run has in common."""
    run = await program.start(job)
    await program.marked(started)
    return await abort_now(program, run.run_id)


async def abort_now(program: Program, run_id: str) -> RunDetail:
    before = time.monotonic()
    asked = await program.runtime.requests.abort(run_id, caller(name="bob"))
    assert asked.status == "aborting"
    detail = await program.ended(run_id, within=LIMIT_SECONDS)
    assert time.monotonic() - before < LIMIT_SECONDS
    assert (detail.run.status, detail.run.reason) == ("aborted", "aborted by user:bob")
    assert detail.run.abort_requested_by == "user:bob"
    assert detail.run.finished_at is not None
    assert detail.run.current_step is None
    open_steps = [step.name for step in detail.steps if step.status == "running" or not step.status.final]
    assert open_steps == []
    assert not [tried for step in detail.steps for tried in step.attempts if tried.finished_at is None]
    return detail


async def test_a_coroutine_that_sleeps(repo: AppsRepo) -> None:
    repo.plugin("").jobs(
        python_job("slow", "wait_for_ever")
        + '[[jobs.steps]]\ntype = "python"\nname = "after"\nrun_on = "always"\ncallable = "work:noop"\n'
    )
    async with repo.running() as program:
        detail = await aborted(program, "slow")
    assert [(step.name, step.status) for step in detail.steps] == [("only", "aborted"), ("after", "skipped")]
    assert detail.steps[0].reason == "aborted by user:bob"
    assert detail.steps[0].attempts[0].status == "aborted"
    assert detail.steps[1].reason == "skipped: run aborted"
    assert any("aborted by user:bob" in line.message for line in detail.lines)


async def test_a_coroutine_that_swallows_the_cancel(repo: AppsRepo) -> None:
    repo.plugin(SLEEPERS).jobs(python_job("deaf", "swallows"))
    async with repo.running() as program:
        detail = await aborted(program, "deaf")
        assert (await program.runtime.engine.stats()).abandoned_coroutines == 1
        await late_return_changes_nothing(program, detail)

        async def none_left() -> bool:
            return (await program.runtime.engine.stats()).abandoned_coroutines == 0

        await eventually(none_left)


async def late_return_changes_nothing(program: Program, detail: RunDetail) -> None:
    program.mark("go")
    await asyncio.sleep(0.3)  # longer than a flush: what might come late has had its chance
    now = await program.detail(detail.run)
    assert now == detail
    assert "a late line" not in await program.messages(detail.run)
    assert now.run.rows_affected is None


async def test_a_function_that_asks_whether_to_stop(repo: AppsRepo) -> None:
    repo.plugin(SLEEPERS).jobs(python_job("polite", "polls"))
    async with repo.running() as program:
        detail = await aborted(program, "polite")
        assert (await program.runtime.engine.stats()).abandoned_threads == 0
    assert "saw the cancel" in [line.message for line in detail.lines]
    assert detail.run.rows_affected is None


async def test_a_thread_that_is_stuck(repo: AppsRepo) -> None:
    repo.plugin(SLEEPERS).jobs(python_job("stuck", "stuck") + python_job("other", "noop"))
    async with repo.running() as program:
        detail = await aborted(program, "stuck")
        stats = await program.runtime.engine.stats()
        assert (stats.abandoned_threads, stats.busy_threads) == (1, 0)
        assert (await program.run("other")).run.status == "succeeded"
        assert (await program.run("stuck", step_enabled={"only": False})).run.status == "succeeded"
        await late_return_changes_nothing(program, detail)
        await program.marked("came-back")

        async def none_left() -> bool:
            return (await program.runtime.engine.stats()).abandoned_threads == 0

        await eventually(none_left)


ENDLESS = """
[[jobs]]
name = "endless"
[[jobs.steps]]
type = "sql_query"
name = "only"
connector = "target"
query = "%s"
"""


async def test_an_endless_query_on_sqlite(repo: AppsRepo, tmp_path: Path) -> None:
    repo.connectors(f'[pools.target]\nurl = "sqlite+aiosqlite:///{tmp_path / "target.db"}"\n')
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    repo.jobs(ENDLESS % sql)
    async with repo.running() as program:
        run = await program.start("endless")
        await eventually(lambda: in_step(program, run.run_id))
        await abort_now(program, run.run_id)
        await eventually(lambda: idle_pools(program))


async def test_a_sleeping_query_on_postgresql(repo: AppsRepo, pg_url: str) -> None:
    repo.connectors(f'[pools.target]\nurl = "{pg_url}"\n')
    repo.jobs(ENDLESS % "SELECT pg_sleep(3600)")
    async with repo.running() as program:
        run = await program.start("endless")
        await eventually(lambda: in_step(program, run.run_id))
        await eventually(lambda: checked_out(program) == 1)
        await abort_now(program, run.run_id)
        await eventually(lambda: idle_pools(program))


COPY_AND_MORE = """
[[jobs]]
name = "late"

[[jobs.steps]]
name = "copy"
type = "sql_copy"
source = {connector = "target", query = "SELECT 1 AS id"}
target = {connector = "target", table = "late"}

[[jobs.steps]]
name = "after"
type = "sql_query"
connector = "target"
query = "DELETE FROM late"
"""


async def test_a_copy_whose_commit_was_sent(repo: AppsRepo, pg_url: str) -> None:
    repo.connectors(f'[pools.target]\nurl = "{pg_url}"\n')
    repo.jobs(COPY_AND_MORE)
    async with repo.running() as program:
        target = program.runtime.generation.connectors.sql("target")
        for statement in (
            "CREATE TABLE late (id int)",
            """CREATE FUNCTION think() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$""",
            """CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION think()""",
        ):
            await target.execute(statement)

        async def committing() -> bool:
            busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COMMIT%'"
            return bool(await target.scalar(busy))

        run = await program.start("late")
        await eventually(committing)
        detail = await abort_now(program, run.run_id)
        assert [step.status for step in detail.steps] == ["succeeded", "skipped"]
        assert await target.scalar("SELECT count(*) FROM late") == 1
        await eventually(lambda: idle_pools(program))


async def in_step(program: Program, run_id: str) -> bool:
    detail = await program.detail(run_id)
    return any(step.status == "running" for step in detail.steps)


def checked_out(program: Program) -> int:
    return sum(pool["checked_out"] for pool in program.runtime.generation.connectors.pools.stats())


def idle_pools(program: Program) -> bool:
    return checked_out(program) == 0


@asynccontextmanager
async def dripping_server() -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Event]]:
    """Sends a byte of an endless body now and then; says when it was asked and when the other side hung up."""
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n")
        asked.set()
        try:
            while not reader.at_eof():
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked, hung_up


async def test_a_response_that_drips(repo: AppsRepo) -> None:
    async with dripping_server() as (port, asked, hung_up):
        repo.jobs(
            f'[[jobs]]\nname = "drip"\n[[jobs.steps]]\ntype = "http"\nurl = "http://127.0.0.1:{port}/"\n'
        )
        async with repo.running() as program:
            run = await program.start("drip")
            await asyncio.wait_for(asked.wait(), 5)
            await abort_now(program, run.run_id)
            await asyncio.wait_for(hung_up.wait(), 2)


async def test_the_wait_for_a_further_try(repo: AppsRepo) -> None:
    repo.plugin("def fails(ctx):\n    mark(ctx, 'started-only')\n    raise ValueError('no')\n")
    repo.jobs(
        python_job("again", "fails", "retry = {attempts = 3, base_seconds = 3600, max_delay_seconds = 3600}")
    )
    async with repo.running() as program:
        run = await program.start("again")

        async def waits() -> bool:
            steps = (await program.detail(run)).steps
            return bool(steps and steps[0].attempts and steps[0].attempts[0].wait_seconds)

        await eventually(waits)
        detail = await abort_now(program, run.run_id)
    assert [(tried.number, tried.status) for tried in detail.steps[0].attempts] == [(1, "failed")]
    assert detail.steps[0].status == "aborted"


async def test_a_run_that_waits_for_its_turn(repo: AppsRepo) -> None:
    repo.app(max_concurrent_runs=1).plugin("").jobs(
        python_job("first", "wait_for_go") + python_job("second", "noop")
    )
    async with repo.running() as program:
        first = await program.start("first")
        await program.marked("started-only")
        second = await program.start("second")
        assert (await program.abort(second, caller(name="bob"))).status == "aborted"
        program.mark("go")
        assert (await program.ended(first)).run.status == "succeeded"
        await program.runtime.engine.wait_idle()
        detail = await program.detail(second)
    assert (detail.run.status, detail.run.reason) == ("aborted", "aborted by user:bob")
    assert (detail.run.started_at, detail.steps, detail.lines) == (None, [], [])


async def test_the_called_run_is_stopped_with_its_caller(repo: AppsRepo) -> None:
    repo.plugin("").jobs(
        '[[jobs]]\nname = "parent"\n[[jobs.steps]]\ntype = "call_job"\nname = "call"\ntarget_job = "child"\n'
        + python_job("child", "wait_for_ever")
    )
    async with repo.running() as program:
        await aborted(program, "parent")
        child = await program.latest("child")
        assert (child.run.status, child.run.reason) == ("aborted", "the calling run was stopped")
        assert [step.status for step in child.steps] == ["aborted"]


async def test_aborting_twice_and_aborting_what_has_ended(repo: AppsRepo) -> None:
    repo.plugin(SLEEPERS).jobs(python_job("deaf", "swallows") + python_job("quick", "noop"))
    async with repo.running() as program:
        run = await program.start("deaf")
        await program.marked("started-only")
        assert (await program.abort(run)).status == "aborting"
        assert (await program.abort(run)).status == "aborting"
        program.mark("go")
        assert (await program.ended(run)).run.status == "aborted"
        quick = await program.run("quick")
        with pytest.raises(Conflict, match="already ended: succeeded"):
            await program.abort(quick.run)
        with pytest.raises(NotFound):
            await program.abort(quick.run, caller(name="charlie", permissions=("job:other",)))
        with pytest.raises(NotFound):
            await program.abort(quick.run, caller(name="alice", permissions=("job:quick",)))


@pytest.mark.parametrize("delay", [0, 1, 2, 3, 5, 8, 13])
async def test_an_abort_at_any_moment_ends_the_run(repo_on_both: AppsRepo, delay: int) -> None:
    """Before the claim, between claim and first step, amid steps, while the end is being written."""
    repo = repo_on_both
    steps = "".join(
        f'[[jobs.steps]]\ntype = "python"\nname = "s{n}"\ncallable = "work:noop"\n' for n in range(3)
    )
    repo.plugin("").jobs(f'[[jobs]]\nname = "short"\nsingle_instance = false\n{steps}')
    async with repo.running() as program:
        await program.run("short")

        async def started_and_aborted(turn: int) -> str:
            run = await program.start("short")
            await asyncio.sleep((delay + turn / 8) / 1000)
            with suppress(Conflict):
                await program.abort(run)
            return run.run_id

        ids = await asyncio.gather(*(started_and_aborted(turn) for turn in range(24)))
        details = [await program.ended(run_id, within=5) for run_id in ids]
    for detail in details:
        assert detail.run.status in ("succeeded", "aborted")
        if detail.run.status == "aborted":
            assert detail.run.reason == "aborted by user:alice"
        assert all(step.status.final for step in detail.steps)
