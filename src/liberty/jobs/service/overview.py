"""The jobs page in one answer: every job's state, its last due instants, its durations, what comes next."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from liberty.clock import rfc3339
from liberty.database import Database
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.job import PRESET_KEY, SCHEDULE_KEY, Job
from liberty.jobs.run import Json
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.due_hours import in_words
from liberty.jobs.service.jobs import JobReader, JobView
from liberty.jobs.service.wire import Wire, instant_of_millis, pause
from liberty.jobs.store import due_instants, recent
from liberty.jobs.store.due_instants import LATE_MS, OUTCOMES, Strip
from liberty.jobs.store.recent import RecentRun
from liberty.jobs.triggers import Schedule, parse_schedule

MAX_STRIP = 60
MEASURED_RUNS = 20
RECENT_RUNS = 10
_KEPT_SECONDS = 600.0
"""Then strips are read again in any case: retention deletes without a sign."""
_FAILED = frozenset({"failed", "aborted"})
_PASSED_OVER = frozenset({"skipped", "queued", "running", "aborting"})
"""What says nothing about whether the job works."""

type Condition = Literal[
    "up", "failing", "late", "paused", "frozen", "quarantined", "disabled", "never-due", "manual"
]


@dataclass(frozen=True, slots=True)
class Found:
    """What the history tells about the jobs of the page."""

    kept: dict[str, "_Kept"]
    recent: dict[str, list[RecentRun]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A strip and the durations of successes, good for as long as the job's newest runs are those of `sign`."""

    sign: tuple[object, object]
    at: float
    strip: Strip | None
    took: list[int]


class Overview:
    """Reads for the jobs page; only jobs the caller may read take part in its statements."""

    def __init__(
        self,
        *,
        database: Database,
        jobs: JobReader,
        scheduler: Scheduler,
        current: Callable[[], Generation],
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._scheduler = scheduler
        self._current = current
        self._kept: dict[str, _Kept] = {}

    async def document(self, caller: Caller, *, strip: int = MAX_STRIP) -> Wire:
        """Every job the caller may read, by name."""
        catalogue = self._current().catalogue
        views = await self._jobs.views(caller, with_last_run=False)
        defined = {view.name: catalogue.jobs.get(view.name) for view in views}
        places = [(name, key) for name, job in defined.items() for key in schedule_keys(job)]
        found = await self._found([view.name for view in views], places)
        now = round(self._scheduler.now().timestamp() * 1000)

        def make() -> Wire:
            return {
                "at": instant_of_millis(now),
                "outcomes": dict(OUTCOMES),
                "items": [_item(view, defined[view.name], found, now, strip) for view in views],
            }

        return await asyncio.to_thread(make)

    async def _found(self, names: Sequence[str], places: Sequence[tuple[str, str]]) -> Found:
        """Strips are read again for jobs of which something moved: any new run shows among their newest."""
        newest = await self._database.read(recent.of_jobs, names, RECENT_RUNS)
        keys: dict[str, list[str]] = {}
        for name, key in places:
            keys.setdefault(name, []).append(key)
        since = time.monotonic() - _KEPT_SECONDS
        signs = {
            name: (tuple(keys.get(name, ())), tuple((run.number, run.status) for run in newest.get(name, ())))
            for name in names
        }
        stale = {
            name
            for name in names
            if (kept := self._kept.get(name)) is None
            or kept.sign != signs[name]
            or kept.at < since
            or (kept.strip is not None and not kept.strip.final)
        }
        wanted = [place for place in places if place[0] in stale]
        strips = await self._database.read(due_instants.strips, wanted, MAX_STRIP) if wanted else {}
        few = [
            name
            for name in names
            if name in stale and (name not in strips or len(strips[name].succeeded_in) < MEASURED_RUNS)
        ]
        took = await self._database.read(recent.durations, few, MEASURED_RUNS) if few else {}
        for name in stale:
            strip = strips.get(name)
            measured = took.get(name, []) if name in few or strip is None else strip.succeeded_in
            self._kept[name] = _Kept(signs[name], time.monotonic(), strip, measured)
        return Found({name: self._kept[name] for name in names}, newest)


def schedule_keys(job: Job | None) -> list[str]:
    """The key of every schedule a definition has, switched off ones included."""
    if job is None:
        return ["main"]
    keys = ["main"] if job.schedule else []
    keys += [SCHEDULE_KEY + entry.name for entry in job.schedules]
    return keys + [PRESET_KEY + preset.name for preset in job.presets if preset.schedule]


def _item(view: JobView, job: Job | None, found: Found, now: int, count: int) -> Wire:
    runs = found.recent.get(view.name, [])
    failures = failures_in_a_row(runs)
    late = waiting_since(runs, now)
    kept = found.kept[view.name]
    took = sorted(kept.took)
    return {
        "name": view.name,
        "app": view.app,
        "description": view.description,
        "tags": list(view.tags),
        "enabled": view.enabled,
        "state": condition(view, failures, late),
        "problems": [problem.as_dict() for problem in view.problems],
        "pause": None if view.pause is None else pause(view.pause),
        "failures_in_a_row": len(failures),
        "failing_since": instant_of_millis(failures[-1].queued) if failures else None,
        "late_since": instant_of_millis(late),
        "schedules": _schedules(job),
        "next_fire_at": None if view.next_fire_at is None else rfc3339(view.next_fire_at),
        "last_run": _run(runs[0]) if runs else None,
        "running": sum(run.status in ("running", "aborting") for run in runs),
        "in_flight": view.in_flight,
        "p50_ms": _percentile(took, 0.5),
        "p95_ms": _percentile(took, 0.95),
        "measured_runs": len(took),
        "step_count": view.step_count,
        "strip": _strip(kept.strip.newest(count) if kept.strip is not None else None),
    }


def condition(view: JobView, failures: Sequence[RecentRun], late: int | None) -> Condition:
    """One word; what keeps the job from running comes before how its last runs went."""
    if view.state in ("quarantined", "disabled", "paused", "frozen", "never-due"):
        return view.state
    if failures:
        return "failing"
    if late is not None:
        return "late"
    return "manual" if view.state == "manual" else "up"


def failures_in_a_row(runs: Sequence[RecentRun]) -> list[RecentRun]:
    """The newest runs that ended badly, up to the last one that did not; an abort somebody asked for is none."""
    failures = []
    for run in runs:
        if run.status in _PASSED_OVER:
            continue
        asked_for = run.status == "aborted" and not (run.reason or "").startswith("timeout")
        if asked_for:
            continue
        if run.status not in _FAILED:
            break
        failures.append(run)
    return failures


def waiting_since(runs: Sequence[RecentRun], now: int) -> int | None:
    """Since when the oldest of the runs waits that should have begun a while ago."""
    waiting = [run.queued for run in runs if run.status == "queued" and now - run.queued > LATE_MS]
    return min(waiting, default=None)


def _schedules(job: Job | None) -> list[Json]:
    if job is None:
        return []
    in_force = {fire.key for fire in job.fires}
    listed: list[tuple[str, Schedule]] = []
    if job.schedule:
        listed.append(("main", parse_schedule(job.schedule, job.timezone)))
    listed += [(SCHEDULE_KEY + entry.name, job.parsed(entry)) for entry in job.schedules]
    listed += [(PRESET_KEY + preset.name, job.parsed(preset)) for preset in job.presets if preset.schedule]
    return [
        {
            "key": key,
            "schedule": schedule.spec,
            "timezone": schedule.timezone,
            "text": in_words(schedule),
            "enabled": key in in_force,
        }
        for key, schedule in listed
    ]


def _run(run: RecentRun) -> Wire:
    took = None if run.started is None or run.finished is None else run.finished - run.started
    return {
        "run_id": f"r-{run.number}",
        "status": run.status,
        "reason": run.reason,
        "trigger": run.trigger,
        "queued_at": instant_of_millis(run.queued),
        "started_at": instant_of_millis(run.started),
        "finished_at": instant_of_millis(run.finished),
        "duration_ms": took,
    }


def _strip(strip: Strip | None) -> Wire:
    if strip is None:
        return {"due": [], "outcomes": "", "durations": [], "runs": [], "stands_for": {}}
    return {
        "due": [*strip.due],
        "outcomes": strip.outcomes,
        "durations": [*strip.durations],
        "runs": [*strip.runs],
        "stands_for": {str(at): count for at, count in strip.stands_for.items()},
    }


def _percentile(ascending: Sequence[int], share: float) -> int | None:
    """The smallest that the share of them does not exceed."""
    return ascending[math.ceil(len(ascending) * share) - 1] if ascending else None
