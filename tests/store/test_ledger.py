"""What schedules are accounted with: watermarks, the lease, pauses with their history, downtimes."""

import asyncio
from datetime import UTC, datetime, timedelta

from liberty.database import Database
from liberty.jobs.store import gaps, lease, listing, pauses, runs, schedules
from liberty.jobs.store.gaps import Gap
from liberty.jobs.store.pauses import FREEZE, Pause
from liberty.jobs.store.schedules import Mark, Move
from tests.factories import NOW, cron, migrated, run_of

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
TTL = timedelta(seconds=6)
PLACE = ("nightly", "main")


# -- watermarks


async def test_a_schedule_begins_at_now_and_goes_on_where_it_stood(database: Database) -> None:
    first = await database.write(schedules.reconcile, {PLACE: "0 2 * * * @ UTC"}, NOW, NOW)
    assert first == {PLACE: Mark(*PLACE, "0 2 * * * @ UTC", NOW, NOW)}
    assert await database.write(schedules.advance, [Move(PLACE, NOW, NOW + HOUR)]) == {PLACE}
    later = NOW + 5 * HOUR
    kept = await database.write(schedules.reconcile, {PLACE: "0 2 * * * @ UTC"}, later, later)
    assert kept[PLACE] == Mark(*PLACE, "0 2 * * * @ UTC", NOW + HOUR, NOW)


async def test_a_schedule_written_differently_never_looks_back(database: Database) -> None:
    await database.write(schedules.reconcile, {PLACE: "a"}, NOW, NOW)
    later = NOW + HOUR
    for wanted in ({PLACE: "b"}, {}, {PLACE: "b"}):
        later += HOUR
        await database.write(schedules.reconcile, wanted, later, later)
        assert await database.read(schedules.everything) == {
            place: Mark(*place, spec, later, later) for place, spec in wanted.items()
        }


async def test_a_watermark_of_a_clock_that_went_back_is_brought_to_now(database: Database) -> None:
    ahead = NOW + 24 * HOUR
    await database.write(schedules.reconcile, {PLACE: "a"}, ahead, ahead)
    found = await database.write(schedules.reconcile, {PLACE: "a"}, NOW, NOW + 60 * SECOND)
    assert (found[PLACE].watermark, found[PLACE].since) == (NOW, ahead)


async def test_of_many_who_move_a_watermark_one_wins(database: Database) -> None:
    await database.write(schedules.reconcile, {PLACE: "a"}, NOW, NOW)
    tries = [
        database.write(schedules.advance, [Move(PLACE, NOW, NOW + number * SECOND)]) for number in range(1, 9)
    ]
    assert sorted(await asyncio.gather(*tries), key=len)[-2:] == [set(), {PLACE}]
    absent = Move(("absent", "main"), NOW, NOW + HOUR)
    assert await database.write(schedules.advance, [absent]) == set()


# -- the lease


async def hold(database: Database, me: str, at: datetime, **options: bool) -> lease.Held:
    return await database.write(lease.hold, me, TTL, at, **options)


async def test_the_lease_is_renewed_kept_from_others_and_taken_when_it_has_run_out(
    database: Database,
) -> None:
    first = await hold(database, "a", NOW)
    assert (first.mine, first.before, first.lease.epoch) == (True, None, 1)
    again = await hold(database, "a", NOW + 2 * SECOND)
    assert (again.mine, again.lease.epoch, again.lease.acquired_at) == (True, 1, NOW)
    other = await hold(database, "b", NOW + 7 * SECOND)
    assert (other.mine, other.lease.holder) == (False, "a")
    taken = await hold(database, "b", NOW + 8 * SECOND)
    assert (taken.mine, taken.lease.epoch, taken.lease.holder) == (True, 2, "b")
    assert taken.before == again.lease
    late = await hold(database, "a", NOW + 9 * SECOND)
    assert (late.mine, late.lease.epoch) == (False, 2)


async def test_a_holder_that_resigns_is_followed_at_once(database: Database) -> None:
    await hold(database, "a", NOW)
    assert not await database.write(lease.resign, "b", NOW)
    assert await database.write(lease.resign, "a", NOW + SECOND)
    assert (await hold(database, "b", NOW + SECOND)).mine


async def test_who_is_alone_on_a_file_does_not_wait_for_the_dead(database: Database) -> None:
    await hold(database, "a", NOW)
    assert (await hold(database, "b", NOW + SECOND, alone=True)).mine


async def test_of_many_who_reach_for_the_lease_one_gets_it(database: Database) -> None:
    for at in (NOW, NOW + HOUR):
        tries = [hold(database, f"replica-{number}", at) for number in range(8)]
        assert sum(held.mine for held in await asyncio.gather(*tries)) == 1


async def test_postgresql_judges_by_its_own_clock(pg_url: str) -> None:
    async with migrated(pg_url) as database:
        held = await database.write(lease.hold, "a", TTL, None)
    assert abs(held.now - datetime.now(UTC)) < HOUR
    assert held.lease.expires_at - held.lease.renewed_at == TTL


# -- pauses


def pause(
    then: str = "drop", since: datetime = NOW, until: datetime | None = None, job: str = "nightly"
) -> Pause:
    return Pause(job, since, until, "why", then, "user:bob")


async def test_an_ended_pause_stands_in_the_history(database: Database) -> None:
    await database.write(pauses.put, pause("latest"))
    assert await database.read(pauses.since, NOW - HOUR) == (pause("latest"),)
    assert await database.write(pauses.clear, "nightly", NOW + HOUR)
    assert not await database.write(pauses.clear, "nightly", NOW + HOUR)
    assert await database.read(pauses.everything) == {}
    (past,) = await database.read(pauses.since, NOW)
    assert (past.ended_at, past.end) == (NOW + HOUR, NOW + HOUR)
    assert await database.read(pauses.since, NOW + HOUR) == ()
    for at, holds in ((NOW, True), (NOW + HOUR - SECOND, True), (NOW + HOUR, False), (NOW - SECOND, False)):
        assert (await database.read(pauses.holding, "nightly", at) is not None) == holds
        assert await database.read(pauses.holding, "other", at) is None


async def test_a_pause_in_force_is_prolonged_and_one_that_is_over_is_followed(database: Database) -> None:
    await database.write(pauses.put, pause(until=NOW + HOUR))
    await database.write(pauses.put, pause("all", NOW + SECOND, NOW + 2 * HOUR))
    assert await database.read(pauses.everything) == {"nightly": pause("all", NOW, NOW + 2 * HOUR)}
    await database.write(pauses.put, pause("drop", NOW + 3 * HOUR))
    current, past = await database.read(pauses.since, NOW)
    assert current == pause("drop", NOW + 3 * HOUR)
    assert (past.since, past.end, past.then) == (NOW, NOW + 2 * HOUR, "all")


async def test_a_freeze_holds_every_job(database: Database) -> None:
    await database.write(pauses.put, pause(job=FREEZE))
    found = await database.read(pauses.holding, "nightly", NOW)
    assert found is not None
    assert found.skip_reason == "skipped: frozen by user:bob: why"


# -- downtimes and rows


async def test_downtimes_are_found_by_time(database: Database) -> None:
    one = Gap(NOW, NOW + HOUR, "scheduler was down", "a")
    two = Gap(NOW + 3 * HOUR, NOW + 4 * HOUR, "database was away", "b")
    for gap in (one, two):
        await database.write(gaps.record, gap)
    assert await database.read(gaps.between, NOW - HOUR, NOW + 9 * HOUR) == [one, two]
    assert await database.read(gaps.between, NOW + HOUR, NOW + 2 * HOUR) == [one]
    assert await database.read(gaps.between, NOW + 2 * HOUR, NOW + 2 * HOUR) == []


async def test_a_summary_row_is_found_by_any_instant_it_stands_for(database: Database) -> None:
    summary = run_of(trigger=cron(NOW), covers_since=NOW - HOUR, covers_count=60)
    row = (await database.write(runs.insert_skipped, summary, "missed: scheduler was down", NOW)).run
    assert (row.covers_since, row.covers_count, row.caught_up) == (NOW - HOUR, 60, False)
    for at, found in ((NOW - HOUR, [row]), (NOW, [row]), (NOW + SECOND, []), (NOW - HOUR - SECOND, [])):
        assert await database.read(listing.summaries, "nightly", at, at) == found


async def test_a_caught_up_run_says_so_unless_it_did_not_start(database: Database) -> None:
    for number, exclusive in enumerate((True, True)):
        new = run_of(trigger=cron(NOW + number * HOUR), caught_up=True, exclusive=exclusive)
        made = (await database.write(runs.insert_queued, new, NOW)).run
        assert made.caught_up == (made.status == "queued") == (number == 0)


async def test_a_claim_whose_answer_was_lost_is_found_again(database: Database) -> None:
    queued = (await database.write(runs.insert_queued, run_of(), NOW)).run
    claimed = await database.write(runs.claim, queued.number, "a", NOW)
    assert claimed is not None
    assert await database.write(runs.claim, queued.number, "a", NOW) == claimed
    assert await database.write(runs.claim, queued.number, "b", NOW) is None
    assert await database.write(runs.claim, queued.number, "a", NOW + SECOND) is None
