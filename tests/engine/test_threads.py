"""The budget of threads: who waits for one says so, what does not end is counted, listed and bounded."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from liberty.jobs.run import Run
from liberty.runtime import Runtime
from liberty.troubles import Troubles
from tests.factories import ALICE, AppsRepo, Program, eventually, python_job

STUCK = """
def stuck(ctx):
    mark(ctx, f"in-{ctx.run_id}")
    while not marked(ctx, "go"):
        time.sleep(0.02)

def plain(ctx):
    return 1

async def quick():
    return None
"""

MANY = "single_instance = false"


@asynccontextmanager
async def running_with(repo: AppsRepo, troubles: Troubles) -> AsyncIterator[Program]:
    runtime = await Runtime.open(repo.settings, role="cli", troubles=troubles)
    try:
        yield Program(runtime, repo)
    finally:
        await runtime.close()
        runtime.plugins.uninstall()


async def in_flight(program: Program, run_id: str) -> "dict[str, object]":
    document = await technical(program)
    found = [item for item in document["in_flight"] if item["run_id"] == run_id]
    return found[0] if found else {}


async def technical(program: Program) -> "dict[str, object]":
    from liberty.jobs.service.technical import Technical

    runtime = program.runtime
    look = Technical(
        database=runtime.database,
        clock=runtime.clock,
        engine=runtime.engine,
        scheduler=runtime.scheduler,
        current=lambda: runtime.generation,
    )
    return await look.document(ALICE)


async def stuck_in_their_steps(program: Program, count: int) -> list[str]:
    runs = [await program.start("stuck") for _ in range(count)]
    for run in runs:
        await program.marked(f"in-{run.run_id}")
    return [run.run_id for run in runs]


async def test_a_step_that_waits_for_a_thread_says_so_and_fails_at_its_own_timeout(repo: AppsRepo) -> None:
    repo.app(sync_threads=2, max_concurrent_runs=20).plugin(STUCK).jobs(
        python_job("stuck", "stuck", MANY) + python_job("late", "plain", timeout_seconds=1.5)
    )
    async with repo.running() as program:
        await stuck_in_their_steps(program, 2)
        began = time.monotonic()
        late = await program.start("late")

        async def waits() -> bool:
            return (await in_flight(program, late.run_id)).get("waiting") == "thread"

        await eventually(waits)
        assert (await in_flight(program, late.run_id))["current_step"] == "only"
        detail = await program.ended(late)
        assert time.monotonic() - began < 5
        messages = await program.messages(late)
        program.mark("go")
        await program.runtime.engine.wait_idle()
        assert str((await program.run("late")).run.status) == "succeeded"
    assert (str(detail.run.status), detail.steps[0].reason) == ("failed", "timeout after 1.5s")
    assert [m for m in messages if "waits for a thread" in m] == [
        "step only waits for a thread: 2 of 2 are busy"
    ]


async def test_a_freed_thread_goes_to_who_waited_longest_and_none_is_lost(repo: AppsRepo) -> None:
    repo.app(sync_threads=1, max_concurrent_runs=20).plugin(STUCK).jobs(
        python_job("stuck", "stuck", MANY) + python_job("late", "plain", MANY)
    )
    async with repo.running() as program:
        await stuck_in_their_steps(program, 1)
        waiting: list[Run] = []

        async def all_wait() -> bool:
            found = (await technical(program))["in_flight"]
            return sum(item["waiting"] == "thread" for item in found) == len(waiting)  # type: ignore[attr-defined, misc]  # a list

        for _ in range(5):
            waiting.append(await program.start("late"))
            await eventually(all_wait)
        await program.abort(waiting[2])
        program.mark("go")
        details = [await program.ended(run) for run in waiting]
        assert [str(d.run.status) for d in details] == ["succeeded"] * 2 + ["aborted"] + ["succeeded"] * 2
        ends = [d.steps[0].finished_at for n, d in enumerate(details) if n != 2]
        assert ends == sorted(ends)  # type: ignore[type-var]  # all have ended
        assert str((await program.run("late")).run.status) == "succeeded"


async def test_threads_left_behind_are_listed_and_keep_their_place_beyond_the_limit(repo: AppsRepo) -> None:
    repo.app(sync_threads=2, max_abandoned_threads=3, abort_grace_seconds=0.1).plugin(STUCK).jobs(
        python_job("stuck", "stuck", MANY) + python_job("late", "plain", timeout_seconds=0.5)
    )
    troubles = Troubles()
    async with running_with(repo, troubles) as program:
        left = []
        for _ in range(3):
            assert troubles.reasons == {}
            (run_id,) = await stuck_in_their_steps(program, 1)
            left.append(run_id)
            await program.runtime.requests.abort(run_id, ALICE)
            await program.ended(run_id)
        assert str((await program.run("late")).run.status) == "succeeded"
        assert "3 threads of steps did not end" in troubles.reasons["threads"]
        listed = (await technical(program))["abandoned"]
        assert [(item["run_id"], item["kind"], item["step"]) for item in listed] == [  # type: ignore[attr-defined]  # a list
            (run_id, "thread", "only") for run_id in left
        ]
        assert all("work.py:" in item["where"] for item in listed)  # type: ignore[attr-defined]  # as above

        for _ in range(2):  # from here on those that stay keep their places
            (run_id,) = await stuck_in_their_steps(program, 1)
            await program.runtime.requests.abort(run_id, ALICE)
            await program.ended(run_id)
        full = await program.run("late")
        assert full.steps[0].reason == "timeout after 0.5s"
        assert any("2 of them with code that does not end" in m for m in await program.messages(full.run))

        program.mark("go")

        async def all_back() -> bool:
            return (await program.runtime.engine.stats()).abandoned_threads == 0

        await eventually(all_back)
        assert troubles.reasons == {}
        assert str((await program.run("late")).run.status) == "succeeded"


@pytest.mark.timeout(60)
async def test_many_stuck_steps_do_not_slow_down_names_or_the_rest(repo: AppsRepo) -> None:
    repo.app(sync_threads=32, max_concurrent_runs=40).plugin(STUCK).jobs(
        python_job("stuck", "stuck", MANY) + python_job("quick", "quick")
    )
    async with repo.running() as program:
        await stuck_in_their_steps(program, 32)
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        await loop.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
        assert time.monotonic() - began < 1
        began = time.monotonic()
        assert str((await program.run("quick")).run.status) == "succeeded"
        assert time.monotonic() - began < 1.5
        program.mark("go")
        await program.runtime.engine.wait_idle()
