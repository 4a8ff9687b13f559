"""From the page "Deploy and debug".

Corrected: the page shows the log lines of `purge` and the test of `purge_old_sessions`, two different functions, and
the body of neither.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text


async def purge(*, connectors, ctx, apps_id: int, max_age_days: int = 30) -> dict:
    return await purge_old_sessions(
        connectors=connectors, ctx=ctx, apps_id=apps_id, max_age_days=max_age_days
    )


async def purge_old_sessions(*, connectors, ctx, apps_id: int, max_age_days: int = 30, **_) -> dict:
    cutoff = (datetime.now(UTC) - timedelta(days=max_age_days)).strftime("%Y-%m-%d %H:%M:%S")
    async with connectors.pools.engine("default").begin() as conn:
        result = await conn.execute(
            text("DELETE FROM sessions WHERE apps_id = :apps_id AND created_at < :cutoff"),
            {"apps_id": apps_id, "cutoff": cutoff},
        )
    return {"rows_affected": result.rowcount}


async def refresh_security_users(*, connectors, ctx, apps_id: int, **_) -> dict:
    async with connectors.pools.engine("default").begin() as conn:
        await conn.execute(
            text("INSERT INTO security_users (apps_id, run_id) VALUES (:apps_id, :run_id)"),
            {"apps_id": apps_id, "run_id": ctx.run_id},
        )
    return {"rows_affected": 1}


async def refused(**_):
    raise RuntimeError("db connection refused")
