"""Follows a run's log as it is stored: read the rows after the last number seen, wait for news, read again.

News comes from the bus; a poll every second is the truth, so it also works for a run of another process.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from liberty.bus import Bus, Subscription
from liberty.jobs.events import LogGrew, RunMoved
from liberty.jobs.run import LogLine, Run
from liberty.jobs.service.caller import Caller
from liberty.jobs.service.runs import RunReader

POLL_SECONDS = 1.0
COALESCE_SECONDS = 0.05  # several small batches of one busy moment are read at once
PAGE_LINES = 500
MAX_SEQ = 10**18  # no log has a line of a higher number; what a client names must fit the column


@dataclass(frozen=True, slots=True)
class Batch:
    """New lines, or none when nothing was new for a while. `ended` is set on the last one."""

    lines: list[LogLine]
    ended: Run | None = None


class LogFollower:
    """Batches of a run's new lines until it has ended and all are delivered."""

    def __init__(self, reader: RunReader, bus: Bus) -> None:
        self._reader = reader
        self._bus = bus

    async def follow(
        self,
        run: Run,
        caller: Caller,
        *,
        after: int = 0,
        level: str | None = None,
        quiet_seconds: float = 15.0,
    ) -> AsyncIterator[Batch]:
        """Lines numbered above `after`; the caller's right to the run is checked again with every look at it.

        Yields an empty batch when nothing was new for `quiet_seconds`. Raises NotFound when the run is deleted or
        the right is taken away.
        """
        clock = asyncio.get_running_loop().time
        spoke = clock()
        with self._bus.subscribe(LogGrew, RunMoved, limit=256) as news:
            while True:
                # The status first: lines stored before it turned final are then surely seen by the read below.
                current = await self._reader.get(run.run_id, caller)
                while lines := await self._reader.log_lines(run.number, after, limit=PAGE_LINES, level=level):
                    after = lines[-1].seq
                    spoke = clock()
                    yield Batch(lines)
                if current.status.final:
                    yield Batch([], ended=current)
                    return
                if clock() - spoke >= quiet_seconds:
                    spoke = clock()
                    yield Batch([])
                await _news_of(run.number, news)


async def _news_of(number: int, news: Subscription) -> None:
    """Wait until the bus has something about the run, at most until the next poll."""
    with suppress(TimeoutError):
        async with asyncio.timeout(POLL_SECONDS):
            while True:
                event = await news.next()
                about = event.run.number if isinstance(event, RunMoved) else event.run_number
                if about == number or news.missed:
                    news.missed = 0
                    if isinstance(event, LogGrew):
                        await asyncio.sleep(COALESCE_SECONDS)
                    return
