"""From the page "Custom Python steps", section "The function signature".

Corrected: `# ... real work ...` is the log line its own test expects.
"""
# ruff: noqa: G004 - the page shows f-strings

from liberty.jobs.types import StepContext


async def generate_monthly(
    ctx: StepContext,
    *,
    period: str,
    target_path: str,
    **_,
) -> dict:
    """Generate the monthly summary PDF.

    The function's return value is recorded as the step's `output`
    in the run history. Keep it small and structured.
    """
    ctx.log.info(f"wrote {period} summary")
    return {"path": target_path, "size_bytes": 12345}
