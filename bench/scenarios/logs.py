"""How fast lines of one step are taken in, that none is lost count of, and what the flood does to other runs."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from bench.client import Connection
from bench.figures import Figure, median, percentile
from bench.plan import Plan
from bench.targets import POLL_SECONDS, Liberty, connected, one_run, pages, series

TARGET_LINES_PER_SECOND = 100_000.0
TARGET_P99_RATIO = 1.10
EVERYTHING_KEPT = "[jobs]\nlog_truncate_kb = 1048576\n"
FLOOD_LINE = "of the flood"
FLOOD_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Flood:
    """One flooding run; `stored` and `dropped` count lines of the step only."""

    emitted: int
    seconds: float
    stored: int
    dropped: int

    @property
    def rate(self) -> float:
        return self.emitted / self.seconds


async def measure(plan: Plan) -> list[Figure]:
    lines, rounds = plan.size(300_000, 30_000), plan.size(3, 1)
    limit = _plain_logging_rate(lines)
    with plan.liberty() as liberty:
        await series(liberty, 20)
        cut = [await _flood(liberty, lines) for _ in range(rounds)]
        quiet, flooded, computed = await _neighbours(plan, liberty)
    with plan.liberty(app_toml=EVERYTHING_KEPT) as liberty:
        await series(liberty, 20)
        kept = [await _flood(liberty, lines) for _ in range(rounds)]
    return [
        _rate_figure(
            f"log lines captured from one step of {lines:,}, default settings",
            cut,
            limit,
            TARGET_LINES_PER_SECOND,
        ),
        _rate_figure("the same with log_truncate_kb at 1 GiB", kept, limit, None),
        _ratio_figure("p99 of other runs during a flood, against quiet", flooded, quiet, computed),
    ]


def _rate_figure(name: str, floods: list[Flood], limit: float, target: float | None) -> Figure:
    return Figure(
        name,
        median(flood.rate for flood in floods),
        "lines/s",
        target=target,
        better="higher",
        limit=limit,
        limit_is="logging to a list, nothing else running",
        details={
            "all": [flood.rate for flood in floods],
            "emitted": floods[0].emitted,
            "stored": [flood.stored for flood in floods],
            "dropped_and_counted": [flood.dropped for flood in floods],
        },
    )


def _ratio_figure(name: str, flooded: list[float], quiet: list[float], computed: list[float]) -> Figure:
    unflooded = percentile(quiet, 99)
    return Figure(
        name,
        percentile(flooded, 99) / unflooded,
        "×",
        target=TARGET_P99_RATIO,
        limit=percentile(computed, 99) / unflooded,
        limit_is="a step that computes and is silent",
        details={
            kind: {"p50_ms": median(values), "p99_ms": percentile(values, 99), "runs": len(values)}
            for kind, values in (("quiet", quiet), ("flood", flooded), ("compute", computed))
        },
    )


async def _flood(liberty: Liberty, lines: int) -> Flood:
    """Run it, then count what was stored line by line. Raises AssertionError when the counts do not add up."""
    async with connected(liberty.server) as (connection,):
        run = await _started(connection, "flood", {"lines": lines})
        run = await _ended(connection, run["run_id"])
        output = run["steps"][0]["output"]
        path = f"/admin/jobs/runs/{run['run_id']}/logs?limit=1000&since=0"
        stored = [line["message"] async for line in pages(connection, path)]
    assert len(stored) == run["log_lines"], f"{len(stored)} lines are served, {run['log_lines']} were counted"
    of_step = sum(FLOOD_LINE in message for message in stored)
    found = Flood(output["lines"], output["seconds"], of_step, run["log_dropped"])
    assert found.emitted == found.stored + found.dropped, f"lines were lost without a word: {found}"
    return found


async def _neighbours(plan: Plan, liberty: Liberty) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of single runs: while it is quiet, beside a flood, beside a silent computation; in turns."""
    seconds = plan.size(4, 1)
    quiet: list[float] = []
    flooded: list[float] = []
    computed: list[float] = []
    for _ in range(plan.size(5, 2)):
        quiet += await _latencies(liberty, seconds)
        flooded += await _beside(liberty, "flood", seconds)
        computed += await _beside(liberty, "compute", seconds)
    return quiet, flooded, computed


async def _beside(liberty: Liberty, job: str, seconds: float) -> list[float]:
    """The same while a step of `job` is busy for as long."""
    async with connected(liberty.server) as (connection,):
        # A little longer than needed: its clock starts in the step, ours when it is seen.
        run = await _started(connection, job, {"seconds": seconds + 0.5})
        taken = await _latencies(liberty, seconds)
        await _ended(connection, run["run_id"])
    return taken


async def _latencies(liberty: Liberty, seconds: float) -> list[float]:
    """Single runs that began and ended within that time."""
    taken = []
    until = time.monotonic() + seconds
    async with connected(liberty.server) as (connection,):
        while True:
            run = await one_run(liberty, connection)
            if time.monotonic() > until:
                return taken or [run.client_ms]
            taken.append(run.client_ms)


async def _started(connection: Connection, job: str, params: dict[str, Any]) -> dict[str, Any]:
    """The run once its step is running."""
    run_id = (await connection.post(f"/admin/jobs/{job}/run", {"params": params}))["run_id"]
    async with asyncio.timeout(FLOOD_SECONDS):
        while True:
            run = await connection.get(f"/admin/jobs/runs/{run_id}")
            if run["current_step"] is not None or run["finished_at"] is not None:
                return run
            await asyncio.sleep(POLL_SECONDS)


async def _ended(connection: Connection, run_id: str) -> dict[str, Any]:
    """The run once it has succeeded; asked seldom, because a flood is measured undisturbed."""
    async with asyncio.timeout(FLOOD_SECONDS):
        while await _newest_goes_on(connection):
            await asyncio.sleep(0.25)
    run: dict[str, Any] = await connection.get(f"/admin/jobs/runs/{run_id}")
    assert run["status"] == "succeeded", f"{run_id} ended {run['status']}: {run['steps']}"
    return run


async def _newest_goes_on(connection: Connection) -> bool:
    """Asked of the list, which has no log lines in it."""
    found = await connection.get("/admin/jobs/runs?job=flood,compute&limit=1")
    return found["items"][0]["finished_at"] is None


def _plain_logging_rate(lines: int) -> float:
    """Lines a second through the standard library's logging in this process, kept in a list."""
    kept: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record.getMessage())

    logger = logging.getLogger("bench.flood")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(Keep())
    begun = time.perf_counter()
    for number in range(lines):
        logger.info("line %d of the flood, as long as lines of a busy step usually are", number)
    return len(kept) / (time.perf_counter() - begun)
