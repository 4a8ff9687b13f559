"""The schedule: every due instant gets its row once, also while paused, over reloads and with two servers."""

import asyncio
import sqlite3
import textwrap
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from liberty.jobs.calendar import in_order
from liberty.jobs.run import Run
from liberty.jobs.store import listing, pauses
from liberty.jobs.store.pauses import FREEZE, Pause
from tests.factories import ALICE, AppsRepo, Program, eventually, python_job

EVERY_SECOND = 'schedule = "* * * * * *"'


async def fires(program: Program, job: str = "tick") -> list[Run]:
    now = datetime.now(UTC)
    window = timedelta(minutes=5)
    return await program.runtime.database.read(listing.fires, job, now - window, now + window)


async def at_least(program: Program, count: int, job: str = "tick") -> list[Run]:
    async def enough() -> list[Run]:
        found = await fires(program, job)
        return found if len(found) >= count else []

    return await eventually(enough)


def without_gap(found: list[Run]) -> bool:
    instants = [run.scheduled_at for run in found if run.scheduled_at is not None]
    return all(b - a == timedelta(seconds=1) for a, b in pairwise(instants))


async def test_a_due_instant_makes_its_run(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, "single_instance = false"))
    async with repo.running("server") as program:
        found = await at_least(program, 3)
        state = program.runtime.scheduler.state
        assert state.active
        assert state.next_fire_at is not None
        assert program.runtime.scheduler.next_fire_of("tick") == state.next_fire_at
        for run in found[:2]:
            assert (await program.ended(run)).run.status == "succeeded"
    assert without_gap(found)
    for run in found:
        assert (run.trigger, run.triggered_by, run.schedule) == ("cron", "cron", "main")
        assert run.scheduled_at is not None
        assert run.scheduled_at.microsecond == 0
        assert run.queued_at >= run.scheduled_at
        assert run.queued_at - run.scheduled_at < timedelta(seconds=1)


async def test_a_command_line_program_follows_no_schedule(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND))
    async with repo.running("cli") as program:
        assert not program.runtime.scheduler.state.active
        assert program.runtime.scheduler.state.next_fire_at is None


async def test_a_disabled_job_and_a_preset_with_its_own_schedule(repo: AppsRepo) -> None:
    repo.plugin("def shows(ctx, who: str = 'nobody'):\n    return {'who': who}\n").jobs(
        python_job(
            "tick",
            "shows",
            "enabled = false",
            EVERY_SECOND,
            "[jobs.params]\nwho = 'all'",
            "[[jobs.presets]]\nname = 'p'\nschedule = '* * * * * *'\nparams = {who = 'one'}",
        )
    )
    async with repo.running("server") as program:
        found = await at_least(program, 1)
        assert {run.schedule for run in found} == {"preset:p"}
        detail = await program.ended(found[0])
    assert detail.steps[0].output == {"who": "one"}


@pytest.mark.parametrize(("held", "says"), [("tick", "paused"), (FREEZE, "frozen")])
async def test_what_is_held_back_is_a_skipped_row_with_the_reason(
    repo: AppsRepo, held: str, says: str
) -> None:
    repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND))
    pause = Pause(held, datetime.now(UTC), None, "month end", "drop", "user:bob")
    async with repo.running("server") as program:
        await program.runtime.database.write(pauses.put, pause)
        await program.runtime.scheduler.refresh_pauses()
        already = len(await fires(program))
        found = (await at_least(program, already + 2))[already:]
        assert {(str(run.status), run.reason) for run in found} == {
            ("skipped", f"skipped: {says} by user:bob: month end")
        }
        by_hand = await program.run("tick")
        assert by_hand.run.status == "succeeded"
        await program.runtime.database.write(pauses.clear, held, datetime.now(UTC))
        await program.runtime.scheduler.refresh_pauses()
        now = len(await fires(program))
        after = (await at_least(program, now + 2))[now + 1 :]
        assert "skipped" not in {str(run.status) for run in after}


async def test_a_named_schedule_fires_with_its_own_values(repo: AppsRepo) -> None:
    keys = """
        single_instance = false
        schedule = "* * * * * */2"
        params = { region = "EU", copy = "" }
        [[jobs.schedules]]
        name = "us"
        schedule = "* * * * * 1-59/2"
        timezone = "America/New_York"
        params = { region = "US", copy = "${params.region}-${job.name}" }
        op_kwargs = { only = { limit = 5 } }"""
    code = """
        def tell(region, copy, limit=0):
            return {"told": [region, copy, limit]}
    """
    repo.plugin(code).jobs(python_job("tick", "tell", textwrap.dedent(keys)))
    async with repo.running("server") as program:
        found = await at_least(program, 5)
        tick = program.runtime.generation.catalogue.get("tick")
        told = {run.schedule: (await program.ended(run)).steps[0].output for run in found}
        again = await program.ended(
            await program.replay(next(run for run in found if run.schedule == "schedule:us"))
        )
    instants = [(run.scheduled_at, run.schedule) for run in found]
    first, last = found[0].scheduled_at, found[-1].scheduled_at
    assert first is not None and last is not None  # noqa: PT018 - for the types
    foreseen = in_order([tick], first - timedelta(seconds=1), last)
    assert instants == [(due.at, due.schedule) for due in foreseen]
    assert told == {
        "main": {"told": ["EU", "", 0]},
        "schedule:us": {"told": ["US", "EU-tick", 5]},
    }
    assert again.steps[0].output == {"told": ["US", "EU-tick", 5]}


async def test_an_overlapping_fire_is_skipped(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("tick", "wait_for_go", EVERY_SECOND))
    async with repo.running("server") as program:
        found = await at_least(program, 2)
        assert found[1].reason == "single-instance, previous still running"
        program.mark("go")
        await program.ended(found[0])


async def test_reloading_all_the_time_loses_no_fire(repo: AppsRepo) -> None:
    names = [f"tick-{n}" for n in range(20)]
    repo.plugin("").jobs("".join(python_job(name, "noop", EVERY_SECOND, "enabled = true") for name in names))
    async with repo.running("server") as program:

        async def reload_all_the_time() -> None:
            while True:
                await program.runtime.reload()

        reloading = asyncio.ensure_future(reload_all_the_time())
        try:
            await at_least(program, 4, names[-1])
        finally:
            reloading.cancel()
            await asyncio.gather(reloading, return_exceptions=True)
        found = {name: await fires(program, name) for name in names}
    first = max(runs[0].scheduled_at for runs in found.values() if runs[0].scheduled_at)
    last = min(runs[-1].scheduled_at for runs in found.values() if runs[-1].scheduled_at)
    for runs in found.values():
        within = [run for run in runs if run.scheduled_at and first <= run.scheduled_at <= last]
        assert without_gap(within)
        assert len(within) == (last - first).total_seconds() + 1


async def test_a_new_schedule_does_not_look_back(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("tick", "noop", 'schedule = "0 0 1 1 *"'))
    async with repo.running("server") as program:
        changed = datetime.now(UTC)
        repo.jobs(python_job("tick", "noop", EVERY_SECOND))
        await program.runtime.reload()
        found = await at_least(program, 1)
    assert found[0].scheduled_at is not None
    assert found[0].scheduled_at > changed


async def test_two_servers_on_one_database_make_each_fire_once(tmp_path: Path, pg_url: str) -> None:
    repos = [AppsRepo(tmp_path / name, pg_url) for name in ("one", "two")]
    for repo in repos:
        repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, "single_instance = false"))
    async with repos[0].running("server") as one, repos[1].running("server"):
        found = await at_least(one, 4)
        page = await one.runtime.reader.page(ALICE, jobs=["tick"])
    instants = [run.scheduled_at for run in found]
    assert len(set(instants)) == len(instants)
    assert len(page.items) >= len(found)
    assert without_gap(found)


async def test_a_fire_whose_row_cannot_be_written_is_made_when_it_can(
    repo: AppsRepo, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liberty.database.sqlite.BUSY_SECONDS", 0.1)
    repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, "single_instance = false"))
    async with repo.running("server") as program:
        await at_least(program, 1)
        other = sqlite3.connect(sqlite_url.partition("///")[2], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        held = datetime.now(UTC)
        await eventually(lambda: datetime.now(UTC) - held > timedelta(seconds=2.3))
        other.execute("ROLLBACK")
        other.close()
        now = len(await fires(program))
        found = await at_least(program, now + 4)
    assert without_gap(found)
