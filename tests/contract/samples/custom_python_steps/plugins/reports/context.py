"""From the page "Custom Python steps", sections "The StepContext" and "Logging".

Corrected: the table of members is written out as one function; the log calls are fragments there.
"""
# ruff: noqa: F541, G004 - the page shows f-strings

from liberty.jobs.types import StepContext


async def everything(ctx: StepContext, **_) -> dict:
    connector = ctx.get_connector("reporting")
    return {
        "connector": connector.name,
        "params": ctx.params,
        "session_user": ctx.session_user,
        "run_id": ctx.run_id,
        "job_id": ctx.job_id,
        "cancelled": ctx.is_cancelled(),
        "log_level": ctx.log_level,
    }


async def log_lines(ctx: StepContext, *, i: int = 1, n: int = 2, row_id: int = 7, **_) -> None:
    ctx.log.info("starting batch")
    ctx.log.info(f"▶ batch {i} of {n}")
    ctx.log.warning(f"missing field on row {row_id} — skipping")
    ctx.log.error(f"upstream returned 500 — retry policy will decide")
