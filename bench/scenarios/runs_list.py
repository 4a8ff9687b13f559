"""The newest 50 runs of one job and one status, out of a long history."""

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bench.apps import LISTED_JOBS, listed_job
from bench.figures import Figure, percentile
from bench.plan import Plan
from bench.postgres import database, libpq
from bench.servers import LibertyServer
from bench.targets import connected

TARGET_P99_MS = 15.0
HISTORY_DAYS = 80  # inside the 90 days that are kept
SHARES = {"succeeded": 0.92, "failed": 0.04, "skipped": 0.025, "aborted": 0.01, "partial-success": 0.005}
FINISHED_REASONS = {"skipped": "single-instance, previous still running"}
COLUMNS = (
    *("job", "app", "status", "reason", "trigger", "triggered_by", "schedule", "scheduled_at", "queued_at"),
    *("started_at", "finished_at", "rows_affected", "params", "definition_version", "owner", "epoch"),
    *("exclusive", "log_lines"),
)
SEED = 20_260_329


async def _measure(plan: Plan, *, on_postgres: bool) -> list[Figure]:
    count, requests = plan.size(1_000_000, 20_000), plan.size(500, 100)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database(plan.postgres())) if on_postgres else None
        made = LibertyServer(plan.new_folder("server"), database_url=url)
        made.make_token()
        if url is None:
            await asyncio.to_thread(_fill_sqlite, made, count)
        else:
            await _fill_postgres(url, count)
        server = stack.enter_context(made.running())
        chosen = random.Random(SEED)
        filters = [_filter(chosen) for _ in range(requests)]
        async with connected(server) as (connection,):
            for job, status in filters[:20]:
                await connection.get(_path(job, status))
            taken, sizes = [], []
            for job, status in filters:
                begun = time.perf_counter()
                page = await connection.request("GET", _path(job, status))
                taken.append((time.perf_counter() - begun) * 1000)
                items = json.loads(page)["items"]
                assert all(item["job"] == job and item["status"] == status for item in items)
                sizes.append(len(items))
        bare = await _bare_queries(made, url, filters)
    return [
        Figure(
            f"runs list at {count:,} runs, 50 newest by job and status, p{percent} of {requests}",
            percentile(taken, percent),
            "ms",
            target=TARGET_P99_MS if percent == 99 else None,
            limit=percentile(bare, percent),
            limit_is="the bare query",
            details={"items": sum(sizes), "full_pages": sum(size == 50 for size in sizes)},
        )
        for percent in (50, 99)
    ]


on_sqlite = partial(_measure, on_postgres=False)
on_postgres = partial(_measure, on_postgres=True)


def _filter(chosen: random.Random) -> tuple[str, str]:
    return listed_job(chosen.randrange(LISTED_JOBS)), chosen.choice(list(SHARES))


def _path(job: str, status: str) -> str:
    return f"/admin/jobs/runs?job={job}&status={status}&limit=50"


def _rows(count: int, instant: Any) -> Iterator[tuple[Any, ...]]:
    """Runs in the order they were queued, up to now; a few jobs run far more often than most."""
    chosen = random.Random(SEED)
    newest = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    apart = timedelta(days=HISTORY_DAYS) / count
    jobs = [listed_job(number) for number in range(LISTED_JOBS)]
    often = list(_running_total(1 / (number + 20) for number in range(LISTED_JOBS)))
    statuses, shares = list(SHARES), list(_running_total(SHARES.values()))
    for number in range(count):
        queued = newest - apart * (count - number)
        status = chosen.choices(statuses, cum_weights=shares)[0]
        ran = status != "skipped"
        by_cron = chosen.random() < 0.9
        yield (
            chosen.choices(jobs, cum_weights=often)[0],
            "listed",
            status,
            FINISHED_REASONS.get(status),
            "cron" if by_cron else "manual",
            "cron" if by_cron else "user:alice",
            f"every minute, {number}" if by_cron else None,
            instant(queued) if by_cron else None,
            instant(queued),
            instant(queued + timedelta(milliseconds=5)) if ran else None,
            instant(queued + timedelta(milliseconds=chosen.randrange(50, 60_000))),
            chosen.randrange(10_000) if ran else None,
            '{"period": "2026-02"}',
            1,
            "replica-1" if ran else None,
            1 if ran else 0,
            True,
            4 if ran else 0,
        )


def _running_total(weights: Any) -> Iterator[float]:
    total = 0.0
    for weight in weights:
        total += weight
        yield total


def _fill_sqlite(made: LibertyServer, count: int) -> None:
    connection = sqlite3.connect(made.data / "liberty.db", isolation_level=None)
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    marks = ", ".join("?" * len(COLUMNS))
    # Nothing is lost by it: the table is filled before anything is measured.
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")
    connection.execute("BEGIN")
    rows = _rows(count, lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z")
    connection.executemany(f"INSERT INTO ly2_job_runs ({names}) VALUES ({marks})", rows)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _fill_postgres(url: str, count: int) -> None:
    import asyncpg

    connection = await asyncpg.connect(libpq(url))
    try:
        await connection.copy_records_to_table(
            "ly2_job_runs", records=_rows(count, lambda at: at), columns=COLUMNS
        )
        await connection.execute("VACUUM ANALYZE ly2_job_runs")
    finally:
        await connection.close()


async def _bare_queries(made: LibertyServer, url: str | None, filters: list[tuple[str, str]]) -> list[float]:
    """Milliseconds of the same question asked to the database alone, by a prepared statement."""
    sql = "SELECT * FROM ly2_job_runs WHERE job = $1 AND status = $2 ORDER BY id DESC LIMIT 50"
    taken = []
    if url is None:
        connection = sqlite3.connect(made.data / "liberty.db")
        for wanted in filters:
            begun = time.perf_counter()
            connection.execute(sql.replace("$", "?"), wanted).fetchall()
            taken.append((time.perf_counter() - begun) * 1000)
        connection.close()
        return taken
    import asyncpg

    session = await asyncpg.connect(libpq(url))
    try:
        prepared = await session.prepare(sql)
        for wanted in filters:
            begun = time.perf_counter()
            await prepared.fetch(*wanted)
            taken.append((time.perf_counter() - begun) * 1000)
    finally:
        await session.close()
    return taken
