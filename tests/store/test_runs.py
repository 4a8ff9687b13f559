"""Run rows: each fire and each request once, one owner at a time, one end, and nothing after it."""

import asyncio
from dataclasses import asdict
from datetime import timedelta

import pytest

from liberty.database import Database
from liberty.jobs.run import FINAL, RUN_STATUSES, Overrides, Run, Status, Trigger
from liberty.jobs.store import logs, owners, runs, step_runs
from liberty.jobs.store.runs import SINGLE_INSTANCE, Fence
from tests.factories import NOW, claimed, cron, line, run_of, step


async def everything(database: Database) -> list[Run]:
    found = []
    number = 1
    while (run := await database.read(runs.get, number)) is not None:
        found.append(run)
        number += 1
    return found


# -- made once


async def test_a_run_is_read_as_it_was_written(database: Database) -> None:
    overrides = Overrides(
        params={"period": "2026-02", "deep": {"list": [1, 2.5, None, True, "é"]}},
        op_kwargs={"load": {"full": True}},
        step_enabled={"load": False},
        log_level="DEBUG",
        preset="monthly",
        from_step="load",
    )
    trigger = Trigger(
        "call_job", "job:parent@r-1", scheduled_at=NOW, replay_of=7, parent_chain=(("parent", "r-1"),)
    )
    new = run_of(trigger=trigger, params={"a": 1}, overrides=overrides, definition_version=3)
    made = await database.write(runs.insert_queued, new, NOW)
    assert made.created
    run = await database.read(runs.get, made.run.number)
    assert run == made.run
    assert run is not None
    assert (run.run_id, run.job, run.app, str(run.status)) == ("r-1", "nightly", "reporting", "queued")
    assert (run.params, run.overrides, run.parent_chain) == ({"a": 1}, overrides, (("parent", "r-1"),))
    assert (run.queued_at, run.scheduled_at, run.started_at, run.finished_at) == (NOW, NOW, None, None)
    assert (run.replay_of, run.definition_version, run.owner, run.epoch) == (7, 3, None, 0)
    assert await database.read(runs.get, 999) is None


async def test_numbers_count_up_and_are_never_used_again(database: Database) -> None:
    first = await database.write(runs.insert_queued, run_of(), NOW)
    second = await database.write(runs.insert_queued, run_of(), NOW)
    assert second.run.number > first.run.number


async def test_a_fire_is_made_once(database: Database) -> None:
    same = [run_of(trigger=cron()) for _ in range(20)]
    made = await asyncio.gather(*(database.write(runs.insert_queued, new, NOW) for new in same))
    assert sum(enqueued.created for enqueued in made) == 1
    assert len({enqueued.run.number for enqueued in made}) == 1
    others = [
        run_of(trigger=cron(schedule="preset:x")),
        run_of(trigger=cron(NOW + timedelta(minutes=1))),
        run_of("other", trigger=cron()),
    ]
    for new in others:
        assert (await database.write(runs.insert_queued, new, NOW)).created


async def test_a_fire_that_was_skipped_is_not_made_again(database: Database) -> None:
    skipped = await database.write(runs.insert_skipped, run_of(trigger=cron()), "skipped: paused", NOW)
    again = await database.write(runs.insert_queued, run_of(trigger=cron()), NOW)
    assert (again.created, again.run) == (False, skipped.run)


async def test_the_instant_of_a_fire_binds_only_fires(database: Database) -> None:
    replay = Trigger("manual", "user:alice", scheduled_at=NOW, replay_of=1)
    await database.write(runs.insert_queued, run_of(trigger=cron()), NOW)
    for _ in range(2):
        assert (await database.write(runs.insert_queued, run_of(trigger=replay), NOW)).created


async def test_a_repeated_request_gets_the_same_run(database: Database) -> None:
    made = await asyncio.gather(
        *(database.write(runs.insert_queued, run_of(idempotency_key="k-1"), NOW) for _ in range(20))
    )
    assert sum(enqueued.created for enqueued in made) == 1
    assert len({enqueued.run.number for enqueued in made}) == 1
    other = await database.write(runs.insert_queued, run_of("other", idempotency_key="k-1"), NOW)
    assert other.created


@pytest.mark.parametrize("trigger", [cron(), Trigger("api", "user:alice")])
async def test_of_twenty_at_once_one_instance_is_queued(database: Database, trigger: Trigger) -> None:
    def new(number: int) -> Trigger:
        if trigger.kind != "cron":
            return trigger
        return cron(NOW + timedelta(minutes=number))

    made = await asyncio.gather(
        *(
            database.write(runs.insert_queued, run_of(exclusive=True, trigger=new(number)), NOW)
            for number in range(20)
        )
    )
    assert all(enqueued.created for enqueued in made)
    assert sorted(str(enqueued.run.status) for enqueued in made) == ["queued"] + ["skipped"] * 19
    for enqueued in made:
        if enqueued.run.status == "skipped":
            assert enqueued.run.reason == SINGLE_INSTANCE
            assert enqueued.run.finished_at == NOW


async def test_the_place_of_a_single_instance_is_free_after_its_end(database: Database) -> None:
    run, fence = await claimed(database, run_of(exclusive=True))
    blocked = await database.write(runs.insert_queued, run_of(exclusive=True), NOW)
    assert blocked.run.status == "skipped"
    assert (
        await database.write(runs.insert_queued, run_of("other", exclusive=True), NOW)
    ).run.status == "queued"
    await database.write(runs.end, fence, Status("failed"), NOW)
    assert (await database.write(runs.insert_queued, run_of(exclusive=True), NOW)).run.status == "queued"
    assert run.status == "running"


async def test_a_repeated_request_of_a_blocked_single_instance_gets_its_skipped_run(
    database: Database,
) -> None:
    await database.write(runs.insert_queued, run_of(exclusive=True), NOW)
    first = await database.write(runs.insert_queued, run_of(exclusive=True, idempotency_key="k"), NOW)
    again = await database.write(runs.insert_queued, run_of(exclusive=True, idempotency_key="k"), NOW)
    assert first.run.status == "skipped"
    assert (again.created, again.run) == (False, first.run)


# -- one owner


async def test_a_run_is_claimed_once(database: Database) -> None:
    queued = await database.write(runs.insert_queued, run_of(), NOW)
    claims = await asyncio.gather(
        *(database.write(runs.claim, queued.run.number, f"owner-{n}", NOW) for n in range(20))
    )
    [winner] = [run for run in claims if run is not None]
    assert (str(winner.status), winner.epoch, winner.started_at) == ("running", 1, NOW)
    assert await database.read(runs.get, queued.run.number) == winner
    assert await database.read(owners.owners) == {winner.owner}


async def test_an_aborted_or_skipped_run_cannot_be_claimed(database: Database) -> None:
    queued = await database.write(runs.insert_queued, run_of(), NOW)
    await database.write(runs.request_abort, queued.run.number, "user:bob", NOW)
    skipped = await database.write(runs.insert_skipped, run_of(), "why", NOW)
    for number in (queued.run.number, skipped.run.number, 999):
        assert await database.write(runs.claim, number, "me", NOW) is None


@pytest.mark.parametrize("wrong", [{"epoch": 2}, {"epoch": 0}, {"owner": "someone else"}, {"number": 999}])
async def test_whoever_does_not_own_the_run_writes_nothing(
    database: Database, wrong: dict[str, object]
) -> None:
    run, fence = await claimed(database)
    stale = Fence(**{**asdict(fence), **wrong})
    before = await snapshot_of(database, run.number)
    assert not await database.write(runs.touch, stale, step="x", lines=3, dropped=2)
    assert not await database.write(step_runs.save, stale, [step()], current="step-0")
    assert not await database.write(logs.append, stale, [line(1)], dropped=1)
    for status in FINAL:
        if status != "skipped":
            assert await database.write(runs.end, stale, status, NOW, rows_affected=1, lines=1) is None
    assert await snapshot_of(database, run.number) == before


@pytest.mark.parametrize("end", ["succeeded", "failed", "partial-success", "aborted"])
async def test_after_its_end_nothing_changes_a_run(database: Database, end: str) -> None:
    run, fence = await claimed(database)
    await database.write(logs.append, fence, [line(1)])
    ended = await database.write(
        runs.end, fence, Status(end), NOW + timedelta(seconds=2), reason="r", rows_affected=4, dropped=5
    )
    assert ended is not None
    assert (ended.status, ended.reason, ended.rows_affected, ended.duration_ms) == (end, "r", 4, 2000)
    assert (ended.log_lines, ended.log_dropped, ended.current_step) == (1, 5, None)
    before = await snapshot_of(database, run.number)
    assert not await database.write(step_runs.save, fence, [step()], current="x")
    assert not await database.write(logs.append, fence, [line(2)])
    assert await database.write(runs.request_abort, run.number, "user:bob", NOW) is None
    assert await database.write(runs.claim, run.number, "other", NOW) is None
    assert await database.write(owners.fail_orphans, "me", NOW) == []
    for status in FINAL:
        if status != "skipped":
            assert await database.write(runs.end, fence, status, NOW) is None
        if status in ("aborted", "skipped", "failed"):
            assert await database.write(runs.end_unclaimed, run.number, status, NOW, reason="x") is None
    assert await snapshot_of(database, run.number) == before


async def snapshot_of(database: Database, number: int) -> tuple[object, ...]:
    return (
        await database.read(runs.get, number),
        await database.read(step_runs.of_run, number),
        await database.read(logs.after, number, 0),
    )


# -- aborts


async def test_an_abort_is_asked_for_once_and_told_who_by(database: Database) -> None:
    run, fence = await claimed(database)
    asked = await database.write(runs.request_abort, run.number, "user:bob", NOW)
    assert asked is not None
    assert (str(asked.status), asked.abort_requested_by, asked.finished_at) == ("aborting", "user:bob", None)
    assert await database.write(runs.request_abort, run.number, "user:eve", NOW) is None
    assert await database.read(owners.aborting, "me") == {run.number: "user:bob"}
    assert await database.read(owners.aborting, "other") == {}
    assert await database.write(logs.append, fence, [line(1)])
    assert await database.write(runs.end, fence, Status("succeeded"), NOW) is None
    ended = await database.write(runs.end, fence, Status("aborted"), NOW, reason="aborted by user:bob")
    assert ended is not None
    assert ended.abort_requested_by == "user:bob"
    assert await database.read(owners.aborting, "me") == {}


async def test_an_abort_of_a_queued_run_ends_it(database: Database) -> None:
    queued = await database.write(runs.insert_queued, run_of(), NOW)
    ended = await database.write(runs.request_abort, queued.run.number, "user:bob", NOW)
    assert ended is not None
    assert (str(ended.status), ended.reason, ended.finished_at, ended.started_at) == (
        "aborted",
        "aborted by user:bob",
        NOW,
        None,
    )


async def test_abort_and_end_at_the_same_moment_leave_one_truth(database: Database) -> None:
    for _ in range(20):
        run, fence = await claimed(database)
        asked, ended = await asyncio.gather(
            database.write(runs.request_abort, run.number, "user:bob", NOW),
            database.write(runs.end, fence, Status("succeeded"), NOW),
        )
        assert (asked is None) != (ended is None)
        now = await database.read(runs.get, run.number)
        assert now is not None
        assert now.status == ("succeeded" if ended is not None else "aborting")


# -- orphans


async def test_the_runs_of_a_lost_owner_fail_and_no_others(database: Database) -> None:
    mine, _ = await claimed(database, owner="alive")
    lost, lost_fence = await claimed(database, owner="dead")
    aborting, _ = await claimed(database, owner="dead")
    await database.write(runs.request_abort, aborting.number, "user:bob", NOW)
    done, done_fence = await claimed(database, owner="dead")
    await database.write(runs.end, done_fence, Status("succeeded"), NOW)
    queued = await database.write(runs.insert_queued, run_of(), NOW)
    orphans = await database.write(owners.fail_orphans, "dead", NOW + timedelta(seconds=9))
    assert {run.number for run in orphans} == {lost.number, aborting.number}
    for run in orphans:
        assert (str(run.status), run.reason) == ("failed", "orphaned: dead")
        assert run.finished_at == NOW + timedelta(seconds=9)
    assert not await database.write(logs.append, lost_fence, [line(1)])
    statuses = {run.number: str(run.status) for run in await everything(database)}
    assert [statuses[n] for n in (mine.number, done.number, queued.run.number)] == [
        "running",
        "succeeded",
        "queued",
    ]
    assert await database.read(owners.owners) == {"alive"}


# -- waiting and dependencies


async def test_what_is_in_flight_is_told_oldest_first(database: Database) -> None:
    first = await database.write(runs.insert_queued, run_of(), NOW)
    second, fence = await claimed(database)
    third, _ = await claimed(database)
    await database.write(runs.request_abort, third.number, "x", NOW)
    await database.write(runs.insert_skipped, run_of(), "why", NOW)
    found = await database.read(runs.in_flight)
    assert [(run.number, str(run.status)) for run in found] == [
        (first.run.number, "queued"),
        (second.number, "running"),
        (third.number, "aborting"),
    ]
    await database.write(runs.end, fence, Status("failed"), NOW)
    assert len(await database.read(runs.in_flight)) == 2


async def test_the_latest_status_does_not_count_skipped_runs(database: Database) -> None:
    assert await database.read(runs.latest_status, "nightly") is None
    _, fence = await claimed(database)
    assert await database.read(runs.latest_status, "nightly") == "running"
    await database.write(runs.end, fence, Status("succeeded"), NOW)
    await database.write(runs.insert_skipped, run_of(), "why", NOW)
    assert await database.read(runs.latest_status, "nightly") == "succeeded"


async def test_a_final_row_has_an_end_and_no_other_has(database: Database) -> None:
    """The database itself refuses a row that contradicts itself, whoever writes it."""
    from sqlalchemy import text

    from liberty.database import Tx

    async def contradict(tx: Tx, number: int, status: str) -> None:
        await tx.run(text(f"UPDATE ly2_job_runs SET status = '{status}' WHERE id = {number}"))

    run, _ = await claimed(database)
    for status in RUN_STATUSES:
        if status.final:
            with pytest.raises(Exception, match=r"(?i)check|constraint"):
                await database.write(contradict, run.number, str(status))
    assert (await database.read(runs.get, run.number)) == run


async def test_an_orphan_does_not_end_before_it_started(database: Database) -> None:
    run, _ = await claimed(database, owner="dead")
    (orphan,) = await database.write(owners.fail_orphans, "dead", NOW - timedelta(hours=1))
    assert orphan.finished_at == orphan.started_at == run.started_at
