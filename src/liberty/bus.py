"""In-process events: anyone publishes from any thread, each subscriber reads at its own pace on its own loop.

A subscriber that falls behind never slows a publisher: its queue is bounded, and when it overflows the
oldest events are dropped and `missed` counts them, so that the reader knows to look at the store again.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any


class Subscription:
    """A bounded, loop-bound queue of events of the chosen types."""

    def __init__(self, types: tuple[type, ...], limit: int) -> None:
        self._types = types
        self._events: deque[Any] = deque(maxlen=limit)
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._lock = threading.Lock()
        self._signalled = False
        self.missed = 0

    def offer(self, event: object) -> None:
        if self._types and not isinstance(event, self._types):
            return
        with self._lock:
            if len(self._events) == self._events.maxlen:
                self.missed += 1
            self._events.append(event)
            if self._signalled:
                return
            self._signalled = True
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # the subscriber's loop has closed; nobody reads any more
            return

    async def next(self) -> Any:
        """The next event; waits for one."""
        while True:
            with self._lock:
                if self._events:
                    return self._events.popleft()
                self._signalled = False
                self._ready.clear()
            await self._ready.wait()

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            yield await self.next()


class Bus:
    """Publish to many. Publishing costs one attribute look-up when nobody listens."""

    def __init__(self) -> None:
        self._subscriptions: tuple[Subscription, ...] = ()
        self._lock = threading.Lock()

    def publish(self, event: object) -> None:
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def subscribe(self, *types: type, limit: int = 1000) -> Iterator[Subscription]:
        """`with bus.subscribe(RunMoved) as events: event = await events.next()`."""
        subscription = Subscription(types, limit)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
