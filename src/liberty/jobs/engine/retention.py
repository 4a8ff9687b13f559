"""The built-in job that deletes old history, called like any plugin function."""

from datetime import timedelta

from liberty.jobs.steps.base import RunContext
from liberty.settings import Settings

BATCH = 500  # runs per transaction, so that nobody waits long behind it


async def cleanup_job_history(*, ctx: RunContext, settings: Settings) -> dict[str, int]:
    """Delete runs older than `[jobs] history_days`, their steps and lines with them; failed ones stay if so set."""
    jobs = settings.jobs
    deleted = 0
    while True:
        count = await ctx.host.delete_history(
            older_than=timedelta(days=jobs.history_days), keep_failed=jobs.history_keep_failed, limit=BATCH
        )
        deleted += count
        if count < BATCH:
            break
        ctx.log.info("▶ %d runs deleted", deleted)
    ctx.log.info("deleted %d runs older than %d days", deleted, jobs.history_days)
    return {"rows_affected": deleted, "history_days": jobs.history_days}
