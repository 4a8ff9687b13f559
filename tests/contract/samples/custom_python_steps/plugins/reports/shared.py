"""From the page "Custom Python steps", section "Reusing functions across jobs".

Corrected: it is called `reports/summary.py` there, which is the name of another example; the end is `# ...`.
"""

# plugins/reports/summary.py
from utils.connectors import assert_row_count


async def generate_monthly(ctx, *, period, **_):
    target = ctx.get_connector("reporting")
    rows = await assert_row_count(target, "SELECT count(*) FROM orders", min_rows=100)
    return {"rows": rows, "period": period}
