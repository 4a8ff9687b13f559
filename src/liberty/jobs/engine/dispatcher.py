"""Gets queued runs to the runner in this process: a queue in order of arrival, and a cap on how many run at once."""

import asyncio
import logging
from collections import deque

from liberty.jobs.engine.execution import Queued
from liberty.jobs.engine.runner import Runner

_log = logging.getLogger("nomaflow.dispatcher")


class LocalDispatcher:
    """All methods run on the work loop. `close` stops new claims; what is queued stays queued in the store.

    A run holds one of the `limit` places while its steps run; storing its end no longer does.
    """

    def __init__(self, runner: Runner, limit: int) -> None:
        self._runner = runner
        self._limit = limit
        self._waiting: deque[Queued] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> int:
        return self._busy

    @property
    def has_work(self) -> bool:
        """True from a run's submission until its end is stored."""
        return bool(self._tasks or self._waiting)

    def submit(self, queued: Queued) -> None:
        if not self._closed:
            self._waiting.append(queued)
            self._pump()

    def set_limit(self, limit: int) -> None:
        self._limit = limit
        self._pump()

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()

    async def idle(self) -> None:
        """Return when nothing runs here any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _pump(self) -> None:
        while self._waiting and self._busy < self._limit:
            queued = self._waiting.popleft()
            self._busy += 1
            task = asyncio.get_running_loop().create_task(self._execute(queued), name=queued.run.run_id)
            self._tasks.add(task)
            task.add_done_callback(self._done)

    async def _execute(self, queued: Queued) -> None:
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                self._busy -= 1
                if not self._closed:
                    self._pump()

        try:
            await self._runner.execute(queued, leave)
        finally:
            leave()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("run %s ended with a defect of ours", task.get_name(), exc_info=error)
