"""Fires what is due: sleeps until the next instant of any schedule, inserts its row, computes the one after.

The row's unique key (job, schedule, scheduled instant) makes a fire happen once, whoever inserts it. Waits are short
and recomputed from the wall clock, so a clock that jumps is noticed within `LONGEST_SLEEP_SECONDS`.
"""

import heapq
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from liberty.clock import Clock
from liberty.database import Database
from liberty.errors import LibertyError, Unavailable
from liberty.jobs.engine.engine import Engine
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.requests import new_run
from liberty.jobs.job import Fire, Job
from liberty.jobs.run import Overrides, Trigger
from liberty.jobs.store import pauses
from liberty.jobs.store.pauses import FREEZE, Pause
from liberty.jobs.triggers.base import between
from liberty.loops import Ticker

LONGEST_SLEEP_SECONDS = 30.0
RETRY_SECONDS = 1.0

_log = logging.getLogger("nomaflow.scheduler")


@dataclass(frozen=True, slots=True)
class Due:
    """One instant of one schedule of a job."""

    at: datetime
    job: str
    schedule: str
    preset: str | None


@dataclass(frozen=True, slots=True)
class SchedulerState:
    """For the heartbeat panel: is the scheduler alive, what did it last do, what comes next."""

    active: bool
    last_tick_at: datetime | None
    last_fire_at: datetime | None
    next_fire_at: datetime | None


class Scheduler:
    """The schedule of one generation after another. Control loop only."""

    def __init__(self, *, engine: Engine, database: Database, clock: Clock) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._generation: Generation | None = None
        self._heap: list[tuple[datetime, str, str]] = []
        self._fires: dict[tuple[str, str], tuple[Job, Fire]] = {}
        self._owed: deque[tuple[Job, Fire, datetime]] = deque()
        self._pauses: Mapping[str, Pause] = {}
        self._last_tick: datetime | None = None
        self._last_fire: datetime | None = None
        self.ticker = Ticker("scheduler", self._tick, LONGEST_SLEEP_SECONDS)

    async def use(self, generation: Generation) -> None:
        """Follow the schedules of `generation` from now on.

        A schedule that is as it was goes on where it stood, so nothing due at this moment is lost; a new or changed
        one does not look back.
        """
        await self.refresh_pauses()
        self._generation = generation if generation.settings.jobs.scheduler_enabled else None
        now = self._clock.now()
        before, self._fires = self._fires, {}
        stood = {(name, key): at for at, name, key in self._heap}
        self._heap = []
        for job in generation.catalogue.jobs.values() if self._generation else ():
            for fire in job.fires:
                place = (job.name, fire.key)
                self._fires[place] = (job, fire)
                if place in stood and before[place][1].schedule == fire.schedule:
                    self._heap.append((stood[place], *place))
                else:
                    self._push(job.name, fire, now)
        heapq.heapify(self._heap)
        self.ticker.wake()

    async def refresh_pauses(self) -> None:
        """Read again who is paused."""
        self._pauses = await self._database.read(pauses.everything)

    def pause_of(self, job: str, instant: datetime) -> Pause | None:
        """The pause or freeze that holds `job` back at `instant`."""
        for name in (FREEZE, job):
            pause = self._pauses.get(name)
            if pause is not None and pause.holds(instant):
                return pause
        return None

    @property
    def all_pauses(self) -> Mapping[str, Pause]:
        return self._pauses

    @property
    def state(self) -> SchedulerState:
        return SchedulerState(
            active=self._generation is not None,
            last_tick_at=self._last_tick,
            last_fire_at=self._last_fire,
            next_fire_at=self._heap[0][0] if self._heap else None,
        )

    def next_fire_of(self, job: str) -> datetime | None:
        """When `job` fires next by any of its schedules; None when nothing is scheduled."""
        return min((at for at, name, _ in self._heap if name == job), default=None)

    def next_fires(self) -> dict[str, datetime]:
        """The next fire of every job that has one."""
        found: dict[str, datetime] = {}
        for at, name, _ in self._heap:
            if name not in found or at < found[name]:
                found[name] = at
        return found

    def _push(self, job: str, fire: Fire, after: datetime) -> None:
        following = fire.schedule.next_after(after)
        if following is None:
            _log.warning("job %s: schedule %s has no further instant", job, fire.key)
            return
        heapq.heappush(self._heap, (following, job, fire.key))

    async def _tick(self) -> float | None:
        now = self._clock.now()
        self._last_tick = now
        while self._owed:
            if not await self._fire(*self._owed[0]):
                return RETRY_SECONDS
            self._owed.popleft()
        while self._heap and self._heap[0][0] <= now:
            at, name, key = heapq.heappop(self._heap)
            job, fire = self._fires[(name, key)]
            self._push(name, fire, at)
            if not await self._fire(job, fire, at):
                self._owed.append((job, fire, at))
            now = self._clock.now()
        if self._owed:
            return RETRY_SECONDS
        if not self._heap:
            return None
        wait = (self._heap[0][0] - self._clock.now()).total_seconds()
        return min(max(wait, 0.0), LONGEST_SLEEP_SECONDS)

    async def _fire(self, job: Job, fire: Fire, at: datetime) -> bool:
        """Make the run of one due instant; False when the database is away and it has to be made later."""
        if self._generation is None:
            return True
        pause = self.pause_of(job.name, at)
        trigger = Trigger("cron", "cron", scheduled_at=at, schedule=fire.key)
        try:
            new = new_run(job, self._generation, trigger, Overrides(preset=fire.preset), self._clock.now())
            await self._engine.enqueue(
                new, job, self._generation, held=_held(pause) if pause is not None else None
            )
        except Unavailable as error:
            _log.error("job %s waits to be started for %s: %s", job.name, at.isoformat(), error.message)
            return False
        except LibertyError as error:
            _log.error("job %s could not be started for %s: %s", job.name, at.isoformat(), error.message)
            return True
        self._last_fire = at
        return True


def _held(pause: Pause) -> str:
    what = "frozen" if pause.job == FREEZE else "paused"
    why = f": {pause.reason}" if pause.reason else ""
    return f"skipped: {what} by {pause.author}{why}"


def upcoming(jobs: Iterable[Job], since: datetime, until: datetime) -> Iterator[Due]:
    """Every instant due in (since, until], job by job: the same computation as the scheduler's own."""
    for job in jobs:
        for fire in job.fires:
            for at in between(fire.schedule, since, until):
                yield Due(at, job.name, fire.key, fire.preset)
