"""The `call_job` step: what it asks the engine for, and what the called run's end means for it."""

import pytest

from liberty.jobs.run import ABORTED, FAILED, PARTIAL_SUCCESS, SKIPPED, SUCCEEDED, Status
from liberty.jobs.steps.base import ChildRun, StepCancelled, StepFailed
from liberty.jobs.steps.call_job import CallJobStep
from liberty.testing import build_fake_ctx


def ended(status: Status, reason: str | None = None) -> dict[str, ChildRun]:
    return {"load": ChildRun("r-8", "load", status, reason, 12)}


async def test_a_called_run_that_succeeds_gives_its_rows() -> None:
    context = build_fake_ctx(children=ended(SUCCEEDED), params={"day": "today", "other": 1})
    result = await CallJobStep(target_job="load", params={"day": "monday", "full": True}).execute(context)
    assert context.host.called_jobs == [("load", {"day": "today", "full": True})]
    assert result.rows_affected == 12
    assert result.extras == {
        "child_run_id": "r-8",
        "child_job": "load",
        "child_job_id": "load",
        "status": "succeeded",
        "rows_affected": 12,
    }


@pytest.mark.parametrize("status", [FAILED, SKIPPED, PARTIAL_SUCCESS])
async def test_a_called_run_that_does_not_succeed_fails_the_step(status: Status) -> None:
    context = build_fake_ctx(children=ended(status, "the reason"))
    with pytest.raises(StepFailed, match=f"run r-8 of job 'load' ended {status}: the reason"):
        await CallJobStep(target_job="load").execute(context)


async def test_a_called_run_that_is_aborted_aborts_the_step() -> None:
    context = build_fake_ctx(children=ended(ABORTED))
    with pytest.raises(StepCancelled, match="run r-8 of job 'load' ended aborted"):
        await CallJobStep(target_job="load").execute(context)
