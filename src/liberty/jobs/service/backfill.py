"""Runs for past instants of a job's schedules, as if they had fired then."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from liberty.bus import Bus
from liberty.clock import Clock, rfc3339
from liberty.database import Database
from liberty.errors import Invalid, LibertyError
from liberty.jobs.calendar import Due, upcoming
from liberty.jobs.engine.engine import Engine
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.requests import new_run
from liberty.jobs.events import RunMoved
from liberty.jobs.job import Job
from liberty.jobs.run import Run, Trigger
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.instants import TICK
from liberty.jobs.store import listing, runs

MAX_INSTANTS = 1000
_CHECK_SECONDS = 5.0

_log = logging.getLogger("nomaflow.backfill")


@dataclass(frozen=True, slots=True)
class Backfill:
    """What was asked for. `one_at_a_time`: the rest follow as each run ends, because the job allows one instance."""

    job: str
    instants: list[datetime]
    runs: list[Run]
    one_at_a_time: bool


class Backfills:
    """Starts backfills; `close` ends those that still have runs to start."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        engine: Engine,
        bus: Bus,
        current: Callable[[], Generation],
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._bus = bus
        self._current = current
        self._going: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in list(self._going):
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)

    async def start(
        self, name: str, caller: Caller, *, since: datetime, until: datetime, only_missing: bool
    ) -> Backfill:
        """Make a run for each instant due in [since, until]; `only_missing` leaves out those that have a row.

        Asked again with `only_missing`, it makes no second run for an instant. Raises NotFound, Conflict when the
        job is quarantined, Invalid when nothing was due, or more than 1,000 instants, or some are still to come.
        """
        job = caller.job(self._current().catalogue, name, "run")
        if not since < until <= self._clock.now():
            raise Invalid("`from` lies before `to`, and `to` not in the future")
        due = await self._due(job, since, until, only_missing=only_missing)
        instants = [item.at for item in due]
        if not job.single_instance:
            made = [await self._enqueue(job.name, item, caller, only_missing=only_missing) for item in due]
            return Backfill(job.name, instants, made, one_at_a_time=False)
        first = [await self._enqueue(job.name, due[0], caller, only_missing=only_missing)] if due else []
        if len(due) > 1:
            work = self._one_by_one(job.name, first[0], due[1:], caller, only_missing=only_missing)
            task = asyncio.create_task(work, name=f"backfill {job.name}")
            self._going.add(task)
            task.add_done_callback(self._going.discard)
        return Backfill(job.name, instants, first, one_at_a_time=True)

    async def _due(self, job: Job, since: datetime, until: datetime, *, only_missing: bool) -> list[Due]:
        def look() -> list[Due]:
            found: list[Due] = []
            for item in upcoming([job], since - TICK, until):
                found.append(item)
                if len(found) > MAX_INSTANTS:
                    raise Invalid(f"more than {MAX_INSTANTS} instants were due then; choose a shorter span")
            return sorted(found, key=lambda item: (item.at, item.schedule))

        found = await asyncio.to_thread(look)
        if not found:
            raise Invalid(f"job {job.name!r} was not due at all from {rfc3339(since)} to {rfc3339(until)}")
        if not only_missing:
            return found
        rows = await self._database.read(listing.fires, job.name, found[0].at, until)
        have = {(row.schedule, row.scheduled_at) for row in rows}
        return [item for item in found if (item.schedule, item.at) not in have]

    async def _enqueue(self, name: str, due: Due, caller: Caller, *, only_missing: bool) -> Run:
        generation = self._current()
        job = generation.catalogue.get(name)
        trigger = Trigger(caller.via, caller.by, scheduled_at=due.at, schedule=due.schedule)
        key = f"backfill:{due.schedule}:{rfc3339(due.at)}" if only_missing else None
        new = new_run(job, generation, trigger, due.overrides, self._clock.now(), idempotency_key=key)
        enqueued = await self._engine.enqueue(new, job, generation, asker=caller.asker("backfill"))
        return enqueued.run

    async def _one_by_one(
        self, name: str, before: Run, due: Sequence[Due], caller: Caller, *, only_missing: bool
    ) -> None:
        for number, item in enumerate(due):
            await self._ended(before)
            try:
                before = await self._enqueue(name, item, caller, only_missing=only_missing)
            except LibertyError as error:
                left = len(due) - number
                _log.error("backfill of %s stopped with %d instants left: %s", name, left, error.message)
                return

    async def _ended(self, run: Run) -> None:
        """Return when the run is final."""
        with self._bus.subscribe(RunMoved) as moves:
            while True:
                now = await self._database.read(runs.get, run.number)
                if now is None or now.status.final:
                    return
                try:
                    async with asyncio.timeout(_CHECK_SECONDS):
                        while (await moves.next()).run.number != run.number:
                            pass
                except TimeoutError:
                    continue
