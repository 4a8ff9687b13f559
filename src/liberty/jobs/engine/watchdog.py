"""Names the code that holds an event loop or the interpreter: run, step, file and line, from a thread of its own.

The thread asks each loop for a sign of life and looks how late it wakes up itself. A loop that does not answer is
blocked by what runs on it. When this thread is late too, somebody keeps the interpreter: then the thread that used the
processor most in the meantime is the one.
"""

import asyncio
import faulthandler
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from liberty.jobs.engine import whereabouts
from liberty.jobs.engine.loop_lag import LagMemory
from liberty.jobs.engine.plugin_loop import PluginLoop
from liberty.jobs.engine.scope import Scope, current_scope
from liberty.jobs.engine.step_threads import StepThreads, ThreadCall
from liberty.loops import LoopThread, ThreadTicker

LOOK_SECONDS = 0.25
IDLE_LOOK_SECONDS = (
    0.5  # while nothing runs; looking costs an idle process a measurable part of its own little use
)
BLOCKED_SECONDS = 1.0  # a loop that does not answer for so long is blocked
REPLACE_SECONDS = 5.0  # a plugin loop blocked for so long takes no new steps
LAG_SECONDS = 0.15  # loops or this thread so late while steps compute: they keep the interpreter
LAG_TIMES = 3  # so often within the window, or so much more at once, before it is worth a word
LAG_WINDOW_SECONDS = 2.0
HOLDER_SHARE = (
    0.5  # a loop whose thread used so much of the time this one was late kept the interpreter itself
)
HOG_SHARE = 0.1  # the part of a processor from which on a thread is called to account
AGAIN_FACTOR = 4  # an offence that goes on is told again after so many times as long
DEADMAN_SECONDS = 5.0  # the interpreter gone for so long: the stacks of all threads, from below Python
REARM_SECONDS = 2.0

_log = logging.getLogger("nomaflow.watchdog")

type Kind = Literal["control", "work", "plugin"]

_ADVICE = {
    "plugin": "await something, or make the function a plain def",
    "work": "built-in steps of other runs wait for it",
    "control": "the API and the schedule wait for it",
}


_ISOLATE = 'isolate = "process" gives it an interpreter of its own'


@dataclass(slots=True)
class _Watched:
    """A loop, and the question it has not answered yet."""

    kind: Kind
    loop: asyncio.AbstractEventLoop
    thread_id: int
    lane: LoopThread | None = None
    asked: float | None = None
    excused: float = 0.0
    """How much of the time since then others kept the interpreter."""
    lag: float = 0.0
    used: float = 0.0
    tell_at: float = BLOCKED_SECONDS

    def answer(self) -> None:
        if self.asked is not None:
            self.lag = max(self.lag, time.monotonic() - self.asked)
        self.asked = None
        self.tell_at = BLOCKED_SECONDS


@dataclass(slots=True)
class _Computing:
    """What is known of the processor time of a thread with a long call."""

    seconds: float
    since: float
    gap: float = BLOCKED_SECONDS
    tell_at: float = 0.0


@dataclass(slots=True)
class Watchdog:
    """Looks at the loops and step threads of one engine until it is stopped.

    Args:
        control: the loop that serves the API, and its thread.
        work: the loop of the engine.
        busy: whether any run is in flight; else only the control loop is looked at.
        deadman: whether native code that keeps the interpreter for long makes the stacks of all threads appear on
            standard error; there is one such alarm per process.
        memory: what is kept of all this for the Technical page.
    """

    control: tuple[asyncio.AbstractEventLoop, int]
    work: LoopThread
    plugin_loop: PluginLoop
    threads: StepThreads
    busy: Callable[[], bool]
    plugins_dir: Callable[[], Path]
    deadman: bool = False
    memory: LagMemory | None = None
    _watched: list[_Watched] = field(default_factory=list)
    _computing: dict[ThreadCall, _Computing] = field(default_factory=dict)
    _ticker: ThreadTicker | None = None
    _armed: float = 0.0
    _late: deque[float] = field(default_factory=deque)

    def start(self) -> None:
        loop, thread_id = self.control
        self._watched = [
            _Watched("control", loop, thread_id),
            _Watched("work", self.work.loop, self.work.thread_id or 0),
        ]
        self._arm(time.monotonic())
        self._ticker = ThreadTicker("liberty-watchdog", self._tick, LOOK_SECONDS)
        self._ticker.start()

    def stop(self) -> None:
        if self._ticker is not None:
            self._ticker.stop()
        if self._armed:
            faulthandler.cancel_dump_traceback_later()

    def _tick(self, late: float) -> float:
        now = time.monotonic()
        busy = self.busy()
        self._arm(now)
        self._look(now, late, busy=busy)
        return LOOK_SECONDS if busy else IDLE_LOOK_SECONDS

    def _arm(self, now: float) -> None:
        """Also while nothing runs: native code may keep the interpreter from its first moment on."""
        due = not self._armed or now - self._armed > REARM_SECONDS
        if self.deadman and due and sys.__stderr__ is not None:
            faulthandler.dump_traceback_later(DEADMAN_SECONDS, file=sys.__stderr__)
            self._armed = now

    def _look(self, now: float, late: float, *, busy: bool) -> None:
        lag = late
        for watched in self._current():
            if not busy and watched.kind != "control" and watched.asked is None:
                continue
            lag = max(lag, watched.lag)
            watched.lag = 0.0
            if watched.lane is not None and not watched.lane.is_alive():
                self._watched.remove(watched)
                self.work.call_soon(self.plugin_loop.lost, watched.lane)
                continue
            used = _processor_seconds(watched.thread_id)
            innocent = used - watched.used < late * HOLDER_SHARE
            watched.used = used
            asked = watched.asked
            if asked is None:
                self._ask(watched, now)
                continue
            if late > LAG_SECONDS and innocent:
                watched.excused += late
            self._blocked(watched, now - asked - watched.excused)
        if self.memory is not None:
            self.memory.note(lag)
        self._computed(now, lag)

    def _current(self) -> Sequence[_Watched]:
        """The loops as they are now; a plugin loop may have been replaced."""
        known = {watched.lane for watched in self._watched}
        for lane in self.plugin_loop.lanes:
            if lane not in known:
                self._watched.append(_Watched("plugin", lane.loop, lane.thread_id or 0, lane))
        return list(self._watched)

    def _ask(self, watched: _Watched, now: float) -> None:
        watched.excused = 0.0
        watched.asked = now
        try:
            watched.loop.call_soon_threadsafe(watched.answer)
        except RuntimeError:  # closed: ours when the process ends, a step's when its thread has ended
            watched.asked = None

    # -- a loop that does not answer

    def _blocked(self, watched: _Watched, seconds: float) -> None:
        if seconds >= watched.tell_at:
            watched.tell_at = seconds * AGAIN_FACTOR
            self._name_holder(watched, seconds)
        if watched.lane is not None and seconds >= REPLACE_SECONDS:
            why = f"is blocked for more than {REPLACE_SECONDS:g} s"
            self.work.call_soon(self.plugin_loop.replace, watched.lane, why)

    def _name_holder(self, watched: _Watched, seconds: float) -> None:
        task = asyncio.current_task(watched.loop)
        scope = task.get_context().get(current_scope) if task is not None else None
        place = whereabouts.of_thread(watched.thread_id, self.plugins_dir())
        said = f"holds the {watched.kind} loop for {seconds:.1f} s at {place}: {_ADVICE[watched.kind]}"
        if watched.asked is None:
            return  # it has answered while we looked
        _tell(scope, said if scope is not None else f"something {said}")
        self._blame(scope, seconds, place, _ADVICE[watched.kind])

    # -- threads that compute

    def _computed(self, now: float, lag: float) -> None:
        """When something was late again and again, or by much, name the threads that computed meanwhile."""
        if lag >= LAG_SECONDS:
            self._late.append(now)
        while self._late and self._late[0] < now - LAG_WINDOW_SECONDS:
            self._late.popleft()
        calls = [call for call in list(self.threads.long) if call.thread_id is not None]
        for gone in self._computing.keys() - set(calls):
            del self._computing[gone]
        busy: list[tuple[ThreadCall, _Computing]] = []
        total = 0.0
        for call in calls:
            seconds = _processor_seconds(call.thread_id or 0)
            known = self._computing.setdefault(call, _Computing(seconds, now))
            share = (seconds - known.seconds) / (now - known.since) if now > known.since else 0.0
            known.seconds, known.since = seconds, now
            total += share
            if share > HOG_SHARE:
                busy.append((call, known))
        often = len(self._late) >= LAG_TIMES or lag >= LAG_SECONDS * LAG_TIMES
        # When they had little of the processor, it was the machine that was late.
        if lag < LAG_SECONDS or not often or total < HOLDER_SHARE:
            return
        for call, known in busy:
            if now >= known.tell_at:
                known.gap *= AGAIN_FACTOR
                known.tell_at = now + known.gap
                place = whereabouts.of_thread(call.thread_id, self.plugins_dir())
                scope = call.variables.get(current_scope)
                said = f"computes and keeps others waiting, {lag * 1000:.0f} ms just now, at {place}"
                _tell(scope, f"{said}: {_ISOLATE}")
                self._blame(scope, lag, place, _ISOLATE)

    def _blame(self, scope: Scope | None, seconds: float, place: str, advice: str) -> None:
        if self.memory is not None:
            run_id = None if scope is None else scope.log.run_id
            step = None if scope is None else scope.step
            self.memory.blame(seconds, run_id=run_id, step=step, where=place, advice=advice)


def _tell(scope: Scope | None, said: str) -> None:
    """In the log of the process, and in that of the run whose code it is."""
    if scope is None:
        _log.warning("%s", said)
        return
    outside = current_scope.set(scope)
    try:
        _log.warning("run=%s step=%r %s", scope.log.run_id, scope.step, said)
    finally:
        current_scope.reset(outside)


def _processor_seconds(thread_id: int) -> float:
    """What a thread that still exists has used so far; step threads are kept for later calls, so they do."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return 0.0
    return time.clock_gettime(time.pthread_getcpuclockid(thread_id))
