"""Runs of a dead replica are ended by another; a replica that is merely busy is left alone."""

import asyncio
import time

from liberty.chaos.cluster import Cluster, arranged, job
from liberty.chaos.facts import Row, row_of
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan, Result, quantile

FOUND_SECONDS = 30.0
RESTART_SECONDS = 5.0
RUNS_PER_KILL = 3
BLOCKED_SECONDS = 25.0  # longer than a replica may be silent
BUSY = ("block", "compute", "sleep_sync")


async def run(plan: Plan) -> Result:
    """How long each orphan stayed `running`, and which live runs were taken for dead."""
    result = plan.result("orphans")
    toml = job("hold", "work", "single_instance = false", op_kwargs={"seconds": 600})
    for name in BUSY:
        toml += job(
            name.replace("_", "-"), name, "single_instance = false", op_kwargs={"seconds": BLOCKED_SECONDS}
        )
    dice = plan.dice("orphans")
    found: list[float] = []
    never = wrong = 0
    async with arranged(plan, toml, settings="max_concurrent_runs = 16\ndrain_seconds = 0") as cluster:
        several = len(cluster.replicas) > 1
        turns = plan.turns(50)
        while turns.another():
            victim = dice.choice(cluster.replicas)
            started = [(await victim.trigger("hold"))["run_id"] for _ in range(RUNS_PER_KILL)]
            await cluster.begun(set(started))
            await asyncio.sleep(dice.uniform(0, 5))
            mine = [run_id for run_id in started if await cluster.owner(run_id) is victim]
            await victim.kill()
            if not several:
                await victim.start()
            began = time.monotonic()
            ends = await asyncio.gather(*(_ended(cluster, run_id, began) for run_id in mine))
            never += sum(end is None for end in ends)
            wrong += sum(end is not None and not _is_orphan(end[0]) for end in ends)
            found += [end[1] for end in ends if end is not None]
            plan.say(
                f"orphans: {victim.name} killed with {len(mine)} runs, the last found after {max(found):.1f} s"
            )
            await _tidy(cluster, [run_id for run_id in started if run_id not in mine])
            await cluster.heal()
        result.counts["kills"] = turns.done
        result.counts["orphaned runs"] = len(found) + never
        result.counts["judged by"] = "heartbeat" if cluster.own_hosts else "process table and heartbeat"
        result.counts["half of them found within, s"] = round(quantile(found, 0.5), 3)
        limit = FOUND_SECONDS if several else RESTART_SECONDS
        result.limit("the slowest, s", max(found, default=0.0), limit)
        result.none_of("never found", never, "runs of a killed replica did not end")
        result.none_of(
            "wrong reason", wrong, "runs of a killed replica ended, but not as `failed: orphaned: …`"
        )
        if plan.seconds >= BLOCKED_SECONDS:
            await _false_alarms(cluster, result)
    return result


async def _ended(cluster: Cluster, run_id: str, began: float) -> tuple[Row, float] | None:
    row = await cluster.ended(run_id, FOUND_SECONDS * 2)
    return None if row is None else (row, time.monotonic() - began)


def _is_orphan(row: Row) -> bool:
    return row.status == "failed" and row.orphaned


async def _tidy(cluster: Cluster, run_ids: list[str]) -> None:
    for run_id in run_ids:
        await cluster.usable[0].ask("POST", f"/admin/jobs/runs/{run_id}/abort")


async def _false_alarms(cluster: Cluster, result: Result) -> None:
    """Steps that block their loop, a core or a thread for longer than a replica may be silent, on every replica."""

    async def busy(replica: Replica) -> list[str]:
        return [(await replica.trigger(name.replace("_", "-")))["run_id"] for name in BUSY]

    started = [run_id for ids in await asyncio.gather(*map(busy, cluster.replicas)) for run_id in ids]
    rows = []
    for run_id in started:
        row = await cluster.ended(run_id, BLOCKED_SECONDS * 6)
        rows.append(row or row_of(await cluster.run(run_id)))
    result.counts["busy runs"] = len(rows)
    alarms = [
        f"{row.run_id} ({row.job}): {row.status}: {row.reason}" for row in rows if row.status != "succeeded"
    ]
    result.none_of("false alarms", len(alarms), f"busy runs did not succeed: {', '.join(alarms[:3])}")
