"""A job that may not overlap itself does not, however many ask for it at once and wherever."""

import asyncio
import time

from liberty.chaos.checker import History, check
from liberty.chaos.cluster import Cluster, arranged, eventually, job
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan, Result
from liberty.errors import Unavailable

PARALLEL = 50  # in each round, on each replica
REASON_SECONDS = 1.0
ANSWER_TOLERANCE = 4.0  # added where all of a small machine's cores are busy answering


async def run(plan: Plan) -> Result:
    """Rounds of parallel starts on every replica, beside the job's own schedule."""
    result = plan.result("single-instance")
    toml = job("alone", "work", 'schedule = "*/2 * * * * *"', op_kwargs={"seconds": 0.3})
    asked = refused = without_reason = 0
    slowest = 0.0
    async with arranged(plan, toml, settings="max_concurrent_runs = 32") as cluster:
        turns = plan.turns(100)
        while turns.another():
            began = time.monotonic()
            answers = await asyncio.gather(
                *(_ask(replica) for replica in cluster.replicas for _ in range(PARALLEL))
            )
            slowest = max(slowest, time.monotonic() - began)
            asked += len(answers)
            refused += sum(answer is None for answer in answers)
            skipped = [answer for answer in answers if answer is not None and answer["status"] == "skipped"]
            without_reason += sum(not answer["reason"] for answer in skipped)
        await eventually(lambda: _quiet(cluster), 20)
        rows = await cluster.rows(job="alone")
        marks = cluster.marks()
        known = {row.run_id for row in rows}
        marks = [mark for mark in marks if mark.run_id in known]
        verdict = check(History([], rows, marks, frozenset({"alone"}), ended=False))
    counts = verdict.counts
    result.counts |= {
        "rounds": turns.done,
        "starts asked for": asked,
        "starts refused": refused,
        "worked": counts["witnessed"],
        "skipped": sum(row.status == "skipped" for row in rows),
        "overlaps": counts["overlaps"],
        "slowest round of answers, s": round(slowest, 3),
    }
    result.violations += [text for text in verdict.violations if "same time" in text or "worked" in text]
    result.none_of("skipped without a reason", without_reason, "skipped starts gave no reason")
    if refused:
        result.violations.append(f"{refused} starts were not answered with a run id")
    if counts["witnessed"] == 0:
        result.violations.append("no run worked at all")
    return result


async def _ask(replica: Replica) -> dict[str, str | None] | None:
    try:
        return await replica.trigger("alone")
    except Unavailable:
        return None


async def _quiet(cluster: Cluster) -> bool:
    page = await cluster.get("/admin/jobs/runs?job=alone&status=queued,running,aborting")
    return len(page["items"]) <= 1
