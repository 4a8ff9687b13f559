"""From the page "Custom Python steps", sections "The async-friendly pattern" and "Long-running steps".

Corrected: the import of StepContext; `process_one` and `batch_size` are not defined there, `# ... do a batch ...` is a
pause.
"""
# ruff: noqa: G004 - the page shows f-strings

import asyncio

from liberty.jobs.types import StepContext

batch_size = 50_000


async def process_one(item):
    await asyncio.sleep(0)


async def long_loop(ctx: StepContext, *, items: list, **_) -> dict:
    processed = 0
    for i, item in enumerate(items):
        # Yield to the event loop every 100 items so cancellation lands.
        if i % 100 == 0:
            await asyncio.sleep(0)
        if ctx.is_cancelled():
            ctx.log.warning(f"cancelled at item {i}/{len(items)}")
            raise asyncio.CancelledError()  # noqa: RSE102 - as published
        await process_one(item)
        processed += 1
    return {"processed": processed}


async def big_etl(ctx: StepContext, **_) -> dict:
    total_rows = 1_000_000
    processed = 0
    last_log = 0
    while processed < total_rows:
        await asyncio.sleep(0)
        processed += batch_size
        if processed - last_log >= 50_000:  # every 50k rows
            ctx.log.info(f"▶ {processed} / {total_rows} ({processed / total_rows:.0%})")
            last_log = processed
        if ctx.is_cancelled():
            raise asyncio.CancelledError()  # noqa: RSE102 - as published
    return {"rows": processed}
