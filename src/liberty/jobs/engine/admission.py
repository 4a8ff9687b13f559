"""Decides, in the transaction that inserts the row, whether a run is queued or skipped and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from liberty.auth import audit
from liberty.auth.audit import Actor
from liberty.database import Tx
from liberty.jobs.run import SUCCEEDED, NewRun
from liberty.jobs.store import queue, runs
from liberty.jobs.store.runs import Enqueued


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked for a run, for the audit trail; a cron fire has none."""

    actor: Actor
    action: str = "run"
    address: str | None = None


async def admit(
    tx: Tx,
    new: NewRun,
    depends_on: Sequence[str],
    asker: Asker | None,
    held: str | None,
    now: datetime,
    owner: str | None = None,
) -> Enqueued:
    """Insert the row of a new run: queued, or skipped with the reason; claimed at once for an `owner` with a place.

    The same rules hold for every trigger; `held` is a reason known beforehand. A request repeated under its
    idempotency key, and a fire that already has its row, get the run that exists.
    """
    reason = held or await _unmet_dependency(tx, depends_on) or await _full_line(tx, new)
    if reason is not None:
        enqueued = await runs.insert_skipped(tx, new, reason, now)
    else:
        enqueued = await runs.insert_queued(tx, new, now, owner)
    if new.replaces and enqueued.created and reason is None:
        stopped = await queue.make_way(tx, new.job, enqueued.run.number, now)
        enqueued = replace(enqueued, stopped=tuple(stopped))
    if asker is not None and enqueued.created:
        run = enqueued.run
        await audit.record(
            tx,
            at=now,
            actor=asker.actor,
            action=asker.action,
            object=f"job:{run.job}",
            details={"run": run.run_id, "status": str(run.status), "params": new.overrides.params},
            address=asker.address,
        )
    return enqueued


async def _full_line(tx: Tx, new: NewRun) -> str | None:
    if new.max_queued is None or await queue.queued_of(tx, new.job) < new.max_queued:
        return None
    return f"queue-full: {new.max_queued} runs of the job wait already"


async def _unmet_dependency(tx: Tx, depends_on: Sequence[str]) -> str | None:
    for job in depends_on:
        latest = await runs.latest_status(tx, job)
        if latest is None:
            return f"dependency-never-ran: {job}"
        if not latest.final:
            return f"dependency-still-running: {job}"
        if latest != SUCCEEDED:
            return f"dependency-failed: {job}"
    return None
