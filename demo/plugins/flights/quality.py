"""Expectations about data. A step fails by raising: StepFailed with a sentence says it best."""

from liberty.jobs.types import StepContext, StepFailed


def expect_equal(*, found: int, expected: int) -> dict:
    """A plain function is fine too: it runs in a thread, so it may block."""
    if found != expected:
        raise StepFailed(f"{found} rows arrived, {expected} were read")
    return {"rows": found}


def expect_at_most(*, what: str, found: int, limit: int) -> dict:
    """Values are converted to what the annotations say; one that does not fit fails the step by name."""
    if found > limit:
        raise StepFailed(f"{found} {what}, at most {limit} are expected")
    return {"what": what, "found": found}


async def list_failures(ctx: StepContext) -> dict:
    """`ctx.previous` holds the record of every earlier step of the run."""
    failed = [name for name, step in ctx.previous.items() if step.status == "failed"]
    if failed:
        ctx.log.warning("to look into: %s", ", ".join(failed))
    return {"failed": failed}
