"""Deletes old history in small transactions, children first, never a run that is not final."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from liberty.database import Tx
from liberty.jobs.run import ABORTED, FAILED, FINAL
from liberty.jobs.store.tables import logs, runs, status_in, step_runs


def _expired(keep_failed: bool) -> object:
    gone = [status for status in FINAL if not (keep_failed and status in (FAILED, ABORTED))]
    return (
        select(runs.c.id)
        .where(runs.c.queued_at < bindparam("cutoff"), runs.c.finished_at < bindparam("cutoff"))
        .where(status_in(gone))
        .order_by(runs.c.queued_at)
        .limit(bindparam("count"))
        .scalar_subquery()
    )


_DELETES = {
    keep_failed: (
        delete(logs).where(logs.c.job_run_id.in_(_expired(keep_failed))),  # type: ignore[arg-type]  # a subquery
        delete(step_runs).where(step_runs.c.job_run_id.in_(_expired(keep_failed))),  # type: ignore[arg-type]  # a subquery
        delete(runs).where(runs.c.id.in_(_expired(keep_failed))),  # type: ignore[arg-type]  # a subquery
    )
    for keep_failed in (True, False)
}


async def delete_expired(tx: Tx, cutoff: datetime, *, keep_failed: bool, limit: int) -> int:
    """Delete up to `limit` final runs that ended before `cutoff`, with their steps and lines; how many runs went."""
    of_logs, of_steps, of_runs = _DELETES[keep_failed]
    values = {"cutoff": cutoff, "count": limit}
    await tx.run(of_logs, values)
    await tx.run(of_steps, values)
    return await tx.run(of_runs, values)
