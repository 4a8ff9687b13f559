"""Runs users' coroutines on an event loop of their own, which is replaced while one of them holds it."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from liberty.jobs.engine import whereabouts
from liberty.jobs.engine.left_behind import LeftBehind, left_behind
from liberty.jobs.steps.base import RunContext, StepFailed
from liberty.loops import LoopThread

_log = logging.getLogger("nomaflow.plugins")


class PluginLoop:
    """The loop of users' coroutines; replaced for new steps while one of them blocks it.

    Work loop only, but for `lanes`.
    """

    def __init__(self) -> None:
        self._lane = LoopThread("liberty-plugins").start()
        self._waited_for: set[_LoopCall] = set()
        self._left: dict[_LoopCall, tuple[RunContext, datetime]] = {}
        self.retired: list[LoopThread] = []

    @property
    def lanes(self) -> tuple[LoopThread, ...]:
        """The loop for new steps, then those it has replaced."""
        return (self._lane, *self.retired)

    @property
    def abandoned(self) -> int:
        return len(self._left)

    def left_behind(self) -> list[LeftBehind]:
        """Every coroutine that did not end when told to, and where it is now."""
        return [
            left_behind("coroutine", context, since, call.where(context))
            for call, (context, since) in self._left.items()
        ]

    async def call(self, context: RunContext, function: Callable[[], Awaitable[Any]], grace: float) -> Any:
        """Await `function()` on the plugin loop. On cancel wait `grace` seconds for it to let go."""
        call = _LoopCall(self._lane, context, function)
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
        self._left[call] = (context, datetime.now(UTC))
        call.done.add_done_callback(lambda _: self._came_back(call))
        _log.error(
            "run=%s step=%r: its coroutine did not stop within %g s of being cancelled and is left behind at %s",
            context.run_id,
            context.step_name,
            grace,
            call.where(context),
        )

    def _came_back(self, call: "_LoopCall") -> None:
        del self._left[call]
        if not call.done.cancelled():
            call.done.exception()

    def replace(self, lane: LoopThread, why: str) -> None:
        """Use a new loop instead of `lane`: for new steps, and for those that have not begun on it."""
        if lane is not self._lane:
            return
        self.retired.append(lane)
        self._lane = LoopThread(f"liberty-plugins-{len(self.retired) + 1}").start()
        for call in self._waited_for:
            call.begin_on(self._lane)
        _log.error("the plugin loop %s; new steps use a new one", why)

    def lost(self, lane: LoopThread) -> None:
        """The thread of `lane` has ended, which only users' code can have brought about: so have the calls on it."""
        self.replace(lane, "was ended by a step")
        if lane in self.retired:
            self.retired.remove(lane)
        for call in [*self._waited_for, *self._left]:
            call.loop_is_gone(lane)

    async def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something of ours on the loop, e.g. to let go of what belongs to it."""
        await self._lane.run(coroutine)

    def stop(self) -> None:
        for lane in self.lanes:
            lane.stop(timeout=1.0 if lane is self._lane else 0.1)


class _LoopCall:
    """One coroutine on the plugin loop, and the future, on the caller's loop, of whoever waits for it."""

    def __init__(self, lane: LoopThread, context: RunContext, function: Callable[[], Awaitable[Any]]) -> None:
        self._lane = lane
        self._context = context
        self._function = function
        self._here = asyncio.get_running_loop()
        self._variables = contextvars.copy_context()
        self._begun = False
        self._lock = threading.Lock()
        self._task: asyncio.Task[Any] | None = None
        self.done: asyncio.Future[Any] = self._here.create_future()

    def where(self, context: RunContext) -> str:
        """Where it waits or, while it runs, where its loop's thread is."""
        plugins, task = context.settings.paths.plugins_dir, self._task
        if task is not None and asyncio.current_task(self._lane.loop) is not task:
            return whereabouts.of_task(task, plugins)
        return whereabouts.of_thread(self._lane.thread_id, plugins)

    def start(self) -> None:
        try:
            self._lane.call_soon(self._begin, self._lane)
        except RuntimeError:  # a step has closed the loop; the watchdog brings another
            return

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
        if not begun:
            self.done.cancel()
            return
        with suppress(RuntimeError):  # the loop is closed, and the coroutine gone with it
            self._lane.call_soon(self._cancel)

    def loop_is_gone(self, lane: LoopThread) -> None:
        if self._lane is lane and self._begun and not self.done.done():
            self.done.set_exception(StepFailed("the event loop of the step was ended from within a step"))

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
        self._task.add_done_callback(self._report)

    async def _guarded(self) -> Any:
        try:
            return await self._function()
        except (SystemExit, KeyboardInterrupt) as error:
            raise _as_failure(error) from error

    def _report(self, task: "asyncio.Task[Any]") -> None:
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
            self.done.set_exception(error if isinstance(error, Exception) else _as_failure(error))
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


def _as_failure(error: BaseException) -> StepFailed:
    """What would end the work loop's task instead of the step."""
    return StepFailed(f"{type(error).__name__}: {error}")
