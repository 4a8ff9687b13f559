"""How far a copy has come, how quick it is and when it will be done, told once a second."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

EVERY_SECONDS = 1.0
SAMPLE_ROWS = 20
"""Of a batch, measured for its bytes; all of them would take longer than they are worth."""

_FIXED_BYTES = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a copy. `total_rows` is what the source believes to have; `bytes` counts values, not the wire."""

    rows: int | None
    bytes: int
    total_rows: int | None
    seconds: float

    @property
    def rows_per_second(self) -> float | None:
        return self.rows / self.seconds if self.rows is not None and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """None when nobody knows how much there is, or when there is more than was believed."""
        if not self.rows or self.total_rows is None or self.total_rows < self.rows:
            return None
        return self.seconds * (self.total_rows - self.rows) / self.rows

    def facts(self) -> dict[str, Any]:
        """As it is sent to those who watch."""
        rate, left = self.rows_per_second, self.seconds_left
        return {
            "rows": self.rows,
            "bytes": self.bytes,
            "total_rows": self.total_rows,
            "rows_per_second": None if rate is None else round(rate),
            "bytes_per_second": round(self.bytes / self.seconds) if self.seconds > 0 else None,
            "seconds": round(self.seconds, 1),
            "seconds_left": None if left is None else round(left),
        }

    def __str__(self) -> str:
        parts = []
        if self.rows is not None:
            known = self.total_rows is not None and self.total_rows >= self.rows
            parts.append(
                f"{self.rows:,} of about {self.total_rows:,} rows" if known else f"{self.rows:,} rows"
            )
        parts.append(f"{self.bytes / 1e6:,.1f} MB")
        if self.rows_per_second is not None:
            parts.append(f"{self.rows_per_second:,.0f} rows/s")
        if self.seconds > 0:
            parts.append(f"{self.bytes / 1e6 / self.seconds:,.1f} MB/s")
        if self.seconds_left is not None:
            parts.append(f"about {_span(self.seconds_left)} left")
        return " · ".join(parts)


type Listener = Callable[[Progress], None]


class Meter:
    """Counts what passes, and says once a second how far that is. `total` tells how many rows there are in all."""

    def __init__(self, tell: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._began = self._told = clock()
        self._bytes = 0
        self.total: Callable[[int], int | None] = lambda _rows: None

    def took(self, rows: Sequence[Sequence[Any]], rows_so_far: int) -> None:
        """A batch has passed."""
        if rows:
            sample = rows[:SAMPLE_ROWS]
            self._bytes += sum(map(_size, sample)) * len(rows) // len(sample)
        self._moved(rows_so_far)

    def passed(self, bytes_so_far: int) -> None:
        """So much has passed unread: nobody counts its rows."""
        self._bytes = bytes_so_far
        self._moved(None)

    def _moved(self, rows: int | None) -> None:
        now = self._clock()
        if now - self._told < EVERY_SECONDS:
            return
        self._told = now
        total = self.total(rows) if rows is not None else None
        self._tell(Progress(rows, self._bytes, total, now - self._began))


def _size(row: Sequence[Any]) -> int:
    return sum(
        len(value)
        if isinstance(value, str | bytes)
        else 0
        if value is None
        else len(str(value))
        if isinstance(value, Decimal | dict | list)
        else _FIXED_BYTES
        for value in row
    )


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
