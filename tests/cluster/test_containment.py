"""Users' code that blocks or computes, against a real server: it answers, fires and beats, and names the offender."""

import asyncio
import json
import re
import signal
import statistics
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from subprocess import Popen

import httpx
import pytest

from liberty.database import Database, open_database
from liberty.jobs.store import listing, replicas
from liberty.jobs.store.listing import RunFilter
from tests.cluster.conftest import Processes
from tests.factories import AppsRepo, eventually, python_job

CODE = """
async def blocks(ctx):
    mark(ctx, f"blocking-{ctx.job_id}")
    time.sleep(10)

def computes(ctx):
    end = time.monotonic() + 10
    mark(ctx, f"computing-{ctx.job_id}")
    while time.monotonic() < end:
        sum(range(10_000))

def stuck(ctx):
    mark(ctx, f"stuck-{ctx.run_id}")
    while not marked(ctx, "go"):
        time.sleep(0.05)

def tick():
    return 1
"""

NATIVE = r"""
import re

def native(ctx):
    mark(ctx, "inside")
    re.match(r"(a+)+$", "a" * 64 + "b")
"""


@dataclass
class Server:
    """A server process, its log as it comes, and a client that may do everything."""

    process: "Popen[str]"
    client: httpx.AsyncClient
    lines: list[tuple[float, str]] = field(default_factory=list)

    @classmethod
    async def started(cls, repo: AppsRepo, processes: Processes) -> "Server":
        process = processes.server()
        file = repo.root / "data" / "server.json"
        await eventually(file.exists, within=30)
        known = json.loads(file.read_text())
        headers = {"authorization": f"Bearer {known['token']}"}
        server = cls(process, httpx.AsyncClient(base_url=known["url"], headers=headers, timeout=30))
        threading.Thread(target=server._read, daemon=True).start()
        return server

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line))

    def said(self, pattern: str) -> list[float]:
        return [at for at, line in self.lines if re.search(pattern, line)]

    async def run(self, job: str) -> str:
        answer = await self.client.post(f"/admin/jobs/{job}/run", json={})
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    async def technical(self) -> "dict[str, object]":
        found: dict[str, object] = (await self.client.get("/admin/jobs/health")).json()
        return found

    async def pings(self, seconds: float) -> list[float]:
        """How long `/healthz` took, asked twenty times a second."""
        took = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            answer = await self.client.get("/healthz")
            assert answer.status_code == 200
            took.append(time.monotonic() - began)
            await asyncio.sleep(max(0.0, 0.05 - took[-1]))
        return sorted(took)

    async def stop(self) -> None:
        await self.client.aclose()
        self.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.process.wait, 20)


async def beat(database: Database) -> datetime:
    (replica,) = await database.read(replicas.everyone)
    return replica.beat_at


@pytest.mark.timeout(120)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_blocking_coroutines_and_computing_threads_leave_the_server_responsive(
    repo: AppsRepo, processes: Processes
) -> None:
    repo.app(max_concurrent_runs=16).plugin(CODE).jobs(
        python_job("tick", "tick", 'schedule = "* * * * * *"\nsingle_instance = false')
        + "".join(python_job(f"block{n}", "blocks") for n in range(2))
        + "".join(python_job(f"cpu{n}", "computes") for n in range(8))
    )
    server = await Server.started(repo, processes)
    database = open_database(repo.database_url)
    try:
        quiet = await server.pings(1)
        began = time.monotonic()
        for job in ("block0", *(f"cpu{n}" for n in range(8)), "block1"):
            await server.run(job)
        await eventually(lambda: repo.marked("blocking-block0"))
        held = time.monotonic()
        first_beat = await beat(database)
        took = await server.pings(10)
        assert await beat(database) > first_beat
        p99 = took[int(len(took) * 0.99)]
        fires = [
            run
            for run in await database.read(listing.page, RunFilter(jobs=("tick",)), 100)
            if run.started_at is not None and run.scheduled_at is not None
        ]
        lags = [(run.started_at - run.scheduled_at).total_seconds() for run in fires]  # type: ignore[operator]  # as above
        named = server.said(r"step='only' holds the plugin loop .*work\.py:\d+ in blocks")
        print(
            f"healthz p50 {statistics.median(took) * 1000:.0f} ms p99 {p99 * 1000:.0f} ms "
            f"(idle p99 {quiet[int(len(quiet) * 0.99)] * 1000:.0f} ms); fires {len(lags)}, latest {max(lags):.2f} s; "
            f"named after {named[0] - held:.1f} s; "
            f"computing named {len(server.said('keeps others waiting'))} times"
        )
        assert p99 < 1.5
        assert time.monotonic() - began >= 10
        assert len(lags) >= 9
        assert max(lags) < 3
        assert named[0] - held < 4
    finally:
        await database.close()
        await server.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_threads_that_never_end_are_listed_and_make_the_server_degraded(
    repo: AppsRepo, processes: Processes
) -> None:
    repo.app(abort_grace_seconds=0.2, max_abandoned_threads=2, drain_seconds=1).plugin(CODE).jobs(
        python_job("stuck", "stuck", "single_instance = false")
    )
    server = await Server.started(repo, processes)
    try:
        for _ in range(2):
            run_id = await server.run("stuck")
            await eventually(lambda run_id=run_id: repo.marked(f"stuck-{run_id}"))  # type: ignore[misc]  # bound here
            assert (await server.client.post(f"/admin/jobs/runs/{run_id}/abort")).status_code == 202

        async def degraded() -> bool:
            return bool((await server.client.get("/healthz")).json()["status"] == "degraded")

        await eventually(degraded)
        answer = await server.client.get("/healthz")
        assert answer.status_code == 200
        assert "2 threads of steps did not end" in answer.json()["note"]
        listed = (await server.technical())["abandoned"]
        assert isinstance(listed, list)
        assert [(item["job"], item["step"], item["kind"]) for item in listed] == [
            ("stuck", "only", "thread")
        ] * 2
        assert all("work.py:" in item["where"] for item in listed)
        (repo.marks / "go").touch()

        async def well() -> bool:
            return bool((await server.client.get("/healthz")).json()["status"] == "ok")

        await eventually(well)
    finally:
        await server.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_native_code_that_keeps_the_interpreter_is_shown_while_it_does(
    repo: AppsRepo, processes: Processes
) -> None:
    """Nothing in Python can run then, so the stacks come from below it, on standard error."""
    repo.plugin(NATIVE).jobs(python_job("native", "native"))
    server = await Server.started(repo, processes)
    try:
        await server.run("native")
        await eventually(lambda: repo.marked("inside"), within=30)
        await eventually(lambda: server.said(r"work\.py\", line \d+ in native"), within=20)
    finally:
        server.process.kill()
        await server.stop()
