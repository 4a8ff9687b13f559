"""What to make of the server's answers."""

from liberty.jobs.types import StepContext, StepFailed


async def report_health(ctx: StepContext) -> dict:
    """The context comes first and by position; earlier steps are found by their names."""
    healthz = ctx.previous_step("healthz")
    answer = healthz.output["body"]  # JSON, already decoded
    if not answer["ok"]:
        raise StepFailed(f"the server says it is not well: {answer}")
    ready = ctx.previous_step("ready").output["status"] == 200
    ctx.log.info("version %s answered in %s ms", answer["version"], healthz.output["elapsed_ms"])
    if not ready:
        ctx.log.warning("the server is up but not ready")
    return {"version": answer["version"], "ready": ready}
