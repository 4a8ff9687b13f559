"""What will fire when: the calendar of all jobs and the preview of one schedule, by the scheduler's own rules."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from liberty.clock import Clock
from liberty.database import Database
from liberty.errors import Invalid
from liberty.jobs.calendar import Due, in_order
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.job import PRESET_KEY, SCHEDULE_KEY, Job
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.forecast import Crowd, Effect, Meeting, Night, crowds, meetings, nights
from liberty.jobs.service.instants import TICK
from liberty.jobs.service.schedule_warnings import ScheduleWarning, warnings_of
from liberty.jobs.store.durations import of_latest
from liberty.jobs.store.pauses import FREEZE
from liberty.jobs.triggers import Schedule, parse_schedule, preview, zone

MAX_SPAN = timedelta(days=31)
MAX_INSTANTS = 10_000
MAX_PREVIEW = 100
MEASURED_RUNS = 100
NEXT_INSTANTS = 3


type Held = Literal["paused", "frozen"]


@dataclass(frozen=True, slots=True)
class Coming:
    """A due instant: on which clock, what holds it back, and what it does when the earlier run is still going."""

    due: Due
    timezone: str
    held: Held | None
    meets: Effect | None

    @property
    def local(self) -> datetime:
        """The instant on the schedule's own clock."""
        return self.due.at.astimezone(zone(self.timezone))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The due instants of a span, in order; `truncated` when there were more than 10,000.

    What is foreseen is about the instants that are listed and not held back.
    """

    items: list[Coming]
    truncated: bool
    nights: list[Night]
    meetings: list[Meeting]
    crowds: list[Crowd]


@dataclass(frozen=True, slots=True)
class NamedNext:
    """One schedule of a job, in words, with its next instants; none when it is switched off or has no further one."""

    key: str
    name: str | None
    preset: str | None
    schedule: Schedule
    description: str
    enabled: bool
    next: list[datetime]


@dataclass(frozen=True, slots=True)
class Preview:
    """A schedule in words, when it fires next, and what to know about it."""

    schedule: Schedule
    next: list[datetime]
    warnings: list[ScheduleWarning]


class ScheduleReader:
    """Looks ahead."""

    def __init__(
        self, *, database: Database, clock: Clock, scheduler: Scheduler, current: Callable[[], Generation]
    ) -> None:
        self._database = database
        self._clock = clock
        self._scheduler = scheduler
        self._current = current

    async def calendar(
        self, caller: Caller, *, since: datetime | None = None, until: datetime | None = None
    ) -> Calendar:
        """Everything due from `since` (now) to `until` (a day later), both included, for the jobs the caller may read.

        Raises Invalid when the span is empty or longer than 31 days.
        """
        begin = since or self._clock.now()
        end = until or begin + timedelta(days=1)
        if not begin < end <= begin + MAX_SPAN:
            raise Invalid(f"`to` lies after `from`, at most {MAX_SPAN.days} days")
        generation = self._current()
        jobs = {
            name: job
            for name, job in generation.catalogue.jobs.items()
            if caller.may("read", job.name, job.app)
        }

        def look() -> tuple[list[Due], list[Night]]:
            found = list(islice(in_order(jobs.values(), begin - TICK, end), MAX_INSTANTS + 1))
            return found, nights(jobs.values(), begin, end)

        found, changes = await asyncio.to_thread(look)
        due = found[:MAX_INSTANTS]
        known = {item.job for item in due}
        held: dict[tuple[str, datetime], Held] = {
            (item.job, item.at): "frozen" if pause.job == FREEZE else "paused"
            for item in due
            if (pause := self._scheduler.pause_of(item.job, item.at)) is not None
        }
        free = [item for item in due if (item.job, item.at) not in held]
        counts = Counter(item.job for item in free)
        repeated = [name for name, count in counts.items() if count > 1]
        durations = await self._database.read(of_latest, repeated, MEASURED_RUNS)
        at_once = generation.settings.jobs.max_concurrent_runs

        def foresee() -> Calendar:
            meet = meetings(jobs, free, durations)
            effects = {
                (meeting.job, *place): effect for meeting in meet for place, effect in meeting.effects.items()
            }
            zones = {(name, fire.key): fire.schedule.timezone for name in known for fire in jobs[name].fires}
            items = [
                Coming(
                    item,
                    zones[item.job, item.schedule],
                    held.get((item.job, item.at)),
                    effects.get((item.job, item.schedule, item.at)),
                )
                for item in due
            ]
            return Calendar(items, len(found) > MAX_INSTANTS, changes, meet, crowds(jobs, free, at_once))

        return await asyncio.to_thread(foresee)

    async def preview(
        self, text: str, *, timezone: str | None = None, since: datetime | None = None, count: int = 5
    ) -> Preview:
        """The next `count` instants of a schedule. Raises Invalid when it cannot be read or is never due."""
        if not 1 <= count <= MAX_PREVIEW:
            raise Invalid(f"count is 1 to {MAX_PREVIEW}")
        schedule = parse_schedule(text, timezone or None)
        begin = since or self._clock.now()

        def look() -> Preview:
            return Preview(schedule, preview(schedule, begin, count), list(warnings_of(schedule, begin)))

        return await asyncio.to_thread(look)


def schedules_of(job: Job, now: datetime) -> list[NamedNext]:
    """Every schedule that the definition of `job` has, switched off ones included."""
    in_force = {fire.key for fire in job.fires}
    listed: list[tuple[str, str | None, str | None, Schedule, str]] = []
    if job.schedule:
        listed.append(("main", None, None, parse_schedule(job.schedule, job.timezone), ""))
    listed += [
        (SCHEDULE_KEY + entry.name, entry.name, None, job.parsed(entry), entry.description)
        for entry in job.schedules
    ]
    listed += [
        (PRESET_KEY + preset.name, None, preset.name, job.parsed(preset), preset.description)
        for preset in job.presets
        if preset.schedule
    ]
    return [
        NamedNext(
            key, name, preset, schedule, description, on, preview(schedule, now, NEXT_INSTANTS) if on else []
        )
        for key, name, preset, schedule, description in listed
        for on in (key in in_force,)
    ]
