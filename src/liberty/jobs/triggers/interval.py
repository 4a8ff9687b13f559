"""Intervals such as `every 15m`, on a grid that the clock fixes, so that a restart does not move it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar

from liberty.errors import Invalid
from liberty.jobs.triggers.base import first_instant_at_or_after, wall_clock
from liberty.jobs.triggers.zones import zone

_LEAD = re.compile(r"@?every\b", re.IGNORECASE)
_PART = re.compile(
    r"(\d{1,9})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d|weeks?|w)(?![a-z])", re.IGNORECASE
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAY = 86_400
_LONGEST = 366 * _DAY
_MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001 - a calendar date: grids of whole days and weeks count from a Monday
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {
    "en": ("Every", {"d": "day", "h": "hour", "m": "minute", "s": "second"}),
    "fr": ("Toutes les", {"d": "jour", "h": "heure", "m": "minute", "s": "seconde"}),
}


@dataclass(frozen=True, slots=True)
class IntervalSchedule:
    """Due every so many seconds.

    An interval that divides a day counts from the local midnight of each day (`every 15m` is :00 :15 :30 :45);
    whole days and weeks are due at local midnight, weeks on Monday; any other length counts from 1970-01-01 UTC.
    """

    kind: ClassVar[str] = "interval"

    spec: str
    timezone: str
    seconds: int

    @classmethod
    def accepts(cls, text: str) -> bool:
        """True for texts that start with `every` or `@every`."""
        return _LEAD.match(text) is not None

    @classmethod
    def parse(cls, text: str, timezone: str) -> "IntervalSchedule":
        """Raises Invalid when the length cannot be read, is zero, or is longer than 366 days."""
        lead = _LEAD.match(text)
        length = text[lead.end() :].strip() if lead else text
        parts = _PART.findall(length)
        if not parts or _PART.sub("", length).strip():
            raise Invalid(
                f"schedule {text!r}: {length!r} is no length of time; write e.g. 'every 15m', 'every 1h30m'"
            )
        seconds = sum(int(number) * _SECONDS[unit[0].lower()] for number, unit in parts)
        if not 1 <= seconds <= _LONGEST:
            raise Invalid(f"schedule {text!r}: an interval is between 1 second and 366 days")
        return cls(text, timezone, seconds)

    def next_after(self, instant: datetime) -> datetime | None:
        """See `Schedule.next_after`."""
        start = instant.astimezone(UTC).replace(microsecond=0)
        try:
            if self.seconds % _DAY == 0:
                return self._next_midnight(start, self.seconds // _DAY)
            if _DAY % self.seconds == 0:
                return self._next_of_the_day(start)
            steps = (start - _EPOCH) // timedelta(seconds=self.seconds) + 1
            return _EPOCH + timedelta(seconds=self.seconds * steps)
        except OverflowError:
            return None  # beyond the year 9999

    def wall_times(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """See `Schedule.wall_times`: midnights, for whole days and weeks."""
        if self.seconds % _DAY == 0:
            midnight = self._midnight_of_grid(after, self.seconds // _DAY)
            while midnight <= until:
                if midnight > after:
                    yield midnight
                midnight += timedelta(seconds=self.seconds)

    def text(self, locale: str = "en") -> str:
        """The length in words; an unknown locale reads as English."""
        lead, names = _WORDS.get(locale[:2].lower(), _WORDS["en"])
        if lead == "Toutes les" and self.seconds % _DAY == 0:
            lead = "Tous les"
        parts: list[str] = []
        rest = self.seconds
        for unit in "dhms":
            count, rest = divmod(rest, _SECONDS[unit])
            if count == 1 and not parts and not rest:
                return f"{lead} {names[unit]}{'' if lead == 'Every' else 's'}"
            if count:
                parts.append(f"{count} {names[unit]}{'s' if count > 1 else ''}")
        return f"{lead} {' '.join(parts)}"

    def _next_of_the_day(self, start: datetime) -> datetime:
        place = zone(self.timezone)
        today = datetime.combine(wall_clock(start, place).date(), time())
        midnight = first_instant_at_or_after(today, place)
        while midnight > start:
            # Clocks turned back over midnight: this date's first pass is still to come.
            today -= timedelta(days=1)
            midnight = first_instant_at_or_after(today, place)
        length = timedelta(seconds=self.seconds)
        due = midnight + length * ((start - midnight) // length + 1)
        return min(due, self._midnight_after(start, today))

    def _next_midnight(self, start: datetime, days: int) -> datetime:
        candidate = self._midnight_of_grid(wall_clock(start, zone(self.timezone)), days)
        while True:
            due = first_instant_at_or_after(candidate, zone(self.timezone))
            if due > start:
                return due
            candidate += timedelta(days=days)

    @staticmethod
    def _midnight_of_grid(wall: datetime, days: int) -> datetime:
        """The last midnight of the grid that is not later than `wall`."""
        passed = (datetime.combine(wall.date(), time()) - _MONDAY).days
        return _MONDAY + timedelta(days=passed - passed % days)

    def _midnight_after(self, start: datetime, day: datetime) -> datetime:
        while True:
            day += timedelta(days=1)
            due = first_instant_at_or_after(day, zone(self.timezone))
            if due > start:
                return due
