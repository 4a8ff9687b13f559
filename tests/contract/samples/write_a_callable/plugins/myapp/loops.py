"""From the page "Write a callable", section "Cancellation".

Corrected: `import asyncio` is missing there, and `process` is not defined.
"""

import asyncio

processed_items = []


async def process(item):
    processed_items.append(item)


async def long_loop(*, items, **_):
    processed = 0
    for i, item in enumerate(items):
        # Yield every 100 items so cancellation can land.
        if i % 100 == 0:
            await asyncio.sleep(0)
        await process(item)
        processed += 1
    return {"processed": processed}
