"""Uvicorn as a part of our program: signals are the program's, and an idle server hardly wakes."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn

TICK_SECONDS = 1.0
_TICKS_OF_ONE_SECOND = 10  # uvicorn renews the Date header when its count of ticks is a multiple of this


class HttpServer(uvicorn.Server):
    """Serves until `leave`."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Stop taking requests; `serve` returns once those in progress are answered."""
        self.should_exit = True
        self._leaving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for the whole program, which first lets runs end."""
        yield

    async def main_loop(self) -> None:
        """Ticks once a second. Uvicorn's own loop ticks ten times, half of what an idle server costs."""
        count = 0
        while not await self.on_tick(count):
            count += _TICKS_OF_ONE_SECOND
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._leaving.wait()
