"""The plugin of every experiment's apps repository: steps that leave a line with the witness, and steps that misbehave.

It is copied there and imported by the servers under test, so it needs nothing but the standard library.
"""

import asyncio
import json
import os
import time
from typing import Any


def note(ctx: Any, event: str) -> None:
    """One line in one write at the end of a file that the system under test knows nothing of."""
    at = ctx.scheduled_at
    # The monotonic clock is the machine's own: a replica whose wall clock is wrong still tells when it was.
    facts = [
        event,
        ctx.job_id,
        None if at is None else at.isoformat(),
        ctx.run_id,
        ctx.attempt,
        os.getpid(),
        time.monotonic(),
    ]
    file = os.open(os.environ["CHAOS_WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, (json.dumps(facts) + "\n").encode())
    finally:
        os.close(file)


async def work(ctx: Any, seconds: float = 0) -> None:
    note(ctx, "begin")
    await asyncio.sleep(seconds)
    note(ctx, "end")


async def fails_at_first(ctx: Any) -> None:
    note(ctx, "begin")
    if ctx.attempt == 1:
        raise RuntimeError("the first try fails on purpose")
    note(ctx, "end")


async def talk(ctx: Any, seconds: float) -> None:
    """A line and a glance at the clock five times a second."""
    note(ctx, "begin")
    for number in range(int(seconds * 5)):
        ctx.log.info("line %d", number + 1)
        await asyncio.sleep(0.2)
    note(ctx, "end")


async def swallow(ctx: Any, seconds: float) -> None:
    """Goes on whatever it is told."""
    note(ctx, "begin")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            ctx.log.info("I was told to stop and do not")
    note(ctx, "end")


async def block(ctx: Any, seconds: float) -> None:
    """Blocks the event loop it runs on: what an author who forgot an `await` does."""
    note(ctx, "begin")
    time.sleep(seconds)  # noqa: ASYNC251 - that is the experiment
    note(ctx, "end")


def sleep_sync(ctx: Any, seconds: float) -> None:
    note(ctx, "begin")
    time.sleep(seconds)
    note(ctx, "end")


def compute(ctx: Any, seconds: float) -> None:
    """Keeps a core busy and never looks up."""
    note(ctx, "begin")
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until:
        number = (number * 1103515245 + 12345) % 2**31
    note(ctx, "end")
