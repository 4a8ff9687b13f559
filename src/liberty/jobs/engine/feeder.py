"""Brings queued rows to this process: what earlier processes left, and what other replicas have no place for.

The rows are the queue, so nothing has to be told to anybody; a look at them every half second while there are other
replicas is the truth. A claim decides who runs a row, so two replicas that look at the same one do no harm.
"""

import random
from collections.abc import Callable
from datetime import datetime

from liberty.auth.principal import TEST_PREFIX
from liberty.bus import Bus
from liberty.clock import Clock
from liberty.database import Database, Tx
from liberty.errors import Invalid
from liberty.jobs.definition import job_from_definition
from liberty.jobs.engine.dispatcher import LocalDispatcher
from liberty.jobs.engine.execution import Queued
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.persist import persist, unless_away
from liberty.jobs.events import RunMoved
from liberty.jobs.job import Job
from liberty.jobs.run import FAILED, SKIPPED, Run, Status, StepRun
from liberty.jobs.store import alert_events, queue, runs, step_runs, versions
from liberty.loops import Ticker

ALONE_SECONDS = 5.0
SHARED_SECONDS = 0.5
ALONE_BATCH = 200  # rows brought at a time when no other replica could want them


class Feeder:
    """On the work loop. `others` tells how many other replicas there are."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        bus: Bus,
        dispatcher: LocalDispatcher,
        current: Callable[[], Generation],
        others: Callable[[], int],
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._dispatcher = dispatcher
        self._current = current
        self._others = others
        self._after = 0
        self.ticker = Ticker("feeder", unless_away(self._feed), SHARED_SECONDS)

    def has_room(self) -> None:
        """A place is free and nothing waits here: look at once if the last look did not see everything."""
        if self._after:
            self.ticker.wake()

    async def _feed(self) -> float:
        interval = SHARED_SECONDS if self._others() else ALONE_SECONDS
        room = self._dispatcher.room
        if room <= 0:
            return interval
        batch = 4 * room if self._others() else ALONE_BATCH
        found = await self._database.read(queue.waiting, after=self._after, limit=batch)
        self._after = found[-1].number if len(found) == batch else 0
        if self._others():
            random.shuffle(found)  # so that replicas that look at the same time do not ask for the same rows
        for run in found:
            if not self._dispatcher.knows(run.number):
                await self._bring(run)
        return interval

    async def _bring(self, run: Run) -> None:
        generation = self._current()
        try:
            job = await self._definition_of(run, generation)
        except Invalid as error:
            await self._end(run, FAILED, f"its definition cannot be read any more: {error.message}")
            return
        if job is None:
            await self._end(run, SKIPPED, "skipped: job removed")
            return
        stand_ins = await stand_ins_of(self._database, run)
        self._dispatcher.submit(Queued(run, job, generation, stand_ins))

    async def _end(self, run: Run, status: Status, reason: str) -> None:
        ended = await persist(self._database, _end_unclaimed, run.number, status, self._clock.now(), reason)
        self._bus.publish(RunMoved(ended or run))

    async def _definition_of(self, run: Run, generation: Generation) -> Job | None:
        """The definition a run was made from; None when its job is gone. The test of a step has none but its own."""
        current = generation.catalogue.jobs.get(run.job)
        if run.job.startswith(TEST_PREFIX):
            text = await self._database.read(versions.definition, run.job, run.definition_version or 0)
            return job_from_definition(text) if text is not None else None
        if current is None or run.definition_version in (None, generation.versions.get(run.job)):
            return current
        text = await self._database.read(versions.definition, run.job, run.definition_version or 0)
        return job_from_definition(text) if text is not None else current


async def _end_unclaimed(tx: Tx, number: int, status: Status, now: datetime, reason: str) -> Run | None:
    ended = await runs.end_unclaimed(tx, number, status, now, reason=reason)
    if ended is not None and status == FAILED:
        await alert_events.add(tx, alert_events.of_run(ended))
    return ended


async def stand_ins_of(database: Database, run: Run) -> tuple[StepRun, ...]:
    """The records that stand in for the steps before `from_step` of a replay."""
    if run.overrides.from_step is None or run.replay_of is None:
        return ()
    before: list[StepRun] = []
    for record in await database.read(step_runs.of_run, run.replay_of):
        if record.name == run.overrides.from_step:
            break
        before.append(record)
    return tuple(before)
