# From the page "Custom Python steps", section "Testing your function".
# Corrected: the last assertion is written `assert (a == b, "…")` there, a pair, which is always true.

# tests/test_reports_summary.py
import pytest
from reports.summary import generate_monthly


@pytest.mark.asyncio
async def test_generate_monthly(fake_ctx):
    result = await generate_monthly(fake_ctx, period="2026-04", target_path="/tmp/out.pdf")
    assert result["size_bytes"] > 0
    assert fake_ctx.log.calls[-1] == ("INFO", "wrote 2026-04 summary")
