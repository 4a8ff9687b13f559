"""Incidents: one row per job and kind of trouble until it is over, with its count and what people noted on it."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.notify.store.tables import incidents

type Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """Trouble of one kind with one job. `told_count` is how much of `count` was told to `channels`."""

    id: int
    job: str
    app: str
    kind: str
    event: str
    severity: str
    opened_at: datetime
    last_at: datetime
    count: int
    run: int | None
    facts: Facts
    channels: tuple[str, ...]
    told_count: int
    told_at: datetime
    reminders: int
    closed_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    note: str | None = None


_FIELDS = Incident.__slots__
_COLUMNS = tuple(incidents.c[name] for name in _FIELDS)
_NEW = tuple(name for name in _FIELDS if name != "id")
_OPEN_ONE = select(*_COLUMNS).where(
    incidents.c.job == bindparam("of_job"),
    incidents.c.kind == bindparam("of_kind"),
    incidents.c.closed_at.is_(None),
)
_OPEN = select(*_COLUMNS).where(incidents.c.closed_at.is_(None)).order_by(incidents.c.id)
_GET = select(*_COLUMNS).where(incidents.c.id == bindparam("number"))
_INSERT = insert(incidents).values({name: bindparam(name) for name in _NEW}).returning(incidents.c.id)
_AGAIN = (
    update(incidents)
    .where(incidents.c.id == bindparam("number"))
    .values(
        count=incidents.c.count + 1,
        event=bindparam("new_event"),
        last_at=bindparam("at"),
        run=bindparam("new_run"),
        facts=bindparam("new_facts"),
    )
)
_TOLD = (
    update(incidents)
    .where(incidents.c.id == bindparam("number"), incidents.c.told_count < incidents.c.count)
    .values(told_count=incidents.c.count)
)
_REMINDED = (
    update(incidents)
    .where(incidents.c.id == bindparam("number"))
    .values(told_count=incidents.c.count, told_at=bindparam("at"), reminders=incidents.c.reminders + 1)
)
_CLOSE = (
    update(incidents)
    .where(incidents.c.id == bindparam("number"), incidents.c.closed_at.is_(None))
    .values(closed_at=bindparam("at"))
)
_ACKNOWLEDGE = (
    update(incidents)
    .where(incidents.c.id == bindparam("number"))
    .values(acknowledged_by=bindparam("by"), acknowledged_at=bindparam("at"))
)
_SNOOZE = (
    update(incidents).where(incidents.c.id == bindparam("number")).values(snoozed_until=bindparam("until"))
)
_NOTE = update(incidents).where(incidents.c.id == bindparam("number")).values(note=bindparam("text"))


@cache
def _page(*, of_job: bool, is_open: bool | None) -> Select[Any]:
    wanted = select(*_COLUMNS).where(incidents.c.id < bindparam("before"))
    if of_job:
        wanted = wanted.where(incidents.c.job == bindparam("of_job"))
    if is_open is not None:
        wanted = wanted.where(
            incidents.c.closed_at.is_(None) if is_open else incidents.c.closed_at.is_not(None)
        )
    return wanted.order_by(incidents.c.id.desc()).limit(bindparam("count"))


def _from(row: tuple[Any, ...]) -> Incident:
    values = dict(zip(_FIELDS, row, strict=True))
    values["facts"] = json.loads(values["facts"])
    values["channels"] = tuple(json.loads(values["channels"]))
    return Incident(**values)


async def open_of(tx: Tx, job: str, kind: str) -> Incident | None:
    """The incident of that kind that is not over."""
    row = await tx.first(_OPEN_ONE, {"of_job": job, "of_kind": kind})
    return None if row is None else _from(row)


async def open_ones(tx: Tx) -> list[Incident]:
    """Every incident that is not over."""
    return [_from(row) for row in await tx.all(_OPEN)]


async def get(tx: Tx, number: int) -> Incident | None:
    row = await tx.first(_GET, {"number": number})
    return None if row is None else _from(row)


async def add(tx: Tx, incident: Incident) -> int:
    """Store a new incident; its number."""
    values = {name: getattr(incident, name) for name in _NEW}
    values["facts"] = json.dumps(incident.facts)
    values["channels"] = json.dumps(incident.channels)
    number: int = await tx.scalar(_INSERT, values)
    return number


async def again(tx: Tx, number: int, event: str, run: int | None, facts: Facts, at: datetime) -> None:
    """It happened once more."""
    values = {"number": number, "new_event": event, "new_run": run, "new_facts": json.dumps(facts), "at": at}
    await tx.run(_AGAIN, values)


async def told(tx: Tx, number: int) -> None:
    """A message with the present count leaves now."""
    await tx.run(_TOLD, {"number": number})


async def reminded(tx: Tx, number: int, at: datetime) -> None:
    """Another message with the present count is on its way."""
    await tx.run(_REMINDED, {"number": number, "at": at})


async def close(tx: Tx, number: int, at: datetime) -> bool:
    """It is over; False when it was before."""
    return await tx.run(_CLOSE, {"number": number, "at": at}) == 1


async def acknowledge(tx: Tx, number: int, by: str, at: datetime) -> None:
    """Somebody looks after it: no more reminders."""
    await tx.run(_ACKNOWLEDGE, {"number": number, "by": by, "at": at})


async def snooze(tx: Tx, number: int, until: datetime | None) -> None:
    """No reminders before that moment."""
    await tx.run(_SNOOZE, {"number": number, "until": until})


async def set_note(tx: Tx, number: int, text: str | None) -> None:
    await tx.run(_NOTE, {"number": number, "text": text})


async def page(
    tx: Tx, *, job: str | None, is_open: bool | None, before: int | None, count: int
) -> list[Incident]:
    """The newest first, those of one job or in one state only if asked for."""
    values = {"before": before if before is not None else 2**62, "of_job": job, "count": count}
    return [_from(row) for row in await tx.all(_page(of_job=job is not None, is_open=is_open), values)]
