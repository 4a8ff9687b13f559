"""Run rows: insert once, claim, move by compare-and-set, read."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Select, Update, bindparam, func, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.run import (
    ABORTED,
    ABORTING,
    IN_FLIGHT,
    LEGAL_MOVES,
    QUEUED,
    RUNNING,
    SKIPPED,
    NewRun,
    Overrides,
    Run,
    Status,
)
from liberty.jobs.store.rows import RUN_COLUMNS, dump, run_from
from liberty.jobs.store.tables import runs, status_in

SINGLE_INSTANCE = "single-instance, previous still running"


@dataclass(frozen=True, slots=True)
class Fence:
    """Proof of ownership: writes about a run are accepted only from the owner of its present epoch."""

    number: int
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The run that answers a request; `created` is False when an earlier request or fire already made it.

    `claimed` is the same run, running, when the request took it at once. `stopped` are the runs it replaces.
    """

    run: Run
    created: bool
    claimed: Run | None = None
    stopped: tuple[Run, ...] = ()


def _sources_of(target: Status) -> list[Status]:
    return [source for source, targets in LEGAL_MOVES.items() if target in targets]


_INSERTED = (
    "job",
    "app",
    "status",
    "reason",
    "trigger",
    "triggered_by",
    "schedule",
    "scheduled_at",
    "queued_at",
    "finished_at",
    "params",
    "overrides",
    "replay_of",
    "definition_version",
    "parent_chain",
    "exclusive",
    "idempotency_key",
    "owner",
    "epoch",
    "started_at",
    "caught_up",
    "covers_since",
    "covers_count",
    "gates",
    "backfill",
)
_INSERT = (
    insert(runs)
    .values({name: bindparam(name) for name in _INSERTED})
    .on_conflict_do_nothing()
    .returning(*RUN_COLUMNS)
)
_BY_NUMBER = select(*RUN_COLUMNS).where(runs.c.id == bindparam("number"))
_BY_IDEMPOTENCY_KEY = select(*RUN_COLUMNS).where(
    runs.c.job == bindparam("job"), runs.c.idempotency_key == bindparam("idempotency_key")
)
_BY_FIRE = select(*RUN_COLUMNS).where(
    runs.c.job == bindparam("job"),
    runs.c.schedule == bindparam("schedule"),
    runs.c.scheduled_at == bindparam("scheduled_at"),
    runs.c.trigger == "cron",
)
_LATEST_STATUS = (
    select(runs.c.status)
    .where(runs.c.job == bindparam("job"), runs.c.status != str(SKIPPED))
    .order_by(runs.c.id.desc())
    .limit(1)
)
_CLAIM = (
    update(runs)
    .where(runs.c.id == bindparam("number"), runs.c.status == str(QUEUED))
    .values(status=str(RUNNING), owner=bindparam("by"), epoch=runs.c.epoch + 1, started_at=bindparam("at"))
    .returning(*RUN_COLUMNS)
)
_CLAIMED = select(*RUN_COLUMNS).where(
    runs.c.id == bindparam("number"),
    runs.c.owner == bindparam("by"),
    runs.c.started_at == bindparam("at"),
    status_in([RUNNING, ABORTING]),
)
_FENCED = (
    update(runs)
    .where(
        runs.c.id == bindparam("number"),
        runs.c.owner == bindparam("by"),
        runs.c.epoch == bindparam("at_epoch"),
        status_in([RUNNING, ABORTING]),
    )
    .values(
        current_step=func.coalesce(bindparam("step"), runs.c.current_step),
        log_lines=runs.c.log_lines + bindparam("lines"),
        log_dropped=runs.c.log_dropped + bindparam("dropped"),
    )
)


def _ending(target: Status) -> Update:
    return (
        update(runs)
        .where(
            runs.c.id == bindparam("number"),
            runs.c.owner == bindparam("by"),
            runs.c.epoch == bindparam("at_epoch"),
            status_in(_sources_of(target)),
        )
        .values(
            status=str(target),
            reason=bindparam("why"),
            finished_at=bindparam("at"),
            rows_affected=bindparam("rows"),
            current_step=None,
            code=bindparam("code"),
            log_lines=runs.c.log_lines + bindparam("lines"),
            log_dropped=runs.c.log_dropped + bindparam("dropped"),
        )
        .returning(*RUN_COLUMNS)
    )


_ENDINGS = {target: _ending(target) for target in LEGAL_MOVES[RUNNING] if target.final}
_ENDED = select(*RUN_COLUMNS).where(
    runs.c.id == bindparam("number"),
    runs.c.owner == bindparam("by"),
    runs.c.epoch == bindparam("at_epoch"),
    runs.c.status == bindparam("target"),
    runs.c.finished_at == bindparam("at"),
)
_REQUEST_ABORT = (
    update(runs)
    .where(runs.c.id == bindparam("number"), runs.c.status == str(RUNNING))
    .values(status=str(ABORTING), abort_requested_by=bindparam("by"))
    .returning(*RUN_COLUMNS)
)
_END_UNCLAIMED = {
    target: update(runs)
    .where(runs.c.id == bindparam("number"), runs.c.status == str(QUEUED))
    .values(
        status=str(target),
        finished_at=bindparam("at"),
        reason=bindparam("why"),
        abort_requested_by=bindparam("by"),
    )
    .returning(*RUN_COLUMNS)
    for target in LEGAL_MOVES[QUEUED]
    if target.final
}
_ENDED_UNCLAIMED = select(*RUN_COLUMNS).where(
    runs.c.id == bindparam("number"),
    runs.c.owner.is_(None),
    runs.c.status == bindparam("target"),
    runs.c.finished_at == bindparam("at"),
)
_IN_FLIGHT = select(*RUN_COLUMNS).where(status_in(IN_FLIGHT)).order_by(runs.c.id)


async def insert_queued(tx: Tx, new: NewRun, now: datetime, owner: str | None = None) -> Enqueued:
    """Insert a queued run, unless the same fire or idempotency key already has one.

    An `owner` that has a place for it claims it in the same statement: one write less for a run that need not wait.

    A job that allows one instance and has one in flight gets a `skipped` row instead: the unique index decides,
    so it holds for any number of callers.
    """
    if new.may_exist:
        existing = await find(tx, new)
        if existing is not None:
            return Enqueued(existing, created=False)
    if owner is None:
        row = await tx.first(_INSERT, _values(new, QUEUED, None, now))
    else:
        mine = {"owner": owner, "epoch": 1, "started_at": now}
        row = await tx.first(_INSERT, {**_values(new, RUNNING, None, now), **mine})
    if row is not None:
        run = run_from(row)
        if owner is None:
            return Enqueued(run, created=True)
        asked_for = replace(run, status=QUEUED, owner=None, epoch=0, started_at=None)
        return Enqueued(asked_for, created=True, claimed=run)
    return await insert_skipped(tx, new, SINGLE_INSTANCE, now)


async def insert_skipped(tx: Tx, new: NewRun, reason: str, now: datetime) -> Enqueued:
    """Insert a run that is born final: it was due or asked for, and did not start."""
    row = await tx.first(_INSERT, _values(new, SKIPPED, reason, now))
    if row is not None:
        return Enqueued(run_from(row), created=True)
    existing = await find(tx, new)
    if existing is None:
        raise RuntimeError(f"run of {new.job!r} was refused by the database without a row that explains it")
    return Enqueued(existing, created=False)


async def latest_status(tx: Tx, job: str) -> Status | None:
    """Status of the newest run of `job` that was not skipped; None when there is none."""
    status = await tx.scalar(_LATEST_STATUS, {"job": job})
    return Status(status) if status is not None else None


async def get(tx: Tx, number: int) -> Run | None:
    row = await tx.first(_BY_NUMBER, {"number": number})
    return run_from(row) if row is not None else None


async def in_flight(tx: Tx) -> list[Run]:
    """Queued, running and aborting runs, oldest first."""
    return [run_from(row) for row in await tx.all(_IN_FLIGHT)]


async def claim(tx: Tx, number: int, owner: str, now: datetime) -> Run | None:
    """queued -> running for `owner`, in a new epoch; None when someone else was faster or it was aborted.

    Repeated by the same owner with the same `now` it finds what it has claimed.
    """
    values = {"number": number, "by": owner, "at": now}
    row = await tx.first(_CLAIM, values) or await tx.first(_CLAIMED, values)
    return run_from(row) if row is not None else None


async def touch(tx: Tx, fence: Fence, *, step: str | None = None, lines: int = 0, dropped: int = 0) -> bool:
    """Prove ownership and note progress; False when the run is no longer ours to write about."""
    values = {"step": step, "lines": lines, "dropped": dropped, **_fence_values(fence)}
    return await tx.run(_FENCED, values) == 1


async def end(
    tx: Tx,
    fence: Fence,
    target: Status,
    now: datetime,
    *,
    reason: str | None = None,
    rows_affected: int | None = None,
    lines: int = 0,
    dropped: int = 0,
    code: str | None = None,
) -> Run | None:
    """Give a run its final status; None when it is no longer ours or already final.

    Its last steps and `lines` are to be written in the same transaction. Repeated with the same `now` it finds the
    run it has ended.
    """
    values = {
        "why": reason,
        "at": now,
        "rows": rows_affected,
        "lines": lines,
        "dropped": dropped,
        "code": code,
        **_fence_values(fence),
    }
    row = await tx.first(_ENDINGS[target], values)
    if row is None:
        row = await tx.first(_ENDED, {"target": str(target), "at": now, **_fence_values(fence)})
    return run_from(row) if row is not None else None


async def end_unclaimed(
    tx: Tx, number: int, target: Status, now: datetime, *, reason: str | None, by: str | None = None
) -> Run | None:
    """End a run that never started; None when it is not queued any more, unless this very end was stored before."""
    row = await tx.first(_END_UNCLAIMED[target], {"number": number, "at": now, "why": reason, "by": by})
    if row is None:
        row = await tx.first(_ENDED_UNCLAIMED, {"number": number, "target": str(target), "at": now})
    return run_from(row) if row is not None else None


async def request_abort(tx: Tx, number: int, by: str, now: datetime) -> Run | None:
    """running -> aborting, or queued -> aborted; None when the run is final or already aborting."""
    row = await tx.first(_REQUEST_ABORT, {"number": number, "by": by})
    if row is not None:
        return run_from(row)
    return await end_unclaimed(tx, number, ABORTED, now, reason=f"aborted by {by}", by=by)


def _fence_values(fence: Fence) -> dict[str, object]:
    return {"number": fence.number, "by": fence.owner, "at_epoch": fence.epoch}


async def find(tx: Tx, new: NewRun) -> Run | None:
    """The run that a request or fire with the same key has already made."""
    statement: Select[tuple[object, ...]]
    if new.idempotency_key is not None:
        statement, values = _BY_IDEMPOTENCY_KEY, {"job": new.job, "idempotency_key": new.idempotency_key}
    elif new.trigger.kind == "cron":
        trigger = new.trigger
        statement = _BY_FIRE
        values = {"job": new.job, "schedule": trigger.schedule, "scheduled_at": trigger.scheduled_at}  # type: ignore[dict-item]  # binds of mixed types
    else:
        return None
    row = await tx.first(statement, values)
    return run_from(row) if row is not None else None


def _values(new: NewRun, status: Status, reason: str | None, now: datetime) -> dict[str, object]:
    trigger = new.trigger
    return {
        "job": new.job,
        "app": new.app,
        "status": str(status),
        "reason": reason,
        "trigger": trigger.kind,
        "triggered_by": trigger.by,
        "schedule": trigger.schedule,
        "scheduled_at": trigger.scheduled_at,
        "queued_at": now,
        "finished_at": now if status.final else None,
        "params": dump(new.params),
        "overrides": dump(asdict(new.overrides)) if new.overrides != _NO_OVERRIDES else None,
        "replay_of": trigger.replay_of,
        "definition_version": new.definition_version,
        "parent_chain": dump([list(link) for link in trigger.parent_chain]) if trigger.parent_chain else None,
        "exclusive": new.exclusive and not status.final,
        "idempotency_key": new.idempotency_key,
        "epoch": 0,
        "caught_up": new.caught_up and not status.final,
        "covers_since": new.covers_since,
        "covers_count": new.covers_count,
        "gates": dump([list(gate) for gate in new.gates]) if new.gates else None,
        "backfill": new.backfill,
    }


_NO_OVERRIDES = Overrides()
