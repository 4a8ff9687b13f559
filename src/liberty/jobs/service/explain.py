"""Why a job did, or did not, run at an instant: a sentence from its schedules, its rows and its pauses."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from liberty.clock import Clock
from liberty.database import Database
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Due, Scheduler, upcoming
from liberty.jobs.job import Job
from liberty.jobs.run import SKIPPED, Run
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.instants import TICK, parse_instant
from liberty.jobs.store import listing
from liberty.jobs.triggers import server_timezone, zone

type Verdict = Literal["ran", "ran late", "skipped", "missed", "not due", "future", "paused"]

LATE = timedelta(seconds=60)
_MINUTE = timedelta(minutes=1)
_LOOK_BACK = tuple(timedelta(days=days) for days in (1 / 24, 1, 8, 32, 367))


@dataclass(frozen=True, slots=True)
class Why:
    """The answer about one instant; `run_id` is the row that was made for it."""

    at: datetime
    verdict: Verdict
    run_id: str | None
    text: str


class Explainer:
    """Answers from what is stored; it infers nothing but that a row is absent."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        scheduler: Scheduler,
        current: Callable[[], Generation],
    ) -> None:
        self._database = database
        self._clock = clock
        self._scheduler = scheduler
        self._current = current

    async def why(self, name: str, at: str | None, caller: Caller) -> Why:
        """What became of the instant `at` (without an offset: on the job's clock), by default the last one due.

        Raises NotFound, Invalid for a text that is no time.
        """
        catalogue = self._current().catalogue
        name = caller.job_name(catalogue, name, "read")
        now = self._clock.now()
        if name in catalogue.quarantined:
            asked = parse_instant(at, "at") if at else now
            return Why(
                asked, "not due", None, f"the job is quarantined: {catalogue.quarantined[name].reason}"
            )
        job = catalogue.jobs[name]
        timezone = job.timezone or server_timezone()
        asked = parse_instant(at, "at", zone=zone(timezone)) if at else now
        due = await asyncio.to_thread(_due_at if at else _last_due, job, asked)
        if due is None:
            return Why(asked, "not due", None, await self._not_due(job, asked, timezone))
        return await self._about(job, due, now, timezone)

    async def _not_due(self, job: Job, asked: datetime, timezone: str) -> str:
        if not job.fires:
            held = "it is disabled" if job.schedule else "it has no schedule and runs on request only"
            return f"not due: {held}"
        before = await asyncio.to_thread(_last_due, job, asked)
        after = await asyncio.to_thread(_next_due, job, asked)
        parts = [f"not due at {_local(asked, timezone)}"]
        parts += [f"due before at {_local(before.at, timezone)}"] if before else []
        parts += [f"next at {_local(after.at, timezone)}"] if after else []
        return "; ".join(parts)

    async def _about(self, job: Job, due: Due, now: datetime, timezone: str) -> Why:
        start = f"due {_local(due.at, timezone)}"
        if due.preset is not None:
            start += f" (preset {due.preset})"
        if due.at > now:
            pause = self._scheduler.pause_of(job.name, due.at)
            if pause is not None:
                until = f" until {_local(pause.until, timezone)}" if pause.until else ""
                why = f": {pause.reason}" if pause.reason else ""
                return Why(due.at, "paused", None, f"{start}; held back by {pause.author}{until}{why}")
            return Why(due.at, "future", None, f"{start}; still to come")
        rows = await self._database.read(listing.fires, job.name, due.at, due.at + timedelta(milliseconds=1))
        row = next((row for row in rows if row.schedule == due.schedule), None)
        if row is None:
            return Why(
                due.at,
                "missed",
                None,
                f"{start}; there is no run for it: no scheduler was up, or the job was not defined so at the time",
            )
        return _of_row(row, due, start, timezone)


def _of_row(row: Run, due: Due, start: str, timezone: str) -> Why:
    if row.status == SKIPPED:
        return Why(due.at, "skipped", row.run_id, f"{start}; skipped as {row.run_id}: {row.reason}")
    reason = f" ({row.reason})" if row.reason else ""
    if row.started_at is None:
        return Why(due.at, "ran", row.run_id, f"{start}; {row.run_id} is {row.status}{reason}")
    late = row.started_at - due.at
    verdict: Verdict = "ran late" if late > LATE else "ran"
    how = f"{late.total_seconds():.0f} s late at" if verdict == "ran late" else "at"
    began = _local(row.started_at, timezone, seconds=True)
    return Why(
        due.at, verdict, row.run_id, f"{start}; ran {how} {began} as {row.run_id}, {row.status}{reason}"
    )


def _due_at(job: Job, asked: datetime) -> Due | None:
    """What was due in the minute that starts at `asked`, or exactly then when it has seconds."""
    span = TICK if asked.second or asked.microsecond else _MINUTE
    return min(upcoming([job], asked - TICK, asked + span - TICK), key=lambda due: due.at, default=None)


def _last_due(job: Job, until: datetime) -> Due | None:
    for span in _LOOK_BACK:
        latest = max(upcoming([job], until - span, until), key=lambda due: due.at, default=None)
        if latest is not None:
            return latest
    return None


def _next_due(job: Job, after: datetime) -> Due | None:
    firsts = [
        Due(at, job.name, fire.key, fire.preset)
        for fire in job.fires
        if (at := fire.schedule.next_after(after)) is not None
    ]
    return min(firsts, key=lambda due: due.at, default=None)


def _local(at: datetime, timezone: str, *, seconds: bool = False) -> str:
    """On the job's clock, with the zone's name; seconds only when there are any."""
    shown = at.astimezone(zone(timezone))
    form = "%Y-%m-%d %H:%M:%S" if seconds or shown.second else "%Y-%m-%d %H:%M"
    return f"{shown.strftime(form)} {timezone}"
