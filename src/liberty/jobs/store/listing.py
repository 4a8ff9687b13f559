"""Pages of runs, newest first, in time that does not grow with the table.

Each (job, status) pair of a filter is its own index range with its own LIMIT, and the ranges are merged. Dates
become bounds on the run number first, because numbers and `queued_at` grow together, if not in perfect step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import batched, product
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    func,
    select,
    union_all,
)

from liberty.database import Tx
from liberty.jobs.run import IN_FLIGHT, QUEUED, RUN_STATUSES, Run, Status
from liberty.jobs.store.rows import RUN_COLUMNS, run_from
from liberty.jobs.store.tables import runs, status_in

MAX_PAGE = 1000
_MAX_RANGES = 64  # index ranges merged in one statement; wider filters are scanned in order instead
_JOBS_PER_STATEMENT = 100
_DISORDER = 1000
"""How far a run's number may stand from its place by time: many begin in one millisecond, and clocks are set back."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What to list. Empty means no limit; `jobs` is what the reader may see, or the narrower set asked for."""

    jobs: tuple[str, ...] | None = None
    statuses: tuple[Status, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


async def page(tx: Tx, wanted: RunFilter, limit: int) -> list[Run]:
    """Up to `limit` runs with a number below `wanted.before`."""
    if wanted.jobs == () or limit <= 0:
        return []
    values: dict[str, Any] = {"count": min(limit, MAX_PAGE + 1)}  # one more tells that there is more
    upper = wanted.before
    if wanted.until is not None:
        last = await tx.scalar(_LAST_UNTIL, {"until": wanted.until})
        if last is None:
            return []
        upper = min(last + _DISORDER, upper) if upper is not None else last + _DISORDER
        values["until"] = wanted.until
    if wanted.since is not None:
        first = await tx.scalar(_FIRST_SINCE, {"since": wanted.since})
        if first is None:
            return []
        values["first"], values["since"] = first - _DISORDER, wanted.since
    if upper is not None:
        values["upper"] = upper
    statuses = () if set(wanted.statuses) == set(RUN_STATUSES) else wanted.statuses
    jobs = wanted.jobs or ()
    values |= {f"job_{index}": job for index, job in enumerate(jobs)}
    values |= {f"status_{index}": str(status) for index, status in enumerate(statuses)}
    bounds = frozenset(values.keys() & {"upper", "first", "since", "until"})
    statement = _statement(len(jobs), len(statuses), bounds)
    return [run_from(row) for row in await tx.all(statement, values)]


_LAST_UNTIL = (
    select(runs.c.id).where(runs.c.queued_at <= bindparam("until")).order_by(runs.c.queued_at.desc()).limit(1)
)
_FIRST_SINCE = (
    select(runs.c.id).where(runs.c.queued_at >= bindparam("since")).order_by(runs.c.queued_at).limit(1)
)


@cache
def _statement(jobs: int, statuses: int, bounds: frozenset[str]) -> Select[Any] | CompoundSelect[Any]:
    within: list[ColumnElement[bool]] = []
    if "upper" in bounds:
        within.append(runs.c.id < bindparam("upper"))
    if "first" in bounds:
        within.append(runs.c.id >= bindparam("first"))
    if "since" in bounds:
        within.append(runs.c.queued_at >= bindparam("since"))
    if "until" in bounds:
        within.append(runs.c.queued_at <= bindparam("until"))
    count: BindParameter[int] = bindparam("count")
    base = select(*RUN_COLUMNS).where(*within).order_by(runs.c.id.desc()).limit(count)
    job_is = [runs.c.job == bindparam(f"job_{index}") for index in range(jobs)]
    status_is = [runs.c.status == bindparam(f"status_{index}") for index in range(statuses)]
    ranges = list(product(*(choices for choices in (job_is, status_is) if choices)))
    if len(ranges) > _MAX_RANGES:
        narrowed = base
        if job_is:
            narrowed = narrowed.where(runs.c.job.in_([bindparam(f"job_{index}") for index in range(jobs)]))
        if status_is:
            narrowed = narrowed.where(
                runs.c.status.in_([bindparam(f"status_{index}") for index in range(statuses)])
            )
        return narrowed
    if len(ranges) <= 1:
        return base.where(*(ranges[0] if ranges else ()))
    parts = [select(base.where(*conditions).subquery()) for conditions in ranges]
    merged = union_all(*parts).subquery()
    return select(merged).order_by(merged.c.id.desc()).limit(count)


async def latest_of_jobs(tx: Tx, jobs: Sequence[str]) -> dict[str, Run]:
    """The newest run of each job that has one."""
    latest: dict[str, Run] = {}
    for some in batched(jobs, _JOBS_PER_STATEMENT):
        rows = await tx.all(_latest(len(some)), {f"job_{index}": job for index, job in enumerate(some)})
        latest |= {run.job: run for run in map(run_from, rows)}
    return latest


@cache
def _latest(jobs: int) -> Select[Any]:
    newest = [
        select(func.max(runs.c.id)).where(runs.c.job == bindparam(f"job_{index}")) for index in range(jobs)
    ]
    return select(*RUN_COLUMNS).where(runs.c.id.in_(union_all(*newest) if jobs > 1 else newest[0]))


_COUNT_IN_FLIGHT = (
    select(runs.c.job, runs.c.status, func.count())
    .where(status_in(IN_FLIGHT))
    .group_by(runs.c.job, runs.c.status)
)


async def in_flight_counts(tx: Tx) -> dict[str, int]:
    """How many runs each job has that are not final."""
    counts: dict[str, int] = {}
    for job, _, count in await tx.all(_COUNT_IN_FLIGHT):
        counts[job] = counts.get(job, 0) + count
    return counts


async def queue_depth(tx: Tx) -> int:
    """How many runs wait for a slot."""
    return sum(count for _, status, count in await tx.all(_COUNT_IN_FLIGHT) if status == QUEUED)


_FIRES = (
    select(*RUN_COLUMNS)
    .where(
        runs.c.job == bindparam("job"),
        runs.c.trigger == "cron",
        runs.c.scheduled_at >= bindparam("since"),
        runs.c.scheduled_at < bindparam("until"),
    )
    .order_by(runs.c.scheduled_at)
)


async def fires(tx: Tx, job: str, since: datetime, until: datetime) -> list[Run]:
    """The runs made for the due instants of `job` in [since, until)."""
    return [run_from(row) for row in await tx.all(_FIRES, {"job": job, "since": since, "until": until})]


_SUMMARY = (
    select(*RUN_COLUMNS)
    .where(
        runs.c.job == bindparam("job"),
        runs.c.covers_since.is_not(None),
        runs.c.scheduled_at >= bindparam("since"),
        runs.c.covers_since <= bindparam("until"),
    )
    .order_by(runs.c.scheduled_at)
)


async def summaries(tx: Tx, job: str, since: datetime, until: datetime) -> list[Run]:
    """The rows that stand for many missed instants of `job`, some of them in [since, until]."""
    return [run_from(row) for row in await tx.all(_SUMMARY, {"job": job, "since": since, "until": until})]
