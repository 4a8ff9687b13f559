"""Step rows: opened when a step starts, closed with its outcome, always behind the run's fence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.run import ABORTED, FAILED, RUNNING, StepRun
from liberty.jobs.store import runs
from liberty.jobs.store.rows import STEP_COLUMNS, step_from, step_values
from liberty.jobs.store.runs import Fence
from liberty.jobs.store.tables import step_runs

_COLUMNS = [column.name for column in STEP_COLUMNS]
_SAVE_INSERT = insert(step_runs).values({name: bindparam(name) for name in ["job_run_id", *_COLUMNS]})
_SAVE = _SAVE_INSERT.on_conflict_do_update(
    index_elements=[step_runs.c.job_run_id, step_runs.c.step_index],
    set_={name: _SAVE_INSERT.excluded[name] for name in _COLUMNS if name != "step_index"},
)
_OF_RUN = (
    select(*STEP_COLUMNS)
    .where(step_runs.c.job_run_id == bindparam("number"))
    .order_by(step_runs.c.step_index)
)


async def save(tx: Tx, fence: Fence, steps: Sequence[StepRun], *, current: str | None = None) -> bool:
    """Write the steps as they are now; False, and nothing written, when the run is no longer ours."""
    if not await runs.touch(tx, fence, step=current):
        return False
    await write(tx, fence.number, steps)
    return True


async def write(tx: Tx, number: int, steps: Sequence[StepRun]) -> None:
    """Write the steps without a fence: the caller's transaction has proved ownership."""
    if steps:
        await tx.add(_SAVE, [{"job_run_id": number, **step_values(step)} for step in steps])


async def of_run(tx: Tx, number: int) -> list[StepRun]:
    """All recorded steps of a run in declared order."""
    return [step_from(row) for row in await tx.all(_OF_RUN, {"number": number})]


async def close_open(tx: Tx, number: int, *, aborted: bool, reason: str, at: datetime) -> int:
    """End the steps a run left running, and their open tries, as `aborted` or `failed`; how many there were."""
    verdict = ABORTED if aborted else FAILED
    left = [step for step in await of_run(tx, number) if step.status == RUNNING]
    for step in left:
        attempts = tuple(
            replace(tried, status=verdict, finished_at=at) if tried.finished_at is None else tried
            for tried in step.attempts
        )
        await write(
            tx,
            number,
            [replace(step, status=verdict, reason=reason, attempts=attempts, finished_at=at)],
        )
    return len(left)
