"""Runs per second asked for over REST, with the whole history read back and checked afterwards."""

from functools import partial
from typing import Any

from bench.client import Connection
from bench.figures import Figure, median
from bench.plan import Plan
from bench.processes import proportional_memory_mb
from bench.targets import Floor, Liberty, connected, many_runs, pages, timestamp

CONCURRENCY = 16
WARM_UP = 50


class IncompleteHistoryError(AssertionError):
    """The server was fast by leaving something out."""


async def _measure(plan: Plan, *, on_postgres: bool, target: float) -> list[Figure]:
    count, rounds = plan.size(500, 60), plan.size(3, 1)
    rates: list[float] = []
    floor_rates: list[float] = []
    lines = 0
    async with plan.both(on_postgres=on_postgres) as (liberty, floor):
        await many_runs(liberty, WARM_UP, CONCURRENCY)
        await many_runs(floor, WARM_UP, CONCURRENCY)
        for _ in range(rounds):
            rate, lines = await _liberty_rate(liberty, count)
            rates.append(rate)
            floor_rates.append(await _floor_rate(floor, count))
        memory = proportional_memory_mb(liberty.server.pid)
    return [
        Figure(
            f"{count} no-op runs over REST at concurrency {CONCURRENCY}, full history, durable; "
            f"median of {rounds}",
            median(rates),
            "runs/s",
            target=target,
            better="higher",
            limit=median(floor_rates),
            limit_is="floor, same database",
            details={
                "all": rates,
                "floor_all": floor_rates,
                "log_lines_per_run": lines,
                "memory_after_mb": memory,
            },
        )
    ]


on_sqlite = partial(_measure, on_postgres=False, target=500.0)
on_postgres = partial(_measure, on_postgres=True, target=200.0)


async def _liberty_rate(liberty: Liberty, count: int) -> tuple[float, int]:
    """Runs per second from the first POST to the last `finished_at`, and the log lines each run has."""
    begun, run_ids = await many_runs(liberty, count, CONCURRENCY)
    async with connected(liberty.server) as (connection,):
        found = {item["run_id"]: item async for item in pages(connection, "/admin/jobs/runs?limit=1000")}
        missing = set(run_ids) - found.keys()
        if missing or len(set(run_ids)) != count:
            raise IncompleteHistoryError(
                f"{len(missing)} of {count} runs are not in the list, such as {missing}"
            )
        line_counts = {await _checked_lines(connection, run_id) for run_id in run_ids}
    if len(line_counts) != 1:
        raise IncompleteHistoryError(f"runs of one job have different numbers of log lines: {line_counts}")
    last = max(timestamp(found[run_id]["finished_at"]) for run_id in run_ids)
    return count / (last - begun), line_counts.pop()


async def _checked_lines(connection: Connection, run_id: str) -> int:
    """The number of lines of a run that succeeded with its step and a log without gaps."""
    run: dict[str, Any] = await connection.get(f"/admin/jobs/runs/{run_id}")
    steps = [(step["status"], step["attempt"]) for step in run["steps"]]
    log = await connection.get(f"/admin/jobs/runs/{run_id}/logs")
    numbers = [line["seq"] for line in log["items"]]
    whole = numbers and numbers == list(range(1, len(numbers) + 1)) and len(numbers) == run["log_lines"]
    if run["status"] != "succeeded" or steps != [("succeeded", 1)] or not whole or run["log_dropped"]:
        raise IncompleteHistoryError(
            f"{run_id}: {run['status']}, steps {steps}, lines {numbers}, {run['log_lines']}"
        )
    return len(numbers)


async def _floor_rate(floor: Floor, count: int) -> float:
    async with connected(floor.server) as (connection,):
        before = await connection.get("/history")
        begun, _ = await many_runs(floor, count, CONCURRENCY)
        after = await connection.get("/history")
    for kind in ("runs", "steps", "lines"):
        if after[kind] - before[kind] != count:
            raise IncompleteHistoryError(f"the floor kept {after[kind] - before[kind]} {kind} of {count}")
    return count / (after["finished"] - begun)
