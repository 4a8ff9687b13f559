"""A worker beside a server: it runs what the server has no place for, and ends in good order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

import pytest

from liberty.database import open_database
from liberty.jobs.run import Run
from liberty.jobs.store import listing
from liberty.jobs.store.listing import RunFilter
from tests.cluster.conftest import Processes
from tests.factories import AppsRepo, eventually, python_job

NAPS = """
def naps(ctx):
    mark(ctx, f"began-{ctx.scheduled_at.timestamp():.0f}")
    time.sleep(1.5)
"""


@pytest.fixture
def repo(tmp_path: Path, pg_url: str) -> AppsRepo:
    return AppsRepo(tmp_path / "repo", pg_url)


@pytest.mark.timeout(90)
async def test_a_worker_runs_what_the_server_has_no_place_for(repo: AppsRepo, processes: Processes) -> None:
    repo.app(max_concurrent_runs=1, drain_seconds=5)
    repo.plugin(NAPS).jobs(python_job("naps", "naps", 'schedule = "* * * * * *"', "single_instance = false"))
    server, worker = processes.server(), processes.worker()
    assert server.stdout is not None
    assert worker.stdout is not None
    await asyncio.to_thread(line_with, "is at", server.stdout)
    await asyncio.to_thread(line_with, "is ready", worker.stdout)
    database = open_database(repo.database_url)
    try:

        async def owners() -> set[str | None]:
            found = await database.read(listing.page, RunFilter(jobs=("naps",)), 100)
            return {run.owner for run in found if run.status == "succeeded"}

        await eventually(lambda: both(owners), within=40, what="runs of both processes")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
        left: list[Run] = await database.read(listing.page, RunFilter(jobs=("naps",)), 100)
        gone = {run.owner for run in left if run.owner is not None and f"-{worker.pid}-" in run.owner}
        assert len(gone) == 1, "the worker ran something"
        assert not [run for run in left if run.owner in gone and not run.status.final]
        server.send_signal(signal.SIGTERM)
        assert server.wait(15) == 0
    finally:
        await database.close()


def line_with(text: str, output: IO[str]) -> str:
    """The first line of a process that has `text` in it."""
    for line in output:
        if text in line:
            return line
    raise AssertionError(f"the process ended without saying {text!r}")


async def both(owners: Callable[[], Awaitable[set[str | None]]]) -> bool:
    return len(await owners()) == 2


@pytest.mark.timeout(60)
def test_a_worker_refuses_a_history_that_is_a_file(tmp_path: Path) -> None:
    repo = AppsRepo(tmp_path / "files", f"sqlite:///{tmp_path}/history.db")
    processes = Processes(repo)
    try:
        worker = processes.worker()
        out, _ = worker.communicate(timeout=30)
        assert worker.returncode != 0
        assert "needs a history on PostgreSQL" in out
    finally:
        processes.end()
