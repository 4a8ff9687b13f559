"""A step that is tried out runs for real, beside its job and without a trace in it, on both databases."""

import pytest

from liberty.errors import Invalid
from liberty.jobs.definition import definition_json, fingerprint, job_from_definition
from liberty.jobs.engine.generation import Generation
from liberty.jobs.run import SUCCEEDED
from liberty.jobs.service.definitions import Definitions
from liberty.jobs.service.drafts import Drafts
from liberty.jobs.service.plan import Planner
from liberty.jobs.service.step_tests import StepTest, StepTests
from liberty.jobs.store import runs, versions
from liberty.runtime import Runtime
from tests.factories import ALICE, NOW, AppsRepo, asked_for, run_of

JOBS = """
[[jobs]]
name = "daily"
app = "sales"
depends_on = ["never"]
timeout_seconds = 3600
[jobs.retry]
attempts = 5
[[jobs.steps]]
type = "python"
name = "wait"
callable = "work:wait_for_ever"
[[jobs.steps]]
type = "python"
name = "fail"
run_on = "failure"
callable = "work:fail"
[[jobs]]
name = "never"
[[jobs.steps]]
type = "python"
callable = "work:noop"
"""
PLUGIN = """
def fail(ctx):
    raise ValueError(ctx.job_id)
"""


def trials(runtime: Runtime) -> StepTests:
    def current() -> Generation:
        return runtime.generation

    drafts = Drafts(clock=runtime.clock, current=current)
    return StepTests(
        database=runtime.database,
        clock=runtime.clock,
        engine=runtime.engine,
        current=current,
        drafts=drafts,
        definitions=Definitions(
            database=runtime.database,
            clock=runtime.clock,
            scheduler=runtime.scheduler,
            current=current,
            reload=runtime.reload,
            drafts=drafts,
        ),
        planner=Planner(database=runtime.database, clock=runtime.clock, current=current),
    )


def draft(repo: AppsRepo) -> str:
    return (repo.root / "config/jobs.toml").read_text().partition('[[jobs]]\nname = "never"')[0]


async def test_a_test_runs_once_beside_its_job(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.jobs(JOBS).plugin(PLUGIN)
    async with repo.running() as program:
        tests = trials(program.runtime)
        waiting = await tests.run(StepTest(draft(repo), "wait", "daily"), ALICE)
        await program.marked("started-wait")
        failing = await tests.run(StepTest(draft(repo), "fail", "daily"), ALICE)
        ended = await program.ended(failing)
        assert [(step.name, str(step.status), step.attempt) for step in ended.steps] == [
            ("fail", "failed", 1)
        ]
        assert ended.steps[0].error is not None
        assert ended.steps[0].error.message == "_test/daily"
        await program.abort(waiting)
        assert str((await program.ended(waiting)).run.status) == "aborted"
        assert (await program.runtime.reader.page(ALICE, jobs=["daily"])).items == []
        needing = draft(repo) + 'op_kwargs = { x = "${steps.wait.x}" }\n'
        with pytest.raises(Invalid, match="no step 'wait'"):
            await tests.run(StepTest(needing, "fail", "daily"), ALICE)


async def test_a_test_that_no_process_began_is_taken_up_by_its_own_definition(repo_on_both: AppsRepo) -> None:
    repo = repo_on_both.jobs(JOBS).plugin(PLUGIN)
    async with repo.running() as program:
        saved = program.runtime.generation.catalogue.get("never")
        tried = saved.model_copy(update={"name": "_test/never"})
        assert job_from_definition(definition_json(tried)).name == "_test/never"
        stored = {tried.name: (fingerprint(tried), definition_json(tried))}
        numbers = await program.runtime.database.write(versions.remember, stored, NOW)
        new = run_of(tried.name, asked_for(), definition_version=numbers[tried.name])
        left = await program.runtime.database.write(runs.insert_queued, new, NOW)
    async with repo.running("server") as program:
        assert (await program.ended(left.run)).run.status == SUCCEEDED
