"""What a pane over a long log asks: counts and order of levels and steps, and where a text is. Bounded."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from liberty.database import Tx
from liberty.jobs.store.finding import like
from liberty.jobs.store.logs import LEVELS
from liberty.jobs.store.tables import logs

LOOKED_THROUGH = 200_000
"""Lines one request looks through."""
SHAPED = 100_000
"""Lines whose levels one request tells."""
MAX_MATCHES = 5_000


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one level of one step, among those looked at."""

    step: str | None
    level: str
    count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Matches:
    """Numbers of lines that hold a text, in order; `searched_to` is the last line looked at."""

    lines: list[int]
    searched_to: int


@dataclass(frozen=True, slots=True)
class Shape:
    """Consecutive lines without their text: a letter for each one's level, and how many in a row are of which step."""

    levels: str
    parts: list[tuple[str | None, int]]
    tries: list[tuple[int, str]]
    """Lines in which the engine says that a try begins, with their text."""


_WITHIN = (
    logs.c.job_run_id == bindparam("number"),
    logs.c.seq > bindparam("after"),
    logs.c.seq <= bindparam("until"),
)
_PARTS = (
    select(logs.c.step, logs.c.level, func.count(), func.min(logs.c.seq), func.max(logs.c.seq))
    .where(*_WITHIN)
    .group_by(logs.c.step, logs.c.level)
)
_MATCHES = (
    select(logs.c.seq)
    .where(*_WITHIN, func.lower(logs.c.message).like(bindparam("text"), escape="\\"))
    .order_by(logs.c.seq)
    .limit(bindparam("count"))
)
_SHAPE = select(logs.c.level, logs.c.step).where(*_WITHIN).order_by(logs.c.seq)
_TRIES = (
    select(logs.c.seq, logs.c.message)
    .where(*_WITHIN, logs.c.logger == "nomaflow", logs.c.message.like("step % · type=% · try % of %"))
    .order_by(logs.c.seq)
)
_AT_LEVEL = {
    level: _MATCHES.where(logs.c.level.in_([literal_column(f"'{name}'") for name in LEVELS[index:]]))
    for index, level in enumerate(LEVELS)
}


async def parts(tx: Tx, number: int, after: int) -> list[Part]:
    """Counts of the lines numbered above `after`, up to 200,000 of them."""
    values = {"number": number, "after": after, "until": after + LOOKED_THROUGH}
    return [Part(*row) for row in await tx.all(_PARTS, values)]


async def matches(
    tx: Tx, number: int, text: str, after: int, *, level: str | None = None, limit: int = MAX_MATCHES
) -> Matches:
    """Lines numbered above `after` that hold `text`, in any case; `level` keeps that level and graver ones."""
    until = after + LOOKED_THROUGH
    values: dict[str, Any] = {
        "number": number,
        "after": after,
        "until": until,
        "text": like(text),
        "count": limit,
    }
    found = [row[0] for row in await tx.all(_AT_LEVEL[level] if level else _MATCHES, values)]
    return Matches(found, found[-1] if len(found) >= limit else until)


async def shape(tx: Tx, number: int, after: int) -> Shape:
    """The lines numbered above `after`, up to 100,000; the first is number `after + 1`: there are no gaps."""
    values = {"number": number, "after": after, "until": after + SHAPED}
    rows = await tx.all(_SHAPE, values)
    parts = [(step, sum(1 for _ in lines)) for step, lines in groupby(row[1] for row in rows)]
    tries = [(int(seq), str(message)) for seq, message in await tx.all(_TRIES, values)]
    return Shape("".join([row[0][:1] for row in rows]), parts, tries)
