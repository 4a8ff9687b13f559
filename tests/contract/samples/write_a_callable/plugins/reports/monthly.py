# From the page "Write a callable", section "A complete worked example".
# Corrected: `text` is not imported there. The period it computes is that of the day before this month, and the invoices
# it sums up are those of the month of that day: `first_of_month` is a date, as published.

# plugins/reports/monthly.py
import logging
from datetime import date, timedelta

from sqlalchemy import text

from liberty.connectors import ConnectorRegistry
from liberty.jobs.steps.base import RunContext, StepFailed

_log = logging.getLogger(__name__)


async def generate_monthly_summary(
    *,
    connectors: ConnectorRegistry,
    ctx: RunContext,
    apps_id: int,
    target_table: str = "monthly_summary",
    **_,
) -> dict:
    """Aggregate last month's invoices into the monthly_summary table."""
    target = connectors.pools.engine("reporting")
    last_month_start = date.today().replace(day=1) - timedelta(days=1)
    period = last_month_start.strftime("%Y-%m")

    _log.info("generate monthly summary · period=%s · run_id=%s", period, ctx.run_id)

    async with target.begin() as conn:
        # 1. Delete any existing snapshot for this period
        result = await conn.execute(
            text(f"DELETE FROM {target_table} WHERE period = :period AND apps_id = :apps_id"),
            {"period": period, "apps_id": apps_id},
        )
        _log.info("deleted %d stale rows · run_id=%s", result.rowcount, ctx.run_id)

        # 2. Aggregate and insert
        result = await conn.execute(
            text(f"""
INSERT INTO {target_table} (apps_id, period, revenue, invoice_count)
SELECT :apps_id, :period, SUM(total), COUNT(*)
FROM invoices
WHERE apps_id = :apps_id
AND DATE_TRUNC('month', invoice_date) = :first_of_month
"""),
            {
                "apps_id": apps_id,
                "period": period,
                "first_of_month": last_month_start.replace(day=1),
            },
        )

        rows = result.rowcount or 0
        if rows == 0:
            raise StepFailed(f"no invoices to aggregate for {period} apps_id={apps_id}")

    _log.info("inserted %d summary row(s) · run_id=%s", rows, ctx.run_id)
    return {"rows_affected": rows, "period": period, "tenant": apps_id}
