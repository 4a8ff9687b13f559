"""Runs start on time: 200 jobs spread over the minute, then 500 due at the same second."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from liberty.chaos.checker import History, check
from liberty.chaos.cluster import Cluster, arranged, eventually, job
from liberty.chaos.facts import Mark, Row, every_minute, instant
from liberty.chaos.result import Plan, Result, quantile
from liberty.errors import Unavailable

SPREAD = 200
HERD = 500
START_P50_SECONDS = 0.05
START_P99_SECONDS = 1.0
HERD_ROWS_SECONDS = 2.0
HEALTH_P99_SECONDS = 0.25
POLL_SECONDS = 0.05
CAP = 8
HERD_EVERY_SECONDS = 30


async def run(plan: Plan) -> Result:
    """Spread jobs for the plan's time, then one herd; `/healthz` is asked all along."""
    result = plan.result("punctual")
    spread = {f"spread-{number:03}": number * 60 // SPREAD for number in range(SPREAD)}
    toml = "".join(job(name, "work", f'schedule = "* * * * * {second}"') for name, second in spread.items())
    async with arranged(plan, toml, settings=f"max_concurrent_runs = {CAP}") as cluster:
        since = datetime.now(UTC) + timedelta(seconds=2)
        health = await _healthz_during(cluster, plan.seconds)
        until = datetime.now(UTC) - timedelta(seconds=1)
        await asyncio.sleep(3)
        slots = list(every_minute(spread, since, until))
        verdict = check(History(slots, await cluster.rows(), cluster.marks(), ended=False))
        lags = _lags(cluster.marks(), since, until)
    result.counts |= {"spread slots": len(slots), "spread rows": verdict.counts["rows"]}
    result.violations += [text for text in verdict.violations if "slots" in text or "begun" in text]
    result.limit("spread, start after slot p50, s", quantile(lags, 0.5), START_P50_SECONDS)
    result.limit("spread, start after slot p99, s", quantile(lags, 0.99), START_P99_SECONDS)
    result.limit("spread, /healthz p99, s", quantile(health, 0.99), HEALTH_P99_SECONDS)
    await _herd(plan, result)
    return result


async def _herd(plan: Plan, result: Result) -> None:
    toml = "".join(
        job(f"herd-{number:03}", "work", f'schedule = "* * * * * */{HERD_EVERY_SECONDS}"')
        for number in range(HERD)
    )
    async with arranged(plan, toml, settings=f"max_concurrent_runs = {CAP}") as cluster:
        now = datetime.now(UTC)
        at = now.replace(microsecond=0, second=now.second // HERD_EVERY_SECONDS * HERD_EVERY_SECONDS)
        while at < now + timedelta(seconds=3):
            at += timedelta(seconds=HERD_EVERY_SECONDS)
        await asyncio.sleep((at - datetime.now(UTC)).total_seconds() - 2)
        health, there = await asyncio.gather(_healthz_during(cluster, 15), _all_rows(cluster, at))
        rows = [row for row in await cluster.rows() if row.scheduled_at == at]
        began = [mark.at for mark in cluster.marks() if mark.scheduled_at == at and mark.event == "begin"]
    result.counts |= {"herd": HERD, "herd, rows": len(rows), "herd, started": len(began)}
    if len(rows) != HERD or len(began) != HERD:
        result.violations.append(
            f"of {HERD} jobs due at {at:%H:%M:%S}, {len(rows)} have a row and {len(began)} ran"
        )
    if rows and began:
        result.limit("herd, all rows after, s", there, HERD_ROWS_SECONDS)
        result.counts["herd, all started after, s"] = round((max(began) - at).total_seconds(), 3)
        result.counts["herd, started out of turn"] = _out_of_turn(rows)
    result.limit("herd, /healthz p99, s", quantile(health, 0.99), HEALTH_P99_SECONDS)


async def _all_rows(cluster: Cluster, at: datetime) -> float:
    """How long after `at` REST shows a row of every job of the herd."""
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))

    async def complete() -> bool:
        page = await cluster.replicas[-1].get("/admin/jobs/runs?limit=1000")
        return (
            sum(
                item["scheduled_at"] is not None and instant(item["scheduled_at"]) == at
                for item in page["items"]
            )
            >= HERD
        )

    await eventually(complete, 15)
    return (datetime.now(UTC) - at).total_seconds()


def _lags(marks: Sequence[Mark], since: datetime, until: datetime) -> list[float]:
    return [
        (mark.at - mark.scheduled_at).total_seconds()
        for mark in marks
        if mark.event == "begin" and mark.scheduled_at is not None and since < mark.scheduled_at <= until
    ]


def _out_of_turn(rows: Sequence[Row]) -> int:
    """Runs that started although one that was queued before them, by more than the places there are, had not."""
    ordered = sorted(
        (row for row in rows if row.started_at), key=lambda row: int(row.run_id.removeprefix("r-"))
    )
    starts = [row.started_at for row in ordered if row.started_at is not None]
    return sum(later < earlier - timedelta(seconds=0.5) for earlier, later in pairwise(starts))


async def _healthz_during(cluster: Cluster, seconds: float) -> list[float]:
    """How long `/healthz` took, asked twenty times a second of one replica after the other."""
    took: list[float] = []
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until:
        began = time.monotonic()
        replica = cluster.replicas[number % len(cluster.replicas)]
        number += 1
        try:
            await replica.ask("GET", "/healthz")
        except Unavailable:
            took.append(15.0)
        else:
            took.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - began)))
    return took
