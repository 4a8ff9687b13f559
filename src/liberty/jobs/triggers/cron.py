"""Cron expressions: cronsim reads and matches them, this file decides what happens when clocks change."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from liberty.errors import Invalid
from liberty.jobs.triggers.base import first_change, first_instant_at_or_after, wall_clock
from liberty.jobs.triggers.zones import zone

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_SECOND = timedelta(seconds=1)
_TWO_DAYS = timedelta(days=2)
_PROBE = datetime(2000, 1, 1)  # noqa: DTZ001 - wall-clock time: the zone is applied afterwards
_RANGE_TO_SUNDAY = re.compile(r"\b([1-7]|MON|TUE|WED|THU|FRI|SAT)-(?:SUN|0)\b", re.IGNORECASE)
_RANGE_OF_ONE = re.compile(r"\b(\w+)-\1/\d+\b", re.IGNORECASE)
"""cronsim takes `3-3/2` for `3/2`, which goes on to the end of the field."""
_LIMITS = {
    "second": "0-59",
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT, 0 and 7 are Sunday",
}
_LOCALES = {"en": "en_US", "fr": "fr_FR"}


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """Unix cron: day of month OR day of week when both are restricted; an optional sixth field is seconds, last.

    Daylight rule (Debian cron's): with minute and hour fixed, a time inside the spring gap fires once right after
    it and a time in the repeated autumn hour fires the first time only. A wildcard minute or hour follows real time.
    """

    kind: ClassVar[str] = "cron"

    spec: str
    timezone: str
    _matcher: Any = field(repr=False, compare=False)
    _follows_real_time: bool = field(repr=False, compare=False)

    @classmethod
    def accepts(cls, text: str) -> bool:
        """Cron reads whatever no other kind of schedule claims."""
        return bool(text)

    @classmethod
    def parse(cls, text: str, timezone: str) -> "CronSchedule":
        """Raises Invalid when the expression is wrong or never due."""
        fields = _fields(text)
        try:
            matcher = CronSim(_seconds_first(fields), _PROBE)
        except CronSimError as error:
            raise Invalid(_explain(text, fields, str(error))) from None
        schedule = cls(text, timezone, matcher, fields[0].startswith("*") or fields[1].startswith("*"))
        if schedule._next_wall_time(_PROBE) is None:
            raise Invalid(f"schedule {text!r} is never due: no date matches it")
        return schedule

    def next_after(self, instant: datetime) -> datetime | None:
        """See `Schedule.next_after`."""
        start = instant.astimezone(UTC).replace(microsecond=0)
        try:
            return self._next_in_real_time(start) if self._follows_real_time else self._next_fixed(start)
        except OverflowError:
            return None  # beyond the year 9999

    def wall_times(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """See `Schedule.wall_times`."""
        wall = None if self._follows_real_time else self._next_wall_time(after)
        while wall is not None and wall <= until:
            yield wall
            wall = self._next_wall_time(wall)

    def text(self, locale: str = "en") -> str:
        """The expression in words; an unknown locale reads as English."""
        from cron_descriptor import Options, get_description

        fields = _fields(self.spec)
        options = Options(
            use_24hour_time_format=True, locale_code=_LOCALES.get(locale[:2].lower(), _LOCALES["en"])
        )
        return str(get_description(_seconds_first(fields) if len(fields) == 6 else " ".join(fields), options))

    def _next_fixed(self, start: datetime) -> datetime | None:
        place = zone(self.timezone)
        wall: datetime | None = wall_clock(start, place)
        while (wall := self._next_wall_time(wall)) is not None:
            due = first_instant_at_or_after(wall, place)
            if due > start:
                return due
            wall = _end_of_stretch(wall, due, place) - _SECOND
        return None

    def _next_in_real_time(self, start: datetime) -> datetime | None:
        """Search stretch by stretch between clock changes: inside one, wall time and UTC differ by a constant."""
        place = zone(self.timezone)
        begin = start + _SECOND
        while True:
            offset = begin.astimezone(place).utcoffset() or timedelta()
            wall = self._next_wall_time(wall_clock(begin, place) - _SECOND)
            if wall is None:
                return None
            due = wall.replace(tzinfo=UTC) - offset
            near = begin + _TWO_DAYS
            change = first_change(begin, min(due, near), place)
            if change is not None:
                begin = change
            elif due <= near:
                return due
            else:
                # Clocks go back by a day at most, so no change on the way shows a time again that could match.
                begin = first_instant_at_or_after(wall - _TWO_DAYS, place)

    def _next_wall_time(self, after: datetime | None) -> datetime | None:
        """The next match on a clock that never changes; None when nothing matches within fifty years."""
        search = copy.copy(self._matcher)
        search.dt = after
        try:
            return next(search, None)
        except OverflowError:
            return None


def _end_of_stretch(wall: datetime, due: datetime, place: ZoneInfo) -> datetime:
    """Where the wall clock leaves the gap or the repeated stretch that `wall`, which has had its fire, lies in."""
    shown = wall_clock(due, place)
    if wall < shown:
        return shown
    again = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    change = first_change(due, again, place)
    return wall + _SECOND if change is None else wall_clock(change - _SECOND, place) + _SECOND


def _fields(text: str) -> list[str]:
    if text.startswith("@"):
        try:
            return ALIASES[text.lower()].split()
        except KeyError:
            from liberty.errors import did_you_mean

            known = ", ".join(ALIASES)
            raise Invalid(f"unknown schedule {text!r}{did_you_mean(text, ALIASES)}; known: {known}") from None
    fields = text.split()
    if len(fields) not in {5, 6}:
        raise Invalid(
            f"schedule {text!r} has {len(fields)} fields; cron has five (minute hour day-of-month month day-of-week), "
            "an optional sixth is seconds; intervals are written 'every 15m'"
        )
    fields[4] = _RANGE_TO_SUNDAY.sub(r"\1-7", fields[4])
    return [_RANGE_OF_ONE.sub(r"\1", field) for field in fields]


def _seconds_first(fields: list[str]) -> str:
    """cronsim reads the sixth field as seconds, first; ours stands last."""
    seconds = fields[5] if len(fields) == 6 else "0"
    return " ".join([seconds, *fields[:5]])


def _explain(text: str, fields: list[str], error: str) -> str:
    name = error.removeprefix("Bad ")
    names = ["minute", "hour", "day-of-month", "month", "day-of-week", "second"]
    if name not in names or names.index(name) >= len(fields):
        return f"schedule {text!r} is not a cron expression: {error}"
    written = fields[names.index(name)]
    if name == "day-of-month" and re.fullmatch(r"[\d,\-/*]+", written) and "3" in written:
        return f"schedule {text!r} is wrong or never due: no chosen month has day-of-month {written!r}"
    return f"schedule {text!r}: {written!r} is no {name} (allowed: {_LIMITS[name]}, with * , - and /)"
