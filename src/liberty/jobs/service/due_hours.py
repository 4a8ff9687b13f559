"""Schedules in words and by the hour, kept: rules never change, and hundreds of jobs are shown at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from liberty.jobs.service.instants import TICK
from liberty.jobs.triggers import Schedule, parse_schedule

HOUR = timedelta(hours=1)


@lru_cache(maxsize=4096)
def _words(spec: str, timezone: str) -> str:
    return parse_schedule(spec, timezone).text()


def in_words(schedule: Schedule) -> str:
    """The rule in words."""
    return _words(schedule.spec, schedule.timezone)


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour, as UTC counts it."""
    return at.replace(minute=0, second=0, microsecond=0)


def first_of_hours(schedule: Schedule, begin: datetime, end: datetime) -> list[tuple[datetime, bool]]:
    """The first instant of each hour in [begin, end], and whether another follows in the hour.

    At most two instants of an hour are worked out, however often the rule fires. Whole hours are kept for the next
    who asks: `begin` is mostly now.
    """
    next_hour = hour_of(begin) + HOUR
    found = list(_first_of_hours(schedule, begin, min(end, next_hour - TICK)))
    if end < next_hour:
        return found
    whole = _whole_hours(schedule.spec, schedule.timezone, next_hour, hour_of(end) + HOUR)
    return found + [(at, more) for at, more in whole if at <= end]


@lru_cache(maxsize=512)
def _whole_hours(
    spec: str, timezone: str, begin: datetime, end: datetime
) -> tuple[tuple[datetime, bool], ...]:
    return tuple(_first_of_hours(parse_schedule(spec, timezone), begin, end - TICK))


def _first_of_hours(schedule: Schedule, begin: datetime, end: datetime) -> Iterator[tuple[datetime, bool]]:
    at = schedule.next_after(begin - TICK)
    while at is not None and at <= end:
        next_hour = hour_of(at) + HOUR
        following = schedule.next_after(at)
        more = following is not None and following < next_hour
        yield at, more
        at = schedule.next_after(next_hour - TICK) if more else following
