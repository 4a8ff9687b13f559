"""Ends the runs whose owner is gone. Ownership is judged by the owner's heartbeat and process, never by age."""

import logging
from datetime import datetime

from liberty.database import Tx
from liberty.jobs.engine.replica import is_dead
from liberty.jobs.run import FAILED, LogLine, Run
from liberty.jobs.store import alert_events, lease, logs, owners, replicas, runs, step_runs
from liberty.jobs.store.runs import Fence

_log = logging.getLogger("nomaflow.rescue")


async def fail_orphans(tx: Tx, me: str, now: datetime, *, shared: bool = False) -> list[Run]:
    """End every run of a dead owner as `failed`, reason `orphaned: <replica>`, its open steps with it.

    `shared`: several replicas beat by the clock of the database, which then judges, and silence alone is death.
    """
    judged_at = await lease.clock(tx, None if shared else now)
    known = {replica.id: replica for replica in await replicas.everyone(tx)}
    dead = {
        name
        for name, replica in known.items()
        if name != me and is_dead(replica, judged_at, silence_kills=shared)
    }
    orphans: list[Run] = []
    for owner in await owners.owners(tx):
        if owner != me and (owner in dead or owner not in known):
            orphans += await owners.fail_orphans(tx, owner, now, lines=1)
    for name in dead:
        await replicas.remove(tx, name)
    for run in orphans:
        await _close(tx, run, now, "the process that ran it ended without finishing it")
    return orphans


async def fail_unknown(tx: Tx, number: int, me: str, now: datetime) -> Run | None:
    """End a run whose row names `me`, but which `me` does not run; None when the row has changed meanwhile."""
    run = await runs.get(tx, number)
    if run is None or run.owner != me or run.status.final:
        return None
    reason = f"orphaned: {me}"
    ended = await runs.end(tx, Fence(number, me, run.epoch), FAILED, now, reason=reason, lines=1)
    if ended is not None:
        await _close(tx, ended, now, "it was taken up by a write whose answer was lost, and nobody runs it")
    return ended


async def _close(tx: Tx, run: Run, now: datetime, why: str) -> None:
    """End the open steps of a run that has failed, with a last line in its log."""
    reason = run.reason or "orphaned"
    await step_runs.close_open(tx, run.number, aborted=False, reason=reason, at=now)
    seq = await logs.last_seq(tx, run.number) + 1
    note = f"run failed · {reason}: {why}"
    await alert_events.add(tx, alert_events.of_run(run))
    await logs.add(tx, run.number, [LogLine(seq, now, "ERROR", "nomaflow", None, note)])
    _log.warning("run %s of %s failed · %s", run.run_id, run.job, run.reason)
