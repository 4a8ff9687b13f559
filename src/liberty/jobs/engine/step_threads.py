"""Runs users' blocking functions in bounded daemon threads, apart from the loops and from name resolution."""

import asyncio
import contextvars
import logging
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from liberty.jobs.steps.base import RunContext, StepFailed

LONG_SECONDS = 0.05  # a thread busy for longer may be computing without a pause
SWITCH_SECONDS = 0.001  # how often it then gives the loops a turn; asking always would cost every run a tenth

_log = logging.getLogger("nomaflow.threads")


class StepThreads:
    """A bounded pool; a thread that will not end is left behind, counted, and its place given to another."""

    def __init__(self, limit: int) -> None:
        self._limit = asyncio.Semaphore(limit)
        self._work: queue.SimpleQueue[_ThreadCall] = queue.SimpleQueue()
        self._idle = 0
        self._started = 0
        self._lock = threading.Lock()
        self._long = 0
        self._usual_switch = sys.getswitchinterval()
        self.abandoned = 0
        self.busy = 0

    async def call(self, context: RunContext, function: Callable[[], Any], grace: float) -> Any:
        """Run `function` in a thread. On cancel wait `grace` seconds for it, then leave it behind."""
        async with self._limit:
            call = _ThreadCall(function)
            self.busy += 1
            self._submit(call)
            long_call = _LongCall(self, call)
            try:
                return await asyncio.shield(call.done)
            except asyncio.CancelledError:
                if not await call.ended_within(grace):
                    self._leave_behind(call, context, grace)
                raise
            finally:
                self.busy -= 1
                long_call.caller_left()

    def count_long(self, change: int) -> None:
        """While any thread is busy for long, ask the interpreter to switch threads more often."""
        self._long += change
        sys.setswitchinterval(SWITCH_SECONDS if self._long else self._usual_switch)

    def _leave_behind(self, call: "_ThreadCall", context: RunContext, grace: float) -> None:
        self.abandoned += 1
        call.done.add_done_callback(self._came_back)
        _log.error(
            "run=%s step=%r: its thread did not stop within %g s and is left behind; %d such threads now",
            context.run_id,
            context.step_name,
            grace,
            self.abandoned,
        )

    def _came_back(self, done: "asyncio.Future[Any]") -> None:
        self.abandoned -= 1
        if not done.cancelled():
            done.exception()

    def _submit(self, call: "_ThreadCall") -> None:
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._work.put(call)
                return
            self._started += 1
            name = f"liberty-step-{self._started}"
        threading.Thread(target=self._serve, args=(call,), name=name, daemon=True).start()

    def _serve(self, call: "_ThreadCall") -> None:
        while True:
            call.run()
            with self._lock:
                self._idle += 1
            call = self._work.get()


class _LongCall:
    """Counts a call as long from `LONG_SECONDS` on until its thread has ended, waited for or not."""

    def __init__(self, threads: StepThreads, call: "_ThreadCall") -> None:
        self._threads = threads
        self._call = call
        self._counted = False
        self._timer = asyncio.get_running_loop().call_later(LONG_SECONDS, self._count)

    def _count(self) -> None:
        self._counted = True
        self._threads.count_long(1)

    def caller_left(self) -> None:
        self._timer.cancel()
        if self._counted:
            self._call.done.add_done_callback(lambda _: self._threads.count_long(-1))


class _ThreadCall:
    """One function on its way through a thread, and the future of whoever waits for it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self.done: asyncio.Future[Any] = self._loop.create_future()

    def run(self) -> None:
        result: Any = None
        error: BaseException | None = None
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
        elif isinstance(error, StopIteration | KeyboardInterrupt | SystemExit):
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
