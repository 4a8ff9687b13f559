"""The state of the machinery: scheduler heartbeat, queue, lanes, pools."""

from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any, Literal

from liberty.clock import Clock, rfc3339
from liberty.database import Database
from liberty.jobs.engine.engine import Engine
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.loop_lag import LoopLag
from liberty.jobs.engine.scheduler import LONGEST_SLEEP_SECONDS, Scheduler
from liberty.jobs.engine.stats import EngineStats, InFlight
from liberty.jobs.run import ABORTED, ABORTING, FAILED, RUNNING, Json, Run
from liberty.jobs.service import wire
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.wire import Wire
from liberty.jobs.store import listing, recent, replicas, step_runs
from liberty.jobs.store.lease import Lease
from liberty.jobs.store.listing import MAX_PAGE, RunFilter

RECENT_FAILURES = 20
MEASURED_RUNS = 20
MAX_ERROR = 300  # characters
ERRORS_KEPT = 200
_SILENT = timedelta(seconds=LONGEST_SLEEP_SECONDS * 2)

type Pulse = Literal["active", "standby", "error"]


class Technical:
    """Looks into the engine; runs of jobs the caller may not read are counted, never shown."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        engine: Engine,
        scheduler: Scheduler,
        current: Callable[[], Generation],
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._scheduler = scheduler
        self._current = current
        self._errors: dict[int, str | None] = {}
        """Why runs that have ended failed; it does not change any more."""

    @property
    def pulse(self) -> Pulse:
        """active: it fires; standby: another process does, or none is to; error: it should tick, and does not."""
        state = self._scheduler.state
        if not state.enabled:
            return "standby"
        if state.last_tick_at is None or self._clock.now() - state.last_tick_at >= _SILENT:
            return "error"
        if state.active:
            return "active"
        led = state.lease is not None and state.lease.expires_at > self._scheduler.now()
        return "standby" if led else "error"

    def pools(self) -> list[dict[str, Any]]:
        """Connections per pool."""
        return self._current().connectors.pools.stats()

    async def _elsewhere(self, stats: EngineStats) -> list[InFlight]:
        """The runs of other replicas, as far as their rows tell."""
        here = {item.run.number for item in stats.in_flight}
        found = await self._database.read(listing.page, RunFilter(statuses=(RUNNING, ABORTING)), MAX_PAGE)
        now = self._clock.now()
        return [
            InFlight(
                run,
                run.current_step,
                (now - run.started_at).total_seconds() if run.started_at else 0.0,
                "abort" if run.status == ABORTING else None,
            )
            for run in found
            if run.number not in here and run.owner != stats.replica
        ]

    async def _error_of(self, number: int) -> str | None:
        """The first step that failed, and how."""
        if number not in self._errors:
            steps = await self._database.read(step_runs.of_run, number)
            failed = next((step for step in steps if step.error is not None), None)
            said = None
            if failed is not None and failed.error is not None:
                said = f"{failed.name}: {failed.error.type}: {failed.error.message}"[:MAX_ERROR]
            while len(self._errors) >= ERRORS_KEPT:
                del self._errors[next(iter(self._errors))]
            self._errors[number] = said
        return self._errors[number]

    async def document(self, caller: Caller) -> Wire:
        """Everything at once."""
        state = self._scheduler.state
        stats = await self._engine.stats()
        catalogue = self._current().catalogue
        failures = await self._database.read(
            listing.page, RunFilter(statuses=(FAILED, ABORTED)), RECENT_FAILURES
        )

        def shown(run: Run) -> bool:
            return caller.may("read", run.job, run.app)

        in_flight = [item for item in (*stats.in_flight, *await self._elsewhere(stats)) if shown(item.run)]
        names = sorted({item.run.job for item in in_flight})
        took = await self._database.read(recent.durations, names, MEASURED_RUNS)
        usual = {name: round(median(several)) for name, several in took.items()}
        return {
            "scheduler": self.pulse,
            "last_tick_at": wire.instant(state.last_tick_at),
            "last_fire_at": wire.instant(state.last_fire_at),
            "next_fire_at": wire.instant(state.next_fire_at),
            "lease": None if state.lease is None else _lease(state.lease),
            "never_due": [
                name
                for name in state.never_due
                if (job := catalogue.jobs.get(name)) is not None and caller.may("read", name, job.app)
            ],
            "queue_depth": await self._database.read(listing.queue_depth),
            "replica": stats.replica,
            "replicas": [
                {
                    "id": replica.id,
                    "host": replica.host,
                    "pid": replica.pid,
                    "role": replica.role,
                    "version": replica.version,
                    "started_at": rfc3339(replica.started_at),
                    "beat_at": rfc3339(replica.beat_at),
                }
                for replica in await self._database.read(replicas.everyone)
            ],
            "running": len(stats.in_flight),
            "in_flight": [_in_flight(item, usual.get(item.run.job)) for item in in_flight],
            "waiting": stats.waiting,
            "busy_threads": stats.busy_threads,
            "abandoned_threads": stats.abandoned_threads,
            "abandoned_coroutines": stats.abandoned_coroutines,
            "abandoned": [
                {
                    "kind": item.kind,
                    "run_id": item.run_id,
                    "job": item.job,
                    "step": item.step,
                    "since": rfc3339(item.since),
                    "where": item.where,
                }
                for item in stats.left_behind
                if caller.may("read", item.job, item.app)
            ],
            "lag": _lag(stats.lag),
            "plugin_loops_retired": stats.plugin_loops_retired,
            "jobs": len(catalogue.jobs),
            "quarantined": len(catalogue.quarantined),
            "pools": list(self.pools()),
            "recent_failures": [
                {**wire.run(run), "error": await self._error_of(run.number)} for run in failures if shown(run)
            ],
        }


def _in_flight(item: InFlight, usual: int | None) -> Wire:
    return {
        **wire.run(item.run),
        "current_step": item.current_step,
        "elapsed_ms": round(item.elapsed_seconds * 1000),
        "stopping": item.stopping,
        "waiting": item.waiting,
        "usual_ms": usual,
    }


def _lag(lag: LoopLag) -> Wire:
    holders: list[Json] = [
        {
            "at": rfc3339(holder.at),
            "lag_ms": round(holder.seconds * 1000),
            "run_id": holder.run_id,
            "step": holder.step,
            "where": holder.where,
            "advice": holder.advice,
        }
        for holder in lag.holders
    ]
    return {
        "samples": [
            {"at": rfc3339(sample.at), "worst_ms": round(sample.seconds * 1000, 1)} for sample in lag.samples
        ],
        "holders": holders,
    }


def _lease(lease: Lease) -> Wire:
    return {
        "holder": lease.holder,
        "epoch": lease.epoch,
        "since": rfc3339(lease.acquired_at),
        "renewed_at": rfc3339(lease.renewed_at),
        "expires_at": rfc3339(lease.expires_at),
    }
