"""The next hours on one picture: which runs begin when, and how many connections of each pool they will take."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from statistics import median

from liberty.clock import Clock, rfc3339
from liberty.connectors.pools import PoolSet
from liberty.database import Database
from liberty.errors import LibertyError
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.job import Job, pools_of
from liberty.jobs.run import Json
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.due_hours import in_words
from liberty.jobs.service.schedule import Coming, ScheduleReader
from liberty.jobs.service.wire import Wire
from liberty.jobs.store import recent
from liberty.jobs.store.pauses import FREEZE

SLOT = timedelta(minutes=5)
MAX_EVENTS = 500
TOGETHER = 3  # fires in one minute that are worth a word
MEASURED_RUNS = 20


@dataclass(frozen=True, slots=True)
class Stay:
    """A run that is expected to hold one connection of each of its pools for a while."""

    begins: datetime
    lasts: timedelta
    pools: frozenset[str]


class Load:
    """Works out the load from the calendar; jobs the caller may not read are not in it."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        schedule: ScheduleReader,
        scheduler: Scheduler,
        current: Callable[[], Generation],
    ) -> None:
        self._database = database
        self._clock = clock
        self._schedule = schedule
        self._scheduler = scheduler
        self._current = current

    async def document(self, caller: Caller, *, hours: int) -> Wire:
        """The picture of the next `hours`."""
        begin = self._clock.now()
        end = begin + timedelta(hours=hours)
        calendar = await self._schedule.calendar(caller, since=begin, until=end)
        generation = self._current()
        jobs = generation.catalogue.jobs
        fires = Counter(item.due.job for item in calendar.items)
        took = await self._database.read(recent.durations, sorted(fires), MEASURED_RUNS)
        usual = {name: round(median(several)) for name, several in took.items()}
        uses = {name: pools_of(jobs[name], generation.connectors) for name in fires if name in jobs}
        often = {name for name, count in fires.items() if count > hours}

        def make() -> Wire:
            free = [item for item in calendar.items if item.held is None]
            stays = [
                Stay(
                    item.due.at,
                    timedelta(milliseconds=usual.get(item.due.job, 0)),
                    uses.get(item.due.job, frozenset()),
                )
                for item in free
            ]
            pools = generation.connectors.pools
            return {
                "since": rfc3339(begin),
                "until": rfc3339(end),
                "slot_seconds": round(SLOT.total_seconds()),
                "truncated": calendar.truncated,
                "pools": loads(stays, begin, end, limits(pools, uses.values())),
                "events": _events(calendar.items, often, usual, uses),
                "repeating": [_repeating(jobs[name], fires[name]) for name in sorted(often) if name in jobs],
                "together": _together(free),
                "freezes": self._freezes(end),
            }

        return await asyncio.to_thread(make)

    def _freezes(self, end: datetime) -> list[Json]:
        freeze = self._scheduler.all_pauses.get(FREEZE)
        now = self._scheduler.now()
        if freeze is None or freeze.since > end or (freeze.end is not None and freeze.end <= now):
            return []
        why = f": {freeze.reason}" if freeze.reason else ""
        return [
            {
                "since": rfc3339(freeze.since),
                "until": None if freeze.end is None else rfc3339(freeze.end),
                "text": f"frozen by {freeze.author}{why}",
            }
        ]


def limits(pools: PoolSet, used: Iterable[frozenset[str]]) -> dict[str, int]:
    """How many runs each pool bears at once: what `max_runs` says, else as many as it has connections."""
    found: dict[str, int] = {}
    for name in frozenset[str]().union(*used):
        try:
            config = pools.config(name)
        except LibertyError:  # declared wrongly: its runs will fail, and take no connection
            continue
        found[name] = config.max_runs or config.pool_size + config.max_overflow
    return found


def loads(stays: Sequence[Stay], begin: datetime, end: datetime, limit_of: Mapping[str, int]) -> list[Json]:
    """By pool, the most connections that are needed at once in each slot; the busiest pool first."""
    found: list[tuple[float, str, Wire]] = []
    slots = max(1, -(-(end - begin) // SLOT))
    for pool, limit in limit_of.items():
        moves: list[tuple[datetime, int]] = []
        for stay in stays:
            if pool in stay.pools:
                # One that ends as another begins makes room for it: ends sort before begins.
                moves += [(stay.begins, 1), (stay.begins + max(stay.lasts, _LEAST), -1)]
        needed = [0] * slots
        now, peak, peak_at, slot = 0, 0, None, 0
        for at, change in sorted(moves):
            if at >= end:
                break
            reached = (at - begin) // SLOT
            while slot < reached:
                slot += 1
                needed[slot] = max(needed[slot], now)
            now += change
            needed[slot] = max(needed[slot], now)
            if now > peak:
                peak, peak_at = now, at
        for rest in range(slot + 1, slots):
            needed[rest] = max(needed[rest], now)
        entry: Wire = {
            "pool": pool,
            "limit": limit,
            "peak": peak,
            "peak_at": None if peak_at is None else rfc3339(peak_at),
            "over_limit": peak > limit,
            "needed": list(needed),
        }
        found.append((-peak / limit, pool, entry))
    return [entry for _, _, entry in sorted(found, key=lambda item: item[:2])]


_LEAST = timedelta(milliseconds=1)


def _repeating(job: Job, fires: int) -> Wire:
    text = "; ".join(in_words(fire.schedule) for fire in job.fires)
    return {"job": job.name, "fires": fires, "text": text}


def _events(
    items: Sequence[Coming],
    often: Collection[str],
    usual: Mapping[str, int],
    uses: Mapping[str, frozenset[str]],
) -> list[Json]:
    seldom = (item for item in items if item.due.job not in often)
    return [_event(item, usual, uses) for item in islice(seldom, MAX_EVENTS)]


def _event(item: Coming, usual: Mapping[str, int], uses: Mapping[str, frozenset[str]]) -> Wire:
    return {
        "at": rfc3339(item.due.at),
        "job": item.due.job,
        "schedule": item.due.schedule,
        "preset": item.due.preset,
        "held": item.held,
        "expected_ms": usual.get(item.due.job),
        "pools": [*sorted(uses.get(item.due.job, ()))],
    }


def _together(items: Sequence[Coming]) -> list[Json]:
    by_minute: dict[datetime, set[str]] = {}
    for item in items:
        by_minute.setdefault(item.due.at.replace(second=0, microsecond=0), set()).add(item.due.job)
    return [
        {"at": rfc3339(at), "jobs": [*sorted(names)]}
        for at, names in sorted(by_minute.items())
        if len(names) >= TOGETHER
    ]
