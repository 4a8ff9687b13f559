"""Starting, repeating and calling runs: what is taken over, what is refused, and why a run did not start."""

import asyncio
from typing import Any

import pytest

from liberty.auth import audit
from liberty.errors import Conflict, Invalid, NotFound
from liberty.jobs.run import Overrides, TriggerKind
from tests.factories import ALICE, AppsRepo, Program, caller, eventually, python_job

VALUES = """
def shows(ctx, period: str = "none", limit: int = 0, extra: str = ""):
    return {"period": period, "limit": limit, "extra": extra, "level": ctx.log_level}

def fails_unless_told(ctx, fine: bool = False):
    mark(ctx, f"tried-{ctx.run_id}")
    if not fine:
        raise ValueError("not fine")
    return {"rows_affected": 2}

def counts(ctx):
    return {"rows_affected": 5, "token": "of-step-one", "found": 5}

def looks_back(ctx):
    return {"saw": ctx.previous_step("first").output["found"]}
"""

JOB = """
[[jobs]]
name = "job"
[jobs.params]
period = "${month.previous}"
limit = 10
[[jobs.presets]]
name = "small"
params = {limit = 1}
[[jobs.steps]]
type = "python"
name = "show"
callable = "work:shows"
op_kwargs = {extra = "${params.period}!"}
"""


async def test_values_of_one_fire_stand_above_the_definition_and_are_kept(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(JOB)
    async with repo.running() as program:
        detail = await program.run(
            "job", params={"period": "2026-02"}, op_kwargs={"show": {"limit": "7"}}, log_level="DEBUG"
        )
        assert detail.steps[0].output == {
            "period": "2026-02",
            "limit": 7,
            "extra": "2026-02!",
            "level": "DEBUG",
        }
        assert detail.run.params == {"period": "2026-02", "limit": 10}
        assert detail.run.overrides.op_kwargs == {"show": {"limit": "7"}}
        small = await program.run("job", preset="small")
        assert (small.run.params["limit"], small.run.overrides.preset) == (1, "small")


async def test_what_a_caller_sends_is_data(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(JOB)
    async with repo.running() as program:
        detail = await program.run("job", params={"period": "${env:HOME}"})
    output: Any = detail.steps[0].output
    assert output["period"] == "${env:HOME}"
    assert output["extra"] == "${env:HOME}!"


@pytest.mark.parametrize(
    ("overrides", "error", "says"),
    [
        ({"params": {"perod": 1}}, Invalid, "period"),
        ({"op_kwargs": {"shw": {"limit": 1}}}, (Invalid, NotFound), "show"),
        ({"step_enabled": {"nope": False}}, (Invalid, NotFound), "nope"),
        ({"preset": "smal"}, (Invalid, NotFound), "small"),
    ],
)
async def test_unknown_names_are_refused_and_leave_no_row(
    repo: AppsRepo, overrides: dict[str, Any], error: Any, says: str
) -> None:
    repo.plugin(VALUES).jobs(JOB)
    async with repo.running() as program:
        with pytest.raises(error, match=says):
            await program.start("job", **overrides)
        assert (await program.runtime.reader.page(ALICE)).items == []


async def test_a_repeated_request_is_one_run(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(JOB)
    async with repo.running() as program:
        runs = await asyncio.gather(
            *(
                program.runtime.requests.start("job", Overrides(), ALICE, idempotency_key="once")
                for _ in range(20)
            )
        )
        assert {run.run_id for run in runs} == {"r-1"}
        await program.ended(runs[0])
        assert len((await program.runtime.reader.page(ALICE)).items) == 1


async def test_a_caller_that_goes_away_leaves_a_run_that_runs(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin(VALUES).jobs(JOB)
    async with repo_on_both.running() as program:
        asking = asyncio.ensure_future(program.start("job"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

        async def there() -> bool:
            return bool((await program.runtime.reader.page(ALICE)).items)

        await eventually(there)
        assert (await program.ended("r-1", within=3)).run.status == "succeeded"


# -- single instance and dependencies


@pytest.mark.parametrize("via", ["manual", "api", "cli"])
async def test_an_overlapping_run_is_a_skipped_row(repo: AppsRepo, via: TriggerKind) -> None:
    repo.plugin("").jobs(python_job("slow", "wait_for_go"))
    async with repo.running() as program:
        first = await program.start("slow")
        await program.marked("started-only")
        second = await program.start("slow", caller=caller(via))
        assert (str(second.status), second.reason) == ("skipped", "single-instance, previous still running")
        assert second.trigger == via
        program.mark("go")
        assert (await program.ended(first)).run.status == "succeeded"
        assert (await program.run("slow")).run.status == "succeeded"


async def test_only_what_has_ended_is_replayed(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("slow", "wait_for_go"))
    async with repo.running() as program:
        run = await program.start("slow")
        await program.marked("started-only")
        with pytest.raises(Conflict, match="only a run that has ended"):
            await program.replay(run)
        program.mark("go")
        await program.ended(run)


async def test_a_replay_that_overlaps_is_skipped_too(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("slow", "wait_for_go"))
    async with repo.running() as program:
        program.mark("go")
        done = await program.run("slow")
        repo.marks.joinpath("go").unlink()
        await program.start("slow")
        replay = await program.replay(done.run)
        assert (str(replay.status), replay.replay_of) == ("skipped", done.run.number)
        program.mark("go")


async def test_a_job_waits_for_nobody_it_is_skipped_with_the_reason(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(
        python_job("first", "fails_unless_told")
        + python_job("gate", "wait_for_go")
        + python_job("after", "noop", 'depends_on = ["first"]')
        + python_job("later", "noop", 'depends_on = ["gate"]')
    )
    async with repo.running() as program:
        assert (await program.start("after")).reason == "dependency-never-ran: first"
        await program.run("first")
        assert (await program.start("after")).reason == "dependency-failed: first"
        await program.run("first", op_kwargs={"only": {"fine": True}})
        assert (await program.run("after")).run.status == "succeeded"
        await program.start("gate")
        assert (await program.start("later")).reason == "dependency-still-running: gate"
        program.mark("go")


# -- who may


async def test_every_request_leaves_a_trace_of_who_asked(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(JOB)
    async with repo.running() as program:
        detail = await program.run("job", params={"limit": 3})
        replay = await program.replay(detail.run)
        await program.ended(replay)
        entries = await program.runtime.database.read(audit.entries)
    assert [(entry.action, entry.object, entry.actor) for entry in reversed(entries)] == [
        ("run", "job:job", "alice"),
        ("replay", "job:job", "alice"),
    ]
    assert detail.run.triggered_by == "user:alice"


async def test_who_may_not_run_a_job_is_told_it_is_not_there(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(JOB)
    charlie = caller(name="charlie", permissions=("job:jo", "job:job2"))
    reader = caller(name="reader", permissions=("job:job:read",))
    async with repo.running() as program:
        detail = await program.run("job")
        for who in (charlie, reader):
            with pytest.raises(NotFound):
                await program.start("job", caller=who)
            with pytest.raises(NotFound):
                await program.abort(detail.run, who)
        with pytest.raises(NotFound):
            await program.runtime.reader.get(detail.run.run_id, charlie)
        assert (await program.runtime.reader.page(charlie)).items == []
        assert (await program.runtime.reader.page(charlie, jobs=["job"])).items == []
        assert len((await program.runtime.reader.page(reader)).items) == 1


# -- replays

THREE = """
[[jobs]]
name = "job"
[[jobs.steps]]
type = "python"
name = "first"
callable = "work:counts"
[[jobs.steps]]
type = "python"
name = "second"
callable = "work:fails_unless_told"
{second}
[[jobs.steps]]
type = "python"
name = "third"
callable = "work:looks_back"
"""


async def failed_run(program: Program) -> Any:
    detail = await program.run("job")
    assert [str(step.status) for step in detail.steps] == ["succeeded", "failed", "skipped"]
    return detail.run


async def test_a_replay_from_a_step_stands_on_what_the_earlier_ones_did(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(THREE.format(second=""))
    async with repo.running() as program:
        run = await failed_run(program)
        replay = await program.replay(
            run, from_step="second", overrides=Overrides(op_kwargs={"second": {"fine": True}})
        )
        detail = await program.ended(replay)
    assert (detail.run.status, detail.run.replay_of) == ("succeeded", run.number)
    first, second, third = detail.steps
    assert (str(first.status), first.attempt, first.output) == (
        "succeeded",
        1,
        {"rows_affected": 5, "token": "***", "found": 5},
    )
    assert first.finished_at is not None
    assert detail.run.started_at is not None
    assert first.finished_at <= detail.run.started_at
    assert (second.rows_affected, third.output) == (2, {"saw": 5})


async def test_a_replay_with_the_same_definition_runs_what_ran_then(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(THREE.format(second=""))
    async with repo.running() as program:
        run = await failed_run(program)
        repo.jobs(THREE.format(second="op_kwargs = {fine = true}"))
        await program.runtime.reload()
        same = await program.ended(await program.replay(run, definition="same"))
        assert (str(same.run.status), same.run.definition_version) == ("failed", run.definition_version)
        current = await program.ended(await program.replay(run))
        assert str(current.run.status) == "succeeded"
        assert current.run.definition_version == run.definition_version + 1


async def test_a_replay_from_a_step_is_refused_when_an_earlier_one_changed(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(THREE.format(second=""))
    async with repo.running() as program:
        run = await failed_run(program)
        repo.jobs(THREE.format(second="op_kwargs = {fine = true}"))
        await program.runtime.reload()
        with pytest.raises(Conflict, match=r"earlier steps changed since r-1: second"):
            await program.replay(run, from_step="third")
        with pytest.raises(NotFound, match="second"):
            await program.replay(run, from_step="secnd")
        ok = await program.ended(await program.replay(run, from_step="second"))
        assert str(ok.run.status) == "succeeded"


async def test_a_replay_keeps_the_values_that_were_sent(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(JOB)
    async with repo.running() as program:
        run = (await program.run("job", params={"period": "2025-12"}, op_kwargs={"show": {"limit": 3}})).run
        detail = await program.ended(await program.replay(run, overrides=Overrides(params={"limit": 4})))
    output: Any = detail.steps[0].output
    assert (output["period"], output["extra"], output["limit"]) == ("2025-12", "2025-12!", 3)
    assert detail.run.params == {"period": "2025-12", "limit": 4}


# -- runs that call runs


def calling(name: str, target: str, params: str = "{}", more: str = "") -> str:
    return (
        f'[[jobs]]\nname = "{name}"\n{more}\n[[jobs.steps]]\ntype = "call_job"\nname = "call"\n'
        f'target_job = "{target}"\nparams = {params}\n'
    )


async def test_a_called_run_is_a_run_of_its_own(repo: AppsRepo) -> None:
    repo.app(max_concurrent_runs=1).plugin(VALUES)
    repo.jobs(calling("parent", "job", '{period = "2024-01"}') + JOB)
    async with repo.running() as program:
        parent = await program.run("parent")
        child = await program.latest("job")
    assert str(parent.run.status) == "succeeded"
    assert (child.run.trigger, child.run.triggered_by) == ("call_job", f"job:parent@{parent.run.run_id}")
    assert child.run.parent_chain == (("parent", parent.run.run_id),)
    assert child.run.params["period"] == "2024-01"
    output: Any = parent.steps[0].output
    assert (output["child_run_id"], output["status"]) == (child.run.run_id, "succeeded")
    assert not any("shows" in line.message for line in parent.lines)


async def test_the_caller_of_a_failed_run_fails(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(calling("parent", "job") + THREE.format(second=""))
    async with repo.running() as program:
        detail = await program.run("parent")
        child = await program.latest("job")
    assert str(detail.run.status) == "failed"
    assert detail.steps[0].error is not None
    assert detail.steps[0].error.message == f"run {child.run.run_id} of job 'job' ended failed"


async def test_the_caller_of_an_aborted_run_is_aborted(repo: AppsRepo) -> None:
    repo.plugin("").jobs(calling("parent", "child") + python_job("child", "wait_for_ever"))
    async with repo.running() as program:
        parent = await program.start("parent")
        await program.marked("started-only")
        await program.abort((await program.latest("child")).run)
        assert str((await program.ended(parent)).run.status) == "aborted"


async def test_runs_that_would_call_each_other_for_ever_are_refused(repo: AppsRepo) -> None:
    repo.plugin(VALUES).jobs(
        calling("one", "two")
        + "[jobs.steps.retry]\nattempts = 1\n"
        + calling("two", "${params.next}", more='params = {next = "one"}')
    )
    async with repo.running() as program:
        if program.runtime.generation.catalogue.quarantined:
            pytest.fail(f"{program.runtime.problems}")
        detail = await program.run("one")
        inner = await program.latest("two")
    assert str(detail.run.status) == "failed"
    assert inner.steps[0].error is not None
    assert "circle" in inner.steps[0].error.message


@pytest.mark.parametrize("turn", range(4))
async def test_a_caller_stopped_while_its_child_is_being_made_leaves_no_child_behind(
    repo_on_both: AppsRepo, turn: int
) -> None:
    repo = repo_on_both
    repo.plugin("").jobs(
        calling("parent", "child", more="single_instance = false")
        + python_job("child", "wait_for_ever", "single_instance = false")
    )
    async with repo.running() as program:
        parents = [await program.start("parent") for _ in range(8)]
        await asyncio.sleep(turn * 0.004)
        for parent in parents:
            await program.abort(parent)
        for parent in parents:
            await program.ended(parent, within=8)

        async def none_left() -> bool:
            return not (
                await program.runtime.reader.page(ALICE, statuses=["queued", "running", "aborting"])
            ).items

        await eventually(none_left, within=3)
