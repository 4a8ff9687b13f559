"""How the process of an isolated step ends: by itself, by a crash, an abort or a timeout, and with all it started."""

import asyncio
import time
from pathlib import Path

import pytest

from liberty.jobs.service.runs import RunDetail
from tests.factories import AppsRepo, Program, eventually, python_job

FUNCTIONS = """
import os
import signal
import subprocess

def pid_mark(ctx, name, pid):
    mark = Path(ctx.settings.environ["MARKS"]) / name
    mark.with_suffix(".new").write_text(str(pid))
    mark.with_suffix(".new").rename(mark)

def exits_hard(ctx):
    print("last words")
    os._exit(3)

def killed(ctx):
    os.kill(os.getpid(), signal.SIGKILL)

def interrupts(ctx):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)

def terminates(ctx):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)

def crashes(ctx):
    import ctypes
    ctypes.string_at(0)

def raises_base(ctx):
    class Odd(BaseException):
        pass
    raise Odd("odd")

async def closes_loop(ctx):
    asyncio.get_event_loop().stop()
    await asyncio.sleep(3600)

def stuck(ctx):
    pid_mark(ctx, "started", os.getpid())
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

def holds_the_interpreter(ctx):
    import re
    pid_mark(ctx, "started", os.getpid())
    re.match(r"(a+)+$", "a" * 64 + "b")

async def swallows(ctx):
    pid_mark(ctx, "started", os.getpid())
    while True:
        try:
            await asyncio.sleep(60)
        except BaseException:
            log.info("swallowed")

def polite(ctx):
    pid_mark(ctx, "started", os.getpid())
    while not ctx.is_cancelled():
        time.sleep(0.01)
    log.info("saw the cancel")

def cleans_up(ctx):
    pid_mark(ctx, "started", os.getpid())
    try:
        time.sleep(60)
    finally:
        log.info("cleaned up")

def starts_programs(ctx):
    pid_mark(ctx, "child", subprocess.Popen(["sleep", "600"]).pid)
    pid_mark(ctx, "started", os.getpid())
    time.sleep(600)

def leaves_a_program(ctx):
    pid_mark(ctx, "child", subprocess.Popen(["sleep", "600"]).pid)
    threading.Thread(target=time.sleep, args=(600,)).start()
    return 1

def huge():
    return {"text": "x" * 70_000_000}
"""


def isolated(name: str, function: str, *more: str, **keys: object) -> str:
    return python_job(name, function, *more, isolate='"process"', **keys)


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def marked_pid(program: Program, name: str) -> int:
    return int((program.repo.marks / name).read_text())


async def one(repo: AppsRepo, function: str, **keys: object) -> tuple[RunDetail, list[str]]:
    repo.plugin(FUNCTIONS).jobs(isolated("job", function, **keys))
    async with repo.running() as program:
        detail = await program.run("job")
        return detail, await program.messages(detail.run)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("exits_hard", "the step's process ended with exit code 3 before the function returned"),
        ("killed", "the step's process was killed by signal 9 (out of memory?)"),
        ("crashes", "the step's process was killed by signal 11 (SIGSEGV)"),
        ("terminates", "the step's process was told to end by signal 15 (SIGTERM)"),
        ("interrupts", "the callable raised KeyboardInterrupt()"),
        ("huge", "the step's result is larger than 64 MiB; store it and return where it is"),
        ("closes_loop", "RuntimeError"),
    ],
)
async def test_the_end_of_the_process_is_a_failure_of_the_step_alone(
    repo: AppsRepo, function: str, message: str
) -> None:
    detail, messages = await one(repo, function)
    assert str(detail.run.status) == "failed"
    error = detail.steps[0].error
    assert error is not None
    assert message in (error.message, error.type)
    if function == "exits_hard":
        assert "last words" in messages
    if function == "crashes":
        assert any("Segmentation fault" in line for line in messages)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("stuck", None),
        ("holds_the_interpreter", None),
        ("swallows", "swallowed"),
        ("polite", "saw the cancel"),
        ("cleans_up", "cleaned up"),
        ("starts_programs", None),
    ],
)
async def test_an_abort_ends_the_process_whatever_it_does(
    repo: AppsRepo, function: str, said: str | None
) -> None:
    repo.app(abort_grace_seconds=1.5).plugin(FUNCTIONS).jobs(isolated("job", function))
    async with repo.running() as program:
        run = await program.start("job")
        await program.marked("started")
        pids = [marked_pid(program, "started")]
        if function == "starts_programs":
            pids.append(marked_pid(program, "child"))
        began = time.monotonic()
        await program.abort(run)
        detail = await program.ended(run, within=8)
        assert time.monotonic() - began < 5
        assert (str(detail.run.status), detail.run.reason) == ("aborted", "aborted by user:alice")
        assert [pid for pid in pids if running(pid)] == []
        messages = await program.messages(run)
        stats = await program.runtime.engine.stats()
    if said:
        assert said in messages
    assert (stats.abandoned_threads, stats.busy_threads) == (0, 0)


async def test_a_timeout_kills_the_process(repo: AppsRepo) -> None:
    repo.plugin(FUNCTIONS).jobs(isolated("job", "stuck", timeout_seconds=2))
    async with repo.running() as program:
        run = await program.start("job")
        await program.marked("started")
        detail = await program.ended(run, within=10)
        assert not running(marked_pid(program, "started"))
    assert str(detail.run.status) == "failed"
    assert detail.steps[0].reason == "timeout after 2s"


async def test_nothing_a_step_started_outlives_it(repo: AppsRepo) -> None:
    repo.plugin(FUNCTIONS).jobs(isolated("job", "leaves_a_program"))
    async with repo.running() as program:
        detail = await program.run("job")
        assert str(detail.run.status) == "succeeded"
        await eventually(lambda: not running(marked_pid(program, "child")), within=3)


async def test_several_at_once(repo: AppsRepo) -> None:
    repo.plugin(FUNCTIONS).jobs(isolated("job", "leaves_a_program", "single_instance = false"))
    async with repo.running() as program:
        runs = [await program.start("job") for _ in range(6)]
        details = await asyncio.gather(*(program.ended(run, within=60) for run in runs))
    assert [str(detail.run.status) for detail in details] == ["succeeded"] * 6
