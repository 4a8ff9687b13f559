"""From the page "Custom Python steps", section "CPU-bound work".

Corrected: the imports; `blocking_pdf_render` is not defined there.
"""

import asyncio

from liberty.jobs.types import StepContext


def blocking_pdf_render(data):
    return b"%PDF-1.7 " + data["title"].encode()


async def render_pdf(ctx: StepContext, *, data: dict, **_) -> dict:
    # Offload to a thread so the event loop stays free.
    pdf_bytes = await asyncio.to_thread(blocking_pdf_render, data)
    return {"bytes": len(pdf_bytes)}
