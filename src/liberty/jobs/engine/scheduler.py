"""Fires what is due: the scheduler's state is a watermark per schedule, and now.

Every tick plans the instants between a schedule's watermark and now, and writes their rows and the new watermark in
one transaction. The row's unique key (job, schedule, scheduled instant) makes a fire happen once, whoever inserts it.
Waits are short and recomputed from the wall clock, so a clock that jumps is noticed within seconds.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from liberty.clock import Clock
from liberty.database import Database
from liberty.errors import Unavailable
from liberty.jobs.engine.drafts import Draft, batches, draft, firing_of
from liberty.jobs.engine.firing import MAX_FIRES, Basis, Fired, Firing
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.leadership import Leadership
from liberty.jobs.engine.planning import GRACE, Budget
from liberty.jobs.engine.timetable import Timetable
from liberty.jobs.store import pauses, schedules
from liberty.jobs.store.lease import Lease
from liberty.jobs.store.pauses import Pause, first_holding
from liberty.jobs.store.schedules import Mark, Place
from liberty.loops import Ticker, contained, contained_wait

LONGEST_SLEEP_SECONDS = 30.0
RETRY_SECONDS = 1.0
PUT_OFF_SECONDS = 30.0
"""How long a schedule that raised is left alone."""
CLOCK_WENT_BACK = timedelta(minutes=1)
"""A watermark that far in the future was set by a clock that has since gone back."""

_log = logging.getLogger("nomaflow.scheduler")


class TakesFires(Protocol):
    """The engine, as the scheduler needs it."""

    @property
    def replica(self) -> str: ...

    async def enqueue_fires(
        self, firings: Sequence[Firing], basis: Basis, generation: Generation, now: datetime
    ) -> Fired:
        """Write a batch in one transaction and take up the runs that are queued by it. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class SchedulerState:
    """For the heartbeat panel: is the scheduler alive, who leads, what did it last do, what comes next.

    `enabled`: this process takes part. `active`: it is the one that fires. `never_due`: jobs with a schedule in force
    that has no further instant.
    """

    enabled: bool
    active: bool
    last_tick_at: datetime | None
    last_fire_at: datetime | None
    next_fire_at: datetime | None
    lease: Lease | None
    never_due: tuple[str, ...]


class Scheduler:
    """The schedule of one generation after another. Control loop only."""

    def __init__(self, *, engine: TakesFires, database: Database, clock: Clock) -> None:
        self._engine = engine
        self._database = database
        self._clock = clock
        self._leadership = Leadership(database, clock, engine.replica)
        self._generation: Generation | None = None
        self._table = Timetable()
        self._marks: dict[Place, Mark] = {}
        self._due: dict[Place, datetime] = {}
        self._held: set[Place] = set()
        self._basis: Basis | None = None
        self._pauses: Mapping[str, Pause] = {}
        self._settled = False
        self._away = False
        self._busy = asyncio.Lock()
        self._last_tick: datetime | None = None
        self._last_fire: datetime | None = None
        self.ticker = Ticker("scheduler", self._tick, RETRY_SECONDS)

    # -- what is followed

    async def use(self, generation: Generation) -> None:
        """Follow the schedules of `generation` from now on.

        A schedule that is as it was goes on where it stood, so nothing due at this moment is lost; a new or changed
        one does not look back.
        """
        follows = generation.settings.jobs.scheduler_enabled
        table = Timetable(generation.catalogue.jobs.values() if follows else ())
        table.fill(await asyncio.to_thread(table.first_after, {}, self.now()))
        async with self._busy:
            await self.refresh_pauses()
            if self._settled and self._leadership.leading:
                try:
                    await self._fire_due()  # what is due by now is due by the schedules as they were
                except Unavailable as error:
                    _log.warning("a reload could not wait for due fires: %s", error.message)
            self._generation = generation if follows else None
            self._table = table
            self._unsettle()
        for job, key in sorted(table.never):
            _log.warning("job %s: schedule %s has no further instant", job, key)
        self.ticker.wake()

    async def refresh_pauses(self) -> None:
        """Read again who is paused."""
        self._take_pauses(await self._database.read(pauses.everything))

    async def resign(self) -> None:
        """Leave the schedule to another process at once. Call it when the ticker has stopped."""
        try:
            await self._leadership.resign()
        except Unavailable as error:
            _log.warning("the scheduler's lease runs out by itself: %s", error.message)

    # -- what others ask

    def now(self) -> datetime:
        """The time by which schedules are followed: on PostgreSQL, the database's."""
        return self._leadership.now()

    def pause_of(self, job: str, instant: datetime) -> Pause | None:
        """The pause or freeze that holds `job` back at `instant`."""
        return first_holding(self._pauses.values(), job, instant)

    @property
    def all_pauses(self) -> Mapping[str, Pause]:
        return self._pauses

    @property
    def state(self) -> SchedulerState:
        return SchedulerState(
            enabled=self._generation is not None,
            active=self._generation is not None and self._leadership.leading,
            last_tick_at=self._last_tick,
            last_fire_at=self._last_fire,
            next_fire_at=self._table.first,
            lease=self._leadership.lease,
            never_due=tuple(sorted({job for job, _ in self._table.never})),
        )

    def next_fire_of(self, job: str) -> datetime | None:
        """When `job` fires next by any of its schedules; None when nothing is scheduled."""
        return self._table.next_of(job)

    def next_fires(self) -> dict[str, datetime]:
        """The next fire of every job that has one."""
        return self._table.next_of_all()

    # -- ticking

    async def _tick(self) -> float:
        async with self._busy:
            self._last_tick = self._clock.now()
            try:
                return await self._step()
            except Unavailable as error:
                if not self._away:
                    _log.error("schedules wait: %s", error.message)
                self._away = True
                return RETRY_SECONDS

    async def _step(self) -> float:
        if self._generation is None:
            await self._leadership.resign()
            return LONGEST_SLEEP_SECONDS
        self._notice_jump()
        if self._leadership.due_in == 0:
            await self._look()
        if not self._leadership.leading:
            self._unsettle()
            self._table.roll(self.now())
            return max(self._leadership.due_in, 0.05)
        if not self._settled:
            await self._settle()
        more = await self._fire_due()
        if more:
            return 0.0
        first = self._table.first
        wait = LONGEST_SLEEP_SECONDS if first is None else (first - self.now()).total_seconds()
        return max(min(wait, self._leadership.due_in, self._leadership.pace.look), 0.0)

    async def _look(self) -> None:
        was_leading = self._leadership.leading
        found = await self._leadership.look()
        if self._away:
            _log.info("the database is back; schedules are followed again")
            self._away = False
        if not was_leading:
            self._unsettle()
        self._take_pauses(found.pauses)

    def _take_pauses(self, found: Mapping[str, Pause]) -> None:
        if found != self._pauses:
            self._pauses = found
            self._basis = None  # read again before the next plan; what waited for a pause may go on
            self._due |= {place: self._marks[place].watermark for place in self._held}
            self.ticker.wake()

    def _notice_jump(self) -> None:
        jumped = self._leadership.jumped()
        if jumped < timedelta():
            _log.warning("the clock went back by %s; what has its row does not fire again", -jumped)
            self._unsettle()
        elif jumped > timedelta():
            _log.warning("the clock went forward by %s; what was due in between was missed", jumped)

    async def _settle(self) -> None:
        """Take over: read how far every schedule is, begin new ones now, forget those that are gone."""
        now = self.now()
        marks = await self._database.write(schedules.reconcile, self._table.specs, now, now + CLOCK_WENT_BACK)
        watermarks = {place: mark.watermark for place, mark in marks.items()}
        self._table.fill(await asyncio.to_thread(self._table.first_after, watermarks, now))
        self._marks = marks
        self._settled = True

    def _unsettle(self) -> None:
        """Believe nothing but the table of watermarks."""
        self._settled = False
        self._marks, self._due, self._held, self._basis = {}, {}, set(), None

    # -- firing

    async def _fire_due(self) -> bool:
        """Fire everything that has just become due, and a batch of what is older; True when some of it is left."""
        now = self.now()
        self._due |= self._table.take(now)
        if not self._due or self._generation is None:
            return False
        basis = await self._read_pauses()
        young = [place for place, at in self._due.items() if now - at <= GRACE and place not in self._held]
        again = await self._write(self._plan(young, now, basis), basis, now)
        if old := [place for place in self._due if place not in young]:
            # In a thread: after a long time down there may be very much to count.
            drafts = await asyncio.to_thread(self._plan, old, now, basis, MAX_FIRES)
            again = await self._write(drafts, basis, now) or again
        return again or any(place not in young for place in self._due)

    async def _read_pauses(self) -> Basis:
        if self._basis is None:
            since = min((mark.watermark for mark in self._marks.values()), default=self.now())
            self._basis = Basis(since, await self._database.read(pauses.since, since))
        return self._basis

    def _plan(
        self, places: Sequence[Place], now: datetime, basis: Basis, enough: int | None = None
    ) -> list[Draft | Place]:
        """A draft for each place, up to `enough` rows; the bare place for one whose planning raised."""
        budget, rows, drafts = Budget(), 0, list[Draft | Place]()
        for place in sorted(places):
            job, fire = self._table.fires[place]
            planning = partial(
                draft, self._marks[place], job, fire, now, basis.pauses, self._leadership.gaps, budget
            )
            drafted = contained(f"planning schedule {place[1]} of job {place[0]}", planning)
            drafts.append(place if drafted is None else drafted)
            rows += 0 if drafted is None else len(drafted.verdicts)
            if enough is not None and rows >= enough:
                break
        return drafts

    async def _write(self, drafts: Iterable[Draft | Place], basis: Basis, now: datetime) -> bool:
        """Write drafts in batches; True when some have to be planned again."""
        again = False
        for batch in batches(drafts):
            if self._leadership.due_in == 0:
                await self._look()
            if not (self._leadership.leading and self._settled and self._basis is basis):
                return True
            firings: list[tuple[Draft, Firing]] = []
            for item in batch:
                if not isinstance(item, Draft):
                    self._put_off(item)
                elif not item.verdicts:
                    self._written(item, basis)
                elif (firing := self._firing_of(item, now)) is None:
                    self._put_off(item.mark.place)
                else:
                    firings.append((item, firing))
            if firings:
                again = await self._write_batch(firings, basis, now) or again
        return again

    async def _write_batch(self, batch: Sequence[tuple[Draft, Firing]], basis: Basis, now: datetime) -> bool:
        generation = self._generation
        if generation is None:
            return True
        wanted = [firing for _, firing in batch]
        work = self._engine.enqueue_fires(wanted, basis, generation, now)
        fired = await contained_wait("firing " + ", ".join(f.job.name for f in wanted[:5]), work, Unavailable)
        if fired is None:
            if len(batch) == 1:
                self._put_off(batch[0][0].mark.place)
                return False
            # One of them is the culprit: alone, it holds up nobody.
            return any([await self._write_batch([one], basis, now) for one in batch])
        if fired.stale is not None:
            self._take_pauses({pause.job: pause for pause in fired.stale.pauses if pause.ended_at is None})
            self._basis = fired.stale
            return True
        for done, firing in batch:
            if firing.place not in fired.lost:
                self._written(done, basis)
                if any(verdict.does == "fire" for verdict in done.verdicts):
                    self._last_fire = max(self._last_fire or firing.watermark, firing.watermark)
        if fired.lost:
            await self._read_marks(fired.lost)
        return False

    def _firing_of(self, done: Draft, now: datetime) -> Firing | None:
        generation = self._generation
        if generation is None:
            return None
        key, job = done.fire.key, done.job.name
        return contained(f"firing schedule {key} of job {job}", partial(firing_of, done, generation, now))

    def _written(self, done: Draft, basis: Basis) -> None:
        place = done.mark.place
        self._marks[place] = replace(done.mark, watermark=done.watermark)
        self._due.pop(place, None)
        self._held.discard(place)
        if done.waits:
            self._held.add(place)
            if self._basis is not basis:  # the pause it waits for may have ended while this was written
                self._due[place] = done.watermark
        self._table.put(place, done.next)

    def _put_off(self, place: Place) -> None:
        """Leave a schedule that raised alone for a while; it is planned from its watermark then."""
        self._due.pop(place, None)
        self._table.put(place, self.now() + timedelta(seconds=PUT_OFF_SECONDS))

    async def _read_marks(self, places: Iterable[Place]) -> None:
        """Another scheduler has moved these on, or they are not in its configuration."""
        marks = await self._database.read(schedules.everything)
        for place in places:
            self._due.pop(place, None)
            if place not in marks:
                self._settled = False
                continue
            self._marks[place] = marks[place]
            self._table.put(place, self._table.next_after(place, marks[place].watermark))
