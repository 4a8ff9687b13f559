"""Incidents and deliveries as JSON."""

from collections.abc import Sequence
from typing import Any

from liberty.clock import rfc3339
from liberty.notify.message import Item, details, sentence
from liberty.notify.store.deliveries import Delivery
from liberty.notify.store.incidents import Incident

type Document = dict[str, Any]


def incident(found: Incident, sent: Sequence[Delivery] | None = None) -> Document:
    """An incident; with its deliveries when they were asked for."""
    item = Item(found.event, found.id, found.job, found.count, found.opened_at, found.facts)
    document: Document = {
        "id": found.id,
        "job": found.job,
        "app": found.app,
        "kind": found.kind,
        "event": found.event,
        "severity": found.severity,
        "state": "open" if found.closed_at is None else "closed",
        "text": sentence(item),
        "details": details(item),
        "count": found.count,
        "run_id": None if found.run is None else f"r-{found.run}",
        "opened_at": rfc3339(found.opened_at),
        "last_at": rfc3339(found.last_at),
        "closed_at": _time(found.closed_at),
        "acknowledged_by": found.acknowledged_by,
        "acknowledged_at": _time(found.acknowledged_at),
        "snoozed_until": _time(found.snoozed_until),
        "note": found.note,
        "recipients": list(found.channels),
    }
    if sent is not None:
        document["deliveries"] = [delivery(one) for one in sent]
    return document


def delivery(one: Delivery) -> Document:
    """A message to one recipient, with the answer it got."""
    return {
        "id": one.id,
        "incident": one.incident or None,
        "job": one.facts.get("job"),
        "event": one.event,
        "channel": one.channel,
        "address": one.address,
        "state": one.state,
        "attempts": one.attempts,
        "answer": one.answer,
        "created_at": rfc3339(one.created_at),
        "tried_at": _time(one.tried_at),
        "due_at": rfc3339(one.due_at) if one.state == "waiting" else None,
        "ended_at": _time(one.ended_at),
        "message": one.batch,
    }


def notice(item: Item, key: str) -> Document:
    """Something for the notification centre."""
    return {
        "incident": item.incident,
        "event": item.event,
        "job": item.job,
        "count": item.count,
        "text": sentence(item),
        "details": details(item),
        "run_id": item.facts.get("run_id"),
        "message": key,
    }


def _time(at: Any) -> str | None:
    return None if at is None else rfc3339(at)
