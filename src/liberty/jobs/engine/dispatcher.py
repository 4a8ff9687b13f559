"""Gets queued runs to the runner in this process: a queue in order of arrival, and a cap on how many run at once."""

import asyncio
import logging
from collections import deque

from liberty.jobs.engine.execution import Queued
from liberty.jobs.engine.places import Places
from liberty.jobs.engine.runner import Runner

RESERVED_LOOK_SECONDS = 0.01

_log = logging.getLogger("nomaflow.dispatcher")


class LocalDispatcher:
    """All methods run on the work loop. `close` stops new claims; what is queued stays queued in the store.

    A run holds one of the `places` while its steps run; storing its end no longer does.
    """

    def __init__(self, runner: Runner, limit: int) -> None:
        self._runner = runner
        self.places = Places(limit)
        self._waiting: deque[Queued] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def has_work(self) -> bool:
        """True from a run's submission until its end is stored."""
        return bool(self._tasks or self._waiting)

    def take_place(self) -> bool:
        """Reserve a place for a run that is being made, unless others wait for one. From any thread."""
        return not self._waiting and self.places.take()

    def submit(self, queued: Queued) -> None:
        """Run it when its turn comes; at once when it was claimed, its place taken, as it was made."""
        if queued.claimed:
            self._begin(queued)
        elif not self._closed:
            self._waiting.append(queued)
            self.pump()

    def set_limit(self, limit: int) -> None:
        self.places.limit = limit
        self.pump()

    def close(self) -> None:
        self._closed = True
        self.places.close()
        self._waiting.clear()

    async def idle(self) -> None:
        """Return when nothing runs here any more, and no place is kept for a run whose row is being written."""
        while self._tasks or self.places.taken:
            if self._tasks:
                await asyncio.wait(self._tasks)
            else:
                await asyncio.sleep(RESERVED_LOOK_SECONDS)

    def pump(self) -> None:
        """Begin what waits, as far as there are places."""
        while self._waiting and self.places.take():
            self._begin(self._waiting.popleft())

    def _begin(self, queued: Queued) -> None:
        task = asyncio.get_running_loop().create_task(self._execute(queued), name=queued.run.run_id)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _execute(self, queued: Queued) -> None:
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                self.places.give_back()
                self.pump()

        try:
            await self._runner.execute(queued, leave)
        finally:
            leave()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("run %s ended with a defect of ours", task.get_name(), exc_info=error)
