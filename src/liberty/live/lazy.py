"""Loads the Socket.IO server when the first client comes: its library costs a third of a second and 15 MB."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liberty.live.hub import Hub
    from liberty.runtime import Runtime

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]


class LazyHub:
    """An ASGI application that becomes the hub at its first request."""

    def __init__(self, runtime: "Runtime", *, pools_permissions: tuple[str, ...]) -> None:
        self._runtime = runtime
        self._pools_permissions = pools_permissions
        self._loading = asyncio.Lock()
        self.hub: Hub | None = None
        self._delivery: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        hub = self.hub or await self._load()
        await hub.app(scope, receive, send)

    async def close(self) -> None:
        """Close every connection."""
        if self._delivery is not None:
            self._delivery.cancel()
            await asyncio.gather(self._delivery, return_exceptions=True)

    async def _load(self) -> "Hub":
        async with self._loading:
            if self.hub is None:
                await asyncio.to_thread(importlib.import_module, "liberty.live.hub")
                from liberty.live.hub import Hub

                hub = Hub(self._runtime, pools_permissions=self._pools_permissions)
                ready = asyncio.Event()
                self._delivery = asyncio.create_task(hub.run(ready), name="socket delivery")
                await ready.wait()
                self.hub = hub
            return self.hub
