"""Ends the runs whose owner is gone. Ownership is judged by the owner's heartbeat and process, never by age."""

import logging
from datetime import datetime

from liberty.database import Tx
from liberty.jobs.engine.replica import is_dead
from liberty.jobs.run import LogLine, Run
from liberty.jobs.store import logs, replicas, runs, step_runs

_log = logging.getLogger("nomaflow.rescue")


async def fail_orphans(tx: Tx, me: str, now: datetime) -> list[Run]:
    """End every run of a dead owner as `failed`, reason `orphaned: <replica>`, its open steps with it."""
    known = {replica.id: replica for replica in await replicas.everyone(tx)}
    orphans: list[Run] = []
    for owner in await runs.owners(tx):
        replica = known.get(owner)
        if owner == me or (replica is not None and not is_dead(replica, now)):
            continue
        orphans += await runs.fail_orphans(tx, owner, now, lines=1)
    for replica in known.values():
        if replica.id != me and is_dead(replica, now):
            await replicas.remove(tx, replica.id)
    for run in orphans:
        reason = run.reason or "orphaned"
        await step_runs.close_open(tx, run.number, aborted=False, reason=reason, at=now)
        seq = await logs.last_seq(tx, run.number) + 1
        note = f"run failed · {reason}: the process that ran it ended without finishing it"
        await logs.write(tx, run.number, [LogLine(seq, now, "ERROR", "nomaflow", None, note)])
    for run in orphans:
        _log.warning("run %s of %s failed · %s", run.run_id, run.job, run.reason)
    return orphans
