"""A stand-in for a service that needs a moment."""

from liberty.jobs.types import StepContext


async def call_service(ctx: StepContext, *, failures: int) -> dict:
    """Fails the first `failures` tries. Any exception fails a step; its traceback is kept with the try."""
    if ctx.attempt <= failures:
        raise ConnectionError(f"the service is not up yet (try {ctx.attempt})")
    ctx.log.info("answered at try %d", ctx.attempt)
    return {"tries": ctx.attempt}
