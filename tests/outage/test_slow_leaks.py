"""Thousands of runs in one process: memory, descriptors and threads stay where they were."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.factories import AppsRepo, python_job
from tests.outage.conftest import ServerProcess, until

LONG = "CHAOS" in os.environ
RUNS = 10_000 if LONG else 2_000
WARM_UP = 600
WORKERS = 4
MIB_PER_THOUSAND = 1.0 if LONG else 8.0  # in a short run the allocator's own steps are most of what is seen

PLUGIN = """
def works(ctx):
    ctx.log.info("hello from %s", ctx.run_id)
    return {"rows_affected": 1, "text": "some result " * 20}

def fails(ctx):
    try:
        {}["missing"]
    except KeyError as error:
        raise RuntimeError("as it should") from error

async def waits():
    await asyncio.sleep(30)
"""
SEVERAL = "single_instance = false"


def kind_of(number: int) -> str:
    """Of twenty runs two fail, one is aborted and one is timed out."""
    return {3: "fails", 13: "fails", 7: "aborted", 17: "late"}.get(number % 20, "works")


@pytest.mark.timeout(1800 if LONG else 400)
def test_nothing_grows_with_the_number_of_runs(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    repo = AppsRepo(tmp_path / "repo", f"sqlite+aiosqlite:///{path}").plugin(PLUGIN)
    repo.app(max_concurrent_runs=16)
    repo.jobs(
        python_job("works", "works", SEVERAL)
        + python_job("fails", "fails", SEVERAL)
        + python_job("aborted", "waits", SEVERAL)
        + python_job("late", "waits", SEVERAL, timeout_seconds=1)
    )
    ends = {"works": "succeeded", "fails": "failed", "aborted": "aborted", "late": "failed"}

    with ServerProcess(repo) as server, ThreadPoolExecutor(WORKERS) as workers:

        def one(number: int) -> None:
            kind = kind_of(number)
            run = server.start(kind)
            if kind == "aborted":
                until(lambda: server.run(run)["status"] == "running", within=60, what=f"{run} to run")
                assert server.client.post(f"/admin/jobs/runs/{run}/abort").status_code in (200, 202)
            assert server.ended(run, within=60)["status"] == ends[kind]

        def many(first: int, count: int) -> tuple[float, int, int]:
            for _ in workers.map(one, range(first, first + count)):
                pass
            return server.rss_mib(), server.descriptors(), server.threads()

        start = many(0, WARM_UP)
        middle = many(WARM_UP, (RUNS - WARM_UP) // 2)
        end = many(WARM_UP + (RUNS - WARM_UP) // 2, (RUNS - WARM_UP) // 2)
        slope = (end[0] - start[0]) / (RUNS - WARM_UP) * 1000
        print(f"\nRSS MiB, descriptors, threads: {start} {middle} {end}; {slope:+.2f} MiB per 1,000 runs")
        assert slope <= MIB_PER_THOUSAND
        assert end[1] <= start[1] + 5
        assert end[2] <= start[2] + 2
        wal = path.with_name("history.db-wal")
        assert wal.stat().st_size <= 36 * 1024 * 1024
