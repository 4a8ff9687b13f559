"""Repeats a write while the database is away, because an outcome that was reached must not be lost."""

import asyncio
import logging
import time

from liberty.database import Database, Operation
from liberty.errors import Unavailable

FIRST_WAIT = 0.1  # seconds
LONGEST_WAIT = 5.0
GIVE_UP_SECONDS = 600.0

_log = logging.getLogger("nomaflow.store")


async def persist[**P, T](
    database: Database, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """`database.write`, again and again while it raises Unavailable; raises it after `GIVE_UP_SECONDS`."""
    wait = FIRST_WAIT
    began = time.monotonic()
    while True:
        try:
            return await database.write(operation, *args, **kwargs)
        except Unavailable as error:
            if time.monotonic() - began > GIVE_UP_SECONDS:
                raise
            _log.warning("%s; trying again in %g s", error.message, wait)
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)
