"""Log lines: appended in batches behind the run's fence, read by sequence number."""

from collections.abc import Sequence
from functools import cache
from itertools import batched
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, literal_column, select
from sqlalchemy.sql import Executable

from liberty.database import Tx, deferrable
from liberty.database.upsert import insert
from liberty.jobs.run import LogLine
from liberty.jobs.store import runs
from liberty.jobs.store.rows import log_from
from liberty.jobs.store.runs import Fence
from liberty.jobs.store.tables import logs

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

_COLUMNS = (logs.c.seq, logs.c.ts, logs.c.level, logs.c.logger, logs.c.step, logs.c.message)
_NAMES = tuple(column.name for column in _COLUMNS)
_ROWS_PER_STATEMENT = 50


@cache
def _append(count: int) -> Executable:
    """One statement for many lines: each statement makes the writer wait for its turn at the interpreter again."""
    rows: list[dict[str, BindParameter[Any]]] = [
        {"job_run_id": bindparam("number"), **{name: bindparam(f"{name}_{index}") for name in _NAMES}}
        for index in range(count)
    ]
    return insert(logs).values(rows).on_conflict_do_nothing()


_KEYS = ("job_run_id", *_NAMES)
_ADD = insert(logs).values({name: bindparam(name) for name in _KEYS}).on_conflict_do_nothing()
_AFTER = (
    select(*_COLUMNS)
    .where(logs.c.job_run_id == bindparam("number"), logs.c.seq > bindparam("after"))
    .order_by(logs.c.seq)
    .limit(bindparam("count"))
)
_AFTER_AT_LEVEL = {
    level: _AFTER.where(logs.c.level.in_([literal_column(f"'{name}'") for name in LEVELS[index:]]))
    for index, level in enumerate(LEVELS)
}
_LATEST = (
    select(*_COLUMNS)
    .where(logs.c.job_run_id == bindparam("number"))
    .order_by(logs.c.seq.desc())
    .limit(bindparam("count"))
)
_LAST_SEQ = select(func.max(logs.c.seq)).where(logs.c.job_run_id == bindparam("number"))


@deferrable
async def append(tx: Tx, fence: Fence, lines: Sequence[LogLine], *, dropped: int = 0) -> bool:
    """Store lines; False, and nothing stored, when the run is no longer ours or is final.

    Repeated with lines that are there already it changes nothing.
    """
    if not await runs.touch(tx, fence, lines=len(lines), dropped=dropped):
        return False
    stored = await write(tx, fence.number, lines)
    if stored < len(lines):
        await runs.touch(tx, fence, lines=stored - len(lines), dropped=0 if stored else -dropped)
    return True


async def write(tx: Tx, number: int, lines: Sequence[LogLine]) -> int:
    """Store lines without a fence: the caller's transaction has proved ownership. How many were not there yet."""
    stored = 0
    for some in batched(lines, _ROWS_PER_STATEMENT):
        values: dict[str, object] = {"number": number}
        for index, line in enumerate(some):
            for name, value in zip(_NAMES, line, strict=True):
                values[f"{name}_{index}"] = value
        stored += await tx.run(_append(len(some)), values)
    return stored


async def add(tx: Tx, number: int, lines: Sequence[LogLine]) -> None:
    """The same, when nobody needs to know how many were there already."""
    if lines:
        await tx.add(_ADD, [dict(zip(_KEYS, (number, *line), strict=True)) for line in lines])


async def after(
    tx: Tx, number: int, seq: int, *, limit: int = 1000, level: str | None = None
) -> list[LogLine]:
    """Lines with a number above `seq`, in order; `level` keeps that level and the graver ones."""
    statement = _AFTER_AT_LEVEL[level] if level is not None else _AFTER
    return [
        log_from(row) for row in await tx.all(statement, {"number": number, "after": seq, "count": limit})
    ]


async def latest(tx: Tx, number: int, *, limit: int = 1000) -> list[LogLine]:
    """The last lines, in order."""
    rows = await tx.all(_LATEST, {"number": number, "count": limit})
    return [log_from(row) for row in reversed(rows)]


async def last_seq(tx: Tx, number: int) -> int:
    """The highest stored sequence number; 0 when nothing was logged."""
    return int(await tx.scalar(_LAST_SEQ, {"number": number}) or 0)
