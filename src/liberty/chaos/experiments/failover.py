"""When the replica that fires schedules goes, another one fires soon: after `kill -9` and after SIGTERM."""

import asyncio
from datetime import UTC, datetime

from liberty.chaos.cluster import Cluster, arranged, eventually, job
from liberty.chaos.facts import Row
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan, Result, quantile

KILL_SECONDS = 10.0
TERM_SECONDS = 2.0
LOOK_SECONDS = 30.0
JOBS = 3


async def run(plan: Plan) -> Result:
    """The time from the end of the leader to the first row of a slot that was due later."""
    result = plan.result("failover")
    if not plan.on_postgresql or plan.replicas < 2:
        result.not_run = "it takes two replicas on PostgreSQL"
        return result
    names = [f"every-second-{number}" for number in range(1, JOBS + 1)]
    toml = "".join(job(name, "work", 'schedule = "* * * * * *"', "single_instance = false") for name in names)
    dice = plan.dice("failover")
    gaps: dict[str, list[float]] = {"kill -9": [], "SIGTERM": []}
    unknown = 0
    async with arranged(plan, toml, settings="drain_seconds = 2") as cluster:
        turns = plan.turns(40)
        while turns.another():
            await asyncio.sleep(3 + dice.random())
            leader = await eventually(cluster.leader, LOOK_SECONDS)
            if leader is None:
                unknown += 1
                continue
            fault = "kill -9" if turns.done % 2 else "SIGTERM"
            gap = await _gap(cluster, leader, fault)
            plan.say(f"failover: {fault} of {leader.name}: {gap:.2f} s")
            gaps[fault].append(gap)
            await cluster.heal()
    result.counts["rounds without a single leader"] = unknown
    for fault, limit in (("kill -9", KILL_SECONDS), ("SIGTERM", TERM_SECONDS)):
        result.counts[f"{fault} of the leader"] = len(gaps[fault])
        result.counts[f"{fault}: half of them fired within, s"] = round(quantile(gaps[fault], 0.5), 3)
        result.limit(f"{fault}: the slowest, s", max(gaps[fault], default=0.0), limit)
    if unknown:
        result.violations.append(f"{unknown} times no single replica was the one that fires")
    return result


async def _gap(cluster: Cluster, leader: Replica, fault: str) -> float:
    """Seconds until somebody else fires; `LOOK_SECONDS` when nobody does."""
    gone = datetime.now(UTC)
    if fault == "kill -9":
        await leader.kill()
    else:
        leader.terminate()

    async def fired() -> Row | None:
        rows = await cluster.rows(since=gone)
        # What the old one still fires while it says good-bye is not the new one's.
        return next((row for row in rows if row.scheduled_at is not None and row.scheduled_at > gone), None)

    ended = asyncio.create_task(leader.exited(LOOK_SECONDS))
    leader.paused = True  # not to be asked any more
    row = await eventually(fired, LOOK_SECONDS)
    seen = (datetime.now(UTC) - gone).total_seconds()  # over REST, not by what the row says of itself
    await ended
    leader.paused = False
    return LOOK_SECONDS if row is None else seen
