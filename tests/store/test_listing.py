"""Pages of runs: every run that fits the filter, each once, newest first, whatever the filter's width."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product

import pytest

from liberty.database import Database, Tx
from liberty.jobs.run import RUN_STATUSES, Run, Status
from liberty.jobs.store import listing, runs
from liberty.jobs.store.listing import RunFilter
from liberty.jobs.store.runs import Fence
from tests.factories import NOW, asked_for, claimed, cron, run_of

JOBS = ("a", "ab", "a-b")


async def filled(database: Database) -> list[Run]:
    """A run of each status for each job, a second apart, twice."""

    async def fill(tx: Tx) -> list[int]:
        made = []
        for position, (_, job, status) in enumerate(product(range(2), JOBS, RUN_STATUSES)):
            at = NOW + timedelta(seconds=position)
            if status == "skipped":
                made.append((await runs.insert_skipped(tx, run_of(job), "why", at)).run.number)
                continue
            number = (await runs.insert_queued(tx, run_of(job), at)).run.number
            made.append(number)
            if status == "queued":
                continue
            run = await runs.claim(tx, number, "me", at)
            assert run is not None
            if status == "aborting":
                await runs.request_abort(tx, number, "x", at)
            elif status != "running":
                await runs.end(tx, Fence(number, "me", run.epoch), status, at)
        return made

    numbers = await database.write(fill)
    found = [await database.read(runs.get, number) for number in reversed(numbers)]
    return [run for run in found if run is not None]


async def pages(database: Database, wanted: RunFilter, limit: int) -> list[Run]:
    found: list[Run] = []
    before = wanted.before
    while True:
        part = RunFilter(wanted.jobs, wanted.statuses, wanted.since, wanted.until, before)
        items = await database.read(listing.page, part, limit)
        assert len(items) <= limit
        found += items
        if len(items) < limit:
            return found
        before = items[-1].number


def chosen(
    all_runs: Sequence[Run], jobs: Sequence[str] | None = None, statuses: Sequence[Status] = ()
) -> list[Run]:
    return [
        run
        for run in all_runs
        if (jobs is None or run.job in jobs) and (not statuses or run.status in statuses)
    ]


async def test_any_combination_of_jobs_and_statuses(database: Database) -> None:
    everything = await filled(database)
    assert len(everything) == 48
    for jobs in (None, ("a",), ("a", "ab"), JOBS, ("a", "unknown")):
        for statuses in (
            (),
            ("failed",),
            ("failed", "running"),
            ("skipped", "aborted", "queued"),
            RUN_STATUSES,
        ):
            picked = tuple(Status(status) for status in statuses)
            wanted = RunFilter(jobs=jobs, statuses=picked)
            for limit in (1000, 5):
                assert await pages(database, wanted, limit) == chosen(everything, jobs, picked)


async def test_the_longest_page_tells_that_there_is_more(database: Database) -> None:
    async def fill(tx: Tx) -> None:
        for _ in range(listing.MAX_PAGE + 1):
            await runs.insert_skipped(tx, run_of("a"), "why", NOW)

    await database.write(fill)
    # Whoever serves a page asks for one run more than it shows.
    assert len(await database.read(listing.page, RunFilter(), listing.MAX_PAGE + 1)) == listing.MAX_PAGE + 1


async def test_who_may_see_no_job_sees_no_run(database: Database) -> None:
    await filled(database)
    assert await database.read(listing.page, RunFilter(jobs=()), 50) == []
    assert await database.read(listing.page, RunFilter(), 0) == []


async def test_a_filter_wider_than_the_merged_ranges(database: Database) -> None:
    everything = await filled(database)
    many = tuple(f"job-{n}" for n in range(200)) + JOBS
    statuses = (Status("failed"), Status("succeeded"))
    wanted = RunFilter(jobs=many, statuses=statuses)
    assert await pages(database, wanted, 3) == chosen(everything, JOBS, statuses)


@pytest.mark.parametrize(
    ("since", "until"), [(None, 10), (10, None), (10, 20), (-5, 100), (30, 20), (100, None), (None, -1)]
)
async def test_dates_bound_a_page(database: Database, since: int | None, until: int | None) -> None:
    everything = await filled(database)
    begin = None if since is None else NOW + timedelta(seconds=since)
    end = None if until is None else NOW + timedelta(seconds=until)
    expected = [
        run
        for run in everything
        if (begin is None or run.queued_at >= begin) and (end is None or run.queued_at <= end)
    ]
    for jobs in (None, ("a", "ab")):
        wanted = RunFilter(jobs=jobs, since=begin, until=end)
        assert await pages(database, wanted, 4) == chosen(expected, jobs)


async def test_dates_find_runs_of_the_same_millisecond_and_of_a_clock_set_back(database: Database) -> None:
    seconds = [0, 30, 20, 20, 20, 50, 10, 60]

    async def fill(tx: Tx) -> None:
        for second in seconds:
            await runs.insert_queued(tx, run_of(), NOW + timedelta(seconds=second))

    await database.write(fill)
    everything = await database.read(listing.page, RunFilter(), 50)
    assert len(everything) == len(seconds)
    for second in range(-1, 62):
        at = NOW + timedelta(seconds=second)
        until = await database.read(listing.page, RunFilter(until=at), 50)
        assert until == [run for run in everything if run.queued_at <= at]
        since = await database.read(listing.page, RunFilter(since=at), 50)
        assert since == [run for run in everything if run.queued_at >= at]


async def test_the_latest_run_of_each_job(database: Database) -> None:
    everything = await filled(database)
    names = [f"none-{n}" for n in range(250)] + list(JOBS)
    found = await database.read(listing.latest_of_jobs, names)
    assert found == {job: next(run for run in everything if run.job == job) for job in JOBS}
    assert await database.read(listing.latest_of_jobs, []) == {}
    assert set(await database.read(listing.latest_of_jobs, ["a"])) == {"a"}


async def test_what_is_in_flight_is_counted(database: Database) -> None:
    await filled(database)
    assert await database.read(listing.in_flight_counts) == dict.fromkeys(JOBS, 6)
    assert await database.read(listing.queue_depth) == 6


async def test_the_fires_of_a_window(database: Database) -> None:
    for minute in (3, 1, 2, 0):
        at = NOW + timedelta(minutes=minute)
        await database.write(runs.insert_queued, run_of(trigger=cron(at)), NOW)
    await database.write(runs.insert_queued, run_of(trigger=asked_for()), NOW)
    await database.write(runs.insert_queued, run_of("other", trigger=cron()), NOW)
    await claimed(database)
    found = await database.read(
        listing.fires, "nightly", NOW + timedelta(minutes=1), NOW + timedelta(minutes=3)
    )
    assert [run.scheduled_at for run in found] == [NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)]
