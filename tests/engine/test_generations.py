"""Reloading: runs begun before keep what they began with, later ones get the new, and what is unused is let go."""

from pathlib import Path
from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid
from liberty.jobs.run import Overrides
from tests.factories import ALICE, AppsRepo, Program, eventually, python_job

USES = """
async def asks(ctx):
    connector = ctx.get_connector("target")
    first = await connector.scalar("SELECT name FROM who")
    mark(ctx, f"asked-{ctx.run_id}")
    while not marked(ctx, "go"):
        await asyncio.sleep(0.01)
    return {"first": first, "second": await ctx.get_connector("target").scalar("SELECT name FROM who")}
"""


def target(tmp_path: Path, name: str) -> str:
    import sqlite3

    path = tmp_path / f"{name}.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE IF NOT EXISTS who (name TEXT)")
        made.execute("INSERT INTO who VALUES (?)", (name,))
    made.close()
    return f'[pools.target]\nurl = "sqlite+aiosqlite:///{path}"\n'


def open_connections(connectors: ConnectorRegistry) -> int:
    return sum(pool["checked_out"] + pool["idle"] for pool in connectors.pools.stats())


async def test_a_run_keeps_the_definition_and_connectors_it_began_with(
    repo: AppsRepo, tmp_path: Path
) -> None:
    repo.connectors(target(tmp_path, "old")).plugin(USES)
    repo.jobs(
        python_job("job", "asks")
        + '[[jobs.steps]]\ntype = "python"\nname = "extra"\ncallable = "work:noop"\n'
    )
    async with repo.running() as program:
        run = await program.start("job")
        await program.marked("asked-r-1")
        before = program.runtime.generation
        repo.connectors(target(tmp_path, "new")).jobs(python_job("job", "asks", "single_instance = false"))
        reloaded = await program.runtime.reload()
        assert (reloaded.jobs, reloaded.quarantined) == (len(program.runtime.generation.catalogue.jobs), 0)
        assert open_connections(before.connectors) > 0
        program.mark("go")
        old = await program.ended(run)
        new = await program.run("job")
        await eventually(lambda: open_connections(before.connectors) == 0)
        assert open_connections(program.runtime.generation.connectors) > 0
    assert old.steps[0].output == {"first": "old", "second": "old"}
    assert [step.name for step in old.steps] == ["only", "extra"]
    assert new.steps[0].output == {"first": "new", "second": "new"}
    assert [step.name for step in new.steps] == ["only"]
    assert new.run.definition_version == (old.run.definition_version or 0) + 1


async def test_a_queued_run_runs_as_it_was_queued_and_its_connectors_are_closed(
    repo: AppsRepo, tmp_path: Path
) -> None:
    repo.app(max_concurrent_runs=1).connectors(target(tmp_path, "old")).plugin(USES)
    repo.jobs(python_job("job", "asks") + python_job("gate", "wait_for_go"))
    async with repo.running() as program:
        await program.start("gate")
        await program.marked("started-only")
        queued = await program.start("job")
        before = program.runtime.generation
        repo.connectors(target(tmp_path, "new"))
        await program.runtime.reload()
        program.mark("go")
        detail = await program.ended(queued)
        await eventually(lambda: open_connections(before.connectors) == 0)
    assert detail.steps[0].output == {"first": "old", "second": "old"}


async def test_a_reload_that_fails_changes_nothing(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("job", "noop"))
    async with repo.running() as program:
        before = program.runtime.generation
        repo.jobs("[[jobs]\nname = ")
        with pytest.raises(Invalid) as caught:
            await program.runtime.reload()
        assert caught.value.problems
        assert caught.value.problems[0].line == 1
        assert program.runtime.generation is before
        assert (await program.run("job")).run.status == "succeeded"
        repo.jobs(python_job("job", "noop") + '[[jobs]]\nname = "bad"\nsteps = []\n')
        reloaded = await program.runtime.reload()
        assert reloaded.quarantined == 1
        assert (await program.run("job")).run.status == "succeeded"


async def test_versions_count_changes_and_nothing_else(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("job", "noop"))
    async with repo.running() as program:
        assert program.runtime.generation.versions["job"] == 1
        repo.jobs("# a comment\n" + python_job("job", "noop"))
        await program.runtime.reload()
        assert program.runtime.generation.versions["job"] == 1
        repo.jobs(python_job("job", "noop", "timeout_seconds = 5"))
        await program.runtime.reload()
        assert program.runtime.generation.versions["job"] == 2
    async with repo.running() as program:
        assert program.runtime.generation.versions["job"] == 2


async def test_an_edited_plugin_is_there_at_the_next_run(repo: AppsRepo) -> None:
    repo.app('[plugins]\nreload = "auto"\n').plugin(
        """
        async def job(ctx):
            mark(ctx, f"began-{ctx.run_id}")
            while not marked(ctx, "go"):
                await asyncio.sleep(0.01)
            import work
            return {"version": 1, "module": work.VERSION}
        VERSION = 1
        """
    )
    repo.jobs(python_job("job", "job", "single_instance = false"))
    async with repo.running() as program:
        old = await program.start("job")
        await program.marked("began-r-1")
        repo.plugin("async def job(ctx):\n    return {'version': 2, 'module': 2}\n")

        async def new_version() -> bool:
            output: Any = (await program.run("job")).steps[0].output
            return bool(output["version"] == 2)

        program.mark("hold")
        await eventually_with_go(program, new_version)
        detail = await program.ended(old)
    assert detail.steps[0].output == {"version": 1, "module": 1}


async def eventually_with_go(program: Program, look: Any) -> None:
    """Runs of the old version wait for the sign, so it is given first."""
    program.mark("go")
    await eventually(look)


async def test_a_removed_job_leaves_its_history(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("job", "noop") + python_job("other", "noop"))
    async with repo.running() as program:
        run = (await program.run("job")).run
        repo.jobs(python_job("other", "noop"))
        await program.runtime.reload()
        assert (await program.runtime.reader.get(run.run_id, ALICE)).job == "job"
        with pytest.raises(Exception, match="job"):
            await program.runtime.requests.start("job", Overrides(), ALICE)
