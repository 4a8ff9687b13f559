"""Gets queued runs to the runner in this process: in order of arrival, as places and gates allow."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from liberty.jobs.engine.execution import Queued
from liberty.jobs.engine.places import Places
from liberty.jobs.engine.runner import Runner
from liberty.jobs.run import Gate, Run
from liberty.jobs.store.queue import Turn

RESERVED_LOOK_SECONDS = 0.01

_log = logging.getLogger("nomaflow.dispatcher")


class LocalDispatcher:
    """All methods run on the work loop. `close` stops new claims; what is queued stays queued in the store.

    A run holds one of the `places` while its steps run; storing its end no longer does. Runs with the same gates wait
    in a line of their own, of which only the first asks for its turn: when it waits in vain, it asks again after
    `look_again`. `has_room` is called when a place is free and nothing waits, `has_come` when a run is handed over.
    """

    def __init__(self, runner: Runner, limit: int) -> None:
        self._runner = runner
        self.places = Places(limit)
        self._waiting: deque[Queued] = deque()
        self._lines: dict[tuple[Gate, ...], deque[Queued]] = {}
        self._asking: set[tuple[Gate, ...]] = set()
        self._in_vain: set[tuple[Gate, ...]] = set()
        self._numbers: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.has_room: Callable[[], None] = lambda: None
        self.has_come: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> int:
        return len(self._waiting) + sum(map(len, self._lines.values()))

    @property
    def room(self) -> int:
        """How many more runs would find a place now; none once it is closed."""
        return 0 if self._closed or self._waiting else self.places.limit - self.places.taken

    @property
    def has_work(self) -> bool:
        """True from a run's submission until its end is stored."""
        return bool(self._numbers)

    def knows(self, number: int) -> bool:
        """Whether the run waits or runs here."""
        return number in self._numbers

    def take_place(self) -> bool:
        """Reserve a place for a run that is being made, unless others wait for one. From any thread."""
        return not self._waiting and self.places.take()

    def submit(self, queued: Queued) -> None:
        """Run it when its turn comes; at once when it was claimed, its place taken, as it was made."""
        if queued.claimed:
            self._numbers.add(queued.run.number)
            self._begin(self._execute(queued), queued.run.run_id)
        elif not self._closed and not self.knows(queued.run.number):
            self._numbers.add(queued.run.number)
            if queued.run.gates:
                self._lines.setdefault(queued.run.gates, deque()).append(queued)
            else:
                self._waiting.append(queued)
            self.pump()
        self.has_come()

    def set_limit(self, limit: int) -> None:
        self.places.limit = limit
        self.pump()

    def look_again(self) -> None:
        """Somewhere a run has ended, or may have: those that waited in vain ask again."""
        if self._in_vain:
            self._in_vain.clear()
            self.pump()

    def close(self) -> None:
        self._closed = True
        self.places.close()
        self._waiting.clear()
        self._lines.clear()
        self._numbers.clear()

    async def idle(self) -> None:
        """Return when nothing runs here any more, and no place is kept for a run whose row is being written."""
        while self._tasks or self.places.taken:
            if self._tasks:
                await asyncio.wait(self._tasks)
            else:
                await asyncio.sleep(RESERVED_LOOK_SECONDS)

    def pump(self) -> None:
        """Begin what waits, as far as there are places."""
        for gates in list(self._lines):
            if gates not in self._asking and gates not in self._in_vain:
                if not self.places.take():
                    return
                self._asking.add(gates)
                self._begin(self._next_of_line(gates), "turn")
        while self._waiting:
            if not self.places.take():
                return
            queued = self._waiting.popleft()
            self._begin(self._execute(queued), queued.run.run_id)
        if not self._closed:
            self.has_room()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _next_of_line(self, gates: tuple[Gate, ...]) -> None:
        """Ask for the first of a line; its place is given back when its turn has not come."""
        queued, turn = None, None
        try:
            line = self._lines.get(gates)
            while line and not isinstance(turn, Run) and turn is not Turn.LATER:
                queued = line[0]
                turn = await self._runner.claim_in_turn(queued.run.number)
                if turn is not Turn.LATER and line and line[0] is queued:
                    line.popleft()
                if turn is Turn.GONE:
                    self._numbers.discard(queued.run.number)
            if turn is Turn.LATER:
                self._in_vain.add(gates)
            elif not line:
                self._lines.pop(gates, None)
        finally:
            self._asking.discard(gates)
            if not isinstance(turn, Run):
                self.places.give_back()
        if queued is not None and isinstance(turn, Run):
            self.pump()
            await self._execute(replace(queued, run=turn))
        elif turn is not Turn.LATER:
            self.pump()

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
            self._numbers.discard(queued.run.number)
            leave()
            self.look_again()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("run %s ended with a defect of ours", task.get_name(), exc_info=error)
