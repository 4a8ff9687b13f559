"""Runs by owner: who has runs in progress, which ones, which are to stop, and the end of those of a dead owner."""

from datetime import datetime

from sqlalchemy import bindparam, case, select, update

from liberty.database import Tx
from liberty.jobs.run import ABORTING, FAILED, RUNNING, Run
from liberty.jobs.store.rows import RUN_COLUMNS, run_from
from liberty.jobs.store.tables import runs, status_in

_ABORTING = select(runs.c.id, runs.c.abort_requested_by).where(
    runs.c.owner == bindparam("me"), runs.c.status == str(ABORTING)
)
_OWNED = select(runs.c.id).where(runs.c.owner == bindparam("me"), status_in([RUNNING, ABORTING]))
_OWNERS = select(runs.c.owner).where(status_in([RUNNING, ABORTING])).distinct()
_ORPHANS = (
    update(runs)
    .where(runs.c.owner == bindparam("lost"), status_in([RUNNING, ABORTING]))
    .values(
        status=str(FAILED),
        reason=bindparam("why"),
        # The clock of whoever finds an orphan may be behind that of its owner.
        finished_at=case((runs.c.started_at > bindparam("at"), runs.c.started_at), else_=bindparam("at")),
        current_step=None,
        log_lines=runs.c.log_lines + bindparam("lines"),
    )
    .returning(*RUN_COLUMNS)
)


async def aborting(tx: Tx, owner: str) -> dict[int, str]:
    """The runs of `owner` that someone wants stopped, with who."""
    return {row[0]: row[1] for row in await tx.all(_ABORTING, {"me": owner})}


async def owned(tx: Tx, owner: str) -> set[int]:
    """The runs in progress that name `owner`."""
    return {row[0] for row in await tx.all(_OWNED, {"me": owner})}


async def owners(tx: Tx) -> set[str]:
    """Owners of the runs that are not final."""
    return {row[0] for row in await tx.all(_OWNERS) if row[0] is not None}


async def fail_orphans(tx: Tx, lost_owner: str, now: datetime, *, lines: int = 0) -> list[Run]:
    """End every run a dead owner left behind as `failed`, with the owner's name as the reason.

    `lines` are to be written to the log of each in the same transaction.
    """
    reason = f"orphaned: {lost_owner}"
    rows = await tx.all(_ORPHANS, {"lost": lost_owner, "why": reason, "at": now, "lines": lines})
    return [run_from(row) for row in rows]
