"""Takes events up, finds out who is told, and delivers: every replica does, and for each message only one of them.

What it does never touches a run: a run has ended, with its event stored, before this looks at it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from liberty.bus import Bus
from liberty.clock import Clock
from liberty.connectors.http import HttpClient
from liberty.database import Database, Tx
from liberty.errors import LibertyError, Unavailable
from liberty.jobs.catalogue import Catalogue
from liberty.jobs.events import RunMoved
from liberty.jobs.run import Run
from liberty.jobs.store import alert_events
from liberty.jobs.store.alert_events import EVENT_OF, AlertEvent
from liberty.loops import Ticker, running
from liberty.notify import planning, watching
from liberty.notify.message import Item, Message
from liberty.notify.planning import Basis
from liberty.notify.recipients import Notifications
from liberty.notify.store import deliveries, incidents
from liberty.notify.store.deliveries import Delivery
from liberty.notify.transports import TRANSPORTS
from liberty.notify.transports.base import NotDelivered, Tools

TICK_SECONDS = 1.0
LOOK_SECONDS = 5.0
"""Between two looks at what is late, takes long or is over; a run that ends well is looked at when it ends."""
FORGET_SECONDS = 3600.0
WINDOW = timedelta(seconds=60)
MOST_AT_ONCE = 2000
RETRY_SECONDS = (2, 5, 15, 60, 300, 900, 1800, 3600, 3600, 3600, 3600, 3600)
"""Waits between attempts; a message that was refused after all of them is dead."""

_log = logging.getLogger("nomaflow.notify")


class Sender:
    """Runs on the control loop of a server or worker. Use as a context through `running_sender`."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        bus: Bus,
        replica: str,
        current: Callable[[], tuple[Notifications, Catalogue]],
        http: Callable[[], HttpClient],
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._me = replica
        self._current = current
        self._http = http
        self._shared = database.dialect == "postgresql"
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._open_jobs: frozenset[str] = frozenset()
        self._look_from = 0.0
        self._forget_from = 0.0
        self.ticker = Ticker("notifications", self.tick, TICK_SECONDS)

    async def run(self, ready: asyncio.Event) -> None:
        """Work until cancelled; what is being sent then is sent again by the next to look."""
        try:
            with self._bus.subscribe(RunMoved) as moved:
                async with running(self.ticker):
                    ready.set()
                    async for event in moved:
                        self._hear(event.run)
        finally:
            tasks = list(self._sending.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, run: Run) -> None:
        """A run of this process has moved: do not wait for the next tick if it may have to be told."""
        notifications, catalogue = self._current()
        if not run.status.final or not notifications.channels:
            return
        if run.job in self._open_jobs:
            self._look_from = 0.0
            self.ticker.wake()
            return
        job = catalogue.jobs.get(run.job)
        if job is not None and run.status in EVENT_OF and notifications.concerns(job, run.status):
            self.ticker.wake()

    async def tick(self) -> float | None:
        """One round. While the database is away it is left out."""
        notifications, catalogue = self._current()
        basis = Basis(notifications, catalogue)
        now = self._clock.now()
        try:
            while await self._database.read(alert_events.waiting, 1):
                taken = await self._database.write(planning.take_up, basis, now, shared=self._shared)
                if not taken or taken < planning.EVENTS_AT_ONCE:
                    self._look_from = 0.0
                    break
            if not notifications.channels:
                return LOOK_SECONDS
            if self._clock.monotonic() >= self._look_from:
                await self._look(basis, now)
            await self._deliver(notifications, now)
        except Unavailable as error:
            _log.debug("notifications wait: %s", error.message)
        return None

    async def _look(self, basis: Basis, now: datetime) -> None:
        self._look_from = self._clock.monotonic() + LOOK_SECONDS
        found = await self._database.read(watching.late_and_long, basis, now)
        open_ones = await self._database.read(incidents.open_ones)
        told = {(incident.kind, incident.run) for incident in open_ones}
        new = [event for event in found if (event.event, event.run) not in told]
        new += watching.quarantined(basis, open_ones, now)
        if new:
            await self._database.write(alert_events.add, *new)
        if open_ones:
            left = await self._database.write(planning.look_at_open_ones, basis, now, shared=self._shared)
            open_ones = open_ones if left is None else left
        self._open_jobs = frozenset(incident.job for incident in open_ones)
        if self._clock.monotonic() >= self._forget_from:
            self._forget_from = self._clock.monotonic() + FORGET_SECONDS
            await self._database.write(alert_events.forget, now - planning.KEEP_EVENTS)

    # -- delivering

    async def _deliver(self, notifications: Notifications, now: datetime) -> None:
        for name in await self._database.read(deliveries.channels_due, now):
            channel = notifications.channels.get(name)
            if channel is None or not channel.enabled or name in self._sending:
                continue
            task = asyncio.create_task(self._serve(name), name=f"channel {name}")
            self._sending[name] = task
            task.add_done_callback(partial(self._served, name))

    def _served(self, name: str, _task: "asyncio.Task[None]") -> None:
        self._sending.pop(name, None)

    async def _serve(self, name: str) -> None:
        """Send what waits for one channel, message by message, so that a slow one holds up no other."""
        try:
            while True:
                notifications, _ = self._current()
                channel = notifications.channels.get(name)
                if channel is None:
                    return
                message = await self._database.write(
                    next_message,
                    name,
                    channel.max_per_minute,
                    self._me,
                    self._clock.now(),
                    notifications.app_name,
                    shared=self._shared,
                )
                if message is None:
                    return
                await self._send(name, message)
        except Unavailable as error:
            _log.debug("channel %s waits: %s", name, error.message)

    async def _send(self, name: str, claimed: "Claimed") -> None:
        message = claimed.message
        try:
            answer = await self.send_now(name, message)
        except NotDelivered as error:
            await self._not_delivered(name, claimed, error)
            return
        _log.info("notification %s to %s: SENT (%s)", message.key, name, answer)
        await self._database.write(_sent, name, message.key, self._me, answer, self._clock.now())

    async def send_now(self, name: str, message: Message) -> str:
        """One attempt; the answer. Raises NotDelivered, whatever went wrong."""
        channel = self._current()[0].channels[name]
        try:
            async with asyncio.timeout(channel.timeout_seconds + 5):
                return await TRANSPORTS[channel.type](channel, message, Tools(self._http(), self._bus))
        except NotDelivered:
            raise
        except (TimeoutError, ConnectionError) as error:
            raise NotDelivered(str(error) or "no answer in time") from error
        except LibertyError as error:
            raise NotDelivered(error.message, permanent=True) from error
        except Exception as error:
            _log.exception("channel %s has failed on notification %s", name, message.key)
            raise NotDelivered(f"{type(error).__name__}: {error}") from error

    async def _not_delivered(self, name: str, claimed: "Claimed", error: NotDelivered) -> None:
        now = self._clock.now()
        key, attempts = claimed.message.key, claimed.attempts
        if error.permanent or attempts > len(RETRY_SECONDS):
            _log.error("notification %s to %s: FAILED_DELIVERY (%s)", key, name, error.answer)
            about_itself = all(item.event == "channel-failing" for item in claimed.message.items)
            await self._database.write(_dead, name, key, self._me, error.answer, now, tell=not about_itself)
            return
        wait = max(RETRY_SECONDS[attempts - 1], error.retry_after or 0)
        _log.warning(
            "notification %s to %s: FAILED_TRANSPORT (%s), again in %g s", key, name, error.answer, wait
        )
        at = now + timedelta(seconds=min(wait, 3600))
        await self._database.write(deliveries.later, key, self._me, error.answer, at)


class Claimed:
    """A message that this replica has to send, and the number of the attempt."""

    def __init__(self, message: Message, attempts: int) -> None:
        self.message = message
        self.attempts = attempts


async def next_message(
    tx: Tx, channel: str, per_minute: int, me: str, now: datetime, app_name: str, *, shared: bool
) -> Claimed | None:
    """Take the next message for a channel: one event, or all that wait once there were many within a minute."""
    if not await deliveries.alone(tx, shared=shared):
        return None
    waiting = await deliveries.due(tx, channel, now, MOST_AT_ONCE)
    if not waiting:
        return None
    begun = next((one for one in waiting if one.batch is not None), None)
    if begun is not None and begun.batch is not None:
        # What left together before leaves together again, under the same key.
        chosen = [one for one in waiting if one.batch == begun.batch]
        key = begun.batch
    else:
        lately = await deliveries.batches_since(tx, channel, now - WINDOW)
        chosen = _choose(waiting, list(lately.values()), per_minute, now)
        if not chosen:
            return None
        key = f"nf-{uuid4().hex}"
    await deliveries.claim(tx, chosen, key, me, now)
    items = []
    for one in chosen:
        incident = await incidents.get(tx, one.incident)
        if one.event in ("failed", "still-failing", "aborted") and incident is not None:
            await incidents.told(tx, incident.id)
        items.append(
            Item(
                event=one.event,
                incident=one.incident,
                job=str(one.facts.get("job", "")),
                count=incident.count if incident is not None else 1,
                opened_at=incident.opened_at if incident is not None else one.created_at,
                facts=one.facts,
            )
        )
    message = Message(key, tuple(items), app_name, chosen[0].address)
    return Claimed(message, max(one.attempts for one in chosen) + 1)


def _choose(
    waiting: Sequence[Delivery], lately: Sequence[datetime], per_minute: int, now: datetime
) -> list[Delivery]:
    """The first half of a minute's messages go one by one; the rest are spread, and each takes all that waits."""
    singly = per_minute // 2
    if len(lately) + len(waiting) <= singly or (len(lately) < singly and len(waiting) == 1):
        return [waiting[0]]
    if len(lately) >= per_minute:
        return []
    pause = WINDOW / (per_minute - singly)
    if len(lately) >= singly and now - max(lately) < pause:
        return []
    return [one for one in waiting if one.address == waiting[0].address]


async def _sent(tx: Tx, channel: str, key: str, me: str, answer: str, at: datetime) -> None:
    await deliveries.sent(tx, key, me, answer, at)
    trouble = await incidents.open_of(tx, f"channel:{channel}", "channel-failing")
    if trouble is not None:
        await incidents.close(tx, trouble.id, at)


async def _dead(tx: Tx, channel: str, key: str, me: str, answer: str, at: datetime, *, tell: bool) -> None:
    await deliveries.dead(tx, key, me, answer, at)
    if tell:
        name = f"channel:{channel}"
        await alert_events.add(tx, AlertEvent(f"dead:{key}", "channel-failing", name, "", None, at, answer))
