"""Backfills: in order, a few at a time, only what never succeeded, over restarts, and called off at once."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from liberty.errors import Conflict, NotFound
from liberty.jobs.run import Run
from liberty.jobs.service.backfill import Backfill, Backfills, Order
from tests.factories import ALICE, AppsRepo, Program, caller, eventually, python_job

HOURLY = 'schedule = "0 * * * *"'
FROM = datetime(2026, 5, 1, tzinfo=UTC)
TO = datetime(2026, 5, 1, 5, tzinfo=UTC)

STEPS = """
def says_when(ctx):
    return {"at": ctx.scheduled_at.isoformat()}

def fails_at_two(ctx):
    if ctx.scheduled_at.hour == 2 and not marked(ctx, "mended"):
        raise ValueError("not at two")
"""


def backfills(program: Program) -> Backfills:
    runtime = program.runtime
    return Backfills(
        database=runtime.database,
        clock=runtime.clock,
        engine=runtime.engine,
        current=lambda: runtime.generation,
    )


async def backfilled(program: Program, job: str, **order: Any) -> Backfill:
    return await backfills(program).start(job, ALICE, since=FROM, until=TO, order=Order(**order))


async def is_running(program: Program, run: Run) -> bool:
    return str(await program.status(run)) == "running"


async def test_the_instants_run_one_after_another_with_their_own_time(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(STEPS).jobs(python_job("hourly", "says_when", HOURLY, 'timezone = "UTC"'))
    async with repo_on_both.running() as program:
        made = await backfilled(program, "hourly")
        details = [await program.ended(run) for run in made.runs]
    assert [at.hour for at in made.instants] == [0, 1, 2, 3, 4, 5]
    assert [detail.steps[0].output for detail in details] == [{"at": at.isoformat()} for at in made.instants]
    for one, other in itertools.pairwise(details):
        assert one.run.finished_at is not None
        assert other.run.started_at is not None
        assert one.run.finished_at <= other.run.started_at


async def test_the_newest_may_come_first_and_several_at_once(repo: AppsRepo) -> None:
    repo.plugin(STEPS).jobs(
        python_job("hourly", "wait_for_go", HOURLY, 'timezone = "UTC"', "single_instance = false")
    )
    async with repo.running() as program:
        made = await backfilled(program, "hourly", newest_first=True, max_concurrent=2)
        assert [at.hour for at in made.instants] == [5, 4, 3, 2, 1, 0]
        await program.marked("started-only")
        for run in made.runs[:2]:
            await eventually(lambda run=run: is_running(program, run))
        assert [str(await program.status(run)) for run in made.runs[2:]] == ["queued"] * 4
        program.mark("go")
        for run in made.runs:
            assert str((await program.ended(run)).run.status) == "succeeded"


async def test_only_what_never_succeeded_is_done_again(repo: AppsRepo) -> None:
    repo.plugin(STEPS).jobs(python_job("hourly", "fails_at_two", HOURLY, 'timezone = "UTC"'))
    async with repo.running() as program:
        first = await backfilled(program, "hourly")
        for run in first.runs:
            await program.ended(run)
        program.mark("mended")
        second = await backfilled(program, "hourly")
        assert [at.hour for at in second.instants] == [2]
        assert str((await program.ended(second.runs[0])).run.status) == "succeeded"
        third = await backfilled(program, "hourly")
        assert (third.number, third.runs) == (None, [])
        fourth = await backfilled(program, "hourly", only_missing=False)
        assert len(fourth.runs) == 6
        for run in fourth.runs:
            await program.ended(run)


async def test_one_word_calls_a_backfill_off(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(STEPS).jobs(python_job("hourly", "wait_for_ever", HOURLY, 'timezone = "UTC"'))
    async with repo_on_both.running() as program:
        made = await backfilled(program, "hourly")
        await program.marked("started-only")
        assert made.number is not None
        row = await backfills(program).cancel("hourly", made.number, ALICE)
        assert row.cancelled_by == ALICE.by
        details = [await program.ended(run) for run in made.runs]
        assert {str(detail.run.status) for detail in details} == {"aborted"}
        assert "cancelled by" in (details[-1].run.reason or "")
        listed = await backfills(program).all_of("hourly", ALICE)
        assert [(found.number, counts) for found, counts in listed] == [(made.number, {"aborted": 6})]
        with pytest.raises(Conflict, match="already"):
            await backfills(program).cancel("hourly", made.number, ALICE)
        with pytest.raises(NotFound):
            await backfills(program).cancel("hourly", made.number + 1, ALICE)


async def test_a_backfill_goes_on_after_a_restart(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(STEPS).jobs(python_job("hourly", "wait_for_go", HOURLY, 'timezone = "UTC"'))
    repo_on_both.app(scheduler_enabled=False)
    async with repo_on_both.running("server") as program:
        made = await backfilled(program, "hourly")
        await program.marked("started-only")
    (repo_on_both.marks / "go").touch()
    async with repo_on_both.running("server") as program:
        statuses = [str((await program.ended(run)).run.status) for run in made.runs]
    assert statuses == ["aborted", *["succeeded"] * 5]


async def test_who_may_not_run_a_job_cannot_fill_it_up(repo: AppsRepo) -> None:
    repo.plugin(STEPS).jobs(python_job("hourly", "says_when", HOURLY, 'timezone = "UTC"'))
    bob = caller(name="bob", permissions=("job:hourly:read",))
    async with repo.running() as program:
        with pytest.raises(NotFound):
            await backfills(program).start("hourly", bob, since=FROM, until=TO, order=Order())
        made = await backfilled(program, "hourly")
        assert made.number is not None
        with pytest.raises(NotFound):
            await backfills(program).cancel("hourly", made.number, bob)
        assert len(await backfills(program).all_of("hourly", bob)) == 1
        for run in made.runs:
            await program.ended(run)
