"""Runs by anything a person filters by, forwards and backwards, and how many there are: always in bounded time.

Job, status and dates are index ranges (`listing`). Trigger, user and text have no index, which every run would pay for:
rows are looked through from the newest, so many at a time, and the answer says how far it came.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, or_, select

from liberty.database import Tx
from liberty.jobs.run import RUN_STATUSES, Run, Status
from liberty.jobs.store import listing
from liberty.jobs.store.listing import MAX_PAGE, RunFilter
from liberty.jobs.store.rows import RUN_COLUMNS, run_from
from liberty.jobs.store.tables import runs

LOOKED_THROUGH = 20_000
"""Rows one request looks through for what has no index."""
MAX_COUNT = 10_000
_DISORDER = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter of the runs page. `user` is a part of `triggered_by`, `text` of that, the job, the reason or the params.

    `after` turns the direction: the runs that follow it, nearest first.
    """

    base: RunFilter
    triggers: tuple[str, ...] = ()
    user: str | None = None
    text: str | None = None
    after: int | None = None

    @property
    def needs_looking(self) -> bool:
        return bool(self.triggers or self.user or self.text)


@dataclass(frozen=True, slots=True)
class Found:
    """Runs, newest first. `older`: go on below this number, None at the end. `newer`: a row above, where to go on."""

    items: list[Run]
    older: int | None
    newer: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs by status, each counted up to 10,000; `looked_to`: only those numbered from there on were counted."""

    by_status: dict[str, int]
    looked_to: int | None


async def find(tx: Tx, wanted: Wanted, limit: int) -> Found:
    """A page of at most `limit` runs, fewer with a cursor when the looking took long enough."""
    if wanted.base.jobs == () or limit <= 0:
        return Found([], None, wanted.after)
    if wanted.after is not None:
        return await _newer(tx, wanted, limit)
    if not wanted.needs_looking:
        items = await listing.page(tx, wanted.base, min(limit, MAX_PAGE) + 1)
        more = len(items) > limit
        items = items[:limit]
        return Found(items, items[-1].number if more else None, items[0].number if items else None)
    values, bounds = await _bounds(tx, wanted.base)
    if values is None:
        return Found([], None, None)
    values |= _bound(wanted)
    floor = await _floor(tx, wanted, values, bounds, older=True)
    if floor is not None:
        values["first"] = max(floor, values.get("first", floor))
        bounds |= {"first"}
    rows = await tx.all(_page(_shape(wanted, bounds), newest_first=True), {**values, "count": limit + 1})
    items = [run_from(row) for row in rows]
    older = items[limit - 1].number if len(items) > limit else floor
    return Found(items[:limit], older, items[0].number if items else None)


async def _newer(tx: Tx, wanted: Wanted, limit: int) -> Found:
    after = wanted.after or 0
    values, bounds = await _bounds(tx, replace(wanted.base, before=None))
    if values is None:
        return Found([], None, after)
    values |= {**_bound(wanted), "after": after}
    bounds |= {"after"}
    ceiling = await _floor(tx, wanted, values, bounds, older=False) if wanted.needs_looking else None
    if ceiling is not None:
        values["upper"] = min(ceiling + 1, values.get("upper", ceiling + 1))
        bounds |= {"upper"}
    rows = await tx.all(_page(_shape(wanted, bounds), newest_first=False), {**values, "count": limit})
    items = [run_from(row) for row in reversed(rows)]
    newest = items[0].number if items else after
    reached = newest if len(items) >= limit or ceiling is None else max(newest, ceiling)
    return Found(items, items[-1].number if items else None, reached)


async def count(tx: Tx, wanted: Wanted) -> Counts:
    """How many there are of each status; cursors do not matter."""
    if wanted.base.jobs == ():
        return Counts({str(status): 0 for status in RUN_STATUSES}, None)
    base = replace(wanted.base, before=None, statuses=())
    values, bounds = await _bounds(tx, base)
    if values is None:
        return Counts({str(status): 0 for status in RUN_STATUSES}, None)
    values |= _bound(replace(wanted, base=base))
    floor = None
    if wanted.needs_looking:
        floor = await _floor(tx, replace(wanted, base=base), values, bounds, older=True)
        if floor is not None:
            values["first"] = max(floor, values.get("first", floor))
            bounds |= {"first"}
    shape = _shape(replace(wanted, base=base), bounds)
    counts = {}
    for status in RUN_STATUSES:
        found = await tx.scalar(_count(shape), {**values, "status": str(status), "count": MAX_COUNT + 1})
        counts[str(status)] = int(found or 0)
    return Counts(counts, floor)


# -- statements


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of a filter decides the text of its statement."""

    jobs: int
    statuses: int
    triggers: int
    user: bool
    text: bool
    bounds: frozenset[str]


def _shape(wanted: Wanted, bounds: set[str]) -> _Shape:
    return _Shape(
        len(wanted.base.jobs or ()),
        len(_statuses(wanted.base)),
        len(wanted.triggers),
        bool(wanted.user),
        bool(wanted.text),
        frozenset(bounds),
    )


def _statuses(base: RunFilter) -> tuple[Status, ...]:
    return () if set(base.statuses) == set(RUN_STATUSES) else base.statuses


async def _bounds(tx: Tx, base: RunFilter) -> tuple[dict[str, Any] | None, set[str]]:
    """Values to bind, and the bounds among them; None when nothing can be there."""
    values: dict[str, Any] = {}
    upper = base.before
    if base.until is not None:
        last = await tx.scalar(_LAST_UNTIL, {"until": base.until})
        if last is None:
            return None, set()
        upper = min(last + _DISORDER, upper) if upper is not None else last + _DISORDER
        values["until"] = base.until
    if base.since is not None:
        first = await tx.scalar(_FIRST_SINCE, {"since": base.since})
        if first is None:
            return None, set()
        values["first"], values["since"] = first - _DISORDER, base.since
    if upper is not None:
        values["upper"] = upper
    return values, set(values)


async def _floor(
    tx: Tx, wanted: Wanted, values: dict[str, Any], bounds: set[str], *, older: bool
) -> int | None:
    """The number at which this request stops looking; None when the end comes before."""
    shape = _Shape(
        len(wanted.base.jobs or ()), 0, 0, False, False, frozenset(bounds & {"upper", "first", "after"})
    )
    found = await tx.scalar(_edge(shape, older=older), {**values, "skip": LOOKED_THROUGH - 1})
    return None if found is None else int(found)


def _bound(wanted: Wanted) -> dict[str, Any]:
    values: dict[str, Any] = {f"job_{index}": job for index, job in enumerate(wanted.base.jobs or ())}
    values |= {f"status_{index}": str(status) for index, status in enumerate(_statuses(wanted.base))}
    values |= {f"trigger_{index}": trigger for index, trigger in enumerate(wanted.triggers)}
    if wanted.user:
        values["user"] = like(wanted.user)
    if wanted.text:
        values["text"] = like(wanted.text)
    return values


def like(part: str) -> str:
    """The pattern of LIKE for a text that contains `part`, in small letters."""
    escaped = part.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


_LAST_UNTIL = (
    select(runs.c.id).where(runs.c.queued_at <= bindparam("until")).order_by(runs.c.queued_at.desc()).limit(1)
)
_FIRST_SINCE = (
    select(runs.c.id).where(runs.c.queued_at >= bindparam("since")).order_by(runs.c.queued_at).limit(1)
)


def _has(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return func.lower(column).like(bindparam(name), escape="\\")


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if "upper" in shape.bounds:
        found.append(runs.c.id < bindparam("upper"))
    if "first" in shape.bounds:
        found.append(runs.c.id >= bindparam("first"))
    if "after" in shape.bounds:
        found.append(runs.c.id > bindparam("after"))
    if "since" in shape.bounds:
        found.append(runs.c.queued_at >= bindparam("since"))
    if "until" in shape.bounds:
        found.append(runs.c.queued_at <= bindparam("until"))
    for column, name, many in ((runs.c.job, "job", shape.jobs), (runs.c.trigger, "trigger", shape.triggers)):
        if many:
            found.append(column.in_([bindparam(f"{name}_{index}") for index in range(many)]))
    if shape.statuses:
        found.append(runs.c.status.in_([bindparam(f"status_{index}") for index in range(shape.statuses)]))
    if shape.user:
        found.append(_has(runs.c.triggered_by, "user"))
    if shape.text:
        columns = (runs.c.job, runs.c.reason, runs.c.triggered_by, runs.c.params, runs.c.run_id)
        found.append(or_(*(_has(column, "text") for column in columns)))
    return found


@cache
def _page(shape: _Shape, *, newest_first: bool) -> Select[Any]:
    order = runs.c.id.desc() if newest_first else runs.c.id
    return select(*RUN_COLUMNS).where(*_conditions(shape)).order_by(order).limit(bindparam("count"))


@cache
def _edge(shape: _Shape, *, older: bool) -> Select[Any]:
    order = runs.c.id.desc() if older else runs.c.id
    return (
        select(runs.c.id)
        .where(*_conditions(shape))
        .order_by(order)
        .limit(literal_column("1"))
        .offset(bindparam("skip"))
    )


@cache
def _count(shape: _Shape) -> Select[Any]:
    some = (
        select(literal_column("1"))
        .select_from(runs)
        .where(runs.c.status == bindparam("status"), *_conditions(shape))
        .limit(bindparam("count"))
        .subquery()
    )
    return select(func.count()).select_from(some)
