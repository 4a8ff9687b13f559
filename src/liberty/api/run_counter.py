"""Counts what ended, for the metrics."""

import asyncio
from collections import Counter, defaultdict

from liberty.bus import Bus
from liberty.jobs.events import RunMoved

BACKLOG = 20_000  # moves remembered between two looks
PAUSE_SECONDS = 0.5


class RunCounter:
    """Counts ended runs by job and status, from the bus, since this process started."""

    def __init__(self, bus: Bus) -> None:
        self.ended: Counter[tuple[str, str]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._task = asyncio.create_task(self._count(bus), name="run counter")

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _count(self, bus: Bus) -> None:
        clock = asyncio.get_running_loop().time
        with bus.subscribe(RunMoved, limit=BACKLOG) as moves:
            while True:
                asked = clock()
                run = (await moves.next()).run
                if run.status.final:
                    self.ended[(run.job, str(run.status))] += 1
                    self.seconds[run.job] += (run.duration_ms or 0) / 1000
                if clock() - asked > 0.001:
                    # It had to wait: let a few gather instead of waking for each.
                    await asyncio.sleep(PAUSE_SECONDS)
