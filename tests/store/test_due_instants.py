"""The ledger in short: a letter for each due instant, the last so many of each job, and what an hour came to."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

from liberty.database import Database, Tx
from liberty.database.statements import prepare
from liberty.jobs.store import due_instants, recent, runs
from liberty.jobs.store.due_instants import OUTCOMES
from liberty.jobs.store.runs import Fence
from tests.factories import NOW, asked_for, cron, migrated, run_of

LEDGER = (
    # minutes after NOW, ending, reason, seconds late, caught up: the word
    (0, "succeeded", None, 1, False, "succeeded"),
    (1, "succeeded", None, 61, False, "late"),
    (2, "succeeded", None, 900, True, "caught up"),
    (3, "failed", "boom", 0, False, "failed"),
    (4, "partial-success", None, 0, False, "partial-success"),
    (5, "aborted", "timeout after 3s", 0, False, "aborted"),
    (6, "skipped", "missed: scheduler was down", 0, False, "missed"),
    (7, "skipped", "skipped: paused by user:alice: lunch", 0, False, "held"),
    (8, "skipped", "skipped: frozen by user:bob", 0, False, "held"),
    (9, "skipped", "single-instance, previous still running", 0, False, "skipped"),
    (10, "running", None, 0, False, "running"),
    (11, "aborting", None, 0, False, "aborting"),
    (12, "queued", None, 0, False, "queued"),
)


async def entry(
    tx: Tx,
    at: datetime,
    ending: str = "succeeded",
    reason: str | None = None,
    late: float = 0,
    *,
    caught_up: bool = False,
    job: str = "a",
    schedule: str = "main",
    **fields: object,
) -> int:
    new = run_of(job, cron(at, schedule), caught_up=caught_up, **fields)
    if ending == "skipped":
        return (await runs.insert_skipped(tx, new, reason or "", at)).run.number
    number = (await runs.insert_queued(tx, new, at)).run.number
    if ending == "queued":
        return number
    began = at + timedelta(seconds=late)
    run = await runs.claim(tx, number, "me", began)
    assert run is not None
    if ending == "aborting":
        await runs.request_abort(tx, number, "user:alice", began)
    elif ending != "running":
        fence = Fence(number, "me", run.epoch)
        await runs.end(tx, fence, ending, began + timedelta(milliseconds=1500), reason=reason)  # type: ignore[arg-type]  # a status by its word
    return number


async def test_each_due_instant_has_its_word(database: Database) -> None:
    async def fill(tx: Tx) -> list[int]:
        numbers = [
            await entry(tx, NOW + timedelta(minutes=minute), ending, reason, late, caught_up=caught_up)
            for minute, ending, reason, late, caught_up, _ in LEDGER
        ]
        await runs.insert_skipped(tx, run_of("a", asked_for()), "by hand, and so no due instant", NOW)
        return numbers

    numbers = await database.write(fill)
    strip = (await database.read(due_instants.strips, [("a", "main"), ("none", "main")], 60))["a"]
    assert [OUTCOMES[letter] for letter in strip.outcomes] == [word for *_, word in LEDGER]
    assert strip.due == [round((NOW + timedelta(minutes=entry[0])).timestamp() * 1000) for entry in LEDGER]
    assert strip.runs == numbers
    assert strip.durations == [1500] * 6 + [None] * 7
    assert strip.succeeded_in == [1500] * 3
    assert not strip.final
    assert strip.newest(2).outcomes == "xq"


async def test_a_strip_takes_the_last_of_all_schedules_together(database: Database) -> None:
    async def fill(tx: Tx) -> None:
        for minute in range(8):
            schedule = ("main", "schedule:late", "preset:gone")[minute % 3]
            await entry(tx, NOW + timedelta(minutes=minute), schedule=schedule)
        await entry(
            tx,
            NOW + timedelta(minutes=9),
            "skipped",
            "missed: scheduler was down",
            covers_since=NOW + timedelta(minutes=8.5),
            covers_count=30,
        )

    await database.write(fill)
    places = [("a", "main"), ("a", "schedule:late")]
    strip = (await database.read(due_instants.strips, places, 4))["a"]
    minutes = [(at - NOW.timestamp() * 1000) / 60_000 for at in strip.due]
    assert minutes == [4, 6, 7, 9]
    assert strip.stands_for == {3: 30}
    assert strip.newest(1).stands_for == {0: 30}
    assert strip.final


async def test_an_hour_is_counted_by_outcome(database: Database) -> None:
    hour = NOW.replace(minute=0)

    async def fill(tx: Tx) -> list[int]:
        return [
            await entry(tx, hour + timedelta(minutes=5)),
            await entry(tx, hour + timedelta(minutes=15)),
            await entry(tx, hour + timedelta(minutes=25), late=90),
            await entry(tx, hour + timedelta(minutes=35), "failed"),
            await entry(tx, hour + timedelta(minutes=65)),
            await entry(tx, hour + timedelta(hours=5)),
            await entry(tx, hour, job="b"),
        ]

    numbers = await database.write(fill)
    places = [("a", "main"), ("b", "main")]
    found = await database.read(due_instants.hours, places, hour, hour + timedelta(hours=5))
    start = round(hour.timestamp() * 1000)
    told = sorted(
        (item.job, (item.hour - start) // 3_600_000, item.outcome, item.count, item.last_run)
        for item in found
    )
    assert told == [
        ("a", 0, "f", 1, numbers[3]),
        ("a", 0, "l", 1, numbers[2]),
        ("a", 0, "s", 2, numbers[1]),
        ("a", 1, "s", 1, numbers[4]),
        ("b", 0, "s", 1, numbers[6]),
    ]
    assert {item.longest for item in found} == {1500}
    assert all(isinstance(item.count, int) and isinstance(item.hour, int) for item in found)
    assert await database.read(due_instants.hours, [], hour, hour + timedelta(hours=5)) == []


async def test_the_newest_runs_and_durations_of_many_jobs(database: Database) -> None:
    async def fill(tx: Tx) -> None:
        for minute in range(5):
            await entry(tx, NOW + timedelta(minutes=minute), "failed" if minute == 3 else "succeeded")
        for number in range(130):
            await entry(tx, NOW, job=f"job-{number}")

    await database.write(fill)
    names = ["a", *(f"job-{number}" for number in range(130)), "none"]
    found = await database.read(recent.of_jobs, names, 2)
    assert [run.status for run in found["a"]] == ["succeeded", "failed"]
    assert found["a"][0].queued == round((NOW + timedelta(minutes=4)).timestamp() * 1000)
    assert len(found) == 131
    took = await database.read(recent.durations, names, 3)
    assert took["a"] == [1500, 1500, 1500]
    assert len(took) == 131


async def test_an_index_leads_to_the_last_due_instants(sqlite_url: str) -> None:
    """PostgreSQL decides by what the tables hold; SQLite's plan for an empty one is that for a full one."""
    async with migrated(sqlite_url):
        with closing(sqlite3.connect(sqlite_url.partition("///")[2])) as connection:
            for statement, index in (
                (due_instants._latest(2), "ly2_job_runs_fire"),
                (due_instants._by_hour(2), "ly2_job_runs_fire"),
                (recent._latest(2), "ly2_job_runs_job"),
                (recent._took(2), "ly2_job_runs_job_status"),
            ):
                prepared = prepare(statement, "sqlite")
                plan = connection.execute(f"EXPLAIN QUERY PLAN {prepared.sql}", prepared.bind({}))
                steps = [row[3] for row in plan if "ly2_job_runs" in row[3]]
                assert len(steps) == 2
                assert all(index in step and step.startswith("SEARCH") for step in steps), steps
