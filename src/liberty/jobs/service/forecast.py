"""What the fires of a span will meet: clock changes, runs that are still going, each other. Pure functions."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal

from liberty.jobs.calendar import Due
from liberty.jobs.job import Job, Overlap
from liberty.jobs.triggers import Schedule, zone
from liberty.jobs.triggers.base import first_change, wall_clock

CROWDED_FIRES = 5
MOVED_PER_SCHEDULE = 10
TOLD_TIMES = 5

type Effect = Literal["skipped", "waits", "refused", "replaces", "alongside"]
"""What a fire does that finds the earlier run of its job still going."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A time that a clock change skips or repeats, and the instant at which it fires."""

    job: str
    schedule: str
    wall: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Night:
    """A change of a zone's clock, seen on the wall: at `at` the hands go from `before` to `after`."""

    timezone: str
    at: datetime
    before: datetime
    after: datetime
    moved: tuple[Moved, ...]

    @property
    def text(self) -> str:
        """In one sentence, e.g. `2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00; 02:30 fires at 03:00`."""
        ahead = self.after > self.before
        way = "from" if ahead else "back from"
        hands = f"{way} {self._clock(self.before)} to {self._clock(self.after)}"
        told = f"{self.before:%Y-%m-%d} {self.timezone}: clocks go {hands}"
        times = sorted({moved.wall for moved in self.moved})
        if times:
            named = ", ".join(f"{wall:%H:%M}" for wall in times[:TOLD_TIMES])
            more = f" and {len(times) - TOLD_TIMES} more" if len(times) > TOLD_TIMES else ""
            verb = "fires" if len(times) == 1 else "fire"
            how = f"{verb} at {self._clock(self.after)}" if ahead else f"{verb} the first time only"
            told += f"; {named}{more} {how}"
        return told

    def _clock(self, wall: datetime) -> str:
        return f"{wall:%H:%M}" if wall.date() == self.before.date() else f"{wall:%H:%M on %Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Meeting:
    """Fires of a job that will find its earlier run going, if runs take as long as most of the latest did."""

    job: str
    overlap: Overlap
    seconds: float
    measured: int
    fires: int
    effects: Mapping[tuple[str, datetime], Effect]
    """By schedule and instant."""

    @property
    def text(self) -> str:
        counts = Counter(self.effects.values())
        done = " and ".join(f"{_counted(count)} {_OUTCOMES[effect]}" for effect, count in counts.items())
        last = _counted(self.measured, "successful run")
        return (
            f"{self.job} takes up to {_span(self.seconds)} (95 % of its last {last}); "
            f"of {_counted(self.fires, 'fire')} {done}, because the earlier run will still be going"
        )


_OUTCOMES: dict[Effect, str] = {
    "skipped": "will be skipped",
    "waits": "will wait",
    "refused": "will find the queue full and be skipped",
    "replaces": "will abort it",
    "alongside": "will run beside it",
}


@dataclass(frozen=True, slots=True)
class Crowd:
    """A minute in which more runs begin than may run at once."""

    at: datetime
    fires: int
    jobs: tuple[str, ...]


def nights(jobs: Iterable[Job], begin: datetime, end: datetime) -> list[Night]:
    """The clock changes in (begin, end] of every zone that a schedule in force reads, with the times they move."""
    return nights_of(((job.name, fire.key, fire.schedule) for job in jobs for fire in job.fires), begin, end)


def nights_of(schedules: Iterable[tuple[str, str, Schedule]], begin: datetime, end: datetime) -> list[Night]:
    """The same for schedules given as (job, key, schedule)."""
    listed = list(schedules)
    found = []
    for name in sorted({schedule.timezone for _, _, schedule in listed}):
        there = [entry for entry in listed if entry[2].timezone == name]
        for at, before, after in _changes(name, begin, end):
            low, high = sorted((before, after))
            moved = tuple(
                Moved(job, key, wall, at if after > before else at - (before - wall))
                for job, key, schedule in there
                for wall in islice(schedule.wall_times(low - _SECOND, high - _SECOND), MOVED_PER_SCHEDULE)
            )
            found.append(Night(name, at, before, after, moved))
    return sorted(found, key=lambda night: (night.at, night.timezone))


_SECOND = timedelta(seconds=1)


def _changes(name: str, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, datetime]]:
    place = zone(name)
    at = first_change(begin.replace(microsecond=0), end, place)
    while at is not None:
        yield at, wall_clock(at - _SECOND, place) + _SECOND, wall_clock(at, place)
        at = first_change(at, end, place)


def meetings(
    jobs: Mapping[str, Job], due: Iterable[Due], durations: Mapping[str, Sequence[float]]
) -> list[Meeting]:
    """Which fires will find the earlier run going. `due` is in order of time; only its own runs are reckoned with."""
    by_job: dict[str, list[Due]] = {}
    for item in due:
        by_job.setdefault(item.job, []).append(item)
    found = []
    for name, fires in by_job.items():
        took = durations.get(name)
        if not took:
            continue
        seconds = usual_longest(took)
        effects = dict(_effects(jobs[name], fires, timedelta(seconds=seconds)))
        if effects:
            found.append(Meeting(name, jobs[name].overlap, seconds, len(took), len(fires), effects))
    return sorted(found, key=lambda meeting: meeting.job)


def usual_longest(seconds: Sequence[float]) -> float:
    """The 95th percentile: 95 % of the durations are not longer."""
    return sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1]


def _effects(
    job: Job, fires: Iterable[Due], takes: timedelta
) -> Iterator[tuple[tuple[str, datetime], Effect]]:
    ends = datetime.min.replace(tzinfo=UTC)
    waiting: list[datetime] = []  # when each will begin
    for due in fires:
        place = (due.schedule, due.at)
        waiting = [begins for begins in waiting if begins > due.at]
        if due.at >= ends:
            ends = due.at + takes
        elif job.overlap == "skip":
            yield place, "skipped"
        elif job.overlap == "replace":
            ends = due.at + takes
            yield place, "replaces"
        elif job.overlap == "allow":
            ends = max(ends, due.at + takes)
            yield place, "alongside"
        elif job.max_queued is not None and len(waiting) >= job.max_queued:
            yield place, "refused"
        else:
            waiting.append(ends)
            ends += takes
            yield place, "waits"


def crowds(jobs: Mapping[str, Job], due: Iterable[Due], at_once: int) -> list[Crowd]:
    """The minutes in which at least five runs begin, and more than may run at once.

    A job that runs one at a time counts once in a minute, however often it fires.
    """
    by_minute: dict[datetime, Counter[str]] = {}
    for item in due:
        by_minute.setdefault(item.at.replace(second=0, microsecond=0), Counter())[item.job] += 1
    found = []
    for at, fires in sorted(by_minute.items()):
        wanted = sum(count if jobs[job].overlap == "allow" else 1 for job, count in fires.items())
        if wanted >= CROWDED_FIRES and wanted > at_once:
            found.append(Crowd(at, wanted, tuple(sorted(fires))))
    return found


def _counted(count: int, what: str = "") -> str:
    return f"{count} {what}{'s' if count != 1 else ''}" if what else str(count)


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
