"""What is due when: one computation for the scheduler, the calendar, backfills and explanations."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from liberty.jobs.job import Fire, Job
from liberty.jobs.run import Overrides
from liberty.jobs.triggers.base import between


@dataclass(frozen=True, slots=True)
class Due:
    """One instant of one schedule of a job."""

    at: datetime
    job: str
    schedule: str
    preset: str | None

    @property
    def overrides(self) -> Overrides:
        """See `Fire.overrides`."""
        return Overrides(preset=self.preset)


def upcoming(jobs: Iterable[Job], since: datetime, until: datetime) -> Iterator[Due]:
    """Every instant due in (since, until], job by job and schedule by schedule."""
    for job in jobs:
        for fire in job.fires:
            yield from _of_fire(job.name, fire, since, until)


def in_order(jobs: Iterable[Job], since: datetime, until: datetime) -> Iterator[Due]:
    """The same by time, then job and schedule; what is not asked for is not computed."""
    return heapq.merge(
        *(_of_fire(job.name, fire, since, until) for job in jobs for fire in job.fires),
        key=lambda due: (due.at, due.job, due.schedule),
    )


def _of_fire(job: str, fire: Fire, since: datetime, until: datetime) -> Iterator[Due]:
    return (Due(at, job, fire.key, fire.preset) for at in between(fire.schedule, since, until))
