"""Finds out within seconds that the run history cannot be written, and that it can be again."""

import asyncio

from liberty.database import Database
from liberty.errors import Unavailable
from liberty.loops import Ticker
from liberty.troubles import Troubles

CHECK_SECONDS = 2.0
PATIENCE_SECONDS = 2.5  # together under the 5 s within which `/healthz` tells
CHECK_SECONDS_IN_TROUBLE = 0.5


class DatabaseWatch:
    """Tells `troubles` under the name `database`."""

    def __init__(self, database: Database, troubles: Troubles) -> None:
        self._database = database
        self._troubles = troubles
        self.ticker = Ticker("database watch", self._look, CHECK_SECONDS)

    async def _look(self) -> float | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._database.check()
        except TimeoutError:
            reason = f"the run history has not answered for {PATIENCE_SECONDS:g} s; something may hold a lock on it"
        except Unavailable as error:
            reason = error.message
        else:
            self._troubles.note("database", None)
            return None
        self._troubles.note("database", reason)
        return CHECK_SECONDS_IN_TROUBLE
