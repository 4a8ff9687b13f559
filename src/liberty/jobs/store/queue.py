"""The queue that the run rows are: who waits, whose turn it is, who was in the way."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

from sqlalchemy import bindparam, func, literal, select, update

from liberty.clock import Clock
from liberty.database import Tx
from liberty.jobs.run import ABORTED, ABORTING, QUEUED, RUNNING, Gate, Run
from liberty.jobs.store import runs as store
from liberty.jobs.store.rows import RUN_COLUMNS, gates_from, run_from
from liberty.jobs.store.tables import runs, status_in

JOB_GATE = "job:"

_LOCK = select(func.pg_try_advisory_xact_lock(literal(726302), func.hashtext(bindparam("key"))))
_IN_PROGRESS = select(runs.c.job, runs.c.gates).where(status_in([RUNNING, ABORTING]))
_WAITING = (
    select(*RUN_COLUMNS)
    .where(runs.c.status == str(QUEUED), runs.c.id > bindparam("after"))
    .order_by(runs.c.id)
    .limit(bindparam("count"))
)
_FIRST_OF_JOB = select(func.min(runs.c.id)).where(
    runs.c.job == bindparam("job"), runs.c.status == str(QUEUED)
)
_FIRST_OF_BACKFILL = select(func.min(runs.c.id)).where(
    runs.c.backfill == bindparam("backfill"), runs.c.status == str(QUEUED)
)
_QUEUED_OF_JOB = select(func.count()).where(runs.c.job == bindparam("job"), runs.c.status == str(QUEUED))
_TAKE_TURN = (
    update(runs)
    .where(runs.c.id == bindparam("number"), runs.c.status == str(QUEUED))
    .values(
        status=str(RUNNING),
        owner=bindparam("by"),
        epoch=runs.c.epoch + 1,
        started_at=bindparam("at"),
        exclusive=bindparam("alone"),
    )
    .returning(*RUN_COLUMNS)
)
_NUMBERS_IN_FLIGHT = select(runs.c.id).where(
    runs.c.job == bindparam("job"), status_in([QUEUED, RUNNING]), runs.c.id != bindparam("number")
)


class Turn(Enum):
    """Why a queued run was not claimed."""

    LATER = "its turn has not come"
    BUSY = "somebody else asks at the same gate at this moment"
    GONE = "it is not queued any more"


def job_gate(job: str) -> Gate:
    """Keeps the runs of a job in a row."""
    return Gate(f"{JOB_GATE}{job}", 1)


async def waiting(tx: Tx, *, after: int, limit: int) -> list[Run]:
    """Queued runs with a number above `after`, oldest first."""
    return [run_from(row) for row in await tx.all(_WAITING, {"after": after, "count": limit})]


async def queued_of(tx: Tx, job: str) -> int:
    """How many runs of a job wait."""
    return int(await tx.scalar(_QUEUED_OF_JOB, {"job": job}))


async def claim_in_turn(tx: Tx, number: int, owner: str, clock: Clock, *, lock: bool) -> Run | Turn:
    """queued -> running for `owner`, if all gates of the run have room and nothing older waits at the same one.

    `lock` makes claims at the same gate follow each other: needed where transactions run side by side. The clock is
    read once the turn has come, so a run never seems to have begun before the one it waited for had ended.
    Asked again because the first answer was lost on its way, it gives the run that `owner` has claimed by then.
    """
    run = await store.get(tx, number)
    if run is not None and run.status == RUNNING and run.owner == owner:
        return run
    if run is None or run.status != QUEUED:
        return Turn.GONE
    if lock:
        for key in sorted(gate.key for gate in run.gates):
            # Not to be waited for: the transaction is shared with others, which may hold what the holder waits for.
            if not await tx.scalar(_LOCK, {"key": key}):
                return Turn.BUSY
    if not await _is_first(tx, run) or not await _has_room(tx, run.gates):
        return Turn.LATER
    alone = any(gate.key.startswith(JOB_GATE) for gate in run.gates)
    row = await tx.first(_TAKE_TURN, {"number": number, "by": owner, "at": clock.now(), "alone": alone})
    return run_from(row) if row is not None else Turn.GONE


async def _is_first(tx: Tx, run: Run) -> bool:
    if any(gate.key.startswith(JOB_GATE) for gate in run.gates):
        if await tx.scalar(_FIRST_OF_JOB, {"job": run.job}) != run.number:
            return False
    elif run.backfill is not None:
        return bool(await tx.scalar(_FIRST_OF_BACKFILL, {"backfill": run.backfill}) == run.number)
    return True


async def _has_room(tx: Tx, gates: Sequence[Gate]) -> bool:
    taken: dict[str, int] = {}
    for job, held in await tx.all(_IN_PROGRESS):
        for key in {f"{JOB_GATE}{job}", *(gate.key for gate in gates_from(held))}:
            taken[key] = taken.get(key, 0) + 1
    return all(taken.get(gate.key, 0) < gate.limit for gate in gates)


async def make_way(tx: Tx, job: str, number: int, now: datetime) -> list[Run]:
    """Stop the other runs of `job` for the run `number`, which replaces them; the rows as they are now."""
    by = f"r-{number}, which replaces it"
    stopped: list[Run] = []
    for (other,) in await tx.all(_NUMBERS_IN_FLIGHT, {"job": job, "number": number}):
        run = await store.end_unclaimed(tx, other, ABORTED, now, reason=f"replaced by r-{number}", by=by)
        run = run or await store.request_abort(tx, other, by, now)
        if run is not None:
            stopped.append(run)
    return stopped
