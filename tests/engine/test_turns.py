"""Runs that wait for their turn: behind others of their job, at a limited pool, on another replica, after a restart."""

import asyncio
import itertools

import pytest

from liberty.jobs.run import QUEUED
from liberty.jobs.service.runs import RunDetail
from liberty.jobs.service.technical import Technical
from tests.factories import ALICE, AppsRepo, Program, eventually, python_job

NOTES = """
async def holds(ctx):
    mark(ctx, f"began-{ctx.run_id}")
    while not marked(ctx, f"go-{ctx.run_id}") and not marked(ctx, "go-all"):
        await asyncio.sleep(0.01)
"""


def apart(details: list[RunDetail]) -> bool:
    """Whether the runs followed each other, in the order given."""
    return all(
        one.run.finished_at is not None
        and other.run.started_at is not None
        and one.run.finished_at <= other.run.started_at
        for one, other in itertools.pairwise(details)
    )


def technical(program: Program) -> Technical:
    runtime = program.runtime
    return Technical(
        database=runtime.database,
        clock=runtime.clock,
        engine=runtime.engine,
        scheduler=runtime.scheduler,
        current=lambda: runtime.generation,
    )


async def test_runs_that_queue_follow_each_other_in_order(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(NOTES).jobs(python_job("line", "holds", 'overlap = "queue"'))
    async with repo_on_both.running() as program:
        runs = [await program.start("line") for _ in range(4)]
        assert {str(run.status) for run in runs} == {"queued"}
        await program.marked(f"began-{runs[0].run_id}")
        assert [str(await program.status(run)) for run in runs[1:]] == ["queued"] * 3
        program.mark("go-all")
        details = [await program.ended(run) for run in runs]
    assert [str(detail.run.status) for detail in details] == ["succeeded"] * 4
    assert apart(details)


async def test_a_full_line_takes_no_more(repo: AppsRepo) -> None:
    repo.plugin(NOTES).jobs(python_job("line", "holds", 'overlap = "queue"', "max_queued = 1"))
    async with repo.running() as program:
        first = await program.start("line")
        await program.marked(f"began-{first.run_id}")
        second = await program.start("line")
        third = await program.start("line")
        assert (str(second.status), second.reason) == ("queued", None)
        assert (str(third.status), third.reason) == ("skipped", "queue-full: 1 runs of the job wait already")
        program.mark("go-all")
        assert str((await program.ended(second)).run.status) == "succeeded"


async def test_a_replica_takes_no_more_than_it_may_keep_waiting(repo: AppsRepo) -> None:
    repo.app(max_concurrent_runs=1, max_queued_runs=1)
    repo.plugin(NOTES).jobs(python_job("free", "holds", "single_instance = false"))
    async with repo.running() as program:
        runs = [await program.start("free")]
        await program.marked(f"began-{runs[0].run_id}")
        runs += [await program.start("free")]
        await eventually(lambda: program.runtime.engine.waiting == 1)
        refused = await program.start("free")
        assert (str(refused.status), refused.reason) == ("skipped", "queue-full: 1 runs wait already")
        program.mark("go-all")
        for run in runs:
            assert str((await program.ended(run)).run.status) == "succeeded"


async def test_a_run_that_replaces_stops_the_one_before_it(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(NOTES).jobs(python_job("newest", "holds", 'overlap = "replace"'))
    async with repo_on_both.running() as program:
        first = await program.start("newest")
        await program.marked(f"began-{first.run_id}")
        second = await program.start("newest")
        third = await program.start("newest")
        ended = [await program.ended(first), await program.ended(second)]
        assert [str(detail.run.status) for detail in ended] == ["aborted", "aborted"]
        assert second.run_id in (ended[0].run.reason or "")
        assert third.run_id in (ended[1].run.reason or "")
        await program.marked(f"began-{third.run_id}")
        program.mark("go-all")
        assert str((await program.ended(third)).run.status) == "succeeded"


POOLS = """
[pools.small]
url = "sqlite:///small.db"
max_runs = 1
"""


def on_pool(name: str) -> str:
    step = '[[jobs.steps]]\ntype = "sql_query"\nname = "ask"\nconnector = "small"\nquery = "SELECT 1"\n'
    hold = '[[jobs.steps]]\ntype = "python"\nname = "hold"\ncallable = "work:holds"\n'
    return f'[[jobs]]\nname = "{name}"\nsingle_instance = false\n{step}{hold}'


async def test_a_pool_is_used_by_no_more_runs_than_it_allows(repo: AppsRepo) -> None:
    repo.connectors(POOLS).plugin(NOTES).jobs(on_pool("one") + on_pool("two"))
    async with repo.running() as program:
        first = await program.start("one")
        await program.marked(f"began-{first.run_id}")
        second = await program.start("two")
        await asyncio.sleep(0.3)  # long enough for a run that does not wait
        assert await program.status(second) == QUEUED
        program.mark(f"go-{first.run_id}")
        program.mark(f"go-{second.run_id}")
        assert apart([await program.ended(first), await program.ended(second)])


async def test_a_waiting_run_can_be_aborted_and_lets_the_next_one_pass(repo: AppsRepo) -> None:
    repo.plugin(NOTES).jobs(python_job("line", "holds", 'overlap = "queue"'))
    async with repo.running() as program:
        first, second, third = [await program.start("line") for _ in range(3)]
        await program.marked(f"began-{first.run_id}")
        assert str((await program.abort(second)).status) == "aborted"
        program.mark("go-all")
        assert str((await program.ended(third)).run.status) == "succeeded"
        assert (await program.detail(second)).steps == []


async def test_a_called_job_waits_for_its_turn_too(repo: AppsRepo) -> None:
    caller = (
        '[[jobs]]\nname = "caller"\n[[jobs.steps]]\ntype = "call_job"\nname = "call"\ntarget_job = "line"\n'
    )
    repo.plugin(NOTES).jobs(python_job("line", "holds", 'overlap = "queue"') + caller)
    async with repo.running() as program:
        first = await program.start("line")
        await program.marked(f"began-{first.run_id}")
        parent = await program.start("caller")

        async def child_waits() -> bool:
            newest = await program.latest("line")
            return newest.run.run_id != first.run_id and newest.run.status == QUEUED

        await eventually(child_waits)
        program.mark("go-all")
        assert str((await program.ended(parent)).run.status) == "succeeded"
        assert apart([await program.detail(first), await program.latest("line")])


async def test_a_caller_that_is_stopped_takes_its_waiting_child_along(repo: AppsRepo) -> None:
    caller = (
        '[[jobs]]\nname = "caller"\n[[jobs.steps]]\ntype = "call_job"\nname = "call"\ntarget_job = "line"\n'
    )
    repo.plugin(NOTES).jobs(python_job("line", "holds", 'overlap = "queue"') + caller)
    async with repo.running() as program:
        first = await program.start("line")
        await program.marked(f"began-{first.run_id}")
        parent = await program.start("caller")

        async def child_waits() -> bool:
            return (await program.latest("line")).run.run_id != first.run_id

        await eventually(child_waits)
        await program.abort(parent)
        assert str((await program.ended(parent)).run.status) == "aborted"
        assert str((await program.latest("line")).run.status) == "aborted"
        program.mark("go-all")
        await program.ended(first)


async def test_what_waits_is_taken_up_by_the_next_process(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(NOTES).jobs(
        python_job("line", "holds", 'overlap = "queue"')
        + python_job("free", "holds", "single_instance = false")
    )
    repo_on_both.app(max_concurrent_runs=1, scheduler_enabled=False)
    async with repo_on_both.running("server") as program:
        first = await program.start("line")
        await program.marked(f"began-{first.run_id}")
        left = [await program.start("line"), await program.start("free")]
    (repo_on_both.marks / "go-all").touch()
    async with repo_on_both.running("server") as program:
        for run in left:
            assert str((await program.ended(run)).run.status) == "succeeded"


@pytest.mark.timeout(90)
async def test_a_replica_with_a_place_takes_what_another_has_no_place_for(
    pg_url: str, repo: AppsRepo
) -> None:
    repo = AppsRepo(repo.root.parent / "shared", pg_url)
    repo.app(max_concurrent_runs=1, scheduler_enabled=False)
    repo.plugin(NOTES).jobs(python_job("free", "holds", "single_instance = false"))
    async with repo.running("server") as one, repo.running("server") as two:
        await eventually(lambda: one.runtime.engine.presence.others == 1, within=20)
        runs = [await one.start("free") for _ in range(2)]
        for run in runs:
            await one.marked(f"began-{run.run_id}")
        owners = {(await one.detail(run)).run.owner for run in runs}
        assert owners == {one.runtime.engine.replica, two.runtime.engine.replica}
        seen = await technical(one).document(ALICE)
        assert {run["run_id"] for run in seen["in_flight"]} == {run.run_id for run in runs}
        # An abort reaches the owner through the other replica.
        theirs = [run for run in runs if (await one.detail(run)).run.owner == two.runtime.engine.replica]
        await one.abort(theirs[0])
        aborted = await one.ended(theirs[0], within=5)
        assert str(aborted.run.status) == "aborted"
        assert aborted.run.finished_at is not None
        one.mark("go-all")
        for run in runs:
            await one.ended(run)


@pytest.mark.timeout(90)
async def test_turns_hold_over_replicas(pg_url: str, repo: AppsRepo) -> None:
    repo = AppsRepo(repo.root.parent / "shared", pg_url)
    repo.app(scheduler_enabled=False)
    repo.plugin("async def short(ctx):\n    await asyncio.sleep(0.05)\n").jobs(
        python_job("line", "short", 'overlap = "queue"')
    )
    async with repo.running("server") as one, repo.running("server") as two:
        programs: list[Program] = [one, two]
        runs = await asyncio.gather(*(programs[n % 2].start("line") for n in range(12)))
        details = [await one.ended(run, within=30) for run in sorted(runs, key=lambda run: run.number)]
    assert {str(detail.run.status) for detail in details} == {"succeeded"}
    assert apart(details)


@pytest.mark.timeout(90)
async def test_a_reload_reaches_the_other_replicas(
    pg_url: str, repo: AppsRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liberty.jobs.engine.presence.BEAT_SECONDS", 0.2)
    repo = AppsRepo(repo.root.parent / "shared", pg_url)
    repo.plugin(NOTES).jobs(python_job("first", "noop"))
    async with repo.running("server") as one, repo.running("server") as two:
        await asyncio.sleep(0.5)  # both have beaten and know how often was reloaded before
        repo.jobs(python_job("first", "noop") + python_job("second", "noop"))
        await one.runtime.reload()
        await eventually(lambda: "second" in two.runtime.generation.catalogue.jobs, within=10)
        before = two.runtime.generation
        await asyncio.sleep(0.6)
        assert two.runtime.generation is before, "a reload that was followed must not come back"
