"""One client's outgoing messages, bounded: whoever does not read costs a fixed amount and is cut off in the end."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from liberty.live.events import GAP

MAX_MESSAGES = 500
MAX_BYTES = 1024 * 1024
IN_TRANSPORT = 8  # messages given to the transport and not yet on the wire
LOOK_SECONDS = 0.05
STALLED_SECONDS = 30.0

type Emit = Callable[[str, Any], Awaitable[None]]


class Outbox:
    """Sends in order, no faster than the client takes.

    `offer` never waits: what does not fit is dropped and a `gap` message follows. `put` waits for room, for those
    who can read again what they send, such as a log.
    """

    def __init__(self, emit: Emit, unsent: Callable[[], int], stalled: Callable[[], Awaitable[None]]) -> None:
        self._emit = emit
        self._unsent = unsent
        self._stalled = stalled
        self._messages: deque[tuple[str, Any, int]] = deque()
        self._bytes = 0
        self._gap = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def offer(self, event: str, data: Any) -> bool:
        """Queue a message if there is room; False, and a gap to be told, when there is none."""
        size = _size(data)
        if self._full(size):
            self._gap = True
            self._news.set()
            return False
        self._add(event, data, size)
        return True

    async def put(self, event: str, data: Any) -> None:
        """Queue a message, waiting for room."""
        size = _size(data)
        while self._full(size):
            self._room.clear()
            await self._room.wait()
        self._add(event, data, size)

    def _full(self, size: int) -> bool:
        return len(self._messages) >= MAX_MESSAGES or (
            bool(self._messages) and self._bytes + size > MAX_BYTES
        )

    def _add(self, event: str, data: Any, size: int) -> None:
        self._messages.append((event, data, size))
        self._bytes += size
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled, or until the client has taken nothing for `STALLED_SECONDS`."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._news.wait()
            self._news.clear()
            while self._messages or self._gap:
                since = clock()
                while self._unsent() >= IN_TRANSPORT:
                    if clock() - since > STALLED_SECONDS:
                        await self._stalled()
                        return
                    await asyncio.sleep(LOOK_SECONDS)
                await self._send_next()

    async def _send_next(self) -> None:
        if not self._messages:
            self._gap = False
            await self._emit(GAP, {})
            return
        event, data, size = self._messages.popleft()
        self._bytes -= size
        self._room.set()
        await self._emit(event, data)


def _size(data: Any) -> int:
    return len(json.dumps(data, default=str))
