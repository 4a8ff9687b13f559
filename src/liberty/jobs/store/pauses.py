"""Pauses of single jobs and the freeze of all: who, why, until when, and what happens to what was held back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import pauses

FREEZE = "*"


@dataclass(frozen=True, slots=True)
class Pause:
    """`job` is a job's name, or `*` for all; `until` None means until someone resumes it."""

    job: str
    since: datetime
    until: datetime | None
    reason: str | None
    then: str
    author: str

    def holds(self, instant: datetime) -> bool:
        return self.since <= instant and (self.until is None or instant < self.until)


_COLUMNS = [column.name for column in pauses.c]
_INSERT = insert(pauses).values({name: bindparam(name) for name in _COLUMNS})
_SET = _INSERT.on_conflict_do_update(
    index_elements=[pauses.c.job], set_={name: _INSERT.excluded[name] for name in _COLUMNS if name != "job"}
)
_CLEAR = delete(pauses).where(pauses.c.job == bindparam("name"))
_ALL = select(pauses).order_by(pauses.c.job)


async def put(tx: Tx, pause: Pause) -> None:
    await tx.run(_SET, {name: getattr(pause, name) for name in _COLUMNS})


async def clear(tx: Tx, job: str) -> bool:
    return await tx.run(_CLEAR, {"name": job}) == 1


async def everything(tx: Tx) -> dict[str, Pause]:
    return {row[0]: Pause(*row) for row in await tx.all(_ALL)}
