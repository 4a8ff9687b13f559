"""What became of due instants, in a form that is cheap in hundreds and thousands: one letter, a start, a duration.

The rows of fires are the ledger: each due instant has one, or a summary row stands for many of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import batched
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)

from liberty.database import Tx
from liberty.database.millis import HOUR_MS, millis
from liberty.jobs.store.tables import runs

OUTCOMES: Mapping[str, str] = {
    "s": "succeeded",
    "l": "late",
    "c": "caught up",
    "f": "failed",
    "p": "partial-success",
    "a": "aborted",
    "m": "missed",
    "h": "held",
    "k": "skipped",
    "q": "queued",
    "r": "running",
    "x": "aborting",
}
"""Letter and word. `late` and `caught up` succeeded; `held` was skipped for a pause or freeze."""

LATE_MS = 60_000
_SUCCEEDED = "slc"
_OPEN = frozenset("qrx")
_PLACES_PER_STATEMENT = 10
"""Longer statements are planned anew each time: the driver keeps no plan of a text beyond 15 kB."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Due instants of one job, oldest first: parallel lists, as there are many of them."""

    due: list[int]
    outcomes: str
    durations: list[int | None]
    runs: list[int]

    stands_for: dict[int, int]
    """By position, how many instants a summary stands for."""

    @property
    def final(self) -> bool:
        """Whether every run in it has ended."""
        return _OPEN.isdisjoint(self.outcomes)

    def newest(self, count: int) -> "Strip":
        """The last `count` of it."""
        cut = max(0, len(self.due) - count)
        kept = {at - cut: covered for at, covered in self.stands_for.items() if at >= cut}
        return Strip(self.due[cut:], self.outcomes[cut:], self.durations[cut:], self.runs[cut:], kept)

    @property
    def succeeded_in(self) -> list[int]:
        """How long those took that succeeded."""
        pairs = zip(self.outcomes, self.durations, strict=True)
        return [took for letter, took in pairs if letter in _SUCCEEDED and took is not None]


@dataclass(frozen=True, slots=True)
class HourOfJob:
    """The due instants of an hour of one job that had the same outcome. Times are milliseconds since 1970."""

    job: str
    hour: int
    outcome: str
    count: int
    first: int
    last_run: int
    longest: int | None


def _word(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'")


_CRON = runs.c.trigger == _word("cron")
_DUE: ColumnElement[int] = millis(runs.c.scheduled_at)
_BEGAN: ColumnElement[int] = millis(runs.c.started_at)
_ENDED: ColumnElement[int] = millis(runs.c.finished_at)
_skipped = runs.c.status == _word("skipped")
_succeeded = runs.c.status == _word("succeeded")
_LETTER: ColumnElement[str] = case(
    (and_(_succeeded, runs.c.caught_up), _word("c")),
    (_succeeded, _word("s")),
    (and_(_skipped, runs.c.reason.like(_word("missed%"))), _word("m")),
    (and_(_skipped, runs.c.reason.like(_word("skipped: paused by %"))), _word("h")),
    (and_(_skipped, runs.c.reason.like(_word("skipped: frozen by %"))), _word("h")),
    (_skipped, _word("k")),
    (runs.c.status == _word("failed"), _word("f")),
    (runs.c.status == _word("partial-success"), _word("p")),
    (runs.c.status == _word("aborted"), _word("a")),
    (runs.c.status == _word("queued"), _word("q")),
    (runs.c.status == _word("running"), _word("r")),
    else_=_word("x"),
)
"""Whether a success was late is left open: to tell costs more than all the rest, and is only asked where needed."""
_LATE_TOO: ColumnElement[str] = case(
    (
        and_(
            _succeeded,
            ~runs.c.caught_up,
            literal_column(str(LATE_MS)) < _BEGAN - _DUE,
        ),
        _word("l"),
    ),
    else_=_LETTER,
)


async def strips(tx: Tx, places: Sequence[tuple[str, str]], count: int) -> dict[str, Strip]:
    """The last `count` due instants of each job that has any; `places` are its name and the key of each schedule."""
    rows: dict[str, list[Any]] = {}
    keys: dict[str, int] = {}
    for job, _ in places:
        keys[job] = keys.get(job, 0) + 1
    for some in batched(places, _PLACES_PER_STATEMENT):
        values: dict[str, Any] = {"count": count}
        for index, (job, key) in enumerate(some):
            values[f"job_{index}"], values[f"key_{index}"] = job, key
        for row in await tx.all(_latest(len(some)), values):
            rows.setdefault(row[0], []).append(row)
    found = {}
    for job, several in rows.items():
        if keys[job] > 1:
            several.sort(key=lambda row: -row[1])
        latest = several[:count]
        latest.reverse()
        found[job] = Strip(
            [row[1] for row in latest],
            "".join(["l" if row[2] == "s" and row[3] - row[1] > LATE_MS else row[2] for row in latest]),
            [row[4] - row[3] if row[3] is not None and row[4] is not None else None for row in latest],
            [row[5] for row in latest],
            {index: row[6] for index, row in enumerate(latest) if row[6] is not None},
        )
    return found


@cache
def _latest(places: int) -> Select[Any] | CompoundSelect[Any]:
    parts = [
        select(
            runs.c.job,
            _DUE.label("due"),
            _LETTER.label("letter"),
            _BEGAN.label("began"),
            _ENDED.label("ended"),
            runs.c.id,
            runs.c.covers_count,
        )
        .where(runs.c.job == bindparam(f"job_{index}"), runs.c.schedule == bindparam(f"key_{index}"), _CRON)
        .order_by(runs.c.scheduled_at.desc())
        .limit(bindparam("count"))
        .subquery()
        for index in range(places)
    ]
    ranges = [select(part) for part in parts]
    return union_all(*ranges) if len(ranges) > 1 else ranges[0]


async def hours(
    tx: Tx, places: Sequence[tuple[str, str]], since: datetime, until: datetime
) -> list[HourOfJob]:
    """What became of everything due in [since, until), by job, hour and outcome."""
    found: list[HourOfJob] = []
    for some in batched(places, _PLACES_PER_STATEMENT):
        values: dict[str, Any] = {"since": since, "until": until}
        for index, (job, key) in enumerate(some):
            values[f"job_{index}"], values[f"key_{index}"] = job, key
        found += [HourOfJob(*row) for row in await tx.all(_by_hour(len(some)), values)]
    return found


@cache
def _by_hour(places: int) -> Select[Any]:
    parts = [
        select(
            runs.c.job.label("job"),
            _DUE.label("due"),
            _LATE_TOO.label("letter"),
            (_ENDED - _BEGAN).label("took"),
            runs.c.id.label("id"),
            func.coalesce(runs.c.covers_count, literal_column("1")).label("weight"),
        ).where(
            runs.c.job == bindparam(f"job_{index}"),
            runs.c.schedule == bindparam(f"key_{index}"),
            _CRON,
            runs.c.scheduled_at >= bindparam("since"),
            runs.c.scheduled_at < bindparam("until"),
        )
        for index in range(places)
    ]
    rows = (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()
    grouped = (
        select(
            rows.c.job,
            _floor(rows.c.due).label("hour"),
            rows.c.letter,
            rows.c.weight,
            rows.c.due,
            rows.c.id,
            rows.c.took,
        )
    ).subquery()
    return (
        select(
            grouped.c.job,
            grouped.c.hour,
            grouped.c.letter,
            func.sum(grouped.c.weight),
            func.min(grouped.c.due),
            func.max(grouped.c.id),
            func.max(grouped.c.took),
        )
        .group_by(grouped.c.job, grouped.c.hour, grouped.c.letter)
        .order_by(grouped.c.job, grouped.c.hour)
    )


def _floor(due: ColumnElement[int]) -> ColumnElement[int]:
    return due - due % literal_column(str(HOUR_MS))
