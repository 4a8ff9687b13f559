"""Wrong clocks: replicas that disagree by half a minute, and a clock that jumps by hours under a running server."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from liberty.chaos import false_time
from liberty.chaos.checker import History, check
from liberty.chaos.cluster import Cluster, arranged, eventually, job
from liberty.chaos.facts import Row, every_second
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan, Result

SKEW_SECONDS = 30.0
HOUR = 3600.0
JUMPS = (-HOUR, 2 * HOUR, -24 * HOUR, 0.0)
"""Where the clock is put, counted from the true time."""
RESUME_SECONDS = 2.0
"""Also for one server that goes by its own clock: set forward, it first accounts for all that was jumped over."""
LOOK_SECONDS = 40.0
SETTLE_SECONDS = 10.0


async def run(plan: Plan) -> Result:
    """On PostgreSQL the database's clock counts, so every slot keeps its row; on SQLite firing has to go on."""
    result = plan.result("skew")
    if false_time.library() is None:
        result.not_run = false_time.MISSING
        return result
    names = [f"every-second-{number}" for number in range(1, min(plan.jobs, 5) + 1)]
    toml = "".join(job(name, "work", 'schedule = "* * * * * *"', "single_instance = false") for name in names)
    async with arranged(
        plan, toml, settings="max_concurrent_runs = 16\ndrain_seconds = 1", false_clocks=True
    ) as cluster:
        since = datetime.now(UTC) + timedelta(seconds=2)
        several = len(cluster.replicas) > 1
        for number, replica in enumerate(cluster.replicas[1:]):
            cluster.set_clock(replica, SKEW_SECONDS if number % 2 else -SKEW_SECONDS)
        await asyncio.sleep(min(60.0, plan.seconds / 3))
        resumed: list[float] = []
        leaders = 0
        turns = plan.turns(20)
        while turns.another():
            leader = await cluster.leader() if turns.done % 2 else None
            jumping = leader or cluster.replicas[turns.done % len(cluster.replicas)]
            leaders += leader is not None
            resumed.append(await _jump(cluster, jumping, JUMPS[turns.done % len(JUMPS)], several))
            plan.say(f"skew: {jumping.name} jumped, a new fire after {resumed[-1]:.1f} s")
            await asyncio.sleep(3)
        until = datetime.now(UTC)
        await asyncio.sleep(SETTLE_SECONDS)
        rows, marks = await cluster.rows(), cluster.marks()
        if several:
            slots = list(every_second(names, since, until))
            known = {row.run_id for row in rows}
            verdict = check(
                History(slots, rows, [mark for mark in marks if mark.run_id in known], ended=False)
            )
            result.counts |= {"slots": verdict.counts["slots"], "rows": verdict.counts["rows"]}
            result.violations += verdict.violations
            result.counts["unaccounted"] = verdict.counts["unaccounted"]
    _no_duplicates(result, rows)
    result.counts |= {"jumps": turns.done, "of which of the replica that fires": leaders}
    result.none_of(
        "runs given up for dead",
        sum(row.orphaned for row in rows),
        "runs of live replicas were given up for dead",
    )
    result.limit("the longest until a fire after a jump, s", max(resumed), RESUME_SECONDS)
    return result


async def _jump(cluster: Cluster, replica: Replica, offset: float, several: bool) -> float:
    """Put a replica's clock somewhere else: seconds until something new begins, by the witness's own clock."""
    seen = {mark.run_id for mark in cluster.marks()}
    began = time.monotonic()
    cluster.set_clock(replica, offset)
    await asyncio.sleep(0.2)  # what was already on its way does not count as firing after the jump
    seen |= {mark.run_id for mark in cluster.marks()}
    pids = {one.pid for one in cluster.replicas} if several else {replica.pid}

    async def fired() -> bool:
        return any(mark.run_id not in seen and mark.pid in pids for mark in cluster.marks())

    await eventually(fired, LOOK_SECONDS)
    return time.monotonic() - began


def _no_duplicates(result: Result, rows: Sequence[Row]) -> None:
    """The same slot twice would be a duplicate whatever the clocks say."""
    slots = Counter((row.job, row.scheduled_at) for row in rows if row.trigger == "cron")
    twice = [f"{name} at {at}" for (name, at), times in slots.items() if times > 1]
    result.none_of("duplicate rows", len(twice), f"slots have more than one row: {', '.join(twice[:3])}")
