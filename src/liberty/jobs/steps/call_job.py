"""The `call_job` step: run another job and wait for it."""

import logging
from typing import Annotated, Any, Literal

from pydantic import Field

from liberty.jobs.run import ABORTED, SUCCEEDED
from liberty.jobs.steps.addressed import own_params
from liberty.jobs.steps.base import RunContext, StepCancelled, StepConfig, StepFailed, StepResult
from liberty.jobs.steps.fields import Templatable

_log = logging.getLogger("nomaflow.call_job")


class CallJobStep(StepConfig):
    """Run another job as a run of its own; this step succeeds when that run does."""

    type: Literal["call_job"] = "call_job"
    target_job: str = Field(min_length=1, description="Name of the job to run.")
    params: Annotated[dict[str, Any], Templatable()] = Field(
        default_factory=dict, description="Per-fire params of the called run."
    )

    async def preview(self, ctx: RunContext) -> dict[str, Any]:
        """The job that would run, and with what."""
        return {"would_run": self.target_job, "params": own_params(self.params, ctx)}

    async def execute(self, ctx: RunContext) -> StepResult:
        """Start the run and wait for its end. Raises StepFailed when it did not succeed, StepCancelled when it was
        aborted."""
        _log.info("nomaflow.call_job start run=%s step=%r job=%s", ctx.run_id, ctx.step_name, self.target_job)
        child = await ctx.host.call_job(ctx, self.target_job, own_params(self.params, ctx))
        _log.info(
            "nomaflow.call_job done run=%s step=%r job=%s child=%s status=%s rows=%s",
            ctx.run_id,
            ctx.step_name,
            child.job,
            child.run_id,
            child.status,
            child.rows_affected,
        )
        ended = f"run {child.run_id} of job {child.job!r} ended {child.status}"
        if child.reason:
            ended = f"{ended}: {child.reason}"
        if child.status == ABORTED:
            raise StepCancelled(ended)
        if child.status != SUCCEEDED:
            raise StepFailed(ended)
        return StepResult(
            child.rows_affected,
            {
                "child_run_id": child.run_id,
                "child_job": child.job,
                "child_job_id": child.job,
                "status": str(child.status),
                "rows_affected": child.rows_affected,
            },
        )
