"""Code that would end a thread, a loop or the process instead of its own step: the step fails, nobody else notices."""

import asyncio
import logging

import pytest

from liberty.jobs.service.runs import RunDetail
from tests.factories import AppsRepo, Program, eventually, python_job

CODE = """
import os

class Odd(BaseException):
    pass

async def neighbour(ctx):
    mark(ctx, "neighbour")
    while not marked(ctx, "go"):
        await asyncio.sleep(0.01)
    return 1

def exits():
    sys.exit(3)

async def exits_async():
    sys.exit(3)

def odd():
    raise Odd("odd")

async def odd_async():
    raise Odd("odd")

def interrupts():
    raise KeyboardInterrupt

async def task_exits():
    async def inner():
        sys.exit(3)
    task = asyncio.create_task(inner())
    await asyncio.wait((task,))
    return 1

async def task_odd():
    async def inner():
        raise Odd("odd")
    task = asyncio.create_task(inner())
    await asyncio.wait((task,))
    return 1

async def callback_exits():
    asyncio.get_running_loop().call_soon(sys.exit, 3)
    await asyncio.sleep(0.05)
    return 1

def thread_exits():
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
    return 1

async def stops_the_loop():
    asyncio.get_event_loop().stop()
    await asyncio.sleep(0.05)
    return 1

async def closes_the_loop():
    asyncio.get_event_loop().close()

async def closes_the_loop_for_good():
    loop = asyncio.get_running_loop()
    def close():
        while not loop.is_closed():
            try:
                loop.call_soon_threadsafe(loop.stop)
                loop.close()
            except RuntimeError:
                pass
    threading.Thread(target=close).start()
    await asyncio.sleep(3600)

def leaves_a_thread(ctx):
    def goes_on():
        while not marked(ctx, "enough"):
            log.info("still here")
            time.sleep(0.005)
        mark(ctx, "thread-ended")
    threading.Thread(target=goes_on, daemon=True).start()
    return 1

async def leaves_a_task(ctx):
    async def goes_on():
        while not marked(ctx, "enough"):
            log.info("still here")
            await asyncio.sleep(0.005)
        mark(ctx, "task-ended")
    ctx.settings.environ  # what a task may use after its run
    leaves_a_task.kept = asyncio.create_task(goes_on())
    return 1

async def swallows_everything(ctx):
    mark(ctx, "inside")
    while not marked(ctx, "enough"):
        try:
            await asyncio.sleep(0.01)
        except BaseException:
            log.info("not me")
    log.info("late")
    return {"rows_affected": 99}

def computes(ctx):
    mark(ctx, "inside")
    while not marked(ctx, "enough"):
        try:
            sum(range(1000))
        except BaseException:
            pass
    log.info("late")
    return {"rows_affected": 99}
"""


async def beside_a_neighbour(repo: AppsRepo, function: str) -> tuple[RunDetail, list[str]]:
    """Run `function` while another run is on the plugin loop; that one, and one that begins later, must succeed."""
    repo.plugin(CODE).jobs(python_job("job", function) + python_job("neighbour", "neighbour"))
    async with repo.running() as program:
        neighbour = await program.start("neighbour")
        await program.marked("neighbour")
        detail = await program.run("job")
        messages = await program.messages(detail.run)
        program.mark("go")
        if function != "closes_the_loop_for_good":
            assert str((await program.ended(neighbour)).run.status) == "succeeded"
        else:
            lost = await program.ended(neighbour)
            assert lost.steps[0].error == detail.steps[0].error
        assert str((await program.run("neighbour")).run.status) == "succeeded"
        return detail, messages


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("exits", "the callable raised SystemExit(3)"),
        ("exits_async", "the callable raised SystemExit(3)"),
        ("odd", "the callable raised Odd(odd)"),
        ("odd_async", "the callable raised Odd(odd)"),
        ("interrupts", "the callable raised KeyboardInterrupt()"),
        ("closes_the_loop", "Cannot close a running event loop"),
        ("closes_the_loop_for_good", "the event loop of the step was ended from within a step"),
    ],
)
async def test_what_would_end_more_than_the_step_fails_it(
    repo: AppsRepo, function: str, message: str
) -> None:
    detail, _ = await beside_a_neighbour(repo, function)
    assert str(detail.run.status) == "failed"
    assert detail.steps[0].error is not None
    assert detail.steps[0].error.message == message


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    "function", ["task_exits", "task_odd", "callback_exits", "thread_exits", "stops_the_loop"]
)
async def test_what_happens_beside_the_function_changes_nothing(repo: AppsRepo, function: str) -> None:
    detail, _ = await beside_a_neighbour(repo, function)
    assert (str(detail.run.status), detail.run.rows_affected) == ("succeeded", 1)


@pytest.mark.parametrize("function", ["leaves_a_thread", "leaves_a_task"])
async def test_what_a_step_leaves_running_writes_no_more_to_its_run(
    repo: AppsRepo, function: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "nomaflow.late")
    repo.plugin(CODE).jobs(python_job("job", function))
    async with repo.running() as program:
        detail = await program.run("job")
        assert str(detail.run.status) == "succeeded"
        await eventually(lambda: [r for r in caplog.records if r.name == "nomaflow.late"])
        assert await program.detail(detail.run) == detail
        program.mark("enough")
        await program.marked("thread-ended" if function == "leaves_a_thread" else "task-ended")
    said = [r.getMessage() for r in caplog.records if r.name == "nomaflow.late"]
    assert (
        said[0]
        == f"run={detail.run.run_id}: 1 line logged after its end and dropped; what it started still runs"
    )


@pytest.mark.parametrize("function", ["swallows_everything", "computes"])
async def test_an_abort_ends_the_run_of_code_that_does_not_listen(repo: AppsRepo, function: str) -> None:
    repo.plugin(CODE).jobs(python_job("job", function) + python_job("neighbour", "neighbour"))
    async with repo.running() as program:
        run = await program.start("job")
        await program.marked("inside")
        await program.abort(run)
        detail = await program.ended(run, within=5)
        assert (str(detail.run.status), detail.run.reason) == ("aborted", "aborted by user:alice")
        stats = await program.runtime.engine.stats()
        assert [(left.run_id, left.step) for left in stats.left_behind] == [(run.run_id, "only")]
        assert "work.py:" in stats.left_behind[0].where
        program.mark("go")
        assert str((await program.run("neighbour")).run.status) == "succeeded"
        program.mark("enough")
        await none_left(program)
        assert await program.detail(run) == detail


async def none_left(program: Program) -> None:
    async def gone() -> bool:
        return not (await program.runtime.engine.stats()).left_behind

    await eventually(gone)
    await asyncio.sleep(0.3)  # longer than a flush: what might come late has had its chance
