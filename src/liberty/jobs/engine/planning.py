"""What becomes of every due instant of a schedule: pure functions from instants, pauses and policy to verdicts.

The plan accounts for each instant in (watermark, now] exactly once, and the new watermark is the last of them. Only
instants that a pause with `then = "latest"` or `"all"` holds back wait, with the watermark before them.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from liberty.jobs.store.gaps import Gap
from liberty.jobs.store.pauses import FREEZE, Pause, first_holding
from liberty.jobs.triggers import Schedule
from liberty.jobs.triggers.base import between

GRACE = timedelta(seconds=30)
"""An instant no older than this simply fires."""
MAX_ROWS = 100
"""Instants that get a row of their own after an outage, and how many of them may run; the rest share one row."""
MAX_COUNTED = 20_000
"""Instants that are counted; a summary row then says that there were more. New fires wait for the counting, so it is to
take less than a second."""
DOWN = "scheduler was down"

_TICK = timedelta(microseconds=1)
_FIRST_LOOK_BACK = timedelta(minutes=2)

type Policy = Literal["latest", "all", "none"]
type Does = Literal["fire", "catch up", "skip"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """Instants that are too many for a row each. `more`: they were not counted to the end."""

    count: int
    more: bool
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pending instants for which the same holds: all held back by `hold`, or by nothing; the newest one by one."""

    hold: Pause | None
    newest: tuple[datetime, ...]
    earlier: Earlier | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The instants of a schedule that have no row yet, oldest stretch first.

    `waits`: from some instant on, a pause holds back what it will run later; `until` is that pause's end, if known.
    """

    stretches: tuple[Stretch, ...]
    waits: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the row of an instant says; with `covers` it stands for all those as well."""

    at: datetime
    does: Does
    reason: str | None = None
    covers: Earlier | None = None


@dataclass(slots=True)
class Budget:
    """How many instants may still be counted: after a month down, ten thousand schedules must not take hours."""

    left: int = MAX_COUNTED


def pending(
    schedule: Schedule, job: str, watermark: datetime, now: datetime, pauses: Sequence[Pause], budget: Budget
) -> Pending:
    """The instants of `schedule` in (watermark, now], split where a pause begins or ends."""
    found: list[Stretch] = []
    for begin, end, hold in _stretches(watermark + _TICK, now + _TICK, job, pauses, now):
        if hold is not None and not hold.drops and hold.in_force(now):
            return Pending(tuple(found), waits=True, until=hold.end)
        stretch = _look(schedule, begin - _TICK, end - _TICK, hold, budget)
        if stretch is not None:
            found.append(stretch)
    return Pending(tuple(found))


def plan_fires(
    stretches: Sequence[Stretch], now: datetime, policy: Policy, window: timedelta, gaps: Iterable[Gap] = ()
) -> list[Verdict]:
    """A verdict for every pending instant, oldest first.

    Young instants fire. Older ones were missed: `latest` runs the newest inside `window` unless something younger
    runs anyhow, `all` runs those inside it, `none` none. What a pause held back is planned by its own policy.
    """
    known = tuple(gaps)
    verdicts: list[Verdict] = []
    younger_runs = False
    for stretch in reversed(stretches):
        hold = stretch.hold
        if hold is None:
            firing = {at for at in stretch.newest if now - at <= GRACE}
            missed = [at for at in stretch.newest if at not in firing and now - at <= window]
            chosen = _chosen(missed, policy, younger_runs=younger_runs or bool(firing))
        else:
            firing = set()
            after: Policy = "none" if hold.drops else "all" if hold.then == "all" else "latest"
            chosen = _chosen(stretch.newest, after, younger_runs=younger_runs)
        younger_runs = younger_runs or bool(firing) or bool(chosen)
        for at in reversed(stretch.newest):
            if at in firing:
                verdicts.append(Verdict(at, "fire"))
            elif at in chosen:
                verdicts.append(Verdict(at, "catch up"))
            else:
                verdicts.append(Verdict(at, "skip", _reason(hold, at, known)))
        if stretch.earlier is not None:
            last = stretch.earlier.last
            verdicts.append(Verdict(last, "skip", _summary(hold, stretch.earlier, known), stretch.earlier))
    verdicts.reverse()
    return verdicts


def _chosen(candidates: Sequence[datetime], policy: Policy, *, younger_runs: bool) -> set[datetime]:
    if policy == "all":
        return set(candidates)
    if policy == "latest" and candidates and not younger_runs:
        return {candidates[-1]}
    return set()


def _reason(hold: Pause | None, at: datetime, gaps: Sequence[Gap]) -> str:
    if hold is not None:
        return hold.skip_reason
    return f"missed: {next((gap.cause for gap in reversed(gaps) if gap.covers(at)), DOWN)}"


def _summary(hold: Pause | None, earlier: Earlier, gaps: Sequence[Gap]) -> str:
    count = f"more than {earlier.count:,}" if earlier.more else f"{earlier.count:,}"
    span = f"{earlier.first:%Y-%m-%dT%H:%M:%SZ} to {earlier.last:%Y-%m-%dT%H:%M:%SZ}"
    return f"{_reason(hold, earlier.last, gaps)}; this row stands for {count} instants from {span}"


def _stretches(
    begin: datetime, end: datetime, job: str, pauses: Sequence[Pause], now: datetime
) -> Iterator[tuple[datetime, datetime, Pause | None]]:
    """[begin, end) cut where what holds `job` changes; neighbours with the same hold are one."""
    edges = {begin}
    for pause in pauses:
        if pause.job in (FREEZE, job):
            edges |= {edge for edge in (pause.since, pause.end) if edge is not None and begin < edge < end}
    started, hold = begin, first_holding(pauses, job, begin, now)
    for edge in sorted(edges)[1:]:
        following = first_holding(pauses, job, edge, now)
        if following is not hold:
            yield started, edge, hold
            started, hold = edge, following
    yield started, end, hold


def _look(
    schedule: Schedule, after: datetime, until: datetime, hold: Pause | None, budget: Budget
) -> Stretch | None:
    """The instants in (after, until], the last `MAX_ROWS` one by one; None when there is none."""
    newest = _newest(schedule, after, until)
    if not newest:
        return None
    if len(newest) <= MAX_ROWS:
        return Stretch(hold, tuple(newest))
    rows = tuple(newest)[-MAX_ROWS:]
    limit = max(min(MAX_COUNTED, budget.left), MAX_ROWS)
    count, first, last = 0, rows[0], rows[0]
    for at in islice(between(schedule, after, rows[0] - _TICK), limit + 1):
        first = first if count else at
        last = at
        count += 1
    budget.left -= count
    if count <= limit:
        return Stretch(hold, rows, Earlier(count, False, first, last))
    return Stretch(hold, rows, Earlier(limit, True, first, tuple(newest)[-MAX_ROWS - 1]))


def _newest(schedule: Schedule, after: datetime, until: datetime) -> "deque[datetime]":
    """The last `MAX_ROWS + 1` instants in (after, until], found from the end: there may be millions before them."""
    span = _FIRST_LOOK_BACK
    while True:
        begin = max(until - span, after) if until - after > span else after
        found = deque(between(schedule, begin, until), maxlen=MAX_ROWS + 1)
        if begin == after or len(found) > MAX_ROWS:
            return found
        span *= 4
