"""How long the latest successful runs of jobs took."""

from collections.abc import Sequence
from functools import cache
from itertools import batched
from typing import Any

from sqlalchemy import CompoundSelect, Select, bindparam, select, union_all

from liberty.database import Tx
from liberty.jobs.run import SUCCEEDED
from liberty.jobs.store.tables import runs, status_in

_JOBS_PER_STATEMENT = 50


async def of_latest(tx: Tx, jobs: Sequence[str], count: int) -> dict[str, list[float]]:
    """Seconds of the last `count` succeeded runs of each job that has any, newest first."""
    found: dict[str, list[float]] = {}
    for some in batched(jobs, _JOBS_PER_STATEMENT):
        values = {f"job_{index}": job for index, job in enumerate(some)} | {"count": count}
        for job, started, finished in await tx.all(_statement(len(some)), values):
            if started is not None:
                found.setdefault(job, []).append((finished - started).total_seconds())
    return found


@cache
def _statement(jobs: int) -> Select[Any] | CompoundSelect[Any]:
    parts = [
        select(runs.c.job, runs.c.started_at, runs.c.finished_at)
        .where(runs.c.job == bindparam(f"job_{index}"), status_in([SUCCEEDED]))
        .order_by(runs.c.id.desc())
        .limit(bindparam("count"))
        .subquery()
        for index in range(jobs)
    ]
    ranges = [select(part) for part in parts]
    return union_all(*ranges) if len(ranges) > 1 else ranges[0]
