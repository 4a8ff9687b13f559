"""Deliveries: each message that somebody is to get, its attempts and the answer it got. One replica sends each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, literal, or_, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import replicas
from liberty.notify.store.incidents import Facts
from liberty.notify.store.tables import IS_WAITING, deliveries

WAITING, SENT, DEAD = "waiting", "sent", "dead"
CLAIM_SECONDS = 120.0
"""A claim is believed for that long, while its owner lives; then the message is sent again, under the same key."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel. Several that leave together share a `batch`."""

    id: int
    key: str
    incident: int
    channel: str
    address: str | None
    event: str
    facts: Facts
    state: str
    attempts: int
    due_at: datetime
    created_at: datetime
    tried_at: datetime | None = None
    ended_at: datetime | None = None
    batch: str | None = None
    answer: str | None = None


_FIELDS = Delivery.__slots__
_COLUMNS = tuple(deliveries.c[name] for name in _FIELDS)
_NEW = tuple(name for name in _FIELDS if name != "id")
_INSERT = (
    insert(deliveries)
    .values({name: bindparam(name) for name in _NEW})
    .on_conflict_do_nothing(index_elements=[deliveries.c.key])
)
_is_waiting = IS_WAITING
_free = or_(
    deliveries.c.owned_until.is_(None),
    deliveries.c.owned_until < bindparam("now"),
    ~exists(select(replicas.c.id).where(replicas.c.id == deliveries.c.owner).correlate(deliveries)),
)
_DUE = (
    select(*_COLUMNS)
    .where(
        deliveries.c.channel == bindparam("of"), _is_waiting, deliveries.c.due_at <= bindparam("now"), _free
    )
    .order_by(deliveries.c.id)
    .limit(bindparam("count"))
)
_DUE_CHANNELS = (
    select(deliveries.c.channel).where(_is_waiting, deliveries.c.due_at <= bindparam("now"), _free).distinct()
)
_NEXT_DUE = select(func.min(deliveries.c.due_at, type_=deliveries.c.due_at.type)).where(_is_waiting)
_CLAIM = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("number"), _is_waiting, _free)
    .values(
        owner=bindparam("me"),
        owned_until=bindparam("until"),
        batch=bindparam("as_batch"),
        tried_at=bindparam("now"),
        attempts=deliveries.c.attempts + 1,
    )
)
_mine = and_(deliveries.c.batch == bindparam("of_batch"), deliveries.c.owner == bindparam("me"), _is_waiting)
_SENT = (
    update(deliveries)
    .where(_mine)
    .values(state=SENT, ended_at=bindparam("at"), owned_until=None, answer=bindparam("said"))
)
_DEAD = (
    update(deliveries)
    .where(_mine)
    .values(state=DEAD, ended_at=bindparam("at"), owned_until=None, answer=bindparam("said"))
)
_LATER = (
    update(deliveries).where(_mine).values(due_at=bindparam("at"), owned_until=None, answer=bindparam("said"))
)
_BATCHES = (
    select(deliveries.c.batch, func.max(deliveries.c.tried_at, type_=deliveries.c.tried_at.type))
    .where(deliveries.c.channel == bindparam("of"), deliveries.c.tried_at > bindparam("since"))
    .group_by(deliveries.c.batch)
)
_OF_INCIDENT = (
    select(*_COLUMNS).where(deliveries.c.incident == bindparam("of")).order_by(deliveries.c.id.desc())
)
_LAST = (
    select(*_COLUMNS)
    .where(deliveries.c.channel == bindparam("of"), deliveries.c.tried_at.is_not(None))
    .order_by(deliveries.c.id.desc())
    .limit(1)
)
_LOCK = select(func.pg_try_advisory_xact_lock(literal(726303), literal(1)))


@cache
def _page(*, of_state: bool, of_channel: bool) -> Select[Any]:
    wanted = select(*_COLUMNS).where(deliveries.c.id < bindparam("before"))
    if of_state:
        wanted = wanted.where(deliveries.c.state == bindparam("of_state"))
    if of_channel:
        wanted = wanted.where(deliveries.c.channel == bindparam("of_channel"))
    return wanted.order_by(deliveries.c.id.desc()).limit(bindparam("count"))


def _from(row: tuple[Any, ...]) -> Delivery:
    values = dict(zip(_FIELDS, row, strict=True))
    values["facts"] = json.loads(values["facts"])
    return Delivery(**values)


async def alone(tx: Tx, *, shared: bool) -> bool:
    """Whether this transaction is the only one that plans or claims; the next tick asks again. SQLite is always."""
    return not shared or bool(await tx.scalar(_LOCK))


async def add(tx: Tx, *new: Delivery) -> None:
    """Store deliveries; one whose key is there already is not sent twice."""
    rows = [{**{name: getattr(one, name) for name in _NEW}, "facts": json.dumps(one.facts)} for one in new]
    if rows:
        await tx.add(_INSERT, rows)


async def channels_due(tx: Tx, now: datetime) -> list[str]:
    """Channels for which something waits that may leave."""
    return [row[0] for row in await tx.all(_DUE_CHANNELS, {"now": now})]


async def next_due(tx: Tx) -> datetime | None:
    """When the next message wants to leave."""
    found: datetime | None = await tx.scalar(_NEXT_DUE)
    return found


async def due(tx: Tx, channel: str, now: datetime, count: int) -> list[Delivery]:
    """What may leave for a channel, oldest first."""
    return [_from(row) for row in await tx.all(_DUE, {"of": channel, "now": now, "count": count})]


async def claim(tx: Tx, chosen: Sequence[Delivery], batch: str, me: str, now: datetime) -> None:
    """Take deliveries to be sent as one message."""
    for one in chosen:
        values = {
            "number": one.id,
            "me": me,
            "as_batch": batch,
            "now": now,
            "until": now + timedelta(seconds=CLAIM_SECONDS),
        }
        await tx.run(_CLAIM, values)


async def batches_since(tx: Tx, channel: str, since: datetime) -> dict[str, datetime]:
    """The messages that a channel was given after `since`, with the time of their last attempt."""
    return {row[0]: row[1] for row in await tx.all(_BATCHES, {"of": channel, "since": since})}


async def sent(tx: Tx, batch: str, me: str, answer: str, at: datetime) -> None:
    await tx.run(_SENT, {"of_batch": batch, "me": me, "said": answer, "at": at})


async def dead(tx: Tx, batch: str, me: str, answer: str, at: datetime) -> None:
    """It will not be tried again."""
    await tx.run(_DEAD, {"of_batch": batch, "me": me, "said": answer, "at": at})


async def later(tx: Tx, batch: str, me: str, answer: str, at: datetime) -> None:
    """It is tried again at that time."""
    await tx.run(_LATER, {"of_batch": batch, "me": me, "said": answer, "at": at})


async def of_incident(tx: Tx, number: int) -> list[Delivery]:
    """The deliveries of an incident, newest first."""
    return [_from(row) for row in await tx.all(_OF_INCIDENT, {"of": number})]


async def last_of(tx: Tx, channel: str) -> Delivery | None:
    """The last message a channel was given."""
    row = await tx.first(_LAST, {"of": channel})
    return None if row is None else _from(row)


async def page(
    tx: Tx, *, state: str | None, channel: str | None, before: int | None, count: int
) -> list[Delivery]:
    """The newest first."""
    values = {
        "before": before if before is not None else 2**62,
        "of_state": state,
        "of_channel": channel,
        "count": count,
    }
    wanted = _page(of_state=state is not None, of_channel=channel is not None)
    return [_from(row) for row in await tx.all(wanted, values)]
