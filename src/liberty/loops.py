"""Event loops in threads of their own, and periodic ticks. The only file that starts threads for loops."""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_log = logging.getLogger("liberty.loops")


class LoopThread:
    """An event loop running in a daemon thread, so that what blocks it blocks nobody else.

    `start()` returns once the loop runs. `run(coro)` may be awaited from any other loop: cancelling the
    await cancels the coroutine. `stop()` ends the loop; a thread that will not end is left behind, because
    a daemon thread cannot keep the process alive.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = _new_loop()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._ending = False

    @property
    def thread_id(self) -> int | None:
        return self._thread.ident

    def is_alive(self) -> bool:
        """False once the thread has ended, by `stop` or because somebody's code has closed the loop."""
        return self._thread.is_alive()

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not (self._ending or self.loop.is_closed()):
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                # A task of users' code may raise it; it would end this thread, and everybody waits for ever.
                _log.error("%s: %s was raised in a task; the loop goes on", self.name, type(error).__name__)
            if not self._ending:
                _log.warning("%s: the loop was stopped from within; it goes on", self.name)

    def start(self) -> "LoopThread":
        self._thread.start()
        ready = threading.Event()
        self.loop.call_soon_threadsafe(ready.set)
        ready.wait()
        return self

    def submit[T](self, coro: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Start `coro` on this loop from any thread."""
        return asyncio.run_coroutine_threadsafe(coro, self.loop)

    async def run[T](self, coro: Coroutine[Any, Any, T]) -> T:
        """Run `coro` on this loop and await its result from another one."""
        return await asyncio.wrap_future(self.submit(coro))

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        self.loop.call_soon_threadsafe(function, *args)

    def stop(self, timeout: float = 2.0) -> bool:
        """Cancel what is left, stop the loop; False when the thread did not end within `timeout` seconds."""
        if not self._thread.is_alive():
            return True
        self._ending = True
        self.loop.call_soon_threadsafe(self._cancel_and_stop)
        self._thread.join(timeout)
        ended = not self._thread.is_alive()
        if ended:
            self.loop.close()
        return ended

    def _cancel_and_stop(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if not tasks:
            self.loop.stop()
            return
        gathered = asyncio.gather(*tasks, return_exceptions=True)
        gathered.add_done_callback(lambda _: self.loop.stop())


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it exists: waking it from another thread, which every write does, costs a third."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class Ticker:
    """Calls `tick` every `interval` seconds, or at once after `wake()`; one that raises is logged, the next one comes.

    Args:
        name: for logs and the task's name.
        tick: the work; returns the seconds to wait until the next tick, or None for `interval`.
        interval: seconds between ticks.
    """

    def __init__(self, name: str, tick: Callable[[], Awaitable[float | None]], interval: float) -> None:
        self.name = name
        self._tick = tick
        self._interval = interval
        self._wake = asyncio.Event()
        self._rests = False

    def wake(self) -> None:
        """Run the next tick now. To be called on the ticker's own loop."""
        self._wake.set()

    def resume(self) -> None:
        """End a longer rest: the next tick comes `interval` seconds from now. Called again it changes nothing."""
        if self._rests:
            self._rests = False
            asyncio.get_running_loop().call_later(self._interval, self.wake)

    async def run(self) -> None:
        while True:
            delay: float | None = None
            try:
                delay = await self._tick()
            except Exception:  # noqa: BLE001 - edge: a loop tick; the loop must outlive it
                _log.exception("%s: tick failed; next one in %s s", self.name, self._interval)
            self._rests = delay is not None and delay > self._interval
            try:
                async with asyncio.timeout(self._interval if delay is None else delay):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()


def contained[T](what: str, work: Callable[[], T]) -> T | None:
    """Do one part of a tick. What it raises is logged, and the answer is None: the other parts go on."""
    try:
        return work()
    except Exception:  # noqa: BLE001 - edge: a part of a loop tick
        _log.exception("%s failed", what)
        return None


async def contained_wait[T](what: str, work: Awaitable[T], passing: type[Exception]) -> T | None:
    """The same for what has to be awaited; an error of the kind `passing` is raised."""
    try:
        return await work
    except passing:
        raise
    except Exception:  # noqa: BLE001 - edge: a part of a loop tick
        _log.exception("%s failed", what)
        return None


class ThreadTicker:
    """Calls `tick` again and again in a thread of its own, for what must go on while every loop is blocked.

    Args:
        tick: gets how many seconds late it is called; returns the seconds to wait until the next time.
        pause: the first wait, and the one after a tick that raised, which is logged.
    """

    def __init__(self, name: str, tick: Callable[[float], float], pause: float) -> None:
        self.name = name
        self._tick = tick
        self._pause = pause
        self._end = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._main, name=self.name, daemon=True).start()

    def stop(self) -> None:
        """No tick begins any more; does not wait for one that runs."""
        self._end.set()

    def _main(self) -> None:
        pause = self._pause
        due = time.monotonic() + pause
        while not self._end.wait(pause):
            try:
                pause = self._tick(max(time.monotonic() - due, 0.0))
            except Exception:  # noqa: BLE001 - edge: a loop tick; the loop must outlive it
                _log.exception("%s: tick failed; next one in %s s", self.name, self._pause)
                pause = self._pause
            due = time.monotonic() + pause


@asynccontextmanager
async def running(*tickers: Ticker) -> AsyncIterator[None]:
    """Keep the tickers ticking inside the block; all are cancelled and awaited on the way out."""
    tasks = [asyncio.create_task(ticker.run(), name=ticker.name) for ticker in tickers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
