"""The kinds of schedule: one file each and one line here makes a new kind known everywhere."""

from functools import lru_cache
from typing import Protocol

from liberty.errors import Invalid
from liberty.jobs.triggers.base import Schedule, between, preview
from liberty.jobs.triggers.cron import CronSchedule
from liberty.jobs.triggers.interval import IntervalSchedule
from liberty.jobs.triggers.zones import server_timezone, zone


class ScheduleKind(Protocol):
    """How a kind of schedule is recognised and read."""

    def accepts(self, text: str) -> bool: ...
    def parse(self, text: str, timezone: str) -> Schedule: ...


TRIGGERS: dict[str, ScheduleKind] = {
    "interval": IntervalSchedule,
    "cron": CronSchedule,
}
"""Asked in this order; cron comes last because it takes every text."""


@lru_cache(maxsize=4096)
def parse_schedule(text: str, timezone: str | None = None) -> Schedule:
    """The schedule written as `text`, read on the wall clock of `timezone` (default: the server's).

    Raises Invalid for an unknown zone, a text no kind can read, and a rule that is never due.
    """
    place = timezone or server_timezone()
    zone(place)
    trimmed = " ".join(text.split())
    if len(trimmed) > 512:
        raise Invalid("a schedule has at most 512 characters")
    for kind in TRIGGERS.values():
        if kind.accepts(trimmed):
            return kind.parse(trimmed, place)
    raise Invalid("the schedule is empty; leave the key out for a job that only runs on request")


__all__ = ["TRIGGERS", "Schedule", "between", "parse_schedule", "preview", "server_timezone", "zone"]
