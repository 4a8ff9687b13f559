"""The outbox: what somebody may have to be told, stored in the transaction in which it happened."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.run import ABORTED, FAILED, SKIPPED, SUCCEEDED, Run, Status
from liberty.jobs.store.tables import alert_events

EVENT_OF: dict[Status, str] = {
    FAILED: "failed",
    ABORTED: "aborted",
    SUCCEEDED: "succeeded",
    SKIPPED: "skipped",
}
MISSED = "missed: "
"""How the reason of a skipped run begins when nobody was there to start it."""


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something that happened to a job. `id` is 0 until it is stored; `key` names the event for good."""

    key: str
    event: str
    job: str
    app: str
    run: int | None
    at: datetime
    detail: str | None = None
    id: int = 0


_FIELDS = ("key", "event", "job", "app", "run", "at", "detail")
_ADD = (
    insert(alert_events)
    .values({name: bindparam(name) for name in _FIELDS})
    .on_conflict_do_nothing(index_elements=[alert_events.c.key])
)
_OPEN = (
    select(*(alert_events.c[name] for name in (*_FIELDS, "id")))
    .where(alert_events.c.done_at.is_(None))
    .order_by(alert_events.c.id)
    .limit(bindparam("count"))
)
_DONE = (
    update(alert_events)
    .where(alert_events.c.id == bindparam("number"), alert_events.c.done_at.is_(None))
    .values(done_at=bindparam("now"))
)
_FORGET = delete(alert_events).where(alert_events.c.done_at < bindparam("before"))


def of_run(run: Run) -> AlertEvent:
    """The event of a run that has reached its final status."""
    event = EVENT_OF.get(run.status, str(run.status))
    if event == "skipped" and (run.reason or "").startswith(MISSED):
        event = "missed"
    return AlertEvent(
        f"run:{run.number}:{event}", event, run.job, run.app, run.number, run.finished_at or run.queued_at
    )


async def add(tx: Tx, *events: AlertEvent) -> None:
    """Store events; one that is there already stays as it is."""
    await tx.add(_ADD, [{name: getattr(event, name) for name in _FIELDS} for event in events])


async def waiting(tx: Tx, count: int) -> list[AlertEvent]:
    """The oldest events that were not looked at yet."""
    return [AlertEvent(*row) for row in await tx.all(_OPEN, {"count": count})]


async def done(tx: Tx, event: AlertEvent, now: datetime) -> None:
    await tx.run(_DONE, {"number": event.id, "now": now})


async def forget(tx: Tx, before: datetime) -> int:
    """Delete what was dealt with before that moment."""
    return await tx.run(_FORGET, {"before": before})
