"""No fire is lost, none happens twice: jobs due every second, faults all along, one outage of everybody."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from liberty.chaos.checker import History, Verdict, check
from liberty.chaos.cluster import Cluster, arranged, job
from liberty.chaos.facts import Row, Slot, every_second
from liberty.chaos.faults import Faults
from liberty.chaos.result import Plan, Result

SETTLE_SECONDS = 120.0
UNCHANGED_SECONDS = 30.0  # after which what is wrong will stay so: the dead are found after 20
ATTEMPTS_COMPARED = 100
SETTINGS = "max_concurrent_runs = 32\ndrain_seconds = 3\nabort_grace_seconds = 2"


async def run(plan: Plan) -> Result:
    """Slots, rows and the witness's marks of the whole time."""
    result = plan.result("fires")
    names = [f"every-second-{number:02}" for number in range(1, plan.jobs + 1)]
    # Every other job lets its runs overlap; of the first, each run fails once and is tried again.
    toml = "".join(_job(name, number) for number, name in enumerate(names))
    async with arranged(plan, toml, settings=SETTINGS) as cluster:
        since = datetime.now(UTC) + timedelta(seconds=2)
        faults = Faults(cluster, plan, plan.dice("fires"))
        outage = min(180.0, plan.seconds / 4)
        plan.say(
            f"fires: {plan.jobs} jobs on {len(cluster.replicas)} replicas, faults for {plan.seconds:.0f} s"
        )
        await faults.run((plan.seconds - outage) / 2)
        await _everybody_gone(cluster, outage)
        await faults.run((plan.seconds - outage) / 2)
        until = datetime.now(UTC)
        slots = list(every_second(names, since, until))
        rows, verdict = await _settled(cluster, slots, frozenset(names[1::2]))
        result.counts |= {**faults.counts, "outage of all, s": round(outage), **verdict.counts}
        result.counts |= _lateness(rows, slots)
        result.violations += verdict.violations
    return result


def _job(name: str, number: int) -> str:
    lines = ['schedule = "* * * * * *"', f"single_instance = {'true' if number % 2 else 'false'}"]
    if number == 0:
        return job(
            name,
            "fails_at_first",
            *lines,
            step='retry = { attempts = 2, backoff = "fixed", base_seconds = 0.2 }',
        )
    return job(name, "work", *lines, op_kwargs={"seconds": 0.05})


async def _everybody_gone(cluster: Cluster, seconds: float) -> None:
    await asyncio.gather(*(replica.kill() for replica in cluster.replicas))
    await asyncio.sleep(seconds)
    await cluster.start()


async def _settled(
    cluster: Cluster, slots: Sequence[Slot], exclusive: frozenset[str]
) -> tuple[list[Row], Verdict]:
    """Look again until nothing is wrong, for as long as orphans and missed slots may take to be found."""
    deadline = time.monotonic() + SETTLE_SECONDS
    changed, before = time.monotonic(), -1
    last = max(slot.at for slot in slots)
    while True:
        rows = [row for row in await cluster.rows() if row.scheduled_at is None or row.scheduled_at <= last]
        # The witness is read after the rows, so that it may only know of more; that is then not held against them.
        known = {row.run_id for row in rows}
        marks = [
            mark
            for mark in cluster.marks()
            if mark.run_id in known or (mark.scheduled_at is not None and mark.scheduled_at <= last)
        ]
        verdict = check(History(slots, rows, marks, exclusive))
        wrong = sum(verdict.counts[kind] for kind in ("unaccounted", "unfinished", "worked without a row"))
        if wrong != before:
            changed, before = time.monotonic(), wrong
        if not verdict.violations or time.monotonic() > min(deadline, changed + UNCHANGED_SECONDS):
            return rows, check(History(slots, rows, marks, exclusive, await _attempts(cluster, rows)))
        await asyncio.sleep(2)


async def _attempts(cluster: Cluster, rows: Sequence[Row]) -> dict[str, int]:
    """How many tries REST tells of, for some of the runs that were tried twice."""
    retried = [row for row in rows if row.job.endswith("-01") and row.status == "succeeded"]
    step = max(1, len(retried) // ATTEMPTS_COMPARED)
    told = {}
    for row in retried[::step]:
        detail = await cluster.run(row.run_id)
        told[row.run_id] = detail["steps"][0]["attempt"]
    return told


def _lateness(rows: Sequence[Row], slots: Sequence[Slot]) -> dict[str, int]:
    """How long after its instant a row was there."""
    due = set(slots)
    late = [
        (row.queued_at - row.scheduled_at).total_seconds()
        for row in rows
        if row.scheduled_at is not None and Slot(row.job, row.scheduled_at) in due
    ]
    return {f"rows more than {limit} s late": sum(one > limit for one in late) for limit in (2, 10, 30)}
