"""Runs for past instants of a job's schedules, as if they had fired then: all rows at once, a few running at a time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from liberty.auth import audit
from liberty.clock import Clock, rfc3339, to_millis
from liberty.database import Database, Tx
from liberty.errors import Conflict, Invalid, NotFound
from liberty.jobs.calendar import Due, in_order
from liberty.jobs.engine.admission import admit
from liberty.jobs.engine.engine import Engine
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.requests import new_run
from liberty.jobs.job import Job
from liberty.jobs.run import Gate, NewRun, Run, Trigger
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.instants import TICK
from liberty.jobs.store import backfills
from liberty.jobs.store.backfills import BackfillRow
from liberty.jobs.store.queue import job_gate
from liberty.jobs.store.runs import Enqueued

MAX_INSTANTS = 1000
MAX_CONCURRENT = 32


@dataclass(frozen=True, slots=True)
class Backfill:
    """What was made: its number, the instants in the order in which they run, and their runs.

    `number` is None when there was nothing to make.
    """

    number: int | None
    job: str
    instants: list[datetime]
    runs: list[Run]


@dataclass(frozen=True, slots=True)
class Order:
    """How a span is to be gone through."""

    only_missing: bool = True
    newest_first: bool = False
    max_concurrent: int = 1


class Backfills:
    """Starts backfills and calls them off. What was started goes on whoever is up: its rows are the plan."""

    def __init__(
        self, *, database: Database, clock: Clock, engine: Engine, current: Callable[[], Generation]
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._current = current

    async def start(
        self, name: str, caller: Caller, *, since: datetime, until: datetime, order: Order
    ) -> Backfill:
        """Queue a run for each instant due in [since, until], to run one after another or as many at once as told.

        With `only_missing` an instant that has succeeded by any run, or is about to be tried, is left out. Raises
        NotFound, Conflict when the job is quarantined, Invalid when nothing was due, or more than 1,000 instants, or
        some are still to come.
        """
        generation = self._current()
        job = caller.job(generation.catalogue, name, "run")
        if not since < until <= self._clock.now():
            raise Invalid("`from` lies before `to`, and `to` not in the future")
        if not 1 <= order.max_concurrent <= MAX_CONCURRENT:
            raise Invalid(f"max_concurrent is 1 to {MAX_CONCURRENT}")
        due = await asyncio.to_thread(_due, job, since, until)
        if order.newest_first:
            due.reverse()
        wanted = [(item, self._new(job, item, caller, generation)) for item in due]
        number, made = await self._database.write(
            _make, job, wanted, order, caller, (since, until), to_millis(self._clock.now())
        )
        for enqueued in made:
            self._engine.take_up(enqueued, job, generation)
        runs = [enqueued.run for enqueued in made]
        return Backfill(number, job.name, [run.scheduled_at for run in runs if run.scheduled_at], runs)

    async def all_of(self, name: str, caller: Caller) -> list[tuple[BackfillRow, dict[str, int]]]:
        """The newest backfills of a job, each with the number of its runs by status."""
        job = caller.job_name(self._current().catalogue, name, "read")
        return await self._database.read(backfills.of_job, job)

    async def cancel(self, name: str, number: int, caller: Caller) -> BackfillRow:
        """End what waits and stop what runs of a backfill. Raises NotFound, Conflict when it was cancelled before."""
        job = caller.job_name(self._current().catalogue, name, "abort")
        stopped = await self._database.write(_cancel, job, number, caller, to_millis(self._clock.now()))
        row = await self._database.read(backfills.get, job, number)
        if row is None:
            raise NotFound(f"job {job!r} has no backfill {number}")
        if stopped is None:
            raise Conflict(f"backfill {number} was cancelled by {row.cancelled_by} already")
        for run in stopped:
            self._engine.stopped(run)
        return row

    def _new(self, job: Job, due: Due, caller: Caller, generation: Generation) -> NewRun:
        trigger = Trigger(caller.via, caller.by, scheduled_at=due.at, schedule=due.schedule)
        new = new_run(job, generation, trigger, due.overrides, self._clock.now())
        gates = new.gates
        if job.overlap != "allow" and job_gate(job.name) not in gates:
            gates = (job_gate(job.name), *gates)
        return replace(new, gates=gates, exclusive=False, replaces=False, max_queued=None)


def _due(job: Job, since: datetime, until: datetime) -> list[Due]:
    found: list[Due] = []
    for item in in_order([job], since - TICK, until):
        found.append(item)
        if len(found) > MAX_INSTANTS:
            raise Invalid(f"more than {MAX_INSTANTS} instants were due then; choose a shorter span")
    if not found:
        raise Invalid(f"job {job.name!r} was not due at all from {rfc3339(since)} to {rfc3339(until)}")
    return found


async def _make(
    tx: Tx,
    job: Job,
    wanted: list[tuple[Due, NewRun]],
    order: Order,
    caller: Caller,
    span: tuple[datetime, datetime],
    now: datetime,
) -> tuple[int | None, list[Enqueued]]:
    instants = [due.at for due, _ in wanted]
    done = await backfills.settled(tx, job.name, min(instants), max(instants)) if order.only_missing else ()
    missing = [new for due, new in wanted if (due.schedule, due.at) not in done]
    if not missing:
        return None, []
    asked = {
        "job": job.name,
        "since": span[0],
        "until": span[1],
        "newest_first": order.newest_first,
        "max_concurrent": order.max_concurrent,
        "only_missing": order.only_missing,
        "requested_at": now,
        "requested_by": caller.by,
    }
    number = await backfills.add(tx, asked)
    gate = Gate(f"backfill:{number}", order.max_concurrent)
    made = [
        await admit(
            tx, replace(new, gates=(*new.gates, gate), backfill=number), job.depends_on, None, None, now
        )
        for new in missing
    ]
    details = {
        "from": rfc3339(span[0]),
        "to": rfc3339(span[1]),
        "backfill": number,
        "runs": len(made),
        "newest_first": order.newest_first,
        "max_concurrent": order.max_concurrent,
    }
    await audit.record(
        tx,
        at=now,
        actor=caller.principal,
        action="backfill",
        object=f"job:{job.name}",
        details=details,
        address=caller.address,
    )
    return number, made


async def _cancel(tx: Tx, job: str, number: int, caller: Caller, now: datetime) -> list[Run] | None:
    stopped = await backfills.cancel(tx, job, number, caller.by, now)
    if stopped is not None:
        await audit.record(
            tx,
            at=now,
            actor=caller.principal,
            action="backfill-cancel",
            object=f"job:{job}",
            details={"backfill": number, "runs": len(stopped)},
            address=caller.address,
        )
    return stopped
