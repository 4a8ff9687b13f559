"""Time, as a thing that can be handed over: production reads the machine, tests set it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What every part of the program asks for the time."""

    def now(self) -> datetime:
        """The wall clock: an aware UTC datetime."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def to_millis(instant: datetime) -> datetime:
    """The same instant cut to whole milliseconds, the precision that is stored and served."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def rfc3339(instant: datetime) -> str:
    """UTC with milliseconds, e.g. `2026-03-29T00:00:00.000Z`: the form of every time on the wire."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"
