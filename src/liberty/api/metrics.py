"""Numbers for Prometheus, worked out when they are asked for."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import Response

from liberty import __version__
from liberty.api.access import resource
from liberty.jobs.engine.stats import EngineStats
from liberty.jobs.store import listing

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from liberty.api.services import Services


router = resource("technical")


@router.get("/metrics", responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    services: Services = request.app.state.services
    stats = await services.runtime.engine.stats()
    depth = await services.runtime.database.read(listing.queue_depth)
    text, media_type = await asyncio.to_thread(_rendered, services, stats, depth)
    return Response(text, media_type=media_type)


def _rendered(services: "Services", stats: EngineStats, queue_depth: int) -> tuple[bytes, str]:
    from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)

    class Ours:
        def collect(self) -> Iterable["Metric"]:
            return _families(services, stats, queue_depth)

    registry.register(Ours())
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _families(services: "Services", stats: EngineStats, queue_depth: int) -> Iterable["Metric"]:
    from prometheus_client.metrics_core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        InfoMetricFamily,
    )

    def gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"nomaflow_{name}", what, value=value)

    yield InfoMetricFamily(
        "nomaflow", "The program.", value={"version": __version__, "replica": stats.replica}
    )
    catalogue = services.runtime.generation.catalogue
    yield gauge("jobs", "Jobs that can run.", len(catalogue.jobs))
    yield gauge("jobs_quarantined", "Jobs with a wrong definition.", len(catalogue.quarantined))
    yield gauge(
        "runs_in_flight", "Runs of this process that have started and not ended.", len(stats.in_flight)
    )
    yield gauge("runs_queued", "Runs that wait for a place, in all processes.", queue_depth)
    yield gauge("step_threads_busy", "Threads that work for steps.", stats.busy_threads)
    yield gauge("step_threads_abandoned", "Threads that did not end when told to.", stats.abandoned_threads)
    yield gauge(
        "coroutines_abandoned", "Coroutines that did not end when told to.", stats.abandoned_coroutines
    )
    yield gauge(
        "scheduler_active", "1 when this process follows the schedule.", services.technical.pulse == "active"
    )
    state = services.runtime.scheduler.state
    yield gauge(
        "scheduler_last_fire_timestamp_seconds", "When a schedule last fired.", _epoch(state.last_fire_at)
    )
    yield gauge("scheduler_next_fire_timestamp_seconds", "When one fires next.", _epoch(state.next_fire_at))
    ended = CounterMetricFamily("nomaflow_runs", "Runs that ended.", labels=("job", "status"))
    for (job, status), count in sorted(services.counter.ended.items()):
        ended.add_metric((job, status), count)
    yield ended
    seconds = CounterMetricFamily("nomaflow_run_seconds", "Time runs took.", labels=("job",))
    for job, total in sorted(services.counter.seconds.items()):
        seconds.add_metric((job,), total)
    yield seconds
    for key, what in (
        ("size", "Connections a pool keeps."),
        ("checked_out", "Connections in use."),
        ("idle", "Open connections not in use."),
    ):
        family = GaugeMetricFamily(f"nomaflow_pool_{key}", what, labels=("pool",))
        for pool in services.technical.pools():
            family.add_metric((str(pool["pool"]),), float(pool[key]))
        yield family


def _epoch(at: datetime | None) -> float:
    return 0.0 if at is None else at.timestamp()
