"""From events to incidents and deliveries, in one transaction: an event counts once, whatever is killed meanwhile.

event ──(nobody wants to know, or not often enough yet)──► done
  │
  └──► an open incident of the job and kind? ──yes──► counted; told again only by a reminder
                    │no
                    └──► a new incident, and one delivery for each recipient
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from liberty.auth.principal import TEST_PREFIX
from liberty.database import Tx
from liberty.jobs.catalogue import Catalogue
from liberty.jobs.job import Alerts, Job
from liberty.jobs.store import alert_events
from liberty.jobs.store.alert_events import AlertEvent
from liberty.notify import facts as facts_of
from liberty.notify.recipients import SEVERITIES, Destination, Notifications
from liberty.notify.store import deliveries, incidents, looking
from liberty.notify.store.deliveries import WAITING, Delivery
from liberty.notify.store.incidents import Facts, Incident
from liberty.secrets import redactor

EVENTS_AT_ONCE = 100
FIRST_REMINDER = timedelta(seconds=60)
FIRST_REMINDER_COUNT = 10
"""A burst is told of again after a minute, with its count; other incidents only every `repeat_hours`."""
KEEP_EVENTS = timedelta(days=7)

_KIND = {"aborted": "failed"}
"""Events that belong to the incident of another kind; the others are a kind of their own."""
_OVER_AT_ONCE = frozenset({"succeeded", "test"})
_SILENT_END = frozenset({"skipped", "missed"})


@dataclass(frozen=True, slots=True)
class Basis:
    """What is configured as an event is looked at."""

    notifications: Notifications
    catalogue: Catalogue

    def job(self, name: str) -> Job | None:
        return self.catalogue.jobs.get(name)


async def take_up(tx: Tx, basis: Basis, now: datetime, *, shared: bool) -> int | None:
    """Look at the oldest events; how many there were, or None while another replica does it."""
    if not await deliveries.alone(tx, shared=shared):
        return None
    found = await alert_events.waiting(tx, EVENTS_AT_ONCE)
    for event in found:
        await _take(tx, basis, event, now)
        await alert_events.done(tx, event, now)
    return len(found)


async def _take(tx: Tx, basis: Basis, event: AlertEvent, now: datetime) -> None:
    of_a_job = event.event not in ("quarantined", "channel-failing")
    if of_a_job:
        alerts = basis.notifications.alerts_of(basis.job(event.job))
        if alerts is None or event.job.startswith(TEST_PREFIX):
            return
        if not basis.notifications.destinations(event.event, basis.job(event.job), event.job):
            return
    kind = _KIND.get(event.event, event.event)
    gathered = await facts_of.of_run(tx, event.run)
    if event.detail:
        gathered["detail"] = redactor.redact(event.detail)
    known = None if kind in _OVER_AT_ONCE else await incidents.open_of(tx, event.job, kind)
    if known is not None:
        await incidents.again(tx, known.id, event.event, event.run, gathered, max(event.at, known.last_at))
        return
    count = 1
    if kind == "failed" and event.run is not None and of_a_job:
        count = await _streak(tx, event, basis.notifications.alerts_of(basis.job(event.job)) or Alerts())
        if not count:
            return
    await open_incident(tx, basis, event, kind, gathered, count, now)


async def _streak(tx: Tx, event: AlertEvent, alerts: Alerts) -> int:
    """How many failures are announced together; 0 while there are not enough."""
    window = alerts.of_last or alerts.after_failures
    if window == 1:
        return 1
    ended = await looking.latest(tx, event.job, event.run or 0, window)
    failures = sum(status in facts_of.FAILURES for status in ended)
    return failures if failures >= alerts.after_failures else 0


async def open_incident(
    tx: Tx, basis: Basis, event: AlertEvent, kind: str, gathered: Facts, count: int, now: datetime
) -> int:
    """Store a new incident with its first deliveries; its number."""
    told = basis.notifications.destinations(event.event, basis.job(event.job), event.job)
    incident = Incident(
        id=0,
        job=event.job,
        app=event.app,
        kind=kind,
        event=event.event,
        severity=SEVERITIES[event.event],
        opened_at=event.at,
        last_at=event.at,
        count=count,
        run=event.run,
        facts=gathered,
        channels=tuple(map(str, told)),
        told_count=count,
        told_at=now,
        reminders=0,
        closed_at=event.at if kind in _OVER_AT_ONCE else None,
    )
    number = await incidents.add(tx, incident)
    await _tell(tx, basis, replace(incident, id=number), event.event, gathered, told, now)
    return number


async def look_at_open_ones(tx: Tx, basis: Basis, now: datetime, *, shared: bool) -> list[Incident] | None:
    """Close what is over, say so, and remind of what goes on; the incidents that stay open."""
    if not await deliveries.alone(tx, shared=shared):
        return None
    found = await incidents.open_ones(tx)
    recovered = await looking.recovered(tx) if found else {}
    left: list[Incident] = []
    for incident in found:
        if incident.kind in ("late", "long-running"):
            over = not await _goes_on(tx, incident)
        elif incident.kind == "quarantined":
            over = incident.job not in basis.catalogue.quarantined
        elif incident.kind == "channel-failing":
            over = False  # whoever delivers something to it closes it
        else:
            over = incident.id in recovered
        if over:
            await incidents.close(tx, incident.id, now)
            if incident.kind not in _SILENT_END:
                await _tell_the_end(tx, basis, incident, recovered.get(incident.id), now)
            continue
        left.append(incident)
        if _wants_reminder(incident, basis.notifications.defaults.repeat_hours, now):
            await incidents.reminded(tx, incident.id, now)
            told = tuple(Destination.parse(text) for text in incident.channels)
            event = "still-failing" if incident.kind == "failed" else incident.event
            await _tell(tx, basis, incident, event, incident.facts, told, now)
    return left


async def _goes_on(tx: Tx, incident: Incident) -> bool:
    if incident.run is None:
        return False
    look = looking.is_queued if incident.kind == "late" else looking.is_under_way
    return await look(tx, incident.run)


def _wants_reminder(incident: Incident, repeat_hours: float, now: datetime) -> bool:
    if incident.acknowledged_at is not None or (
        incident.snoozed_until is not None and now < incident.snoozed_until
    ):
        return False
    more = incident.count - incident.told_count
    since = now - incident.told_at
    if incident.reminders == 0 and more >= FIRST_REMINDER_COUNT and since >= FIRST_REMINDER:
        return True
    return more > 0 and since >= timedelta(hours=repeat_hours)


async def _tell_the_end(tx: Tx, basis: Basis, incident: Incident, run: int | None, now: datetime) -> None:
    """Those who were told that it began are told that it is over."""
    job = basis.job(incident.job)
    alerts = basis.notifications.alerts_of(job)
    told = tuple(Destination.parse(text) for text in incident.channels)
    if incident.kind == "failed":
        if alerts is None or alerts.on_recovery is False or alerts.on_recovery == ():
            return
        if isinstance(alerts.on_recovery, tuple):
            told = basis.notifications.destinations("recovered", job, incident.job)
    gathered = await facts_of.of_run(tx, run if run is not None else incident.run)
    gathered["was"] = incident.kind
    await _tell(tx, basis, incident, "recovered", gathered, told, now)


async def _tell(
    tx: Tx,
    basis: Basis,
    incident: Incident,
    event: str,
    gathered: Facts,
    told: tuple[Destination, ...],
    now: datetime,
) -> None:
    due = basis.notifications.due_at(SEVERITIES[event], now)
    new = [
        Delivery(
            id=0,
            key=f"{incident.id}:{event}:{incident.reminders}:{destination}",
            incident=incident.id,
            channel=destination.channel,
            address=destination.address,
            event=event,
            facts={
                **gathered,
                "job": incident.job,
                "app": incident.app,
                "url": basis.notifications.link(_number_of(gathered)),
            },
            state=WAITING,
            attempts=0,
            due_at=due,
            created_at=now,
        )
        for destination in told
        if destination.channel in basis.notifications.channels
    ]
    await deliveries.add(tx, *new)


def _number_of(gathered: Facts) -> int | None:
    run_id = gathered.get("run_id")
    return int(run_id.removeprefix("r-")) if isinstance(run_id, str) else None
