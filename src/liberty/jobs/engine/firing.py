"""The one transaction of a batch of fires: watermarks move by compare-and-set, and every due instant gets its row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from liberty.database import Tx
from liberty.jobs.engine.admission import admit
from liberty.jobs.job import Job
from liberty.jobs.run import SKIPPED, NewRun
from liberty.jobs.store import alert_events, pauses, schedules
from liberty.jobs.store.pauses import Pause
from liberty.jobs.store.runs import Enqueued
from liberty.jobs.store.schedules import Move, Place

MAX_FIRES = 200
"""Rows of one transaction, so that a herd never holds the database for long."""


@dataclass(frozen=True, slots=True)
class NewFire:
    """A row to be made; `held` is the reason why it is born `skipped`."""

    new: NewRun
    held: str | None


@dataclass(frozen=True, slots=True)
class Firing:
    """What has become due of one schedule. It counts only while the watermark is still at `seen`."""

    place: Place
    job: Job
    seen: datetime
    watermark: datetime
    rows: tuple[NewFire, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """The pauses a plan was made with: all that held something back after `since`."""

    since: datetime
    pauses: tuple[Pause, ...]


@dataclass(frozen=True, slots=True)
class Fired:
    """What came of a batch. With `stale` set nothing was done: the pauses are others than the plan believed."""

    stale: Basis | None = None
    lost: frozenset[Place] = frozenset()
    made: tuple[tuple[Enqueued, Job], ...] = field(default=())


async def fire(tx: Tx, firings: Sequence[Firing], basis: Basis, now: datetime) -> Fired:
    """Insert the rows of `firings` and move their watermarks; what another scheduler has moved is left to it."""
    in_force = await pauses.since(tx, basis.since)
    if in_force != basis.pauses:
        return Fired(stale=Basis(basis.since, in_force))
    moves = [Move(firing.place, firing.seen, firing.watermark) for firing in firings]
    moved = await schedules.advance(tx, moves)
    made: list[tuple[Enqueued, Job]] = []
    for firing in firings:
        if firing.place in moved:
            for row in firing.rows:
                enqueued = await admit(tx, row.new, firing.job.depends_on, None, row.held, now)
                made.append((enqueued, firing.job))
                if enqueued.created and enqueued.run.status == SKIPPED and _wants_to_know(firing.job):
                    await alert_events.add(tx, alert_events.of_run(enqueued.run))
    return Fired(lost=frozenset({move.place for move in moves} - moved), made=tuple(made))


def _wants_to_know(job: Job) -> bool:
    return job.alerts is not None and bool(job.alerts.on_skipped)
