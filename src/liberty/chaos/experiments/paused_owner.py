"""A replica that was held still for so long that others gave it up changes nothing when it wakes."""

import asyncio
import time
from typing import Any

from liberty.chaos.cluster import Cluster, arranged, job
from liberty.chaos.facts import row_of
from liberty.chaos.result import Plan, Result

RUNS = 5  # on each pause
REAPED_SECONDS = 60.0
AWAKE_SECONDS = 8.0
FENCED_LINES = 1  # what the woken side may say in the run's log about having been given up


async def run(plan: Plan) -> Result:
    """Runs that write to their log are paused with their replica, given up, and resumed."""
    result = plan.result("paused-owner")
    if not plan.on_postgresql or plan.replicas < 2:
        result.not_run = "it takes two replicas on PostgreSQL"
        return result
    # It wakes in the middle of its talk, says more, and comes to its end as if nothing had been.
    toml = job("talk", "talk", "single_instance = false", op_kwargs={"seconds": 6})
    resumes = 0
    not_reaped: list[str] = []
    changed: list[str] = []
    async with arranged(plan, toml, settings="drain_seconds = 0") as cluster:
        turns = plan.turns(10)
        while turns.another():
            victim = cluster.replicas[turns.done % len(cluster.replicas)]
            started = [(await victim.trigger("talk"))["run_id"] for _ in range(RUNS)]
            await cluster.begun(set(started))
            mine = [run_id for run_id in started if await cluster.owner(run_id) is victim]
            await asyncio.sleep(1)
            victim.pause()
            reaped = [run_id for run_id in mine if await _reaped(cluster, run_id)]
            not_reaped += [run_id for run_id in mine if run_id not in reaped]
            before = {run_id: await cluster.run(run_id) for run_id in reaped}
            victim.resume()
            plan.say(f"paused-owner: {victim.name} woke up to {len(reaped)} runs that were given up")
            await asyncio.sleep(AWAKE_SECONDS)
            for run_id, was in before.items():
                now = await cluster.run(run_id)
                if not _same(was, now):
                    changed.append(f"{run_id}: {_facts(was)} -> {_facts(now)}")
            resumes += len(reaped)
            await cluster.heal()
    result.counts |= {"pauses": turns.done, "runs given up and resumed": resumes}
    result.none_of(
        "not given up", len(not_reaped), f"runs of a paused replica went on: {', '.join(not_reaped[:3])}"
    )
    result.none_of(
        "changed afterwards", len(changed), f"runs changed after they were given up: {', '.join(changed[:3])}"
    )
    if resumes == 0:
        result.violations.append("no run was given up and resumed, so nothing was shown")
    return result


async def _reaped(cluster: Cluster, run_id: str) -> bool:
    deadline = time.monotonic() + REAPED_SECONDS
    while time.monotonic() < deadline:
        row = row_of(await cluster.run(run_id))
        if row.final:
            return row.status == "failed" and row.orphaned
        await asyncio.sleep(0.5)
    return False


def _facts(detail: dict[str, Any]) -> tuple[object, ...]:
    steps = tuple(
        (step["name"], step["status"], step["attempt"], step["finished_at"]) for step in detail["steps"]
    )
    return detail["status"], detail["reason"], detail["finished_at"], detail["log_lines"], steps


def _same(was: dict[str, Any], now: dict[str, Any]) -> bool:
    lines = now["log_lines"] - was["log_lines"]
    return 0 <= lines <= FENCED_LINES and _facts({**now, "log_lines": was["log_lines"]}) == _facts(was)
