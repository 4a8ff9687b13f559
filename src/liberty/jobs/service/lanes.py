"""The schedule page: a lane per job with what became of past instants and what is to come, hour by hour."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from liberty.clock import Clock, rfc3339
from liberty.database import Database, Tx
from liberty.errors import Invalid
from liberty.jobs.calendar import Due
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.job import Job
from liberty.jobs.run import Json
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.due_hours import first_of_hours, hour_of, in_words
from liberty.jobs.service.forecast import crowds, nights
from liberty.jobs.service.overview import schedule_keys
from liberty.jobs.service.wire import Wire, crowd_of, instant_of_millis, night
from liberty.jobs.store import due_instants, gaps, lease, pauses
from liberty.jobs.store.due_instants import OUTCOMES, HourOfJob
from liberty.jobs.store.gaps import Gap
from liberty.jobs.store.lease import Lease
from liberty.jobs.store.pauses import FREEZE, Pause

MAX_SPAN = timedelta(days=10)
MAX_LANES = 100
MAX_BANDS = 200
_WORST = "mfpakcxlhrqs"
"""Letters of outcomes, the worst first."""


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """What is stored about a span of time."""

    hours: list[HourOfJob]
    gaps: list[Gap]
    pauses: tuple[Pause, ...]
    lease: Lease | None


class Lanes:
    """Draws the schedule page from the ledger and the rules; bounded by lanes, hours and bands."""

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

    async def document(
        self,
        caller: Caller,
        *,
        since: datetime | None,
        until: datetime | None,
        names: Sequence[str] = (),
        cursor: str | None = None,
        limit: int = MAX_LANES,
    ) -> Wire:
        """The lanes of jobs that have a schedule, by name, from after `cursor` on.

        Raises Invalid when the span is empty or longer than 10 days.
        """
        now = self._clock.now()
        begin = since or now - timedelta(days=1)
        end = until or begin + timedelta(days=7)
        if not begin < end <= begin + MAX_SPAN:
            raise Invalid(f"`to` lies after `from`, at most {MAX_SPAN.days} days")
        wanted = {name.lower() for name in names}
        generation = self._current()
        readable = sorted(
            (
                job
                for job in generation.catalogue.jobs.values()
                if schedule_keys(job)
                and (not wanted or job.name.lower() in wanted)
                and caller.may("read", job.name, job.app)
            ),
            key=lambda job: job.name.lower(),
        )
        after = [job for job in readable if cursor is None or job.name.lower() > cursor.lower()]
        jobs = after[:limit]
        places = [(job.name, key) for job in jobs for key in schedule_keys(job)]
        past_end = min(end, now)
        facts = await self._database.read(_facts, places, begin, max(begin, past_end), end)
        held = self._scheduler.pause_of
        at_once = generation.settings.jobs.max_concurrent_runs

        def make() -> Wire:
            coming = {job.name: to_come(job, max(begin, now), end) for job in jobs}
            free = [
                Due(at, name, key, None)
                for name, several in coming.items()
                for at, key, _ in several
                if held(name, at) is None
            ]
            known = {job.name: job for job in jobs}
            past = _by_job(facts.hours)
            counts: Counter[str] = Counter()
            for hour in facts.hours:
                counts[OUTCOMES[hour.outcome]] += hour.count
            return {
                "since": rfc3339(begin),
                "until": rfc3339(end),
                "now": rfc3339(now),
                "counts": dict(counts),
                "lanes": [_lane(job, past.get(job.name, []), coming[job.name], held) for job in jobs],
                "next_cursor": jobs[-1].name if len(after) > limit else None,
                "outages": _outages(facts, now, end),
                "freezes": _bands(
                    (pause for pause in facts.pauses if pause.job == FREEZE), "frozen", begin, end
                ),
                "pauses": _bands(
                    (pause for pause in facts.pauses if pause.job in known), "paused", begin, end
                ),
                "daylight": [night(found) for found in nights(jobs, begin, end)],
                "crowded": [crowd_of(found) for found in crowds(known, free, at_once)[:MAX_BANDS]],
            }

        return await asyncio.to_thread(make)


async def _facts(
    tx: Tx, places: Sequence[tuple[str, str]], begin: datetime, past_end: datetime, end: datetime
) -> LaneFacts:
    hours = await due_instants.hours(tx, places, begin, past_end) if begin < past_end else []
    return LaneFacts(
        hours, await gaps.between(tx, begin, end), await pauses.since(tx, begin), await lease.see(tx)
    )


def to_come(job: Job, begin: datetime, end: datetime) -> list[tuple[datetime, str, bool]]:
    """The first instant of each hour in which the job fires, its schedule, and whether others follow in the hour."""
    found: dict[datetime, tuple[datetime, str, bool]] = {}
    for fire in job.fires:
        for at, more in first_of_hours(fire.schedule, begin, end):
            hour = hour_of(at)
            known = found.get(hour)
            if known is None:
                found[hour] = (at, fire.key, more)
            else:
                first = min(known, (at, fire.key, more), key=lambda item: item[0])
                found[hour] = (first[0], first[1], True)
    return [found[hour] for hour in sorted(found)]


def _by_job(hours: Iterable[HourOfJob]) -> dict[str, list[list[HourOfJob]]]:
    found: dict[str, dict[int, list[HourOfJob]]] = {}
    for item in hours:
        found.setdefault(item.job, {}).setdefault(item.hour, []).append(item)
    return {job: [by_hour[hour] for hour in sorted(by_hour)] for job, by_hour in found.items()}


def _lane(
    job: Job,
    past: Sequence[Sequence[HourOfJob]],
    coming: Sequence[tuple[datetime, str, bool]],
    held: Callable[[str, datetime], Pause | None],
) -> Wire:
    return {
        "job": job.name,
        "app": job.app,
        "tags": list(job.tags),
        "text": "; ".join(in_words(fire.schedule) for fire in job.fires) or "switched off",
        "timezone": next((fire.schedule.timezone for fire in job.fires), job.timezone),
        "past": [_past_cell(several) for several in past],
        "coming": [
            {
                "at": rfc3339(at),
                "schedule": key,
                "several": several,
                "held": None
                if (pause := held(job.name, at)) is None
                else "frozen"
                if pause.job == FREEZE
                else "paused",
            }
            for at, key, several in coming
        ],
    }


def _past_cell(several: Sequence[HourOfJob]) -> Wire:
    worst = min(several, key=lambda item: _WORST.index(item.outcome))
    return {
        "at": instant_of_millis(worst.first),
        "outcome": OUTCOMES[worst.outcome],
        "count": sum(item.count for item in several),
        "of_that": worst.count,
        "run_id": f"r-{worst.last_run}",
        "duration_ms": worst.longest,
    }


def _outages(facts: LaneFacts, now: datetime, end: datetime) -> list[Json]:
    found: list[Json] = [
        {"since": rfc3339(gap.since), "until": rfc3339(gap.until), "text": str(gap.cause)}
        for gap in facts.gaps[:MAX_BANDS]
    ]
    if facts.lease is not None and facts.lease.expires_at <= now and facts.lease.renewed_at < end:
        since = rfc3339(facts.lease.renewed_at)
        found.append({"since": since, "until": None, "text": "scheduler is down"})
    return found


def _bands(several: Iterable[Pause], what: str, begin: datetime, end: datetime) -> list[Json]:
    found: list[Json] = []
    for pause in several:
        if pause.since <= end and (pause.end is None or pause.end >= begin) and len(found) < MAX_BANDS:
            why = f": {pause.reason}" if pause.reason else ""
            band: Wire = {} if pause.job == FREEZE else {"job": pause.job}
            band["since"] = rfc3339(pause.since)
            band["until"] = None if pause.end is None else rfc3339(pause.end)
            band["text"] = f"{what} by {pause.author}{why}"
            found.append(band)
    return found
