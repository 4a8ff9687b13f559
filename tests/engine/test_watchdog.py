"""Whoever holds a loop or the interpreter is named, in the log of the process and in the run's, while it does."""

import logging
import time

import pytest

from tests.factories import AppsRepo, Program, eventually, python_job

HOLDERS = """
import re

async def blocks(ctx):
    mark(ctx, "started-only")
    time.sleep(6)

def on_the_work_loop(ctx):
    async def block():
        time.sleep(2.5)
    asyncio.run_coroutine_threadsafe(block(), ctx.connectors.home_loop).result()

def keeps_the_interpreter(ctx):
    # One match keeps the interpreter for its whole length; as long as it takes to be noticed on any machine.
    length = 20
    while not ctx.is_cancelled():
        began = time.monotonic()
        re.match(r"(a+)+$", "a" * length + "b")
        if time.monotonic() - began < 0.4:
            length += 1

def computes_politely(ctx):
    mark(ctx, "started-only")
    while not ctx.is_cancelled():
        sum(range(1000))
"""


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "nomaflow.watchdog")
    return caplog


def said(log: pytest.LogCaptureFixture, what: str) -> list[str]:
    return [r.getMessage() for r in log.records if r.name == "nomaflow.watchdog" and what in r.getMessage()]


async def said_in_run(program: Program, run_id: str, what: str) -> list[str]:
    return [message for message in await program.messages(run_id) if what in message]


@pytest.mark.timeout(40)
async def test_a_held_plugin_loop_is_told_once_and_again_at_growing_intervals(
    repo: AppsRepo, log: pytest.LogCaptureFixture
) -> None:
    repo.plugin(HOLDERS).jobs(python_job("job", "blocks"))
    async with repo.running() as program:
        run = await program.start("job")
        await program.marked("started-only")
        await eventually(lambda: said(log, "holds the plugin loop"), within=4)
        await program.ended(run)
        in_run = await said_in_run(program, run.run_id, "holds the plugin loop")
    in_process = said(log, "holds the plugin loop")
    assert len(in_process) == 2
    assert in_run == in_process
    assert f"run={run.run_id} step='only'" in in_process[0]
    assert "work.py:" in in_process[0]
    assert "in blocks" in in_process[0]


async def test_a_held_work_loop_is_told_with_the_run_that_holds_it(
    repo: AppsRepo, log: pytest.LogCaptureFixture
) -> None:
    repo.plugin(HOLDERS).jobs(python_job("job", "on_the_work_loop"))
    async with repo.running() as program:
        detail = await program.run("job")
        in_run = await said_in_run(program, detail.run.run_id, "holds the work loop")
    assert said(log, "holds the work loop") == in_run
    assert "in block" in in_run[0]


async def test_a_held_control_loop_is_told(repo: AppsRepo, log: pytest.LogCaptureFixture) -> None:
    repo.plugin("").jobs(python_job("job", "noop"))
    async with repo.running():
        time.sleep(2.5)
        found = said(log, "holds the control loop")
    assert len(found) == 1
    assert "test_watchdog.py:" in found[0]


@pytest.mark.timeout(60)
async def test_a_thread_that_keeps_the_interpreter_is_told(
    repo: AppsRepo, log: pytest.LogCaptureFixture
) -> None:
    repo.plugin(HOLDERS).jobs(python_job("job", "keeps_the_interpreter"))
    async with repo.running() as program:
        run = await program.start("job")
        await eventually(lambda: said(log, "keeps others waiting"), within=20)
        await program.abort(run)
        await program.ended(run)
        in_run = await said_in_run(program, run.run_id, "keeps others waiting")
    in_process = said(log, "keeps others waiting")
    assert in_run
    assert in_process[: len(in_run)] == in_run
    assert f"run={run.run_id} step='only'" in in_process[0]
    assert "in keeps_the_interpreter" in in_process[0]
    assert said(log, "loop for") == []
