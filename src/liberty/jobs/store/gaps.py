"""The times in which nobody scheduled, and why: what `why` says about a missed instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, delete, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import gaps

type Cause = Literal["scheduler was down", "database was away", "clock was set forward"]

KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody scheduled from `since` to `until`; `holder` took up the work again."""

    since: datetime
    until: datetime
    cause: Cause
    holder: str

    def covers(self, instant: datetime) -> bool:
        return self.since <= instant <= self.until


_FIELDS = ("since", "until", "cause", "holder")
_ADD = insert(gaps).values({name: bindparam(name) for name in _FIELDS})
_FORGET = delete(gaps).where(gaps.c.until < bindparam("cutoff"))
_BETWEEN = (
    select(*(gaps.c[name] for name in _FIELDS))
    .where(gaps.c.until >= bindparam("begin"), gaps.c.since <= bindparam("end"))
    .order_by(gaps.c.since)
)


async def record(tx: Tx, gap: Gap) -> None:
    await tx.run(_ADD, {name: getattr(gap, name) for name in _FIELDS})
    await tx.run(_FORGET, {"cutoff": gap.until - KEPT})


async def between(tx: Tx, since: datetime, until: datetime) -> list[Gap]:
    """The gaps that touch [since, until], oldest first."""
    return [Gap(*row) for row in await tx.all(_BETWEEN, {"begin": since, "end": until})]
