"""What a schedule is: the same object drives the scheduler, the preview and the words on the screen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Protocol
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Schedule(Protocol):
    """A rule that yields due instants. Immutable, and safe to share between threads."""

    kind: ClassVar[str]

    @property
    def spec(self) -> str:
        """The text it was made from, blanks trimmed."""
        ...

    @property
    def timezone(self) -> str:
        """IANA name of the zone whose wall clock the rule reads."""
        ...

    def next_after(self, instant: datetime) -> datetime | None:
        """The first due instant strictly later than `instant`; aware UTC in and out, None when there is none."""
        ...

    def wall_times(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The times on the wall clock that the rule names, later than `after` and not later than `until`, all naive.

        A clock change moves or drops these; a rule that follows real time names none.
        """
        ...

    def text(self, locale: str = "en") -> str:
        """The rule in words, e.g. `Every 15 minutes`."""
        ...


def preview(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The next `count` due instants after `after`, by the same function that fires."""
    instants: list[datetime] = []
    while len(instants) < count and (due := schedule.next_after(instants[-1] if instants else after)):
        instants.append(due)
    return instants


def between(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """The due instants later than `after` and not later than `until`."""
    due = schedule.next_after(after)
    while due is not None and due <= until:
        yield due
        due = schedule.next_after(due)


@lru_cache(maxsize=4096)
def first_instant_at_or_after(local: datetime, zone: ZoneInfo) -> datetime:
    """The first UTC instant at which the zone's wall clock shows `local` or, inside a gap, whatever follows it.

    `local` is naive. A wall time that occurs twice means its first occurrence.
    """
    candidate = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall_clock(candidate, zone) == local:
        return candidate
    # PEP 495: in a gap, fold=1 reads the offset after it and so lies before the change, fold=0 after it.
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), candidate
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if wall_clock(middle, zone) < local:
            before = middle
        else:
            after = middle
    return after


def first_change(begin: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant in (begin, end] whose UTC offset differs from that at `begin`."""
    offset = begin.astimezone(zone).utcoffset()
    before = begin
    while before < end:
        after = min(before + _DAY, end)
        if after.astimezone(zone).utcoffset() != offset:
            while after - before > _SECOND:
                middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
                if middle.astimezone(zone).utcoffset() == offset:
                    before = middle
                else:
                    after = middle
            return after
        before = after
    return None


def wall_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in `zone` shows at `instant`, as a naive datetime."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
