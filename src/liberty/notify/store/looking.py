"""What the sender looks for in the history of runs: streaks, recoveries, runs that are late or take long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, select

from liberty.database import Tx
from liberty.jobs.run import ABORTED, ABORTING, FAILED, PARTIAL_SUCCESS, QUEUED, RUNNING, SUCCEEDED
from liberty.jobs.store.tables import runs, status_in
from liberty.notify.store.tables import incidents

_LATEST = (
    select(runs.c.status)
    .where(
        runs.c.job == bindparam("of_job"),
        runs.c.id <= bindparam("up_to"),
        status_in([SUCCEEDED, FAILED, ABORTED, PARTIAL_SUCCESS]),
    )
    .order_by(runs.c.id.desc())
    .limit(bindparam("count"))
)
_success_after = (
    select(runs.c.id)
    .where(
        runs.c.job == incidents.c.job,
        runs.c.id > incidents.c.run,
        status_in([SUCCEEDED]),
        runs.c.finished_at >= incidents.c.last_at,
    )
    .correlate(incidents)
)
_RECOVERED = (
    select(incidents.c.id, _success_after.order_by(runs.c.id.desc()).limit(1).scalar_subquery())
    .where(incidents.c.closed_at.is_(None), incidents.c.run.is_not(None), exists(_success_after))
    .order_by(incidents.c.id)
)
_UNDER_WAY = select(runs.c.id, runs.c.job, runs.c.app, runs.c.started_at).where(
    status_in([RUNNING, ABORTING])
)
_NOT_STARTED = select(runs.c.id, runs.c.job, runs.c.app, runs.c.scheduled_at).where(
    status_in([QUEUED]), runs.c.scheduled_at.is_not(None), runs.c.scheduled_at < bindparam("before")
)
_IS_UNDER_WAY = select(runs.c.id).where(runs.c.id == bindparam("number"), status_in([RUNNING, ABORTING]))
_IS_QUEUED = select(runs.c.id).where(runs.c.id == bindparam("number"), status_in([QUEUED]))


@dataclass(frozen=True, slots=True)
class Since:
    """A run that is in a state since a moment."""

    run: int
    job: str
    app: str
    since: datetime


async def latest(tx: Tx, job: str, up_to: int, count: int) -> Sequence[str]:
    """How the last runs of a job ended, newest first; skipped ones do not count."""
    return [row[0] for row in await tx.all(_LATEST, {"of_job": job, "up_to": up_to, "count": count})]


async def recovered(tx: Tx) -> dict[int, int]:
    """The open incidents after whose last run one of the same job has succeeded, with that run."""
    return {row[0]: row[1] for row in await tx.all(_RECOVERED)}


async def under_way(tx: Tx) -> list[Since]:
    """The runs in progress."""
    return [Since(*row) for row in await tx.all(_UNDER_WAY)]


async def not_started(tx: Tx, before: datetime) -> list[Since]:
    """What was due before that moment and waits."""
    return [Since(*row) for row in await tx.all(_NOT_STARTED, {"before": before})]


async def is_under_way(tx: Tx, run: int) -> bool:
    return await tx.scalar(_IS_UNDER_WAY, {"number": run}) is not None


async def is_queued(tx: Tx, run: int) -> bool:
    return await tx.scalar(_IS_QUEUED, {"number": run}) is not None
