"""Runs users' blocking functions in bounded daemon threads, apart from the loops and from name resolution."""

import asyncio
import contextvars
import logging
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from liberty.jobs.engine import whereabouts
from liberty.jobs.engine.left_behind import LeftBehind, left_behind
from liberty.jobs.steps.base import RunContext, StepFailed

IMPORT_THREADS = (
    4  # above the limit, for importing plugins: a coroutine function needs no thread but for that
)
LONG_SECONDS = 0.05  # a thread busy for longer may be computing without a pause
SWITCH_SECONDS = 0.001  # how often it then gives the loops a turn; asking always would cost every run a tenth

_log = logging.getLogger("nomaflow.threads")


class StepThreads:
    """A bounded pool. A thread that will not end is left behind and counted.

    Its place is given to another, unless `max_abandoned` are left behind already: so there are never more than
    `limit + max_abandoned` threads. `trouble` is told, with a reason, when that many are, and None when no longer.
    """

    def __init__(self, limit: int, max_abandoned: int = 8) -> None:
        self._limit = limit
        self._max_abandoned = max_abandoned
        self.trouble: Callable[[str | None], None] = lambda _: None
        self._free = limit
        self._queue: deque[asyncio.Future[None]] = deque()
        self._work: queue.SimpleQueue[ThreadCall] = queue.SimpleQueue()
        self._idle = 0
        self._started = 0
        self._lock = threading.Lock()
        self._long = 0
        self._usual_switch = sys.getswitchinterval()
        self._left: dict[ThreadCall, tuple[RunContext, datetime]] = {}
        self.long: dict[ThreadCall, RunContext] = {}
        """Calls whose thread has been busy for more than a moment, those left behind included."""
        self.waiting: dict[str, str] = {}
        """By run, the step that waits for a thread."""
        self.busy = 0

    @property
    def abandoned(self) -> int:
        return len(self._left)

    def left_behind(self) -> list[LeftBehind]:
        """Every thread that did not end when told to, and where it is now."""
        return [
            left_behind(
                "thread",
                context,
                since,
                whereabouts.of_thread(call.thread_id, context.settings.paths.plugins_dir),
            )
            for call, (context, since) in self._left.items()
        ]

    async def call(
        self, context: RunContext, function: Callable[[], Any], grace: float, *, spare: int = 0
    ) -> Any:
        """Run `function` in a thread. On cancel wait `grace` seconds for it, then leave it behind.

        `spare` threads above the limit may be used for it.
        """
        if self._free > -spare:
            self._free -= 1
        else:
            await self._turn(context)
        call = ThreadCall(function)
        self.busy += 1
        self._submit(call)
        long_call = _LongCall(self, call, context)
        try:
            return await asyncio.shield(call.done)
        except asyncio.CancelledError:
            if not await call.ended_within(grace):
                self._leave_behind(call, context, grace)
            raise
        finally:
            self.busy -= 1
            long_call.caller_left()
            if not call.keeps_place:
                self._give_back()

    async def _turn(self, context: RunContext) -> None:
        """Wait until another call gives its place to this one."""
        stuck = sum(call.keeps_place for call in self._left)
        _log.warning(
            "step %s waits for a thread: %d of %d are busy%s",
            context.step_name,
            self._limit,
            self._limit,
            f", {stuck} of them with code that does not end" if stuck else "",
        )
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self.waiting[context.run_id] = context.step_name
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()
            raise
        finally:
            self.waiting.pop(context.run_id, None)

    def _give_back(self) -> None:
        self._free += 1
        while self._queue and self._free > 0:
            turn = self._queue.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)

    def count_long(self, change: int) -> None:
        """While any thread is busy for long, ask the interpreter to switch threads more often."""
        self._long += change
        sys.setswitchinterval(SWITCH_SECONDS if self._long else self._usual_switch)

    def _leave_behind(self, call: "ThreadCall", context: RunContext, grace: float) -> None:
        call.keeps_place = len(self._left) >= self._max_abandoned
        self._left[call] = (context, datetime.now(UTC))
        call.done.add_done_callback(lambda _: self._came_back(call))
        _log.error(
            "run=%s step=%r: its thread did not stop within %g s and is left behind at %s; %d such threads now",
            context.run_id,
            context.step_name,
            grace,
            whereabouts.of_thread(call.thread_id, context.settings.paths.plugins_dir),
            self.abandoned,
        )
        self._tell()

    def _came_back(self, call: "ThreadCall") -> None:
        del self._left[call]
        if not call.done.cancelled():
            call.done.exception()
        if call.keeps_place:
            self._give_back()
        self._tell()

    def _tell(self) -> None:
        if self.abandoned < self._max_abandoned:
            self.trouble(None)
            return
        self.trouble(
            f"{self.abandoned} threads of steps did not end when told to "
            f"([jobs] max_abandoned_threads = {self._max_abandoned}): restart this server when it suits"
        )

    def _submit(self, call: "ThreadCall") -> None:
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._work.put(call)
                return
            self._started += 1
            name = f"liberty-step-{self._started}"
        threading.Thread(target=self._serve, args=(call,), name=name, daemon=True).start()

    def _serve(self, call: "ThreadCall") -> None:
        while True:
            call.run()
            with self._lock:
                self._idle += 1
            call = self._work.get()


class _LongCall:
    """Counts a call as long from `LONG_SECONDS` on until its thread has ended, waited for or not."""

    def __init__(self, threads: StepThreads, call: "ThreadCall", context: RunContext) -> None:
        self._threads = threads
        self._call = call
        self._context = context
        self._counted = False
        self._timer = asyncio.get_running_loop().call_later(LONG_SECONDS, self._count)

    def _count(self) -> None:
        self._counted = True
        self._threads.count_long(1)
        self._threads.long[self._call] = self._context

    def caller_left(self) -> None:
        self._timer.cancel()
        if self._counted:
            self._call.done.add_done_callback(self._ended)

    def _ended(self, _: "asyncio.Future[Any]") -> None:
        self._threads.count_long(-1)
        del self._threads.long[self._call]


class ThreadCall:
    """One function on its way through a thread, and the future of whoever waits for it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self.thread_id: int | None = None
        self.keeps_place = False
        """Its thread is left behind and nobody else gets its place."""
        self.done: asyncio.Future[Any] = self._loop.create_future()

    @property
    def variables(self) -> contextvars.Context:
        return self._context

    def run(self) -> None:
        result: Any = None
        error: BaseException | None = None
        self.thread_id = threading.get_ident()
        try:
            result = self._context.run(self._function)
        except BaseException as raised:  # noqa: BLE001 - handed to whoever awaits the call
            error = raised
        try:
            self._loop.call_soon_threadsafe(self._deliver, result, error)
        except RuntimeError:  # the process is going down
            return

    def _deliver(self, result: Any, error: BaseException | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(result)
        elif isinstance(error, StopIteration) or not isinstance(error, Exception | asyncio.CancelledError):
            self.done.set_exception(StepFailed(f"{type(error).__name__}: {error}"))
        else:
            self.done.set_exception(error)

    async def ended_within(self, grace: float) -> bool:
        """Wait for the thread; True when it ended, its outcome then counted as seen."""
        with suppress(asyncio.CancelledError):  # a second reason to stop: the caller raises the first
            await asyncio.wait((self.done,), timeout=grace)
        if not self.done.done():
            return False
        if not self.done.cancelled():
            self.done.exception()
        return True
