"""Work that takes long enough to be aborted."""

import asyncio
import time

from liberty.jobs.types import StepCancelled, StepContext


async def count(ctx: StepContext, *, seconds: int) -> dict:
    """An abort ends it at the next `await`. Do not catch CancelledError, or the abort would wait for you."""
    for second in range(1, seconds + 1):
        await asyncio.sleep(1)
        if second % 5 == 0:
            ctx.log.info("▶ %d of %d", second, seconds)
    return {"seconds": seconds}


def count_blocking(ctx: StepContext, *, seconds: int) -> dict:
    """Nobody can end a thread from outside: blocking code asks, often enough, whether it should stop."""
    for second in range(1, seconds + 1):
        time.sleep(1)
        if ctx.is_cancelled():
            raise StepCancelled(f"stopped after {second} of {seconds} seconds")
        if second % 5 == 0:
            ctx.log.info("▶ %d of %d", second, seconds)
    return {"seconds": seconds}
