"""Steps, log lines, versions, pauses, heartbeats and retention."""

import asyncio
import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import text

from liberty.database import Database, Tx, open_database
from liberty.jobs.engine import rescue
from liberty.jobs.engine.replica import this_process
from liberty.jobs.run import Attempt, Status, StepError
from liberty.jobs.store import logs, pauses, replicas, retention, runs, step_runs, versions
from liberty.jobs.store.pauses import FREEZE, Pause
from tests.factories import NOW, claimed, line, run_of, step

ERROR = StepError("ValueError", "no «good»", "Traceback …")


async def count(database: Database, table: str) -> int:
    async def ask(tx: Tx) -> int:
        return int(await tx.scalar(text(f"SELECT count(*) FROM {table}")))

    return await database.read(ask)


async def test_steps_are_read_as_they_were_written_in_declared_order(database: Database) -> None:
    run, fence = await claimed(database)
    failed = Attempt(1, Status("failed"), NOW, NOW + timedelta(seconds=1), ERROR, wait_seconds=1.5)
    full = step(
        1,
        status="failed",
        reason="timeout after 3s",
        attempts=(failed, Attempt(2, Status("running"), NOW, None)),
        rows_affected=12,
        input={"a": [1, None, "é"]},
        output={"rows": [{"n": 1.5}], "truncated": True},
        error=ERROR,
    )
    assert await database.write(step_runs.save, fence, [full], current="step-1")
    assert await database.write(step_runs.save, fence, [step(0)])
    assert await database.read(step_runs.of_run, run.number) == [step(0), full]
    now = await database.read(runs.get, run.number)
    assert now is not None
    assert now.current_step == "step-1"
    again = step(1, status="succeeded")
    assert await database.write(step_runs.save, fence, [again], current="step-1")
    assert await database.read(step_runs.of_run, run.number) == [step(0), again]


async def test_open_steps_are_closed_and_ended_ones_left_alone(database: Database) -> None:
    run, fence = await claimed(database)
    open_step = step(1, status="running", attempts=(Attempt(1, Status("running"), NOW, None),))
    await database.write(step_runs.save, fence, [step(0), open_step])
    at = NOW + timedelta(seconds=5)
    assert await database.write(step_runs.close_open, run.number, aborted=False, reason="why", at=at) == 1
    first, second = await database.read(step_runs.of_run, run.number)
    assert first == step(0)
    assert (str(second.status), second.reason, second.finished_at) == ("failed", "why", at)
    assert [(str(tried.status), tried.finished_at) for tried in second.attempts] == [("failed", at)]


async def test_lines_are_read_in_order_from_any_place_and_counted(database: Database) -> None:
    run, fence = await claimed(database)
    levels = ["DEBUG", "INFO", "WARNING", "ERROR"]
    everything = [line(n, f"message {n} é\n\t second line", levels[n % 4]) for n in range(1, 41)]
    assert await database.write(logs.append, fence, everything[:25])
    assert await database.write(logs.append, fence, everything[25:], dropped=3)
    assert await database.read(logs.after, run.number, 0) == everything
    assert await database.read(logs.after, run.number, 38) == everything[38:]
    assert await database.read(logs.after, run.number, 5, limit=3) == everything[5:8]
    assert await database.read(logs.latest, run.number, limit=4) == everything[-4:]
    assert await database.read(logs.last_seq, run.number) == 40
    for index, level in enumerate(levels):
        found = await database.read(logs.after, run.number, 2, level=level)
        assert found == [entry for entry in everything[2:] if entry.level in levels[index:]]
    now = await database.read(runs.get, run.number)
    assert now is not None
    assert (now.log_lines, now.log_dropped) == (40, 3)
    assert await database.read(logs.last_seq, 999) == 0


async def test_definitions_are_numbered_per_job_when_they_change(database: Database) -> None:
    remember = versions.remember
    assert await database.write(remember, {"a": ("f1", "one"), "b": ("f1", "b")}, NOW) == {"a": 1, "b": 1}
    assert await database.write(remember, {"a": ("f1", "one")}, NOW) == {"a": 1}
    assert await database.write(remember, {"a": ("f2", "two")}, NOW) == {"a": 2}
    assert await database.write(remember, {"a": ("f1", "one")}, NOW) == {"a": 3}
    assert await database.read(versions.definition, "a", 2) == "two"
    assert await database.read(versions.definition, "a", 9) is None


async def test_two_servers_that_start_together_agree_on_the_version(
    database: Database, database_url: str
) -> None:
    other = open_database(database_url)
    try:
        for turn in range(10):
            both = {"a": (f"f{turn}", "text"), "b": (f"f{turn}", "text")}
            numbers = await asyncio.gather(
                *(server.write(versions.remember, both, NOW) for server in (database, other))
            )
            assert numbers == [{"a": turn + 1, "b": turn + 1}] * 2
    finally:
        await other.close()


async def test_a_pause_holds_from_its_beginning_until_its_end(database: Database) -> None:
    first = Pause("nightly", NOW, NOW + timedelta(hours=1), "because", "latest", "user:bob")
    await database.write(pauses.put, first)
    await database.write(pauses.put, Pause(FREEZE, NOW, None, None, "drop", "user:alice"))
    changed = Pause("nightly", NOW, None, "longer", "all", "user:eve")
    await database.write(pauses.put, changed)
    found = await database.read(pauses.everything)
    assert set(found) == {"nightly", FREEZE}
    assert found["nightly"] == changed
    assert await database.write(pauses.clear, "nightly", NOW)
    assert not await database.write(pauses.clear, "nightly", NOW)
    assert first.holds(NOW)
    assert first.holds(NOW + timedelta(minutes=59))
    assert not first.holds(NOW + timedelta(hours=1))
    assert not first.holds(NOW - timedelta(seconds=1))
    assert changed.holds(NOW + timedelta(days=9999))


async def test_replicas_beat_until_they_are_removed(database: Database) -> None:
    me = this_process("server", "1", NOW)
    await database.write(replicas.register, me)
    await database.write(replicas.register, me)
    assert await database.write(replicas.beat, me.id, NOW + timedelta(seconds=5))
    [found] = await database.read(replicas.everyone)
    assert (found.id, found.beat_at) == (me.id, NOW + timedelta(seconds=5))
    await database.write(replicas.remove, me.id)
    assert not await database.write(replicas.beat, me.id, NOW)


async def test_a_rescue_ends_runs_steps_and_log_of_the_dead_only(database: Database) -> None:
    from dataclasses import replace

    me = this_process("server", "1", NOW)
    silent = replace(me, id="far-silent", host="far", beat_at=NOW - timedelta(minutes=1))
    beating = replace(me, id="far-beating", host="far", beat_at=NOW - timedelta(seconds=10))
    reborn = replace(me, id="here-before", process_started="an earlier boot")
    for replica in (me, silent, beating, reborn):
        await database.write(replicas.register, replica)
    owned = {}
    for owner in ("far-silent", "far-beating", "here-before", "never-registered", me.id):
        run, fence = await claimed(database, owner=owner)
        owned[run.number] = owner
        await database.write(step_runs.save, fence, [step(0, status="running")])
        await database.write(logs.append, fence, [line(1), line(2)])
    ended = await database.write(rescue.fail_orphans, me.id, NOW)
    assert {owned[run.number] for run in ended} == {"far-silent", "here-before", "never-registered"}
    for number, owner in owned.items():
        ended_run = await database.read(runs.get, number)
        assert ended_run is not None
        lines = await database.read(logs.after, number, 0)
        [only] = await database.read(step_runs.of_run, number)
        if owner in ("far-beating", me.id):
            assert (str(ended_run.status), str(only.status), len(lines)) == ("running", "running", 2)
            continue
        assert (str(ended_run.status), ended_run.reason, str(only.status)) == (
            "failed",
            f"orphaned: {owner}",
            "failed",
        )
        assert [entry.seq for entry in lines] == [1, 2, 3]
        assert f"orphaned: {owner}" in lines[-1].message
        assert ended_run.log_lines == 3
    assert {replica.id for replica in await database.read(replicas.everyone)} == {me.id, "far-beating"}
    assert await database.write(rescue.fail_orphans, me.id, NOW) == []


# -- retention


async def old_runs(database: Database) -> dict[str, int]:
    """A year-old run of every status, each with a step and a line; and a young one."""
    then = NOW - timedelta(days=365)
    made = {}
    for status in ("running", "aborting", "succeeded", "failed", "partial-success", "aborted"):
        run, fence = await claimed(database, run_of())

        async def age(tx: Tx, number: int = run.number) -> None:
            await tx.run(
                text(
                    "UPDATE ly2_job_runs SET queued_at = :at, started_at = :at WHERE id = :number"
                ).bindparams(at=_instant(database, then), number=number)
            )

        await database.write(age)
        await database.write(step_runs.save, fence, [step(0)])
        await database.write(logs.append, fence, [line(1)])
        if status == "aborting":
            await database.write(runs.request_abort, run.number, "x", then)
        elif status != "running":
            await database.write(runs.end, fence, Status(status), then)
        made[status] = run.number
    made["queued"] = (await database.write(runs.insert_queued, run_of(), then)).run.number
    made["skipped"] = (await database.write(runs.insert_skipped, run_of(), "x", then)).run.number
    late, late_fence = await claimed(database)
    await database.write(runs.end, late_fence, Status("succeeded"), NOW)
    made["young"] = late.number
    return made


def _instant(database: Database, at: object) -> object:
    from liberty.clock import rfc3339

    return rfc3339(at) if database.dialect == "sqlite" else at  # type: ignore[arg-type]  # a datetime


@pytest.mark.parametrize("keep_failed", [True, False])
async def test_old_final_runs_go_with_all_they_had(database: Database, keep_failed: bool) -> None:
    made = await old_runs(database)
    gone = {"succeeded", "partial-success", "skipped"} | (set() if keep_failed else {"failed", "aborted"})
    cutoff = NOW - timedelta(days=90)
    deleted = 0
    while one := await database.write(retention.delete_expired, cutoff, keep_failed=keep_failed, limit=2):
        assert one <= 2
        deleted += one
    assert deleted == len(gone)
    for status, number in made.items():
        assert (await database.read(runs.get, number) is None) == (status in gone)
    left = 6 - len(gone - {"skipped"})
    assert await count(database, "ly2_step_runs") == left
    assert await count(database, "ly2_job_logs") == left


async def test_what_ended_late_is_kept_although_it_began_early(database: Database) -> None:
    queued = await database.write(runs.insert_queued, run_of(), NOW - timedelta(days=365))
    await database.write(runs.request_abort, queued.run.number, "x", NOW)
    cutoff = NOW - timedelta(days=90)
    assert await database.write(retention.delete_expired, cutoff, keep_failed=False, limit=10) == 0


async def test_rows_deleted_by_hand_take_what_belongs_to_them(database: Database, database_url: str) -> None:
    run, fence = await claimed(database)
    await database.write(step_runs.save, fence, [step(0)])
    await database.write(logs.append, fence, [line(1)])
    if database.dialect == "sqlite":
        with sqlite3.connect(database_url.partition("///")[2]) as shell:
            assert shell.execute("PRAGMA foreign_keys").fetchone() == (0,)
            shell.execute("DELETE FROM ly2_job_runs WHERE run_id = ?", (run.run_id,))
        shell.close()
    else:

        async def delete(tx: Tx) -> None:
            await tx.script(f"DELETE FROM ly2_job_runs WHERE run_id = '{run.run_id}'")

        await database.write(delete)
    assert [await count(database, table) for table in ("ly2_job_runs", "ly2_step_runs", "ly2_job_logs")] == [
        0,
        0,
        0,
    ]


async def test_what_is_stored_as_json_is_json(database: Database) -> None:
    run, fence = await claimed(database, run_of(params={"text": "\ud800 and \0", "number": 10**30}))
    await database.write(step_runs.save, fence, [step(0, output={"text": "\0"})])
    read = await database.read(runs.get, run.number)
    assert read is not None
    assert read.params == {"text": "\ud800 and \0", "number": 10**30}
    [only] = await database.read(step_runs.of_run, run.number)
    assert only.output == {"text": "\0"}
    with pytest.raises(ValueError, match="JSON"):
        await database.write(step_runs.save, fence, [step(1, output={"x": float("nan")})])
