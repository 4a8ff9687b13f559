"""Finds out whether a run was stored when the answer to its commit was lost.

It may be there, claimed by this process, and must then be executed: while its owner lives, nobody else will.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime

from liberty.clock import to_millis
from liberty.database import Database
from liberty.errors import OutcomeUnknown, Unavailable
from liberty.jobs.run import QUEUED, RUNNING, NewRun
from liberty.jobs.store import runs
from liberty.jobs.store.runs import Enqueued

PATIENCE_SECONDS = 5.0  # of whoever asked for the run
LOOK_SECONDS = 0.2
ABSENT_SECONDS = 12.0
"""Longer than a transaction without a client lives on the server: what is not there by then will not come."""

_log = logging.getLogger("nomaflow")


async def find_again(database: Database, new: NewRun, owner: str | None, now: datetime) -> Enqueued:
    """The answer that was lost. Looks until it is known; raises Unavailable when nothing was stored."""
    monotonic = asyncio.get_running_loop().time
    absent_since: float | None = None
    while True:
        try:
            run = await database.read(runs.find, new)
        except Unavailable as error:
            _log.debug("a run whose answer was lost cannot be looked for yet: %s", error.message)
            absent_since = None
        else:
            if run is not None:
                mine = to_millis(run.queued_at) == to_millis(now)
                if not mine or owner is None or run.owner != owner or run.status.final:
                    return Enqueued(run, created=mine)
                asked_for = replace(run, status=QUEUED, owner=None, epoch=0, started_at=None)
                return Enqueued(asked_for, created=True, claimed=replace(run, status=RUNNING))
            absent_since = monotonic() if absent_since is None else absent_since
            if monotonic() - absent_since > ABSENT_SECONDS:
                raise Unavailable("the run was not stored: the connection to the database broke")
        await asyncio.sleep(LOOK_SECONDS)


async def with_patience(finding: "asyncio.Task[Enqueued]") -> Enqueued:
    """Its result, if it comes soon. Raises OutcomeUnknown otherwise; the search goes on."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.shield(finding)
    except TimeoutError as error:
        raise OutcomeUnknown(
            "the answer of the database was lost: the run may have been stored. Look for it before you ask again, "
            "or ask again with the same Idempotency-Key"
        ) from error
