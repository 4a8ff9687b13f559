"""Backfills: what was asked for, whether it was called off, and how far its runs have come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.run import ABORTED, QUEUED, RUNNING, SUCCEEDED, Run
from liberty.jobs.store import runs as store
from liberty.jobs.store.tables import backfills, runs, status_in

MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """One row; `number` is what it is called by."""

    number: int
    job: str
    since: datetime
    until: datetime
    newest_first: bool
    max_concurrent: int
    only_missing: bool
    requested_at: datetime
    requested_by: str
    cancelled_at: datetime | None
    cancelled_by: str | None


_COLUMNS = tuple(backfills.c)
_ASKED = tuple(
    column.name for column in _COLUMNS if column.name not in ("id", "cancelled_at", "cancelled_by")
)
_INSERT = insert(backfills).values({name: bindparam(name) for name in _ASKED}).returning(backfills.c.id)
_GET = select(*_COLUMNS).where(backfills.c.id == bindparam("number"), backfills.c.job == bindparam("job"))
_OF_JOB = (
    select(*_COLUMNS)
    .where(backfills.c.job == bindparam("job"))
    .order_by(backfills.c.id.desc())
    .limit(MAX_LISTED)
)
_CANCEL = (
    update(backfills)
    .where(
        backfills.c.id == bindparam("number"),
        backfills.c.job == bindparam("name"),
        backfills.c.cancelled_at.is_(None),
    )
    .values(cancelled_at=bindparam("at"), cancelled_by=bindparam("by"))
)
_COUNTS = (
    select(runs.c.backfill, runs.c.status, func.count())
    .where(runs.c.backfill >= bindparam("first"), runs.c.job == bindparam("job"))
    .group_by(runs.c.backfill, runs.c.status)
)
_GOING_ON = (
    select(runs.c.id)
    .where(runs.c.backfill == bindparam("number"), status_in([QUEUED, RUNNING]))
    .order_by(runs.c.id.desc())
)
_SETTLED = select(runs.c.schedule, runs.c.scheduled_at).where(
    runs.c.job == bindparam("job"),
    runs.c.scheduled_at >= bindparam("since"),
    runs.c.scheduled_at <= bindparam("until"),
    status_in([SUCCEEDED, QUEUED, RUNNING]),
)


async def add(tx: Tx, asked: Mapping[str, object]) -> int:
    """Store what was asked for; its number."""
    return int(await tx.scalar(_INSERT, asked))


async def get(tx: Tx, job: str, number: int) -> BackfillRow | None:
    row = await tx.first(_GET, {"job": job, "number": number})
    return _from(row) if row is not None else None


async def of_job(tx: Tx, job: str) -> list[tuple[BackfillRow, dict[str, int]]]:
    """The newest backfills of a job with how many of their runs are in which status."""
    found = [_from(row) for row in await tx.all(_OF_JOB, {"job": job})]
    counts: dict[int, dict[str, int]] = {row.number: {} for row in found}
    if found:
        for number, status, count in await tx.all(_COUNTS, {"job": job, "first": found[-1].number}):
            counts.get(number, {})[status] = count
    return [(row, counts[row.number]) for row in found]


async def settled(tx: Tx, job: str, since: datetime, until: datetime) -> set[tuple[str | None, datetime]]:
    """The (schedule, instant) pairs in [since, until] that have succeeded, or are about to be tried."""
    rows = await tx.all(_SETTLED, {"job": job, "since": since, "until": until})
    return {(schedule, at) for schedule, at in rows}


async def cancel(tx: Tx, job: str, number: int, by: str, now: datetime) -> list[Run] | None:
    """Call a backfill off: what waits ends, what runs is asked to stop. None when that was done before."""
    if not await tx.run(_CANCEL, {"number": number, "name": job, "at": now, "by": by}):
        return None
    stopped: list[Run] = []
    for (run,) in await tx.all(_GOING_ON, {"number": number}):
        ended = await store.end_unclaimed(
            tx, run, ABORTED, now, reason=f"backfill {number} cancelled by {by}", by=by
        ) or await store.request_abort(tx, run, by, now)
        if ended is not None:
            stopped.append(ended)
    return stopped


def _from(row: tuple[object, ...]) -> BackfillRow:
    return BackfillRow(*row)  # type: ignore[arg-type]  # the columns in their order
