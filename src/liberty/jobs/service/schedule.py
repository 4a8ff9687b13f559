"""What will fire when: the calendar of all jobs and the preview of one schedule, by the scheduler's own rules."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from liberty.clock import Clock
from liberty.errors import Invalid
from liberty.jobs.calendar import Due, upcoming
from liberty.jobs.engine.generation import Generation
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.instants import TICK
from liberty.jobs.triggers import Schedule, parse_schedule, preview

MAX_SPAN = timedelta(days=31)
MAX_INSTANTS = 10_000
MAX_PREVIEW = 100


@dataclass(frozen=True, slots=True)
class Calendar:
    """The due instants of a span, in order; `truncated` when there were more than 10,000."""

    items: list[Due]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """A schedule in words, and when it fires next."""

    schedule: Schedule
    next: list[datetime]


class ScheduleReader:
    """Looks ahead."""

    def __init__(self, *, clock: Clock, current: Callable[[], Generation]) -> None:
        self._clock = clock
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
        jobs = [
            job for job in self._current().catalogue.jobs.values() if caller.may("read", job.name, job.app)
        ]

        def look() -> Calendar:
            # A job at a time: each is cut at the limit by itself, so that no one fills the calendar alone.
            found = [
                due for job in jobs for due in islice(upcoming([job], begin - TICK, end), MAX_INSTANTS + 1)
            ]
            found.sort(key=lambda due: (due.at, due.job, due.schedule))
            return Calendar(found[:MAX_INSTANTS], len(found) > MAX_INSTANTS)

        return await asyncio.to_thread(look)

    async def preview(
        self, text: str, *, timezone: str | None = None, since: datetime | None = None, count: int = 5
    ) -> Preview:
        """The next `count` instants of a schedule. Raises Invalid when it cannot be read or is never due."""
        if not 1 <= count <= MAX_PREVIEW:
            raise Invalid(f"count is 1 to {MAX_PREVIEW}")
        schedule = parse_schedule(text, timezone or None)
        found = await asyncio.to_thread(preview, schedule, since or self._clock.now(), count)
        return Preview(schedule, found)
