"""What people do with incidents: look, acknowledge, snooze, note; and with channels: look at them, test them."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from liberty.auth import audit
from liberty.clock import Clock
from liberty.database import Database, Tx
from liberty.errors import Invalid, NotFound, did_you_mean
from liberty.jobs.engine.generation import Generation
from liberty.jobs.service import Caller
from liberty.notify import wire
from liberty.notify.config import InAppChannel
from liberty.notify.message import Item, Message
from liberty.notify.notifier import Notifier
from liberty.notify.recipients import Destination
from liberty.notify.store import deliveries, incidents
from liberty.notify.store.deliveries import DEAD, SENT, WAITING, Delivery
from liberty.notify.store.incidents import Incident
from liberty.notify.transports.base import NotDelivered
from liberty.notify.wire import Document

MAX_PAGE = 1000
MAX_NOTE = 2000


class Incidents:
    """Reads and edits. What a caller may not see looks absent."""

    def __init__(
        self, *, database: Database, clock: Clock, notifier: Notifier, current: Callable[[], Generation]
    ) -> None:
        self._database = database
        self._clock = clock
        self._notifier = notifier
        self._current = current

    async def page(
        self, caller: Caller, *, job: str | None, state: str | None, cursor: int | None, limit: int
    ) -> Document:
        """The newest incidents first, of jobs the caller may read."""
        if state not in (None, "open", "closed"):
            raise Invalid("state is 'open' or 'closed'")
        if job is not None:
            job = caller.job_name(self._current().catalogue, job, "read")
        shown: list[Incident] = []
        size, before, more = min(limit, MAX_PAGE), cursor, True
        while more and len(shown) < size:
            found = await self._database.read(
                incidents.page,
                job=job,
                is_open=None if state is None else state == "open",
                before=before,
                count=MAX_PAGE,
            )
            more = len(found) == MAX_PAGE
            before = found[-1].id if found else before
            shown += [one for one in found if _may_see(caller, one)]
        cut = shown[:size]
        next_cursor = str(cut[-1].id) if more or len(shown) > size else None
        return {"items": [wire.incident(one) for one in cut], "next_cursor": next_cursor}

    async def get(self, number: int, caller: Caller) -> Document:
        """An incident with its deliveries. Raises NotFound."""
        found = await self._seen(number, caller)
        return wire.incident(found, await self._database.read(deliveries.of_incident, number))

    async def acknowledge(self, number: int, caller: Caller, note: str | None) -> Document:
        """Say that somebody looks after it: no more reminders until it is over."""
        await self._mine(number, caller)
        now = self._clock.now()

        async def work(tx: Tx) -> None:
            await incidents.acknowledge(tx, number, caller.principal.name, now)
            if note is not None:
                await incidents.set_note(tx, number, _checked(note))
            await self._note(tx, caller, "incident.acknowledge", number, now)

        await self._database.write(work)
        return await self.get(number, caller)

    async def snooze(self, number: int, caller: Caller, until: datetime | None) -> Document:
        """No reminders before `until`; None ends it."""
        await self._mine(number, caller)
        now = self._clock.now()
        if until is not None and until <= now:
            raise Invalid("'until' is over; name a time in the future")

        async def work(tx: Tx) -> None:
            await incidents.snooze(tx, number, until)
            await self._note(tx, caller, "incident.snooze", number, now)

        await self._database.write(work)
        return await self.get(number, caller)

    async def note(self, number: int, caller: Caller, text: str) -> Document:
        """Write down what is known; an empty text takes the note away."""
        await self._mine(number, caller)
        now = self._clock.now()

        async def work(tx: Tx) -> None:
            await incidents.set_note(tx, number, _checked(text) or None)
            await self._note(tx, caller, "incident.note", number, now)

        await self._database.write(work)
        return await self.get(number, caller)

    async def deliveries(
        self, *, state: str | None, channel: str | None, cursor: int | None, limit: int
    ) -> Document:
        """Every message, newest first, with the answer it got."""
        if state not in (None, WAITING, SENT, DEAD):
            raise Invalid("state is 'waiting', 'sent' or 'dead'")
        size = min(limit, MAX_PAGE)
        found = await self._database.read(
            deliveries.page, state=state, channel=channel, before=cursor, count=size + 1
        )
        cut = found[:size]
        return {
            "items": [wire.delivery(one) for one in cut],
            "next_cursor": str(cut[-1].id) if len(found) > size else None,
        }

    async def notices(self, caller: Caller, limit: int) -> Document:
        """What the notification centre shows the caller, newest first."""
        items: list[Document] = []
        for name, channel in self._notifier.notifications.channels.items():
            if not isinstance(channel, InAppChannel) or not sees(caller, channel.roles):
                continue
            found = await self._database.read(
                deliveries.page, state=SENT, channel=name, before=None, count=min(limit, MAX_PAGE)
            )
            items += [wire.delivery(one) for one in found if _may_read(caller, one)]
        items.sort(key=lambda item: item["id"], reverse=True)
        return {"items": items[:limit], "next_cursor": None}

    async def channels(self) -> Document:
        """Every channel, and how its last message fared."""
        notifications = self._notifier.notifications
        items = []
        for name, channel in notifications.channels.items():
            last = await self._database.read(deliveries.last_of, name)
            failing = await self._database.read(incidents.open_of, f"channel:{name}", "channel-failing")
            items.append(
                {
                    "name": name,
                    "type": channel.type,
                    "enabled": channel.enabled,
                    "state": "failing" if failing is not None else "ok",
                    "last": None if last is None else wire.delivery(last),
                }
            )
        return {"items": items, "problems": [problem.as_dict() for problem in notifications.problems]}

    async def test(self, recipient: str, caller: Caller) -> Document:
        """Send a test message now; whether it arrived, and the answer. Raises NotFound for no such channel."""
        channels = self._notifier.notifications.channels
        destination = Destination.parse(recipient)
        if destination.channel not in channels:
            near = did_you_mean(destination.channel, channels)
            raise NotFound(f"no channel {destination.channel!r}{near}")
        now = self._clock.now()
        item = Item("test", 0, destination.channel, 1, now, {"job": destination.channel})
        app = self._notifier.notifications.app_name
        message = Message(f"nf-test-{uuid4().hex}", (item,), app, destination.address)
        try:
            answer, ok = await self._notifier.sender.send_now(destination.channel, message), True
        except NotDelivered as error:
            answer, ok = error.answer, False

        async def work(tx: Tx) -> None:
            await audit.record(
                tx,
                at=now,
                actor=caller.principal,
                action="channel.test",
                object=f"channel:{destination.channel}",
                details={"ok": ok},
                address=caller.address,
            )

        await self._database.write(work)
        return {"channel": destination.channel, "ok": ok, "answer": answer}

    async def _seen(self, number: int, caller: Caller) -> Incident:
        found = await self._database.read(incidents.get, number)
        if found is None or not _may_see(caller, found):
            raise NotFound(f"no incident {number}")
        return found

    async def _mine(self, number: int, caller: Caller) -> None:
        """Changing an incident needs the right to run its job, or to edit the channels."""
        found = await self._seen(number, caller)
        if not (_is_admin(caller) or caller.may("run", found.job, found.app)):
            raise NotFound(f"no incident {number}")

    async def _note(self, tx: Tx, caller: Caller, action: str, number: int, now: datetime) -> None:
        await audit.record(
            tx,
            at=now,
            actor=caller.principal,
            action=action,
            object=f"incident:{number}",
            details={},
            address=caller.address,
        )


def sees(caller: Caller, roles: tuple[str, ...]) -> bool:
    """Whether an in-app channel is for the caller."""
    return not roles or any(caller.principal.may(f"alerts:{role}") for role in roles)


def _is_admin(caller: Caller) -> bool:
    return caller.principal.may("settings:notifications")


def _may_see(caller: Caller, found: Incident) -> bool:
    if found.kind == "channel-failing":
        return _is_admin(caller)
    return caller.may("read", found.job, found.app)


def _may_read(caller: Caller, one: Delivery) -> bool:
    job, app = one.facts.get("job"), one.facts.get("app")
    return isinstance(job, str) and isinstance(app, str) and caller.may("read", job, app)


def _checked(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_NOTE:
        raise Invalid(f"a note has at most {MAX_NOTE} characters")
    return text
