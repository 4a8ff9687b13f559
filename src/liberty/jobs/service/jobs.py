"""The catalogue as callers see it: the list of jobs with their state, one job with its definition and last runs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from liberty.database import Database
from liberty.errors import Problem
from liberty.jobs.catalogue import QuarantinedJob
from liberty.jobs.definition import definition_json
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.job import Job, Overlap
from liberty.jobs.run import Json, Run
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.loose import loose
from liberty.jobs.service.schedule import NamedNext, schedules_of
from liberty.jobs.store import listing
from liberty.jobs.store.listing import RunFilter
from liberty.jobs.store.pauses import FREEZE, Pause
from liberty.secrets import redactor

LAST_RUNS = 50

type State = Literal["scheduled", "manual", "disabled", "paused", "frozen", "quarantined", "never-due"]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job of the list. `pause` is what holds it back now."""

    name: str
    app: str
    description: str
    tags: tuple[str, ...]
    enabled: bool
    schedule: str | None
    timezone: str | None
    state: State
    problems: tuple[Problem, ...]
    next_fire_at: datetime | None
    last_run: Run | None
    in_flight: int
    step_count: int
    pause: Pause | None


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job of the list with its definition (secrets masked) and its newest runs."""

    view: JobView
    schedules: list[NamedNext]
    overlap: Overlap | None
    definition: Mapping[str, Json]
    version: int | None
    file: str
    line: int | None
    runs: list[Run]


class JobReader:
    """Reads the catalogue of the present generation."""

    def __init__(
        self, *, database: Database, scheduler: Scheduler, current: Callable[[], Generation]
    ) -> None:
        self._database = database
        self._scheduler = scheduler
        self._current = current

    async def views(self, caller: Caller, *, with_last_run: bool = True) -> list[JobView]:
        """Every job the caller may read, by name."""
        catalogue = self._current().catalogue
        jobs: list[Job | QuarantinedJob] = [*catalogue.jobs.values(), *catalogue.quarantined.values()]
        visible = [job for job in jobs if caller.may("read", job.name, job.app)]
        visible.sort(key=lambda job: job.name.lower())
        asked = [job.name for job in visible] if with_last_run else []
        latest = await self._database.read(listing.latest_of_jobs, asked)
        counts = await self._database.read(listing.in_flight_counts)
        next_fires = self._scheduler.next_fires()
        return [
            self._view(job, latest.get(job.name), counts.get(job.name, 0), next_fires.get(job.name))
            for job in visible
        ]

    async def detail(self, name: str, caller: Caller) -> JobDetail:
        """One job. Raises NotFound."""
        generation = self._current()
        catalogue = generation.catalogue
        name = caller.job_name(catalogue, name, "read")
        job = catalogue.jobs.get(name) or catalogue.quarantined[name]
        newest = await self._database.read(listing.page, RunFilter(jobs=(name,)), LAST_RUNS)
        counts = await self._database.read(listing.in_flight_counts)
        return JobDetail(
            view=self._view(
                job, newest[0] if newest else None, counts.get(name, 0), self._scheduler.next_fire_of(name)
            ),
            schedules=schedules_of(job, self._scheduler.now()) if isinstance(job, Job) else [],
            overlap=job.overlap if isinstance(job, Job) else None,
            definition=definition_of(job),
            version=generation.versions.get(name),
            file=job.origin.file,
            line=job.origin.line,
            runs=newest,
        )

    def _view(
        self, job: Job | QuarantinedJob, last: Run | None, in_flight: int, next_fire: datetime | None
    ) -> JobView:
        if isinstance(job, QuarantinedJob):
            return _quarantined_view(job, last, in_flight)
        now = self._scheduler.now()
        pause = self._scheduler.pause_of(job.name, now)
        state = _state(job, pause)
        exhausted = state == "scheduled" and next_fire is None
        problems = never_due(job, now) if exhausted else ()
        return JobView(
            name=job.name,
            app=job.app,
            description=job.description,
            tags=job.tags,
            enabled=job.enabled,
            schedule=job.schedule,
            timezone=job.timezone,
            state="never-due" if problems else state,
            problems=problems,
            next_fire_at=next_fire,
            last_run=last,
            in_flight=in_flight,
            step_count=len(job.steps),
            pause=pause,
        )


def _state(job: Job, pause: Pause | None) -> State:
    if not job.enabled:
        return "disabled"
    if pause is not None:
        return "frozen" if pause.job == FREEZE else "paused"
    return "scheduled" if job.fires else "manual"


def never_due(job: Job, now: datetime) -> tuple[Problem, ...]:
    """What to tell about a job whose schedules have no further instant, any of them; nothing otherwise."""
    if not job.fires or any(fire.schedule.next_after(now) for fire in job.fires):
        return ()
    rules = ", ".join(f"{fire.schedule.spec!r} in {fire.schedule.timezone}" for fire in job.fires)
    message = f"no schedule has a further instant ({rules}); change it, or disable the job"
    return (Problem(message, file=job.origin.file, line=job.origin.line, job=job.name, key="schedule"),)


def _quarantined_view(job: QuarantinedJob, last: Run | None, in_flight: int) -> JobView:
    raw = job.raw
    tags, steps = raw.get("tags"), raw.get("steps")
    return JobView(
        name=job.name,
        app=job.app,
        description=str(raw.get("description", "")),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list | tuple) else (),
        enabled=raw.get("enabled", True) is not False,
        schedule=str(raw["schedule"]) if raw.get("schedule") else None,
        timezone=str(raw["timezone"]) if raw.get("timezone") else None,
        state="quarantined",
        problems=job.problems,
        next_fire_at=None,
        last_run=last,
        in_flight=in_flight,
        step_count=len(steps) if isinstance(steps, list | tuple) else 0,
        pause=None,
    )


def definition_of(job: Job | QuarantinedJob) -> dict[str, Json]:
    """The definition as JSON, secrets masked; what stands in the file when it is quarantined."""
    plain = loose(dict(job.raw)) if isinstance(job, QuarantinedJob) else json.loads(definition_json(job))
    masked: dict[str, Json] = redactor.redact_value(plain)
    return masked
