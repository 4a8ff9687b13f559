"""Going down and coming up again: what ran is ended with a reason, what was queued is run, nothing is left hanging."""

import asyncio
import time
from dataclasses import replace

import pytest

from liberty.database import Tx, open_database
from liberty.errors import Conflict
from liberty.jobs.engine.replica import this_process
from liberty.jobs.store import owners, replicas, runs, step_runs
from liberty.jobs.store.runs import Fence
from liberty.runtime import Runtime
from tests.factories import NOW, AppsRepo, eventually, migrated, python_job, run_of, step

SLEEPERS = """
def stuck(ctx):
    mark(ctx, "started-only")
    while not marked(ctx, "go"):
        time.sleep(0.01)

async def deaf(ctx):
    mark(ctx, "started-only")
    while not marked(ctx, "go"):
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            pass
"""


async def test_runs_get_the_time_to_finish(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.app(drain_seconds=10).plugin("").jobs(python_job("slow", "wait_for_go"))
    async with repo.running("server") as program:
        run = await program.start("slow")
        await program.marked("started-only")
        closing = asyncio.ensure_future(program.runtime.engine.drain(10))
        await asyncio.sleep(0.05)
        assert not closing.done()
        program.mark("go")
        await asyncio.wait_for(closing, 3)
        assert (await program.detail(run)).run.status == "succeeded"


@pytest.mark.parametrize("function", ["wait_for_ever", "stuck", "deaf"])
async def test_what_does_not_finish_in_time_is_aborted(repo: AppsRepo, function: str) -> None:
    repo.plugin(SLEEPERS).jobs(python_job("slow", function) + python_job("other", "noop"))
    async with repo.running("server") as program:
        run = await program.start("slow")
        await program.marked("started-only")
        began = time.monotonic()
        await program.runtime.engine.drain(0.1)
        assert time.monotonic() - began < 2
        detail = await program.detail(run)
        assert (str(detail.run.status), detail.run.reason) == ("aborted", "shutdown")
        assert [(str(s.status), s.reason) for s in detail.steps] == [("aborted", "shutdown")]
        queued = await program.start("other")
        assert str(queued.status) == "queued"
        program.mark("go")
    async with repo.running("server") as program:
        assert (await program.ended(queued)).run.status == "succeeded"
        assert str((await program.detail(run)).run.status) == "aborted"


async def test_a_run_that_is_just_being_claimed_does_not_hold_up_the_end(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.plugin("").jobs(python_job("slow", "wait_for_ever", "single_instance = false"))
    async with repo.running("server") as program:
        started = [await program.start("slow") for _ in range(6)]
        began = time.monotonic()
        await program.runtime.engine.drain(0)
        assert time.monotonic() - began < 1.5
        for run in started:
            assert str((await program.detail(run)).run.status) in ("aborted", "queued")


async def test_runs_that_wait_for_a_place_run_at_the_next_start(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.app(max_concurrent_runs=1).plugin(
        "def shows(ctx, who: str = 'nobody'):\n    return {'who': who}\n"
    )
    job = python_job("shows", "shows", "single_instance = false", "[jobs.params]\nwho = 'as it was'")
    repo.jobs(python_job("slow", "wait_for_ever") + job + python_job("removed", "noop"))
    async with repo.running("server") as program:
        await program.start("slow")
        await program.marked("started-only")
        waiting = [await program.start("shows") for _ in range(3)]
        removed = await program.start("removed")
    repo.jobs(job.replace("as it was", "changed"))
    async with repo.running("server") as program:
        details = [await program.ended(run) for run in waiting]
        gone = await program.detail(removed)
    assert [d.steps[0].output for d in details] == [{"who": "as it was"}] * 3
    assert (str(gone.run.status), gone.run.reason) == ("skipped", "skipped: job removed")


async def test_a_queued_run_whose_definition_cannot_be_read_fails_and_the_server_starts(
    repo: AppsRepo,
) -> None:
    repo.plugin("").jobs(python_job("job", "noop", "single_instance = false"))
    async with migrated(repo.database_url) as database:

        async def of_an_old_version(tx: Tx) -> int:
            await tx.script(
                "INSERT INTO ly2_job_versions (job, version, fingerprint, definition, loaded_at) "
                'VALUES (\'job\', 1, \'old\', \'{"name": "job", "steps": [{"type": "gone"}]}\', '
                "'2026-01-01T00:00:00.000Z');"
            )
            return (await runs.insert_queued(tx, run_of("job", definition_version=1), NOW)).run.number

        number = await database.write(of_an_old_version)
    async with repo.running("server") as program:
        detail = await program.ended(f"r-{number}", within=3)
        assert str(detail.run.status) == "failed"
        assert "definition" in (detail.run.reason or "")
        assert (await program.run("job")).run.status == "succeeded"


async def test_the_next_start_ends_what_a_dead_process_left(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.plugin("").jobs(python_job("job", "noop"))
    async with migrated(repo.database_url) as database:
        dead = replace(this_process("server", "1", NOW), id="dead", process_started="an earlier boot")
        await database.write(replicas.register, dead)
        queued = await database.write(runs.insert_queued, run_of("job", exclusive=True), NOW)
        run = await database.write(runs.claim, queued.run.number, "dead", NOW)
        assert run is not None
        await database.write(step_runs.save, Fence(run.number, "dead", 1), [step(0, status="running")])
    began = time.monotonic()
    async with repo.running("server") as program:
        detail = await program.ended(run.run_id, within=5 - (time.monotonic() - began))
        assert (str(detail.run.status), detail.run.reason) == ("failed", "orphaned: dead")
        assert str(detail.steps[0].status) == "failed"
        assert (await program.run("job")).run.status == "succeeded"


async def test_a_living_program_notices_another_that_died(
    pg_url: str, repo: AppsRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liberty.jobs.engine.presence.BEAT_SECONDS", 0.2)
    repo.database_url = pg_url
    repo.connectors("").plugin("").jobs(python_job("job", "noop"))
    async with repo.running("server") as program:
        dead = replace(this_process("server", "1", NOW), id="dead", process_started="an earlier boot")
        database = program.runtime.database
        await database.write(replicas.register, dead)
        queued = await database.write(runs.insert_queued, run_of("job"), NOW)
        await database.write(runs.claim, queued.run.number, "dead", NOW)
        detail = await program.ended(queued.run, within=12)
    assert detail.run.reason == "orphaned: dead"


async def test_an_abort_from_another_process_reaches_the_run(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.plugin("").jobs(python_job("slow", "wait_for_ever"))
    async with repo.running("server") as program:
        run = await program.start("slow")
        await program.marked("started-only")
        other = open_database(repo.database_url)
        try:
            await other.write(runs.request_abort, run.number, "cli:bob", NOW)
        finally:
            await other.close()
        detail = await program.ended(run, within=3)
    assert (str(detail.run.status), detail.run.reason) == ("aborted", "aborted by cli:bob")


async def test_a_run_taken_away_is_not_written_about_any_more(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.plugin("").jobs(
        python_job("slow", "wait_for_go")
        + '[[jobs.steps]]\ntype = "python"\nname = "on"\ncallable = "work:noop"\n'
    )
    async with repo.running("server") as program:
        run = await program.start("slow")
        await program.marked("started-only")
        owner = program.runtime.engine.replica

        async def running_step() -> bool:
            return bool((await program.detail(run)).steps)

        await eventually(running_step)
        await program.runtime.database.write(owners.fail_orphans, owner, NOW)
        before = await program.detail(run)
        program.mark("go")
        await program.runtime.engine.wait_idle()
        after = await program.detail(run)
    assert str(after.run.status) == "failed"
    assert after == before


async def test_a_second_server_on_the_same_data_is_refused(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("job", "noop"))
    async with repo.running("server"):
        with pytest.raises(Conflict, match="another server"):
            await Runtime.open(repo.settings, role="server")
    async with repo.running("server") as program:
        assert (await program.run("job")).run.status == "succeeded"


async def test_looking_does_not_take_up_the_work_of_a_server(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("job", "noop"))
    async with migrated(repo.database_url) as database:
        queued = await database.write(runs.insert_queued, run_of("job"), NOW)
    async with repo.running("cli") as program:
        await program.runtime.engine.wait_idle()
        await asyncio.sleep(0.1)
        assert str((await program.detail(queued.run)).run.status) == "queued"
    async with repo.running("server") as program:
        assert (await program.ended(queued.run)).run.status == "succeeded"


async def test_last_records_that_the_database_refuses_do_not_leave_a_run_running(
    repo_on_both: AppsRepo,
) -> None:
    repo = repo_on_both.plugin("").jobs(python_job("job", "noop"))
    async with repo.running("server") as program:
        database = program.runtime.database

        async def refuse_steps(tx: Tx) -> None:
            if database.dialect == "sqlite":
                await tx.script(
                    "CREATE TRIGGER refuse BEFORE INSERT ON ly2_step_runs BEGIN SELECT RAISE(ABORT, 'no'); END;"
                )
            else:
                await tx.script("ALTER TABLE ly2_step_runs ADD CONSTRAINT refuse CHECK (step_index < 0);")

        await database.write(refuse_steps)
        detail = await program.ended(await program.start("job"), within=5)
    assert str(detail.run.status) == "failed"
    assert "could not be stored" in (detail.run.reason or "")


async def test_a_run_that_was_claimed_by_a_lost_answer_does_not_stay_running(
    repo_on_both: AppsRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row says that this process runs it, but the process never heard of it."""
    monkeypatch.setattr("liberty.jobs.engine.presence.BEAT_SECONDS", 0.2)
    repo_on_both.plugin("").jobs(python_job("job", "noop") + python_job("waits", "wait_for_go"))
    async with repo_on_both.running() as program:
        runtime = program.runtime
        known = await program.start("waits")
        await program.marked("started-only")
        made = await runtime.database.write(
            runs.insert_queued, run_of("job", exclusive=True), runtime.clock.now(), runtime.engine.replica
        )
        detail = await program.ended(made.run)
        assert (str(detail.run.status), detail.run.reason) == (
            "failed",
            f"orphaned: {runtime.engine.replica}",
        )
        assert (await program.messages(made.run))[-1].startswith("run failed · orphaned")
        assert await program.status(known) == "running"
        assert str((await program.run("job")).run.status) == "succeeded"
        program.mark("go")
        assert str((await program.ended(known)).run.status) == "succeeded"
