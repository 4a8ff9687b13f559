"""Repeats a write while the database is away, because an outcome that was reached must not be lost.

Every operation given to it is safe to repeat: one whose answer was lost finds what it has stored.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from liberty.database import Database, Operation
from liberty.errors import StorageFull, Unavailable

FIRST_WAIT = 0.1  # seconds
LONGEST_WAIT = 2.0

_log = logging.getLogger("nomaflow.store")


async def persist[**P, T](
    database: Database, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """`database.write`, again and again while it raises Unavailable: for as long as the process lives."""
    wait = FIRST_WAIT
    while True:
        try:
            return await database.write(operation, *args, **kwargs)
        except Unavailable as error:
            _log.debug("%s; trying again in about %g s", error.message, wait)
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads attempts, hides nothing
        wait = min(wait * 2, LONGEST_WAIT)


async def persist_unless_full[**P, T](
    database: Database, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """The same, but raises StorageFull at once: for what can be stored later or in short."""
    wait = FIRST_WAIT
    while True:
        try:
            return await database.write(operation, *args, **kwargs)
        except StorageFull:
            raise
        except Unavailable as error:
            _log.debug("%s; trying again in about %g s", error.message, wait)
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - as above
        wait = min(wait * 2, LONGEST_WAIT)


def unless_away(tick: Callable[[], Awaitable[float | None]]) -> Callable[[], Awaitable[float | None]]:
    """A tick that leaves out a turn while the database is away, of which the database watch tells."""

    async def guarded() -> float | None:
        try:
            return await tick()
        except Unavailable as error:
            _log.debug("a turn of %s left out: %s", getattr(tick, "__qualname__", tick), error.message)
            return None

    return guarded
