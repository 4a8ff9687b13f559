"""`kill -9`: what ran is found and ended at the next start, what was acknowledged is there and runs."""

import asyncio
from datetime import UTC, datetime

import pytest

from liberty.database import Database, open_database
from liberty.jobs.run import LogLine, Run
from liberty.jobs.store import listing, logs, replicas, runs, step_runs
from liberty.jobs.store.listing import RunFilter
from tests.cluster.conftest import Processes, kill
from tests.factories import AppsRepo, eventually, python_job

TALKS = """
async def talks(ctx):
    mark(ctx, "started")
    number = 0
    while True:
        number += 1
        ctx.log.info("line %d", number)
        print("printed", number)
        await asyncio.sleep(0.02)
"""


async def newest(database: Database, job: str) -> Run | None:
    found = await database.read(listing.page, RunFilter(jobs=(job,)), 1)
    return found[0] if found else None


async def ended(database: Database, number: int, within: float) -> Run:
    async def final() -> Run | None:
        run = await database.read(runs.get, number)
        return run if run is not None and run.status.final else None

    run = await eventually(final, within=within, what=f"the end of r-{number}")
    assert run is not None
    return run


@pytest.mark.timeout(90)
async def test_a_run_whose_server_was_killed_is_ended_at_the_next_start(
    repo: AppsRepo, processes: Processes
) -> None:
    repo.plugin(TALKS).jobs(python_job("talk", "talks", 'schedule = "* * * * * *"'))
    first = processes.server()
    await eventually(lambda: repo.marked("started") and (repo.marks / "started").read_text(), within=20)
    number = int((repo.marks / "started").read_text().removeprefix("r-"))
    database = open_database(repo.database_url)
    try:
        await eventually(lambda: enough(database, number))
        before = await database.read(runs.get, number)
        assert before is not None
        assert (str(before.status), before.current_step) == ("running", "only")
        killed = datetime.now(UTC)
        kill(first)
        repo.jobs(python_job("talk", "talks"))
        processes.server()
        await eventually(lambda: is_up(database, killed), within=20, what="the next start")
        run = await ended(database, number, within=5)
        assert (str(run.status), run.reason) == ("failed", f"orphaned: {before.owner}")
        assert run.owner == before.owner
        steps = await database.read(step_runs.of_run, number)
        assert [(s.name, str(s.status)) for s in steps] == [("only", "failed")]
        assert [str(tried.status) for tried in steps[0].attempts] == ["failed"]
        lines = await all_lines(database, number)
        assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
        assert run.log_lines == len(lines)
        assert "orphaned" in lines[-1].message
        said = [line for line in lines if line.message.startswith("line ")]
        assert (killed - said[-1].ts).total_seconds() < 1
    finally:
        await database.close()


async def is_up(database: Database, since: datetime) -> bool:
    return any(replica.started_at >= since for replica in await database.read(replicas.everyone))


async def enough(database: Database, number: int) -> bool:
    return await database.read(logs.last_seq, number) > 60


async def all_lines(database: Database, number: int) -> list[LogLine]:
    found: list[LogLine] = []
    while lines := await database.read(logs.after, number, len(found)):
        found += lines
    return found


ASKS = """
import asyncio
from pathlib import Path
from liberty.jobs.run import Overrides
from liberty.runtime import Runtime
from tests.factories import ALICE

async def main():
    runtime = await Runtime.open(role="server")
    async def ask():
        while True:
            run = await runtime.requests.start("quick", Overrides(), ALICE)
            print(run.run_id, flush=True)
    await asyncio.gather(*(ask() for _ in range(4)))

asyncio.run(main())
"""


@pytest.mark.timeout(90)
async def test_a_run_that_was_acknowledged_is_there_and_runs_at_the_next_start(
    repo: AppsRepo, processes: Processes
) -> None:
    repo.app(max_concurrent_runs=1).plugin("").jobs(python_job("quick", "noop", "single_instance = false"))
    acknowledged: set[str] = set()
    for turn in range(3):
        process = processes.script(ASKS)
        assert process.stdout is not None
        said = [await asyncio.to_thread(process.stdout.readline) for _ in range(10 + 17 * turn)]
        kill(process)
        said += process.stdout.readlines()
        acknowledged |= {line.strip() for line in said if line.startswith("r-") and line.endswith("\n")}
    assert len(acknowledged) >= 80
    async with repo.running("server") as program:
        await program.runtime.engine.wait_idle()

        async def nothing_waits() -> bool:
            return not await program.runtime.database.read(runs.in_flight)

        await eventually(nothing_waits)
        for run_id in acknowledged:
            run = (await program.detail(run_id)).run
            orphaned = run.reason is not None and run.reason.startswith("orphaned: ")
            assert str(run.status) == "succeeded" or (str(run.status) == "failed" and orphaned)
