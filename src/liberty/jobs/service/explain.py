"""Why a job did, or did not, run at an instant: gathers its rows, its definition of that time, pauses and downtimes."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import islice

from liberty.clock import Clock
from liberty.database import Database, Tx
from liberty.errors import Invalid
from liberty.jobs.calendar import upcoming
from liberty.jobs.definition import job_from_definition
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.job import Job
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.instants import TICK, parse_instant
from liberty.jobs.service.verdicts import Facts, Slot, Why, about, day
from liberty.jobs.store import gaps, lease, listing, pauses, schedules, versions
from liberty.jobs.triggers import server_timezone, zone

_MINUTE = timedelta(minutes=1)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOOK_BACK = tuple(timedelta(days=days) for days in (1 / 24, 1, 8, 32, 367))
_VERSIONS = 50
_MAX_SLOTS = 100_000


@dataclass(frozen=True, slots=True)
class Version:
    """A definition of the job and when it was first loaded."""

    loaded_at: datetime
    job: Job


class Explainer:
    """Answers from what is stored; what it infers is only that a row is absent."""

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

        A bare date asks about all instants of that day. Raises NotFound, Invalid for a text that is no time.
        """
        catalogue = self._current().catalogue
        name = caller.job_name(catalogue, name, "read")
        now = self._scheduler.now()
        job = catalogue.jobs.get(name)
        timezone = (job.timezone if job is not None else None) or server_timezone()
        place = zone(timezone)
        if at is not None and _DATE.fullmatch(at.strip()):
            return await self._day(name, job, at, timezone, now)
        asked = parse_instant(at, "at", zone=place) if at else now
        defined = await self._database.read(_defined, name)
        if at is None:
            last = await asyncio.to_thread(_last_due, [job] if job is not None else [], asked)
            begin, end = (last.at, last.at) if last is not None else (asked, asked)
        else:
            begin, end = asked, asked + (timedelta() if asked.second or asked.microsecond else _MINUTE - TICK)
        facts = await self._database.read(_facts, name, timezone, now, begin, end)
        slots = await asyncio.to_thread(_slots, _in_force(defined, job, begin), facts, begin, end)
        if not slots or (at is None and job is not None and not job.fires):
            return Why(asked, "not due", None, await self._not_due(name, job, defined, asked, facts))
        return about(slots[0], facts)

    async def _day(self, name: str, job: Job | None, at: str, timezone: str, now: datetime) -> Why:
        place: tzinfo = zone(timezone)
        begin = parse_instant(at, "at", zone=place)
        midnight = begin.astimezone(place).replace(tzinfo=None) + timedelta(days=1)
        end = parse_instant(midnight.isoformat(), "at", zone=place) - TICK
        defined = await self._database.read(_defined, name)
        facts = await self._database.read(_facts, name, timezone, now, begin, end)
        jobs = _in_force(defined, job, end)
        slots = await asyncio.to_thread(_slots, jobs, facts, begin, end)
        if not slots:
            return Why(begin, "not due", None, await self._not_due(name, job, defined, begin, facts))
        past = [slot for slot in slots if slot.at <= now]
        last = about(past[-1] if past else slots[0], facts)
        return last if len(slots) == 1 else await asyncio.to_thread(day, slots, last, facts)

    async def _not_due(
        self, name: str, job: Job | None, defined: Sequence[Version], asked: datetime, facts: Facts
    ) -> str:
        if job is None:
            return f"the job is quarantined: {self._current().catalogue.quarantined[name].reason}"
        if not job.fires:
            if not job.schedule:
                return "not due: it has no schedule and runs on request only"
            since = _disabled_since(defined)
            return f"not due: it is disabled{f' since {facts.clock(since)}' if since is not None else ''}"
        before = await asyncio.to_thread(_last_due, [job], asked)
        following = [fire.schedule.next_after(asked) for fire in job.fires]
        after = min((at for at in following if at is not None), default=None)
        parts = [f"not due at {facts.clock(asked)}"]
        parts += [f"due before at {facts.clock(before.at)}"] if before else []
        parts += [f"next at {facts.clock(after)}"] if after else []
        return "; ".join(parts)


async def _defined(tx: Tx, name: str) -> list[Version]:
    """The job's definitions, newest first, as far as this version can still read them."""
    found: list[Version] = []
    for _, loaded_at, text in await versions.newest(tx, name, _VERSIONS):
        try:
            found.append(Version(loaded_at, job_from_definition(text)))
        except Invalid:
            continue
    return found


async def _facts(tx: Tx, name: str, timezone: str, now: datetime, begin: datetime, end: datetime) -> Facts:
    return Facts(
        job=name,
        timezone=timezone,
        now=now,
        rows=await listing.fires(tx, name, begin, end + timedelta(milliseconds=1)),
        summaries=await listing.summaries(tx, name, begin, end),
        gaps=await gaps.between(tx, begin, end),
        pauses=await pauses.since(tx, begin - TICK),
        marks=await schedules.of_job(tx, name),
        lease=await lease.see(tx),
    )


def _in_force(defined: Sequence[Version], job: Job | None, at: datetime) -> list[Job]:
    """The definition of that time; the present one when there is no older one."""
    then = next((version.job for version in defined if version.loaded_at <= at), None)
    return [then] if then is not None else [job] if job is not None else []


def _slots(jobs: Sequence[Job], facts: Facts, begin: datetime, end: datetime) -> list[Slot]:
    """What was due in [begin, end], and what has a row although it is not due by that definition; oldest first."""
    due = islice(upcoming(jobs, begin - TICK, end), _MAX_SLOTS)
    found = {(item.at, item.schedule): Slot(item.at, item.schedule, item.preset) for item in due}
    for row in facts.rows:
        if row.scheduled_at is not None and row.schedule is not None:
            slot = Slot(row.scheduled_at, row.schedule, row.overrides.preset)
            found.setdefault((slot.at, slot.schedule), slot)
    return [found[key] for key in sorted(found)]


def _last_due(jobs: Sequence[Job], until: datetime) -> Slot | None:
    for span in _LOOK_BACK:
        latest = max(upcoming(jobs, until - span, until), key=lambda due: due.at, default=None)
        if latest is not None:
            return Slot(latest.at, latest.schedule, latest.preset)
    return None


def _disabled_since(defined: Sequence[Version]) -> datetime | None:
    """When the newest unbroken row of disabled definitions began."""
    since = None
    for version in defined:
        if version.job.enabled:
            break
        since = version.loaded_at
    return since
