"""From the page "Custom Python steps", sections "Reading a connector" and "Common traps": streaming.

Corrected: the import of StepContext; the loop that streams is a fragment there.
"""
# ruff: noqa: G004 - the page shows f-strings

from liberty.jobs.types import StepContext


async def refresh_view(ctx: StepContext, *, target_connector: str, **_) -> dict:
    target = ctx.get_connector(target_connector)
    # Single SQL statement.
    await target.execute("REFRESH MATERIALIZED VIEW reporting.daily_summary")
    # Scalar.
    count = await target.scalar("SELECT count(*) FROM reporting.daily_summary")
    ctx.log.info(f"refreshed view · {count} rows")
    return {"rows_after_refresh": count}


async def stream_orders(ctx: StepContext, *, sql: str, **_) -> dict:
    target = ctx.get_connector("reporting")
    total = 0
    async for row in target.stream(sql):
        total += row["amount"]
    return {"total": total}
