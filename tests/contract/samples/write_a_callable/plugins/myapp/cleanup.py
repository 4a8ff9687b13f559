"""From the page "Write a callable", section "The minimal signature", the realistic version, and its return value.

Corrected: the body is `...` there.
"""

from datetime import UTC, datetime, timedelta


async def purge_old_sessions(
    *,  # kwargs-only signature is the convention
    connectors,  # auto-injected
    ctx,  # auto-injected
    apps_id: int,  # from op_kwargs
    max_age_days: int = 30,  # from op_kwargs, with default
    **_,  # swallow the rest
) -> dict:
    deleted, cutoff = 4, datetime(2026, 5, 31, tzinfo=UTC) - timedelta(days=max_age_days)
    return {"rows_affected": deleted, "tenant": apps_id, "cutoff": cutoff.isoformat()}
