"""What a person should know about a schedule before saving it: clocks that change, runs too often or hardly ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from liberty.jobs.service.forecast import nights_of
from liberty.jobs.triggers import Schedule, preview

OFTEN = timedelta(minutes=1)
RARE = timedelta(days=366)
LOOKED_AT = 20
YEAR = timedelta(days=366)

type WarningKind = Literal["daylight", "often", "rare", "ends"]


@dataclass(frozen=True, slots=True)
class ScheduleWarning:
    """`at` is the instant it is about."""

    kind: WarningKind
    at: datetime | None
    text: str


def warnings_of(schedule: Schedule, now: datetime) -> Iterator[ScheduleWarning]:
    """The warnings about the year that begins `now`."""
    coming = preview(schedule, now, LOOKED_AT)
    if not coming:
        yield ScheduleWarning("ends", None, "it has no further instant")
        return
    if len(coming) < LOOKED_AT:
        yield ScheduleWarning("ends", coming[-1], f"it ends: {len(coming)} instants are left")
    gaps = [after - before for before, after in pairwise(coming)]
    shortest = min(gaps, default=OFTEN)
    if shortest < OFTEN:
        per_day = round(timedelta(days=1) / shortest)
        yield ScheduleWarning(
            "often", None, f"it fires every {shortest.total_seconds():g} s, up to {per_day:,} runs a day"
        )
    if coming[0] - now > RARE or (gaps and min(gaps) > RARE):
        yield ScheduleWarning(
            "rare", coming[0], f"it fires less than once a year; the next time on {coming[0]:%Y-%m-%d}"
        )
    for night in nights_of([("", "main", schedule)], now, now + YEAR):
        if night.moved:
            yield ScheduleWarning("daylight", night.at, night.text)
