"""Notifications as the rest of the program sees them: what is configured, who is concerned, and the sender at work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from liberty.bus import Bus
from liberty.clock import Clock
from liberty.connectors.http import HttpClient
from liberty.database import Database
from liberty.jobs.catalogue import Catalogue
from liberty.jobs.engine.generation import Generation
from liberty.jobs.job import Job
from liberty.jobs.run import Status
from liberty.notify.recipients import Notifications
from liberty.notify.sender import Sender


class Notifier:
    """One per process. `concerns` may be asked from any thread."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        bus: Bus,
        replica: str,
        generation: Generation,
        notifications: Notifications,
    ) -> None:
        self.notifications = notifications
        self.catalogue = generation.catalogue
        self._http = HttpClient(generation.connectors.http.policy)
        self.sender = Sender(
            database=database,
            clock=clock,
            bus=bus,
            replica=replica,
            current=self._current,
            http=lambda: self._http,
        )

    def _current(self) -> tuple[Notifications, Catalogue]:
        return self.notifications, self.catalogue

    def concerns(self, job: Job, status: Status) -> bool:
        """Whether a run of `job` that ends in `status` may have to be told."""
        return self.notifications.concerns(job, status)

    async def use(self, generation: Generation, notifications: Notifications) -> None:
        """Another configuration counts from now on; what waits is sent by it."""
        before, self._http = self._http, HttpClient(generation.connectors.http.policy)
        self.notifications, self.catalogue = notifications, generation.catalogue
        await before.close()

    async def close(self) -> None:
        """Let go of the connections that are kept open."""
        await self._http.close()

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Inside the block events become messages."""
        ready = asyncio.Event()
        work = asyncio.create_task(self.sender.run(ready), name="notifications")
        try:
            await ready.wait()
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
