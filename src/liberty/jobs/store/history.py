"""What runs of one job are compared with: the successes before, how long their steps took, the runs around."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, select

from liberty.database import Tx
from liberty.database.millis import millis
from liberty.jobs.run import SUCCEEDED, Run
from liberty.jobs.store.rows import RUN_COLUMNS, run_from
from liberty.jobs.store.tables import runs, status_in, step_runs

MEASURED_RUNS = 20
MAX_REPLAYS = 20


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another run of the same job."""

    number: int
    status: str
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class StepTook:
    """A step of an earlier success."""

    name: str
    milliseconds: int | None
    rows: int | None


_BRIEF = (runs.c.id, runs.c.status, runs.c.queued_at)
_SUCCESS_BEFORE = (
    select(*RUN_COLUMNS)
    .where(runs.c.job == bindparam("job"), status_in([SUCCEEDED]), runs.c.id < bindparam("number"))
    .order_by(runs.c.id.desc())
    .limit(literal_column("1"))
)
_PREVIOUS = (
    select(*_BRIEF)
    .where(runs.c.job == bindparam("job"), runs.c.id < bindparam("number"))
    .order_by(runs.c.id.desc())
    .limit(literal_column("1"))
)
_NEXT = (
    select(*_BRIEF)
    .where(runs.c.job == bindparam("job"), runs.c.id > bindparam("number"))
    .order_by(runs.c.id)
    .limit(literal_column("1"))
)
_REPLAYS = (
    select(*_BRIEF)
    .where(
        runs.c.job == bindparam("job"),
        runs.c.id > bindparam("number"),
        runs.c.id < bindparam("end"),
        runs.c.replay_of == bindparam("number"),
    )
    .order_by(runs.c.id)
    .limit(literal_column(str(MAX_REPLAYS)))
)
_LAST_SUCCESSES = (
    select(runs.c.id, runs.c.started_at, runs.c.finished_at)
    .where(runs.c.job == bindparam("job"), status_in([SUCCEEDED]), runs.c.id != bindparam("number"))
    .order_by(runs.c.id.desc())
    .limit(literal_column(str(MEASURED_RUNS)))
)
_some = _LAST_SUCCESSES.subquery()
_RUNS_TOOK = select(millis(_some.c.finished_at) - millis(_some.c.started_at))
_STEPS_TOOK = select(
    step_runs.c.name,
    millis(step_runs.c.finished_at) - millis(step_runs.c.started_at),
    step_runs.c.rows_affected,
).where(step_runs.c.job_run_id.in_(select(_some.c.id)), step_runs.c.status == literal_column("'succeeded'"))
_REPLAY_SPAN = 100_000  # runs of the job after it: older replays of old runs are not looked for


async def success_before(tx: Tx, job: str, number: int) -> Run | None:
    """The last success of `job` before the run of that number."""
    row = await tx.first(_SUCCESS_BEFORE, {"job": job, "number": number})
    return None if row is None else run_from(row)


async def around(tx: Tx, job: str, number: int) -> tuple[Neighbour | None, Neighbour | None]:
    """The runs of `job` before and after it."""
    values: dict[str, Any] = {"job": job, "number": number}
    before, after = await tx.first(_PREVIOUS, values), await tx.first(_NEXT, values)
    return Neighbour(*before) if before else None, Neighbour(*after) if after else None


async def replays(tx: Tx, job: str, number: int) -> list[Neighbour]:
    """The runs that repeat it, oldest first."""
    values = {"job": job, "number": number, "end": number + _REPLAY_SPAN}
    return [Neighbour(*row) for row in await tx.all(_REPLAYS, values)]


async def runs_took(tx: Tx, job: str, number: int) -> list[int]:
    """Milliseconds of the last successes of `job`, that run left out."""
    rows = await tx.all(_RUNS_TOOK, {"job": job, "number": number})
    return [row[0] for row in rows if row[0] is not None]


async def steps_took(tx: Tx, job: str, number: int) -> list[StepTook]:
    """Every step of those successes."""
    return [StepTook(*row) for row in await tx.all(_STEPS_TOOK, {"job": job, "number": number})]
