"""The newest runs of many jobs at once, as few columns as a list of jobs shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import batched
from typing import Any

from sqlalchemy import CompoundSelect, Select, bindparam, select, union_all

from liberty.database import Tx
from liberty.database.millis import millis
from liberty.jobs.run import SUCCEEDED
from liberty.jobs.store.tables import runs, status_in

_JOBS_PER_STATEMENT = 10  # as many as the text of a kept plan may have


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A run of the list of jobs; times are milliseconds since 1970."""

    job: str
    number: int
    status: str
    reason: str | None
    trigger: str
    queued: int
    started: int | None
    finished: int | None


_COLUMNS = (
    runs.c.job,
    runs.c.id,
    runs.c.status,
    runs.c.reason,
    runs.c.trigger,
    millis(runs.c.queued_at).label("queued"),
    millis(runs.c.started_at).label("started"),
    millis(runs.c.finished_at).label("finished"),
)


async def of_jobs(tx: Tx, jobs: Sequence[str], count: int) -> dict[str, list[RecentRun]]:
    """The last `count` runs of each job that has any, newest first."""
    found: dict[str, list[RecentRun]] = {}
    for some in batched(jobs, _JOBS_PER_STATEMENT):
        values = {f"job_{index}": job for index, job in enumerate(some)} | {"count": count}
        for row in await tx.all(_latest(len(some)), values):
            found.setdefault(row[0], []).append(RecentRun(*row))
    return found


async def durations(tx: Tx, jobs: Sequence[str], count: int) -> dict[str, list[int]]:
    """Milliseconds that the last `count` succeeded runs of each job took, newest first."""
    found: dict[str, list[int]] = {}
    for some in batched(jobs, _JOBS_PER_STATEMENT):
        values = {f"job_{index}": job for index, job in enumerate(some)} | {"count": count}
        for job, took in await tx.all(_took(len(some)), values):
            if took is not None:
                found.setdefault(job, []).append(took)
    return found


@cache
def _latest(jobs: int) -> Select[Any] | CompoundSelect[Any]:
    return _merged(select(*_COLUMNS).where(runs.c.job == bindparam(f"job_{index}")) for index in range(jobs))


@cache
def _took(jobs: int) -> Select[Any] | CompoundSelect[Any]:
    took = (millis(runs.c.finished_at) - millis(runs.c.started_at)).label("took")
    return _merged(
        select(runs.c.job, took).where(runs.c.job == bindparam(f"job_{index}"), status_in([SUCCEEDED]))
        for index in range(jobs)
    )


def _merged(ranges: Any) -> Select[Any] | CompoundSelect[Any]:
    """Each range newest first, with a limit of its own."""
    parts = [select(part.order_by(runs.c.id.desc()).limit(bindparam("count")).subquery()) for part in ranges]
    return union_all(*parts) if len(parts) > 1 else parts[0]
