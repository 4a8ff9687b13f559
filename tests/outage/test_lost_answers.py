"""A commit whose answer was lost: whatever the engine writes again, it is there once."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from liberty.database import Database
from liberty.errors import OutcomeUnknown
from liberty.jobs.run import ABORTED, SUCCEEDED
from liberty.jobs.store import listing, logs, runs
from liberty.jobs.store.listing import RunFilter
from tests.factories import NOW, AppsRepo, claimed, line, migrated, python_job, run_of
from tests.outage.faults import losing

LATER = NOW + timedelta(seconds=1)


@pytest.fixture
async def database(database_url: str) -> Any:
    async with migrated(database_url) as database:
        yield database


async def twice(database: Database, operation: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """What the engine does when the first answer is lost."""
    return (
        await database.write(operation, *args, **kwargs),
        await database.write(operation, *args, **kwargs),
    )


async def test_a_claim_made_again_finds_what_it_claimed(database: Database) -> None:
    number = (await database.write(runs.insert_queued, run_of(), NOW)).run.number
    first, second = await twice(database, runs.claim, number, "me", LATER)
    assert first == second
    assert second.epoch == 1
    assert await database.write(runs.claim, number, "other", LATER) is None
    assert await database.write(runs.claim, number, "me", LATER + timedelta(seconds=1)) is None


async def test_a_claim_made_again_finds_a_run_that_was_aborted_meanwhile(database: Database) -> None:
    number = (await database.write(runs.insert_queued, run_of(), NOW)).run.number
    await database.write(runs.claim, number, "me", LATER)
    await database.write(runs.request_abort, number, "user:bob", LATER)
    again = await database.write(runs.claim, number, "me", LATER)
    assert again is not None
    assert str(again.status) == "aborting"


async def test_lines_appended_again_are_there_once_and_counted_once(database: Database) -> None:
    run, fence = await claimed(database)
    some = [line(number) for number in range(1, 121)]
    assert await twice(database, logs.append, fence, some) == (True, True)
    assert [found.seq for found in await database.read(logs.after, run.number, 0)] == list(range(1, 121))
    stored = await database.read(runs.get, run.number)
    assert stored is not None
    assert stored.log_lines == 120


async def test_an_end_written_again_finds_itself_and_nobody_else_does(database: Database) -> None:
    _, fence = await claimed(database)
    first, second = await twice(database, runs.end, fence, SUCCEEDED, LATER, rows_affected=3, lines=2)
    assert first == second
    assert (second.rows_affected, second.log_lines) == (3, 2)
    assert await database.write(runs.end, fence, SUCCEEDED, LATER + timedelta(seconds=1)) is None
    assert await database.write(runs.end, fence, ABORTED, LATER) is None


async def test_the_end_of_a_queued_run_written_again_finds_itself(database: Database) -> None:
    number = (await database.write(runs.insert_queued, run_of(), NOW)).run.number
    first, second = await twice(database, runs.end_unclaimed, number, ABORTED, LATER, reason="stopped")
    assert first == second
    assert await database.write(runs.end_unclaimed, number, ABORTED, NOW, reason="stopped") is None


async def test_a_run_inserted_again_is_one_run(database: Database) -> None:
    new = run_of().repeatable()
    first, second = await twice(database, runs.insert_queued, new, NOW)
    assert (first.created, second.created) == (True, False)
    assert first.run == second.run


# -- the whole program


PLUGIN = """
async def talks(ctx):
    for number in range(30):
        ctx.log.warning("line %d", number)
        await asyncio.sleep(0.02)
    return {"rows_affected": 1, "said": 30}

def fails_once(ctx):
    if not marked(ctx, "failed"):
        mark(ctx, "failed")
        time.sleep(0.05)
        raise ValueError("the first time")
    return 1
"""
JOBS = """
[[jobs]]
name = "whole"
retry = { attempts = 2, base_seconds = 0 }
[[jobs.steps]]
type = "python"
name = "talk"
callable = "work:talks"
[[jobs.steps]]
type = "python"
name = "try"
callable = "work:fails_once"
[[jobs.steps]]
type = "call_job"
name = "child"
target_job = "small"
"""
ENGINE = frozenset({"claim", "save", "append", "_end", "admit"})


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_run_whose_every_write_is_lost_once_ends_as_if_nothing_had_been(
    tmp_path: Path, database_url: str, when: Literal["before", "after"], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = AppsRepo(tmp_path / "repo", database_url).plugin(PLUGIN)
    repo.jobs(JOBS + python_job("small", "noop"))
    with losing(monkeypatch, when, ENGINE - {"admit"} if when == "before" else ENGINE) as made:
        async with repo.running() as program:
            made[0].armed = True
            detail = await program.run("whole")
            made[0].armed = False
            run = detail.run
            assert (str(run.status), run.reason) == ("succeeded", None)
            assert [(s.name, str(s.status), s.attempt) for s in detail.steps] == [
                ("talk", "succeeded", 1),
                ("try", "succeeded", 2),
                ("child", "succeeded", 1),
            ]
            assert detail.steps[0].output == {"rows_affected": 1, "said": 30}
            messages = await program.messages(run)
            assert [m for m in messages if m.startswith("line ")] == [f"line {n}" for n in range(30)]
            assert len(messages) == run.log_lines
            every = await made[0].read(listing.page, RunFilter(jobs=("whole", "small")), 10)
            assert sorted((r.job, str(r.status)) for r in every) == [
                ("small", "succeeded"),
                ("whole", "succeeded"),
            ]
            expected = ENGINE if when == "after" else ENGINE - {"admit"}
            assert set(made[0].lost) == expected, "each kind of write was lost at least once"


async def test_a_request_whose_answer_was_lost_is_read_back_and_runs(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = AppsRepo(tmp_path / "repo", database_url).plugin("").jobs(python_job("small", "noop"))
    with losing(monkeypatch, "after", frozenset({"admit"})) as made:
        async with repo.running() as program:
            made[0].armed = True
            detail = await program.run("small")
            assert str(detail.run.status) == "succeeded"
            assert len(await made[0].read(listing.page, RunFilter(jobs=("small",)), 10)) == 1


async def test_when_reading_back_does_not_help_the_caller_is_told_that_it_is_not_known(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liberty.jobs.engine.find_again.PATIENCE_SECONDS", 0.3)
    repo = AppsRepo(tmp_path / "repo", sqlite_url).plugin("").jobs(python_job("small", "noop"))

    with losing(monkeypatch, "after", frozenset({"admit"})) as made:
        async with repo.running() as program:
            made[0].armed = True
            made[0].reads_fail = True
            with pytest.raises(OutcomeUnknown, match="may have been stored"):
                await program.start("small")
            made[0].armed = made[0].reads_fail = False
            (run,) = await made[0].read(listing.page, RunFilter(jobs=("small",)), 10)
            assert str((await program.ended(run)).run.status) == "succeeded", "it was found and executed"


def test_only_what_was_asked_for_by_hand_gets_a_key_of_its_own() -> None:
    assert run_of().repeatable().idempotency_key != run_of().repeatable().idempotency_key
    assert run_of(idempotency_key="theirs").repeatable().idempotency_key == "theirs"
