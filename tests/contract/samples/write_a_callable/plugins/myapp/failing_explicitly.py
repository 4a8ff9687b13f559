"""From the page "Write a callable", section "Errors": the explicit StepFailed. Corrected: where `db` comes from."""

from liberty.jobs.steps.base import StepFailed
from myapp.failing import db


async def maybe_fail(**_):
    rows = await db.execute(...)
    if not rows:
        raise StepFailed("no rows returned — check the upstream job")
    return {"rows_affected": len(rows)}
