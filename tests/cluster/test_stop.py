"""SIGTERM and a second server: an orderly end with code 0, and a clear refusal."""

import asyncio
import signal
import time
from subprocess import Popen

import pytest

from liberty.database import open_database
from liberty.jobs.store import runs
from tests.cluster.conftest import Processes
from tests.factories import AppsRepo, eventually, python_job

SLEEPERS = """
def stuck(ctx):
    mark(ctx, "started")
    while not marked(ctx, "go"):
        time.sleep(0.05)

async def deaf(ctx):
    mark(ctx, "started")
    while not marked(ctx, "go"):
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass

async def blocks(ctx):
    mark(ctx, "started")
    time.sleep(600)

def computes(ctx):
    mark(ctx, "started")
    while True:
        try:
            sum(range(1000))
        except BaseException:
            pass

async def finishes(ctx):
    mark(ctx, "started")
    while not marked(ctx, "go"):
        await asyncio.sleep(0.05)
"""


async def run_in_a_server(
    repo: AppsRepo, processes: Processes, function: str, code: str = SLEEPERS
) -> "tuple[Popen[str], int]":
    repo.plugin(code).jobs(python_job("job", function, 'schedule = "* * * * * *"'))
    server = processes.server()
    await eventually(lambda: repo.marked("started") and (repo.marks / "started").read_text(), within=20)
    return server, int((repo.marks / "started").read_text().removeprefix("r-"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("function", ["stuck", "deaf", "blocks", "computes", "finishes"])
async def test_a_server_told_to_stop_ends_its_runs_and_exits_with_0(
    repo: AppsRepo, processes: Processes, function: str
) -> None:
    repo.app(drain_seconds=1 if function != "finishes" else 20)
    server, number = await run_in_a_server(repo, processes, function)
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    if function == "finishes":
        (repo.marks / "go").touch()
    code = await asyncio.to_thread(server.wait, 15)
    assert code == 0
    assert time.monotonic() - began < 6
    database = open_database(repo.database_url)
    try:
        run = await database.read(runs.get, number)
        assert run is not None
        expected = ("succeeded", None) if function == "finishes" else ("aborted", "shutdown")
        assert (str(run.status), run.reason) == expected
        left = await database.read(runs.in_flight)
        assert [str(run.status) for run in left if run.status != "queued"] == []
    finally:
        await database.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("function", ["stuck", "deaf", "blocks"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_second_signal_ends_the_server_at_once(
    repo: AppsRepo, processes: Processes, function: str
) -> None:
    repo.app(drain_seconds=60, abort_grace_seconds=10)
    server, number = await run_in_a_server(repo, processes, function)
    server.send_signal(signal.SIGTERM)
    await eventually(lambda: said(server, "shutting down"), within=5)
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.wait, 15) == 0
    assert time.monotonic() - began < 4
    database = open_database(repo.database_url)
    try:
        run = await database.read(runs.get, number)
        assert run is not None
        assert (str(run.status), run.reason) == ("aborted", "shutdown")
    finally:
        await database.close()


def said(server: "Popen[str]", text: str) -> bool:
    assert server.stdout is not None
    return text in server.stdout.readline()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_signal_that_a_step_sends_to_its_own_process_is_an_orderly_stop(
    repo: AppsRepo, processes: Processes
) -> None:
    repo.app(drain_seconds=0)
    code = """
        import os
        import signal

        def interrupts(ctx):
            mark(ctx, "started")
            os.kill(os.getpid(), signal.SIGINT)
            while not ctx.is_cancelled():
                time.sleep(0.01)
        """
    server, number = await run_in_a_server(repo, processes, "interrupts", code)
    assert await asyncio.to_thread(server.wait, 15) == 0
    database = open_database(repo.database_url)
    try:
        run = await database.read(runs.get, number)
        assert run is not None
        assert (str(run.status), run.reason) == ("aborted", "shutdown")
    finally:
        await database.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_second_server_on_the_same_data_folder_says_why_it_does_not_start(
    repo: AppsRepo, processes: Processes
) -> None:
    server, _ = await run_in_a_server(repo, processes, "finishes")
    second = processes.server()
    said, _ = await asyncio.to_thread(second.communicate, timeout=20)
    assert second.returncode == 1
    assert "another server (process" in said
    assert "LIBERTY_DATA_DIR" in said
    assert "Traceback" not in said
    assert server.poll() is None
