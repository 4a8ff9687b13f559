"""Heartbeats: who runs jobs on this database, and who has stopped beating."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import replicas


@dataclass(frozen=True, slots=True)
class Replica:
    """A process that runs jobs. `process_started` tells a living process from a later one with the same pid."""

    id: str
    host: str
    pid: int
    process_started: str
    role: str
    version: str
    started_at: datetime
    beat_at: datetime


_COLUMNS = [column.name for column in replicas.c]
_ADD = insert(replicas).values({name: bindparam(name) for name in _COLUMNS}).on_conflict_do_nothing()
_BEAT = update(replicas).where(replicas.c.id == bindparam("replica")).values(beat_at=bindparam("at"))
_ALL = select(replicas).order_by(replicas.c.started_at)
_COUNT = select(func.count()).select_from(replicas)
_REMOVE = delete(replicas).where(replicas.c.id == bindparam("replica"))


async def register(tx: Tx, replica: Replica) -> None:
    await tx.run(_ADD, {name: getattr(replica, name) for name in _COLUMNS})


async def beat(tx: Tx, replica: str, now: datetime) -> bool:
    """Prove to be alive; False when the row is gone and the replica must register again."""
    return await tx.run(_BEAT, {"replica": replica, "at": now}) == 1


async def count(tx: Tx) -> int:
    return int(await tx.scalar(_COUNT))


async def everyone(tx: Tx) -> list[Replica]:
    return [Replica(*row) for row in await tx.all(_ALL)]


async def remove(tx: Tx, replica: str) -> None:
    await tx.run(_REMOVE, {"replica": replica})
