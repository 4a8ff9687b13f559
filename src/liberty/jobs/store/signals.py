"""Counters by which one replica tells the others that something has happened."""

from sqlalchemy import bindparam, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import signals

RELOAD = "reload"

_NEW = insert(signals).values(name=bindparam("name"), number=1)
_RAISE = _NEW.on_conflict_do_update(
    index_elements=[signals.c.name], set_={"number": signals.c.number + 1}
).returning(signals.c.number)
_READ = select(signals.c.number).where(signals.c.name == bindparam("name"))


async def raise_(tx: Tx, name: str) -> int:
    """Count up; the new number."""
    return int(await tx.scalar(_RAISE, {"name": name}))


async def read(tx: Tx, name: str) -> int:
    return int(await tx.scalar(_READ, {"name": name}) or 0)
