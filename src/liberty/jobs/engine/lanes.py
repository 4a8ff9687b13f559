"""Where code runs: built-in steps on the work loop, users' coroutines on the plugin loop, users' blocking code in
bounded daemon threads. What user code does there can delay nobody else."""

import asyncio
import contextvars
import logging
import queue
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from liberty.jobs.steps.base import RunContext, StepFailed
from liberty.loops import LoopThread

BLOCKED_SECONDS = 5.0  # a plugin loop held longer than this takes no new steps
WATCH_SECONDS = 1.0

_log = logging.getLogger("nomaflow.watchdog")


@dataclass(slots=True)
class _Call:
    """A user's coroutine on a plugin loop, or a function in a step thread."""

    context: RunContext
    started: float
    thread: threading.Thread | None = None
    abandoned: bool = False


class StepThreads:
    """A bounded pool of daemon threads for blocking user code; a thread that will not end is replaced and counted."""

    def __init__(self, limit: int) -> None:
        self._limit = asyncio.Semaphore(limit)
        self._idle: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle_count = 0
        self._lock = threading.Lock()
        self._number = 0
        self.abandoned = 0
        self.busy = 0

    async def call(self, context: RunContext, function: Callable[[], Any], grace: float) -> Any:
        """Run `function` in a thread. On cancel wait `grace` seconds for it, then leave it behind."""
        async with self._limit:
            loop = asyncio.get_running_loop()
            done: asyncio.Future[Any] = loop.create_future()
            call = _Call(context, time.monotonic())
            captured = contextvars.copy_context()

            def work() -> None:
                call.thread = threading.current_thread()
                try:
                    result, error = captured.run(function), None
                except BaseException as raised:  # noqa: BLE001 - handed to whoever awaits the call
                    result, error = None, raised
                self._report(loop, done, result, error, call)

            self.busy += 1
            self._submit(work)
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:
                await asyncio.wait((done,), timeout=grace)
                if not done.done():
                    call.abandoned = True
                    self.abandoned += 1
                    _log.error(
                        "run=%s step=%r: its thread did not stop within %g s and is left behind; "
                        "%d such threads in this process",
                        context.run_id,
                        context.step_name,
                        grace,
                        self.abandoned,
                    )
                elif not done.cancelled():
                    done.exception()
                raise
            finally:
                self.busy -= 1

    def _report(
        self,
        loop: asyncio.AbstractEventLoop,
        done: "asyncio.Future[Any]",
        result: Any,
        error: BaseException | None,
        call: _Call,
    ) -> None:
        def deliver() -> None:
            if call.abandoned:
                self.abandoned -= 1
            if done.done():
                return
            if error is None:
                done.set_result(result)
            elif isinstance(error, StopIteration | KeyboardInterrupt | SystemExit):
                done.set_exception(StepFailed(f"{type(error).__name__}: {error}"))
            else:
                done.set_exception(error)

        try:
            loop.call_soon_threadsafe(deliver)
        except RuntimeError:  # the process is going down
            return

    def _submit(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._idle_count:
                self._idle_count -= 1
                self._idle.put(work)
                return
            self._number += 1
            name = f"liberty-step-{self._number}"
        threading.Thread(target=self._serve, args=(work,), name=name, daemon=True).start()

    def _serve(self, work: Callable[[], None] | None) -> None:
        while work is not None:
            work()
            with self._lock:
                self._idle_count += 1
            work = self._idle.get()


class PluginLoop:
    """The loop of users' coroutines; replaced for new steps while one of them blocks it."""

    def __init__(self) -> None:
        self._lane = LoopThread("liberty-plugins").start()
        self._calls: dict[asyncio.Task[Any], _Call] = {}
        self._replaced = 0
        self.retired: list[LoopThread] = []
        self.abandoned = 0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._lane.loop

    @property
    def busy(self) -> int:
        return len(self._calls)

    async def call(self, context: RunContext, function: Callable[[], Awaitable[Any]], grace: float) -> Any:
        """Await `function()` on the plugin loop. On cancel wait `grace` seconds for it to let go."""
        here = asyncio.get_running_loop()
        lane = self._lane
        done: asyncio.Future[Any] = here.create_future()
        call = _Call(context, time.monotonic())
        started: list[asyncio.Task[Any]] = []

        async def guarded() -> Any:
            try:
                return await function()
            except (SystemExit, KeyboardInterrupt) as error:
                raise StepFailed(f"{type(error).__name__}: {error}") from error

        def start() -> None:
            task = lane.loop.create_task(guarded(), name=f"{context.run_id}/{context.step_name}")
            started.append(task)
            self._calls[task] = call
            task.add_done_callback(report)

        def report(task: "asyncio.Task[Any]") -> None:
            self._calls.pop(task, None)
            try:
                here.call_soon_threadsafe(deliver, task)
            except RuntimeError:  # the process is going down
                return

        def deliver(task: "asyncio.Task[Any]") -> None:
            if call.abandoned:
                self.abandoned -= 1
            if done.done():
                if not task.cancelled():
                    task.exception()
                return
            if task.cancelled():
                done.cancel()
            elif (error := task.exception()) is not None:
                done.set_exception(error)
            else:
                done.set_result(task.result())

        lane.loop.call_soon_threadsafe(start)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if done.cancelled():
                raise
            lane.loop.call_soon_threadsafe(lambda: [task.cancel() for task in started])
            await asyncio.wait((done,), timeout=grace)
            if not done.done():
                call.abandoned = True
                self.abandoned += 1
                done.cancel()
                _log.error(
                    "run=%s step=%r: its coroutine did not stop within %g s of being cancelled and is left behind",
                    context.run_id,
                    context.step_name,
                    grace,
                )
            elif not done.cancelled():
                done.exception()
            raise

    async def watch(self) -> float | None:
        """One look: name whoever holds the loop, and retire the loop when it is held for too long."""
        if not self._calls:
            return None
        lane = self._lane
        answered = threading.Event()
        asked = time.monotonic()
        lane.loop.call_soon_threadsafe(answered.set)
        while not answered.is_set():
            await asyncio.sleep(0.05)
            held = time.monotonic() - asked
            if held > WATCH_SECONDS:
                self._name_offender(lane, held)
                if held > BLOCKED_SECONDS:
                    self._replace(lane)
                    return None
                await asyncio.sleep(WATCH_SECONDS)
        return None

    def _name_offender(self, lane: LoopThread, held: float) -> None:
        task = asyncio.current_task(lane.loop)
        call = self._calls.get(task) if task is not None else None
        frame = sys._current_frames().get(lane.thread_id or 0)  # noqa: SLF001 - the documented way to a thread's stack
        if call is None or frame is None:
            return
        place = _innermost_user_line(frame, call.context)
        _log.warning(
            "run=%s step=%r holds the plugin loop for %.1f s at %s: use await, or make the function a plain def",
            call.context.run_id,
            call.context.step_name,
            held,
            place,
        )
        call.context.log.warning("this step holds the plugin loop for %.1f s at %s", held, place)

    def _replace(self, lane: LoopThread) -> None:
        self.retired.append(lane)
        self._replaced += 1
        self._lane = LoopThread(f"liberty-plugins-{self._replaced + 1}").start()
        _log.error("the plugin loop is blocked for more than %g s; new steps use a new one", BLOCKED_SECONDS)

    def stop(self) -> None:
        for lane in (self._lane, *self.retired):
            lane.stop(timeout=1.0 if lane is self._lane else 0.1)


def _innermost_user_line(frame: FrameType, context: RunContext) -> str:
    """The deepest frame that lies in the plugins folder, else the deepest of all."""
    plugins = str(context.settings.paths.plugins_dir)
    frames = traceback.extract_stack(frame)
    mine = [entry for entry in frames if entry.filename.startswith(plugins)] or frames
    return f"{mine[-1].filename}:{mine[-1].lineno} in {mine[-1].name}"
