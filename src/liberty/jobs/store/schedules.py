"""How far each schedule has been accounted for: one row per schedule in force, moved by compare-and-set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import batched

from sqlalchemy import BindParameter, Select, bindparam, delete, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import schedules

type Place = tuple[str, str]
"""A job's name and the key of one of its schedules."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Every instant of a schedule up to and including `watermark` has its row. It reads `spec` since `since`."""

    job: str
    schedule: str
    spec: str
    watermark: datetime
    since: datetime

    @property
    def place(self) -> Place:
        return (self.job, self.schedule)


@dataclass(frozen=True, slots=True)
class Move:
    """A watermark's way, for as long as it is still at `seen`."""

    place: Place
    seen: datetime
    to: datetime


_COLUMNS = [column.name for column in schedules.c]
_ALL = select(schedules)
_OF_JOB = select(schedules).where(schedules.c.job == bindparam("name"))
_PUT = insert(schedules).values({name: bindparam(name) for name in _COLUMNS})
_REPLACE = _PUT.on_conflict_do_update(
    index_elements=[schedules.c.job, schedules.c.schedule],
    set_={name: _PUT.excluded[name] for name in ("spec", "watermark", "since")},
)
_AT_PLACE = (schedules.c.job == bindparam("name"), schedules.c.schedule == bindparam("key"))
_REMOVE = delete(schedules).where(*_AT_PLACE)
_ADVANCE = update(schedules).where(*_AT_PLACE).values(watermark=bindparam("to"))
_JOBS_PER_STATEMENT = 100


async def everything(tx: Tx) -> dict[Place, Mark]:
    return {mark.place: mark for mark in (Mark(*row) for row in await tx.all(_ALL))}


async def of_job(tx: Tx, job: str) -> list[Mark]:
    return [Mark(*row) for row in await tx.all(_OF_JOB, {"name": job})]


async def reconcile(
    tx: Tx, wanted: Mapping[Place, str], now: datetime, latest: datetime
) -> dict[Place, Mark]:
    """Make the table hold exactly the schedules `wanted` (place -> spec); what it holds then.

    A schedule that is new or written differently begins at `now`: it never looks back. A watermark later than
    `latest` was set by a clock that has since gone back; it is brought to `now`, because waiting for it could
    take years. The unique key of the rows keeps what has fired from firing again.
    """
    have = await everything(tx)
    gone = [place for place in have if place not in wanted]
    if gone:
        await tx.many(_REMOVE, [{"name": job, "key": key} for job, key in gone])
    changed: list[Mark] = []
    for place, spec in sorted(wanted.items()):
        mark = have.get(place)
        if mark is None or mark.spec != spec:
            changed.append(Mark(*place, spec, now, now))
        elif mark.watermark > latest:
            changed.append(Mark(*place, spec, now, mark.since))
    if changed:
        await tx.many(_REPLACE, [{name: getattr(mark, name) for name in _COLUMNS} for mark in changed])
    kept = {place: mark for place, mark in have.items() if place in wanted}
    return kept | {mark.place: mark for mark in changed}


async def advance(tx: Tx, moves: Sequence[Move]) -> set[Place]:
    """Move watermarks; the places that were still where they were seen. The others somebody else has moved on.

    The rows are locked in one order everywhere, so that two schedulers wait for each other and not for ever.
    """
    jobs = sorted({move.place[0] for move in moves})
    at: dict[Place, datetime] = {}
    for some in batched(jobs, _JOBS_PER_STATEMENT):
        names = {f"job_{index}": job for index, job in enumerate(some)}
        at |= {(row[0], row[1]): row[2] for row in await tx.all(_locked(len(some)), names)}
    moved = [move for move in moves if at.get(move.place) == move.seen]
    if moved:
        await tx.many(
            _ADVANCE, [{"name": move.place[0], "key": move.place[1], "to": move.to} for move in moved]
        )
    return {move.place for move in moved}


@cache
def _locked(jobs: int) -> Select[tuple[str, str, datetime]]:
    names: list[BindParameter[str]] = [bindparam(f"job_{index}") for index in range(jobs)]
    return (
        select(schedules.c.job, schedules.c.schedule, schedules.c.watermark)
        .where(schedules.c.job.in_(names))
        .order_by(schedules.c.job, schedules.c.schedule)
        .with_for_update()
    )
