"""Pauses of single jobs and the freeze of all: who, why, until when, and what happens to what was held back.

The table of pauses holds the last one of each job; those before it stand in the history.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import pause_history, pauses

FREEZE = "*"


@dataclass(frozen=True, slots=True)
class Pause:
    """`job` is a job's name, or `*` for all; `until` None means until someone resumes it, at `ended_at`.

    `then` says what becomes of what fell due meanwhile: `drop` skips it at once, `latest` and `all` run it afterwards.
    """

    job: str
    since: datetime
    until: datetime | None
    reason: str | None
    then: str
    author: str
    ended_at: datetime | None = None

    @property
    def end(self) -> datetime | None:
        """When it ended or is to end; None while nobody knows."""
        if self.until is None or (self.ended_at is not None and self.ended_at < self.until):
            return self.ended_at
        return self.until

    @property
    def drops(self) -> bool:
        return self.then == "drop"

    def holds(self, instant: datetime) -> bool:
        end = self.end
        return self.since <= instant and (end is None or instant < end)

    def in_force(self, now: datetime) -> bool:
        """Whether it holds something back now; once resumed it does not, even if the clock is set back before that."""
        return self.ended_at is None and self.holds(now)

    @property
    def skip_reason(self) -> str:
        """The reason of a row that was skipped for it."""
        what = "frozen" if self.job == FREEZE else "paused"
        return f"skipped: {what} by {self.author}{f': {self.reason}' if self.reason else ''}"


_COLUMNS = [column.name for column in pauses.c]
_PAST_COLUMNS = [*_COLUMNS, "ended_at"]
_INSERT = insert(pauses).values({name: bindparam(name) for name in _COLUMNS})
_SET = _INSERT.on_conflict_do_update(
    index_elements=[pauses.c.job], set_={name: _INSERT.excluded[name] for name in _COLUMNS if name != "job"}
)
_CLEAR = delete(pauses).where(pauses.c.job == bindparam("name"))
_ALL = select(pauses).order_by(pauses.c.job)
_OF = select(pauses).where(pauses.c.job == bindparam("name"))
_ARCHIVE = insert(pause_history).values({name: bindparam(name) for name in _PAST_COLUMNS})
_PAST = (
    select(*(pause_history.c[name] for name in _PAST_COLUMNS))
    .where(pause_history.c.ended_at > bindparam("begin"))
    .order_by(pause_history.c.ended_at.desc(), pause_history.c.id.desc())
)
_PAST_OF = (
    select(*(pause_history.c[name] for name in _PAST_COLUMNS))
    .where(
        or_(pause_history.c.job == bindparam("name"), pause_history.c.job == FREEZE),
        pause_history.c.since <= bindparam("at"),
        pause_history.c.ended_at > bindparam("at"),
    )
    .order_by(pause_history.c.id.desc())
)


async def put(tx: Tx, pause: Pause) -> None:
    """Pause from `pause.since` on. One that is in force is prolonged: what it holds back stays held back."""
    before = await _current(tx, pause.job)
    if before is not None:
        if before.holds(pause.since):
            pause = replace(pause, since=before.since)
        else:
            await _archive(tx, before, pause.since)
    await tx.run(_SET, {name: getattr(pause, name) for name in _COLUMNS})


async def clear(tx: Tx, job: str, now: datetime) -> bool:
    """End a pause, or forget one that has ended by itself; False when there is none."""
    before = await _current(tx, job)
    if before is None:
        return False
    await _archive(tx, before, now)
    return await tx.run(_CLEAR, {"name": job}) == 1


async def everything(tx: Tx) -> dict[str, Pause]:
    """The last pause of each job that was not resumed; it may have ended by itself."""
    return {row[0]: Pause(*row) for row in await tx.all(_ALL)}


async def since(tx: Tx, begin: datetime) -> tuple[Pause, ...]:
    """Every pause that held something back after `begin`: those in force, then the past ones, newest first."""
    current = tuple((await everything(tx)).values())
    return current + tuple(Pause(*row) for row in await tx.all(_PAST, {"begin": begin}))


async def holding(tx: Tx, job: str, at: datetime) -> Pause | None:
    """The pause or freeze that holds, or held, the instant `at` of `job`."""
    current = await everything(tx)
    past = [Pause(*row) for row in await tx.all(_PAST_OF, {"name": job, "at": at})]
    return first_holding([*current.values(), *past], job, at)


def first_holding(
    pauses: Iterable[Pause], job: str, at: datetime, now: datetime | None = None
) -> Pause | None:
    """The one that counts: one that drops, then one that is not over at `now`, then the freeze."""

    def rank(pause: Pause) -> tuple[bool, bool, bool]:
        over = pause.ended_at is not None or (pause.end is not None and (now is None or pause.end <= now))
        return (not pause.drops, over, pause.job != FREEZE)

    found = [pause for pause in pauses if pause.job in (FREEZE, job) and pause.holds(at)]
    return min(found, key=rank, default=None)


async def _current(tx: Tx, job: str) -> Pause | None:
    row = await tx.first(_OF, {"name": job})
    return Pause(*row) if row is not None else None


async def _archive(tx: Tx, pause: Pause, now: datetime) -> None:
    ended = min(pause.until, now) if pause.until is not None else now
    values = {name: getattr(pause, name) for name in _COLUMNS}
    await tx.run(_ARCHIVE, {**values, "ended_at": ended})
