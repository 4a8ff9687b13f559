"""The process of an isolated step and the end of its server: whichever way that ends, the step does not live on."""

import asyncio
import signal
import time
from pathlib import Path
from subprocess import Popen

import pytest

from tests.cluster.conftest import Processes, kill
from tests.factories import AppsRepo, eventually, python_job

FUNCTIONS = r"""
import os
import re
import subprocess

def pid_mark(ctx, name, pid):
    mark = Path(ctx.settings.environ["MARKS"]) / name
    mark.with_suffix(".new").write_text(str(pid))
    mark.with_suffix(".new").rename(mark)

def stuck(ctx):
    pid_mark(ctx, "grandchild", subprocess.Popen(["sleep", "600"]).pid)
    pid_mark(ctx, "child", os.getpid())
    re.match(r"(a+)+$", "a" * 64 + "b")
"""


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def server_with_a_stuck_step(repo: AppsRepo, processes: Processes) -> "tuple[Popen[str], list[int]]":
    job = python_job("job", "stuck", 'schedule = "* * * * * *"', isolate='"process"')
    repo.app(drain_seconds=1, abort_grace_seconds=1).plugin(FUNCTIONS).jobs(job)
    server = processes.server()
    await eventually(lambda: repo.marked("child") and (repo.marks / "child").read_text(), within=30)
    return server, [int((repo.marks / name).read_text()) for name in ("child", "grandchild")]


@pytest.mark.timeout(90)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_server_that_is_killed_takes_its_steps_along(repo: AppsRepo, processes: Processes) -> None:
    server, pids = await server_with_a_stuck_step(repo, processes)
    assert all(running(pid) for pid in pids)
    kill(server)
    await eventually(lambda: not any(running(pid) for pid in pids), within=5)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_server_told_to_stop_kills_what_does_not_end(repo: AppsRepo, processes: Processes) -> None:
    server, pids = await server_with_a_stuck_step(repo, processes)
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.wait, 20) == 0
    assert time.monotonic() - began < 10
    assert not any(running(pid) for pid in pids)
