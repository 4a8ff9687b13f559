"""How long the latest successful runs took: the newest so many of each job, other endings left out."""

from datetime import timedelta

from liberty.database import Database, Tx
from liberty.jobs.store import runs
from liberty.jobs.store.durations import of_latest
from liberty.jobs.store.runs import Fence
from tests.factories import NOW, run_of


async def ended(tx: Tx, job: str, seconds: float, status: str = "succeeded") -> None:
    number = (await runs.insert_queued(tx, run_of(job), NOW)).run.number
    run = await runs.claim(tx, number, "me", NOW)
    assert run is not None
    await runs.end(tx, Fence(number, "me", run.epoch), status, NOW + timedelta(seconds=seconds))


async def test_the_latest_successful_runs_are_measured(database: Database) -> None:
    async def fill(tx: Tx) -> None:
        for seconds in (1, 2, 3, 4):
            await ended(tx, "a", seconds)
        await ended(tx, "a", 500, "failed")
        await ended(tx, "b", 0.25)
        await ended(tx, "c", 9, "failed")
        await runs.insert_queued(tx, run_of("a"), NOW)

    await database.write(fill)
    assert await database.read(of_latest, ["a", "b", "c", "d"], 3) == {"a": [4.0, 3.0, 2.0], "b": [0.25]}
    assert await database.read(of_latest, ["a"], 100) == {"a": [4.0, 3.0, 2.0, 1.0]}
    assert await database.read(of_latest, [], 100) == {}


async def test_any_number_of_jobs_is_asked_for_at_once(database: Database) -> None:
    async def fill(tx: Tx) -> None:
        for number in range(120):
            await ended(tx, f"job-{number}", number)

    await database.write(fill)
    found = await database.read(of_latest, [f"job-{number}" for number in range(120)], 100)
    assert found == {f"job-{number}": [float(number)] for number in range(120)}
