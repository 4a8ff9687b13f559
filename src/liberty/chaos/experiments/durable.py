"""A run id that was given out is there after `kill -9`, and the same Idempotency-Key leads to it again."""

import asyncio
import secrets
from functools import partial

from liberty.chaos.cluster import Cluster, arranged, eventually, job
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan, Result
from liberty.errors import Unavailable

CALLERS = 4
ANSWERS_FIRST = 30  # before the kill
REPEATS = 20
KEYS_REPEATED = 3  # in each round


async def run(plan: Plan) -> Result:
    """Callers start runs as fast as they can until the server dies under them; then everything is looked up."""
    result = plan.result("durable")
    toml = job("quick", "work", "single_instance = false")
    dice = plan.dice("durable")
    acknowledged: dict[str, str] = {}
    lost: list[str] = []
    doubled: list[str] = []
    async with arranged(plan, toml) as cluster:
        turns = plan.turns(30)
        while turns.another():
            victim = dice.choice(cluster.replicas)
            given: dict[str, str] = {}
            callers = [asyncio.create_task(_call(victim, given)) for _ in range(CALLERS)]
            await eventually(partial(_answered, given), 10, every=0.002)
            await asyncio.sleep(dice.uniform(0, 0.05))
            await victim.kill()
            await asyncio.gather(*callers)
            await cluster.heal()
            lost += [run_id for run_id in given.values() if not await _exists(cluster, run_id)]
            for key in list(given)[-KEYS_REPEATED:]:
                answers = await asyncio.gather(
                    *(dice.choice(cluster.replicas).trigger("quick", key) for _ in range(REPEATS))
                )
                others = {answer["run_id"] for answer in answers} - {given[key]}
                if others:
                    doubled.append(f"{given[key]} came back as {', '.join(sorted(others))}")
            acknowledged |= given
    result.counts |= {
        "kills": turns.done,
        "starts acknowledged": len(acknowledged),
        "starts repeated": turns.done * KEYS_REPEATED * REPEATS,
    }
    result.none_of("lost", len(lost), f"acknowledged runs are gone: {', '.join(lost[:3])}")
    result.none_of("doubled", len(doubled), f"keys led to another run: {'; '.join(doubled[:3])}")
    if not acknowledged:
        result.violations.append("no start was acknowledged, so nothing was shown")
    return result


async def _answered(given: dict[str, str]) -> bool:
    return len(given) >= ANSWERS_FIRST


async def _call(victim: Replica, given: dict[str, str]) -> None:
    while victim.alive:
        key = secrets.token_hex(8)
        try:
            given[key] = (await victim.trigger("quick", key))["run_id"]
        except Unavailable:
            return


async def _exists(cluster: Cluster, run_id: str) -> bool:
    answer = await cluster.usable[0].ask("GET", f"/admin/jobs/runs/{run_id}")
    return answer.status == 200
