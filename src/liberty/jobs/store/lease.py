"""The scheduler's lease: one row, taken and renewed by compare-and-set, on PostgreSQL by the database's clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update

from liberty.database import Tx
from liberty.database.types import Instant
from liberty.database.upsert import insert
from liberty.jobs.store.tables import lock

_NAME = "scheduler"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who schedules. `epoch` grows with each change of holder."""

    holder: str
    epoch: int
    acquired_at: datetime
    renewed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The lease after an attempt to hold it, the row before it, and the clock that judged."""

    lease: Lease
    before: Lease | None
    mine: bool
    now: datetime


_CLOCK = select(func.clock_timestamp(type_=Instant()))
_FIELDS = ("holder", "epoch", "acquired_at", "renewed_at", "expires_at")
_COLUMNS = tuple(lock.c[name] for name in _FIELDS)
_SEE = select(*_COLUMNS).where(lock.c.name == _NAME)
_FIRST = (
    insert(lock)
    .values(name=_NAME, **{name: bindparam(name) for name in _FIELDS})
    .on_conflict_do_nothing()
    .returning(*_COLUMNS)
)
_TAKE = (
    update(lock)
    .where(
        lock.c.name == _NAME,
        lock.c.holder == bindparam("seen_holder"),
        lock.c.epoch == bindparam("seen_epoch"),
        lock.c.renewed_at == bindparam("seen_renewed"),
    )
    .values({name: bindparam(f"new_{name}") for name in _FIELDS})
    .returning(*_COLUMNS)
)
_RESIGN = (
    update(lock)
    .where(lock.c.name == _NAME, lock.c.holder == bindparam("me"))
    .values(renewed_at=bindparam("at"), expires_at=bindparam("at"))
)


async def clock(tx: Tx, local: datetime | None) -> datetime:
    """`local`, or the database's own clock when that is None."""
    return local if local is not None else await tx.scalar(_CLOCK)


async def see(tx: Tx) -> Lease | None:
    """The lease as it stands."""
    row = await tx.first(_SEE)
    return Lease(*row) if row is not None else None


async def hold(tx: Tx, me: str, ttl: timedelta, local: datetime | None, *, alone: bool = False) -> Held:
    """Renew the lease of `me`, or take it when nobody has it, when it has run out, or when `alone`.

    `alone` is for a database that a lock file reserves for this process: whoever holds the lease there is gone.
    """
    before = await see(tx)
    now = await clock(tx, local)
    if before is None:
        first = Lease(me, 1, now, now, now + ttl)
        row = await tx.first(_FIRST, {name: getattr(first, name) for name in _FIELDS})
        if row is None:
            return await _taken(tx, me, now)
        return Held(Lease(*row), None, mine=True, now=now)
    mine = before.holder == me
    if not (mine or alone or before.expires_at <= now):
        return Held(before, before, mine=False, now=now)
    new = Lease(
        me,
        before.epoch if mine else before.epoch + 1,
        before.acquired_at if mine else now,
        now,
        now + ttl,
    )
    values = {f"new_{name}": getattr(new, name) for name in _FIELDS}
    seen = {
        "seen_holder": before.holder,
        "seen_epoch": before.epoch,
        "seen_renewed": before.renewed_at,
    }
    row = await tx.first(_TAKE, {**values, **seen})
    if row is None:
        return await _taken(tx, me, now)
    return Held(Lease(*row), before, mine=True, now=now)


async def resign(tx: Tx, me: str, local: datetime | None) -> bool:
    """Let the lease run out now, so that another takes it at its next look; False when it was not ours."""
    return await tx.run(_RESIGN, {"me": me, "at": await clock(tx, local)}) == 1


async def _taken(tx: Tx, me: str, now: datetime) -> Held:
    """Somebody was faster by a moment."""
    lease = await see(tx)
    if lease is None:
        raise RuntimeError("the scheduler's lease is neither there nor can it be made")
    return Held(lease, lease, mine=lease.holder == me and lease.expires_at > now, now=now)
