"""The write behind "stop this run": the row and the audit trail in one transaction."""

from datetime import datetime

from liberty.auth import audit
from liberty.auth.audit import Actor
from liberty.database import Tx
from liberty.jobs.run import Run
from liberty.jobs.store import runs


async def request_abort(
    tx: Tx, number: int, by: str, actor: Actor, address: str | None, now: datetime
) -> Run | None:
    """The row after the request; None when the run is already final or aborting."""
    run = await runs.request_abort(tx, number, by, now)
    if run is not None:
        await audit.record(
            tx,
            at=now,
            actor=actor,
            action="abort",
            object=f"job:{run.job}",
            details={"run": run.run_id},
            address=address,
        )
    return run
