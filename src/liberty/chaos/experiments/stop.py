"""SIGTERM ends a server in time under load: exit code 0, nothing left running, a second SIGTERM ends it at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from liberty.chaos.cluster import Cluster, arranged, job
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan, Result, quantile
from liberty.errors import Unavailable

DRAIN_SECONDS = 4.0
AFTER_DRAIN_SECONDS = 5.0
HURRY_SECONDS = 2.0
REFUSE_SECONDS = 0.2
OPEN_STREAMS = 10
LOAD = ("work", "talk", "swallow", "sleep-sync")


async def run(plan: Plan) -> Result:
    """Each round: runs that end, runs that do not listen, open log streams; then SIGTERM, every third time twice."""
    result = plan.result("stop")
    lines = ("single_instance = false",)
    toml = job("work", "work", *lines, op_kwargs={"seconds": 1})
    for name in LOAD[1:]:
        toml += job(name, name.replace("-", "_"), *lines, op_kwargs={"seconds": 120})
    settings = f"drain_seconds = {DRAIN_SECONDS}\nabort_grace_seconds = 2\nmax_concurrent_runs = 16"
    exits: list[float] = []
    hurried: list[float] = []
    refused: list[float] = []
    codes: list[int | None] = []
    left: list[str] = []
    unfinished: list[str] = []
    async with arranged(plan, toml, settings=settings) as cluster:
        turns = plan.turns(30)
        while turns.another():
            victim = cluster.replicas[turns.done % len(cluster.replicas)]
            started = {name: (await victim.trigger(name))["run_id"] for name in LOAD}
            await cluster.begun(set(started.values()))
            owners = {name: await cluster.owner(run_id) for name, run_id in started.items()}
            twice = turns.done % 3 == 0
            async with _streams(victim, started["talk"]):
                began = time.monotonic()
                victim.terminate()
                if twice:
                    await asyncio.sleep(0.5)
                    began = time.monotonic()
                    victim.terminate()
                else:
                    refused.append(await _refuses(victim))
                codes.append(await victim.exited(DRAIN_SECONDS + 30))
                (hurried if twice else exits).append(time.monotonic() - began)
            if codes[-1] is None:
                await victim.kill()
            await cluster.heal()
            for name, owner in owners.items():
                if owner is not victim:
                    continue
                row = await cluster.ended(started[name], 5)
                if row is None or row.orphaned:
                    left.append(f"{started[name]} ({name})")
                elif name == "work" and row.status != "succeeded" and not twice:
                    unfinished.append(f"{row.run_id}: {row.status}: {row.reason}")
            await _tidy(cluster, list(started.values()))
    result.counts |= {"rounds": turns.done, "exit codes that are not 0": sum(code != 0 for code in codes)}
    if result.counts["exit codes that are not 0"]:
        result.violations.append(f"exit codes were {codes}")
    result.counts["half of the exits within, s"] = round(quantile(exits, 0.5), 3)
    result.limit("the slowest exit, s", max(exits, default=0.0), DRAIN_SECONDS + AFTER_DRAIN_SECONDS)
    result.limit("the slowest exit after a second SIGTERM, s", max(hurried, default=0.0), HURRY_SECONDS)
    result.limit("starts refused after at most, s", max(refused, default=0.0), REFUSE_SECONDS + 0.3)
    result.none_of(
        "left running", len(left), f"runs were left behind by an orderly stop: {', '.join(left[:3])}"
    )
    result.none_of(
        "not allowed to finish",
        len(unfinished),
        f"runs of one second did not end well: {', '.join(unfinished[:3])}",
    )
    return result


async def _refuses(victim: Replica) -> float:
    """How long after SIGTERM it first refused work; a process that has closed its door refuses too."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_SECONDS:
        try:
            answer = await victim.ask("GET", "/healthz", within=2)
        except Unavailable:
            break
        if answer.status == 503:
            break
        await asyncio.sleep(0.01)
    return time.monotonic() - began


@asynccontextmanager
async def _streams(replica: Replica, run_id: str) -> AsyncIterator[None]:
    """Open connections that follow a log and never hang up by themselves."""

    async def follow() -> None:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            await replica.read_stream(f"/admin/jobs/runs/{run_id}/logs?follow=true")

    tasks = [asyncio.create_task(follow()) for _ in range(OPEN_STREAMS)]
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tidy(cluster: Cluster, run_ids: list[str]) -> None:
    for run_id in run_ids:
        with suppress(Unavailable):
            await cluster.usable[0].ask("POST", f"/admin/jobs/runs/{run_id}/abort")
