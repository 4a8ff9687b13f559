"""How a run walks through its steps: tries, conditions, failures that do not stop it, limits of time and size."""

import time
from typing import Any

import pytest

from liberty.jobs.service.runs import RunDetail
from liberty.testing import no_backoff
from tests.factories import AppsRepo, eventually, python_job

STEPS = """
TRIES = {}

def fails_twice(ctx):
    seen = TRIES.setdefault(ctx.run_id, [])
    seen.append((ctx.attempt, ctx.idempotency_key))
    if len(seen) < 3:
        raise ConnectionError(f"no {ctx.attempt}")
    return {"rows_affected": 7, "keys": len({key for _, key in seen}), "attempts": [n for n, _ in seen]}

def fails(ctx):
    raise ValueError("broken on purpose")

def counts():
    return {"rows_affected": 3, "found": 3}

def sees(ctx, value: int = 0):
    return {"value": value, "earlier": ctx.previous_step("count").output["found"], "rows": ctx.prev_rows_affected}
"""


def outcomes(detail: RunDetail) -> list[tuple[str, str, str | None]]:
    return [(step.name, str(step.status), step.reason) for step in detail.steps]


def job(*steps: str, **keys: str) -> str:
    head = "".join(f"{key} = {value}\n" for key, value in keys.items())
    body = "".join(f'[[jobs.steps]]\ntype = "python"\n{step}\n' for step in steps)
    return f'[[jobs]]\nname = "job"\n{head}{body}'


async def test_a_step_is_tried_as_often_as_it_may_be(repo: AppsRepo) -> None:
    policy = '{attempts = 3, backoff = "exponential", base_seconds = 60, jitter = false}'
    repo.plugin(STEPS).jobs(job('name = "flaky"\ncallable = "work:fails_twice"', retry=policy))
    async with repo.running() as program:
        with no_backoff():
            detail = await program.run("job")
    step = detail.steps[0]
    assert (detail.run.status, detail.run.rows_affected) == ("succeeded", 7)
    assert step.output == {"rows_affected": 7, "keys": 1, "attempts": [1, 2, 3]}
    assert [
        (tried.number, str(tried.status), tried.error and tried.error.message) for tried in step.attempts
    ] == [
        (1, "failed", "no 1"),
        (2, "failed", "no 2"),
        (3, "succeeded", None),
    ]
    assert all(tried.finished_at is not None for tried in step.attempts)
    assert step.error is None
    assert sum("retry triggered" in line.message for line in detail.lines) == 2


@pytest.mark.parametrize(("retry_on", "tries"), [('["connection"]', 3), ('["timeout"]', 1)])
async def test_only_the_named_kinds_of_failure_are_tried_again(
    repo: AppsRepo, retry_on: str, tries: int
) -> None:
    policy = f"{{attempts = 3, base_seconds = 60, retry_on = {retry_on}}}"
    repo.plugin(STEPS).jobs(job('name = "flaky"\ncallable = "work:fails_twice"', retry=policy))
    async with repo.running() as program:
        with no_backoff():
            detail = await program.run("job")
    assert detail.steps[0].attempt == tries


async def test_the_waits_between_tries_are_what_the_policy_says(repo: AppsRepo) -> None:
    policy = '{attempts = 3, backoff = "exponential", base_seconds = 0.02, max_delay_seconds = 0.03, jitter = false}'
    repo.plugin(STEPS).jobs(job('name = "flaky"\ncallable = "work:fails_twice"', retry=policy))
    async with repo.running() as program:
        detail = await program.run("job")
    assert [tried.wait_seconds for tried in detail.steps[0].attempts] == [0.02, 0.03, None]


async def test_a_failure_stops_the_run_and_the_rest_is_accounted_for(repo: AppsRepo) -> None:
    repo.plugin(STEPS).jobs(
        job(
            'name = "count"\ncallable = "work:counts"',
            'name = "bad"\ncallable = "work:fails"',
            'name = "never"\ncallable = "work:noop"',
            'name = "clean"\ncallable = "work:noop"\nrun_on = "always"',
            'name = "undo"\ncallable = "work:noop"\nrun_on = "failure"',
        )
    )
    async with repo.running() as program:
        detail = await program.run("job")
        well = await program.run("job", step_enabled={"bad": False})
    assert outcomes(detail) == [
        ("count", "succeeded", None),
        ("bad", "failed", None),
        ("never", "skipped", "skipped: earlier step failed"),
        ("clean", "succeeded", None),
        ("undo", "succeeded", None),
    ]
    assert (detail.run.status, detail.run.rows_affected) == ("failed", 3)
    error = detail.steps[1].error
    assert error is not None
    assert (error.type, error.message) == ("ValueError", "broken on purpose")
    assert error.traceback is not None
    assert "work.py" in error.traceback
    assert "liberty/jobs" not in error.traceback
    assert outcomes(well)[1:] == [
        ("bad", "skipped", "skipped: disabled"),
        ("never", "succeeded", None),
        ("clean", "succeeded", None),
        ("undo", "skipped", "skipped: no step failed"),
    ]
    assert well.run.status == "succeeded"


async def test_a_failure_that_may_happen_makes_a_partial_success(repo: AppsRepo) -> None:
    repo.plugin(STEPS).jobs(
        job(
            'name = "bad"\ncallable = "work:fails"\ncontinue_on_error = true',
            'name = "on"\ncallable = "work:noop"',
        )
    )
    async with repo.running() as program:
        detail = await program.run("job")
    assert detail.run.status == "partial-success"
    assert outcomes(detail) == [("bad", "failed", None), ("on", "succeeded", None)]


@pytest.mark.parametrize(
    ("condition", "runs"),
    [("${steps.count.found} > 2", True), ("${steps.count.found} > 3 && true", False)],
)
async def test_a_condition_looks_at_earlier_steps(repo: AppsRepo, condition: str, runs: bool) -> None:
    repo.plugin(STEPS).jobs(
        job(
            'name = "count"\ncallable = "work:counts"',
            f'name = "maybe"\ncallable = "work:sees"\ncondition = "{condition}"\n'
            'op_kwargs = {value = "${steps.count.found}"}',
        )
    )
    async with repo.running() as program:
        step = (await program.run("job")).steps[1]
    if runs:
        assert step.output == {"value": 3, "earlier": 3, "rows": 3}
        assert step.input == {"value": 3}
    else:
        assert (str(step.status), step.reason, step.attempt) == ("skipped", "skipped: condition", 0)


async def test_a_condition_that_cannot_be_decided_fails_the_step(repo: AppsRepo) -> None:
    repo.plugin(STEPS).jobs(
        job(
            'name = "count"\ncallable = "work:counts"',
            'name = "maybe"\ncallable = "work:noop"\ncondition = "${steps.count.nothing} > 1"',
        )
    )
    async with repo.running() as program:
        detail = await program.run("job")
    assert detail.run.status == "failed"
    assert detail.steps[1].error is not None
    assert "nothing" in detail.steps[1].error.message


SLOW = """
async def slow_async(ctx):
    mark(ctx, f"try-{ctx.attempt}")
    await asyncio.sleep(3600)

def slow_polite(ctx):
    mark(ctx, f"try-{ctx.attempt}")
    while not ctx.is_cancelled():
        time.sleep(0.01)
    mark(ctx, f"let-go-{ctx.attempt}")
"""


@pytest.mark.parametrize("function", ["slow_async", "slow_polite"])
async def test_a_step_that_takes_too_long_failed_and_is_tried_again(repo: AppsRepo, function: str) -> None:
    repo.app(abort_grace_seconds=5).plugin(SLOW).jobs(
        job(
            f'name = "slow"\ncallable = "work:{function}"\ntimeout_seconds = 0.2\n'
            'retry = {attempts = 2, base_seconds = 0, retry_on = ["timeout"]}'
        )
    )
    async with repo.running() as program:
        began = time.monotonic()
        detail = await program.run("job")
        assert time.monotonic() - began < 3
        assert (await program.runtime.engine.stats()).abandoned_threads == 0
    step = detail.steps[0]
    assert (str(detail.run.status), str(step.status), step.reason) == (
        "failed",
        "failed",
        "timeout after 0.2s",
    )
    assert [(tried.number, tried.error and tried.error.message) for tried in step.attempts] == [
        (1, "timeout after 0.2s"),
        (2, "timeout after 0.2s"),
    ]
    assert repo.marked("try-2")
    if function == "slow_polite":
        assert repo.marked("let-go-1")


async def test_a_run_that_takes_too_long_is_aborted_with_its_reason(repo: AppsRepo) -> None:
    repo.plugin("").jobs(
        job(
            'name = "slow"\ncallable = "work:wait_for_ever"',
            'name = "x"\ncallable = "work:noop"',
            timeout_seconds="0.2",
        )
    )
    async with repo.running() as program:
        detail = await program.run("job")
    assert (detail.run.status, detail.run.reason) == ("aborted", "timeout after 0.2s")
    assert outcomes(detail) == [
        ("slow", "aborted", "timeout after 0.2s"),
        ("x", "skipped", "skipped: run aborted"),
    ]


ODD_ENDS = """
from liberty.jobs.steps.base import StepCancelled, StepFailed

async def cancels_itself():
    raise asyncio.CancelledError

def cancels_itself_sync():
    raise asyncio.CancelledError

def cancels_politely():
    raise StepCancelled("not needed today")

def exits():
    sys.exit(3)

async def exits_async():
    sys.exit(3)

def stops_iterating():
    next(iter(()))

def interrupts():
    raise KeyboardInterrupt

def fails_plainly():
    raise StepFailed("the file is empty")

def not_a_number():
    return {"value": float("nan")}

def unstorable():
    return {"value": object()}

def wrong_type():
    return [1, 2]

def huge_count():
    return {"rows_affected": 10**30}

def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return {"value": value}

class Rude(BaseException):
    pass

async def raises_rudely():
    raise Rude("odd")

class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")

def cannot_be_described():
    raise Unspeakable
"""


@pytest.mark.parametrize(
    ("function", "status", "says"),
    [
        ("cancels_itself", "aborted", "cancelled itself"),
        ("cancels_itself_sync", "aborted", "cancelled itself"),
        ("cancels_politely", "aborted", "not needed today"),
        ("exits", "failed", "SystemExit"),
        ("exits_async", "failed", "SystemExit"),
        ("stops_iterating", "failed", "StopIteration"),
        ("interrupts", "failed", "KeyboardInterrupt"),
        ("fails_plainly", "failed", "the file is empty"),
        ("not_a_number", "failed", "nan"),
        ("unstorable", "failed", "object"),
        ("wrong_type", "failed", "list"),
        ("huge_count", "failed", "rows_affected"),
        ("deep", "failed", ""),
        ("raises_rudely", "failed", "Rude"),
        ("cannot_be_described", "failed", "Unspeakable"),
    ],
)
async def test_however_a_function_ends_the_run_ends(
    repo: AppsRepo, function: str, status: str, says: str
) -> None:
    repo.plugin(ODD_ENDS).jobs(
        job(f'name = "odd"\ncallable = "work:{function}"', 'name = "after"\ncallable = "work:noop"')
        + python_job("next", "noop")
    )
    async with repo.running() as program:
        detail = await program.ended(await program.start("job"), within=5)
        assert (await program.run("next")).run.status == "succeeded"
    step = detail.steps[0]
    assert (detail.run.status, step.status) == (status, status)
    assert step.error is not None
    assert says.lower() in f"{step.error.type} {step.error.message}".lower()
    assert str(detail.steps[1].status) == "skipped"


async def test_a_sum_of_rows_that_no_column_holds_does_not_stop_the_run(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin("def most():\n    return {'rows_affected': 2**63 - 1}\n").jobs(
        job('name = "a"\ncallable = "work:most"', 'name = "b"\ncallable = "work:most"')
    )
    async with repo_on_both.running() as program:
        detail = await program.ended(await program.start("job"), within=5)
    assert detail.run.status.final


async def test_a_huge_result_is_cut_where_it_is_stored_and_whole_for_later_steps(repo: AppsRepo) -> None:
    repo.plugin(
        """
        def huge():
            return {"rows_affected": 1, "text": "x" * 5_000_000, "rows": [{"n": n} for n in range(50_000)]}

        def measures(ctx):
            output = ctx.previous_step("huge").output
            return {"text": len(output["text"]), "rows": len(output["rows"])}
        """
    ).jobs(job('name = "huge"\ncallable = "work:huge"', 'name = "next"\ncallable = "work:measures"'))
    async with repo.running() as program:
        detail = await program.run("job")
    stored: Any = detail.steps[0].output
    assert stored["truncated"] is True
    assert len(repr(stored)) < 110_000
    assert detail.steps[1].output == {"text": 5_000_000, "rows": 50_000}


async def test_a_long_error_is_cut(repo: AppsRepo) -> None:
    repo.plugin("def fails():\n    raise ValueError('x' * 1_000_000)\n").jobs(python_job("long", "fails"))
    async with repo.running() as program:
        detail = await program.run("long")
    error = detail.steps[0].error
    assert error is not None
    assert len(error.message) < 10_000
    assert len(error.traceback or "") < 40_000
    assert all(len(line.message) < 10_000 for line in detail.lines)


BLOCKS = """
async def blocks(ctx):
    mark(ctx, "blocked")
    time.sleep(7)  # holds the loop
    return {"done": True}

async def other(ctx):
    return {"loop": threading.current_thread().name}
"""


@pytest.mark.timeout(40)
async def test_a_coroutine_that_blocks_its_loop_is_named_and_stops_nobody(repo: AppsRepo) -> None:
    repo.plugin(BLOCKS).jobs(
        python_job("blocks", "blocks")
        + python_job("other", "other", "single_instance = false")
        + python_job("plain", "noop")
    )
    async with repo.running() as program:
        blocking = await program.start("blocks")
        await program.marked("blocked")
        stuck_with_it = await program.start("other")
        began = time.monotonic()
        plain = await program.run("plain")
        assert time.monotonic() - began < 1
        moved = await program.ended(stuck_with_it, within=6.5)
        assert await program.status(blocking) == "running"
        later = await program.run("other")
        assert await program.status(blocking) == "running"
        assert (await program.runtime.engine.stats()).plugin_loops_retired == 1

        async def named() -> list[str]:
            return [m for m in await program.messages(blocking) if "holds the plugin loop" in m]

        found = await eventually(named)
        detail = await program.ended(blocking)
    assert [str(d.run.status) for d in (plain, moved, later, detail)] == ["succeeded"] * 4
    assert "work.py:" in found[0]
    assert "in blocks" in found[0]
    assert next(line.step for line in detail.lines if "holds the plugin loop" in line.message) == "only"
    assert detail.steps[0].output == {"done": True}


async def test_threads_for_blocking_functions_are_bounded_and_waiting_hurts_nobody(repo: AppsRepo) -> None:
    repo.app(sync_threads=2).plugin(
        "def holds(ctx):\n    while not marked(ctx, 'go'):\n        time.sleep(0.01)\n"
        "async def quick():\n    return None\n"
    ).jobs(python_job("holds", "holds", "single_instance = false") + python_job("quick", "quick"))
    async with repo.running() as program:
        runs = [await program.start("holds") for _ in range(4)]

        async def full() -> bool:
            return (await program.runtime.engine.stats()).busy_threads == 2

        await eventually(full)
        # Finding the function takes a thread the first time; it was found when the first two began.
        aborted = await program.abort(runs[3])
        assert (await program.ended(aborted, within=2)).run.status == "aborted"
        program.mark("go")
        assert [(await program.ended(run)).run.status for run in runs[:3]] == ["succeeded"] * 3
        assert (await program.run("quick")).run.status == "succeeded"
