"""Runs users' coroutines on an event loop of their own, and notices when one of them holds it."""

import asyncio
import contextvars
import logging
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any

from liberty.jobs.engine.scope import current_scope
from liberty.jobs.steps.base import RunContext, StepFailed
from liberty.loops import LoopThread

BLOCKED_SECONDS = 5.0  # a loop held longer than this takes no new steps
NOTICE_SECONDS = 1.0

_log = logging.getLogger("nomaflow.watchdog")


class PluginLoop:
    """The loop of users' coroutines; replaced for new steps while one of them blocks it."""

    def __init__(self) -> None:
        self._lane = LoopThread("liberty-plugins").start()
        self._calls: dict[asyncio.Task[Any], RunContext] = {}
        self._waited_for: set[_LoopCall] = set()
        self.retired: list[LoopThread] = []
        self.abandoned = 0

    @property
    def busy(self) -> int:
        return len(self._calls)

    async def call(self, context: RunContext, function: Callable[[], Awaitable[Any]], grace: float) -> Any:
        """Await `function()` on the plugin loop. On cancel wait `grace` seconds for it to let go."""
        call = _LoopCall(self._lane, context, function, self._calls)
        self._waited_for.add(call)
        call.start()
        try:
            return await asyncio.shield(call.done)
        except asyncio.CancelledError:
            if not call.done.done():
                call.cancel()
                if not await call.ended_within(grace):
                    self._leave_behind(call, context, grace)
            raise
        finally:
            self._waited_for.discard(call)

    def _leave_behind(self, call: "_LoopCall", context: RunContext, grace: float) -> None:
        self.abandoned += 1
        call.done.add_done_callback(self._came_back)
        _log.error(
            "run=%s step=%r: its coroutine did not stop within %g s of being cancelled and is left behind",
            context.run_id,
            context.step_name,
            grace,
        )

    def _came_back(self, done: "asyncio.Future[Any]") -> None:
        self.abandoned -= 1
        if not done.cancelled():
            done.exception()

    async def watch(self) -> None:
        """One look: name whoever holds the loop, and retire the loop when it is held for too long."""
        if not self._calls:
            return
        lane = self._lane
        answered = threading.Event()
        asked = time.monotonic()
        lane.call_soon(answered.set)
        named = 0.0
        while not answered.is_set():
            await asyncio.sleep(0.05)
            held = time.monotonic() - asked
            if held > named + NOTICE_SECONDS:
                named = held
                self._name_offender(lane, held)
            if held > BLOCKED_SECONDS:
                self._replace(lane)
                return

    def _name_offender(self, lane: LoopThread, held: float) -> None:
        task = asyncio.current_task(lane.loop)
        context = self._calls.get(task) if task is not None else None
        frame = sys._current_frames().get(lane.thread_id or 0)  # noqa: SLF001 - the way to another thread's stack
        if task is None or context is None or frame is None:
            return
        place = _innermost_user_line(frame, context)
        advice = f"{held:.1f} s at {place}: await something, or make the function a plain def"
        _log.warning("run=%s step=%r holds the plugin loop for %s", context.run_id, context.step_name, advice)
        outside = current_scope.set(task.get_context().get(current_scope))
        context.log.warning("step %s holds the plugin loop for %s", context.step_name, advice)
        current_scope.reset(outside)

    def _replace(self, lane: LoopThread) -> None:
        self.retired.append(lane)
        self._lane = LoopThread(f"liberty-plugins-{len(self.retired) + 1}").start()
        for call in self._waited_for:
            call.begin_on(self._lane)
        _log.error("the plugin loop is blocked for more than %g s; new steps use a new one", BLOCKED_SECONDS)

    async def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something of ours on the loop, e.g. to let go of what belongs to it."""
        await self._lane.run(coroutine)

    def stop(self) -> None:
        for lane in (self._lane, *self.retired):
            lane.stop(timeout=1.0 if lane is self._lane else 0.1)


class _LoopCall:
    """One coroutine on the plugin loop, and the future, on the caller's loop, of whoever waits for it."""

    def __init__(
        self,
        lane: LoopThread,
        context: RunContext,
        function: Callable[[], Awaitable[Any]],
        calls: dict[asyncio.Task[Any], RunContext],
    ) -> None:
        self._lane = lane
        self._context = context
        self._function = function
        self._calls = calls
        self._here = asyncio.get_running_loop()
        self._variables = contextvars.copy_context()
        self._begun = False
        self._lock = threading.Lock()
        self._task: asyncio.Task[Any] | None = None
        self.done: asyncio.Future[Any] = self._here.create_future()

    def start(self) -> None:
        self._lane.call_soon(self._begin, self._lane)

    def begin_on(self, lane: LoopThread) -> None:
        """Begin on `lane` instead, unless it has begun."""
        with self._lock:
            if self._begun:
                return
            self._lane = lane
        self.start()

    def cancel(self) -> None:
        """Cancel the coroutine; one that waits for a blocked loop is simply not begun any more."""
        with self._lock:
            begun, self._begun = self._begun, True
        if begun:
            self._lane.call_soon(self._cancel)
        else:
            self.done.cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _begin(self, lane: LoopThread) -> None:
        with self._lock:
            if self._begun or lane is not self._lane:
                return
            self._begun = True
        name = f"{self._context.run_id}/{self._context.step_name}"
        self._task = lane.loop.create_task(self._guarded(), name=name, context=self._variables)
        self._calls[self._task] = self._context
        self._task.add_done_callback(self._report)

    async def _guarded(self) -> Any:
        try:
            return await self._function()
        except (SystemExit, KeyboardInterrupt) as error:
            raise StepFailed(f"{type(error).__name__}: {error}") from error

    def _report(self, task: "asyncio.Task[Any]") -> None:
        self._calls.pop(task, None)
        try:
            self._here.call_soon_threadsafe(self._deliver, task)
        except RuntimeError:  # the process is going down
            return

    def _deliver(self, task: "asyncio.Task[Any]") -> None:
        if self.done.done():
            return
        if task.cancelled():
            self.done.cancel()
        elif (error := task.exception()) is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(task.result())

    async def ended_within(self, grace: float) -> bool:
        """Wait for the coroutine; True when it ended, its outcome then counted as seen."""
        with suppress(asyncio.CancelledError):  # a second reason to stop: the caller raises the first
            await asyncio.wait((self.done,), timeout=grace)
        if not self.done.done():
            return False
        if not self.done.cancelled():
            self.done.exception()
        return True


def _innermost_user_line(frame: FrameType, context: RunContext) -> str:
    """The deepest frame that lies in the plugins folder, else the deepest of all."""
    plugins = str(context.settings.paths.plugins_dir)
    frames = traceback.extract_stack(frame)
    deepest = ([entry for entry in frames if entry.filename.startswith(plugins)] or list(frames))[-1]
    return f"{deepest.filename}:{deepest.lineno} in {deepest.name}"
