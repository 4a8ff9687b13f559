"""Whether this process may believe to be the scheduler, and what time it is by the clock that counts.

    standby ──(nobody holds the lease, or it has run out)──► leading ──(renewals fail for TTL - 1 s)──► standby
                                                                └──(normal stop: the lease is let run out)──► gone

The lease is an economy: the unique key of the rows and the watermarks keep several believers exact. On PostgreSQL
its clock is the database's, measured at every renewal and carried on by the monotonic clock, so the clocks of the
replicas do not matter. A renewal is believed for TTL - 1 s from the moment it was sent, not from its answer.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from liberty.clock import Clock
from liberty.database import Database, Tx
from liberty.jobs.store import gaps, lease, pauses
from liberty.jobs.store.gaps import Cause, Gap
from liberty.jobs.store.lease import Held, Lease
from liberty.jobs.store.pauses import Pause

MARGIN_SECONDS = 1.0
MIN_GAP = timedelta(seconds=10)

_log = logging.getLogger("nomaflow.scheduler")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between renewals, and for how long each of them counts: at least three times as long.

    `look`: the clock is looked at that often, because the machine's may be set.
    """

    renew: float
    ttl: float
    look: float


SHARED = Pace(2.0, 6.0, 30.0)
ALONE = Pace(5.0, 15.0, 0.5)
"""A lock file keeps a second server away from an SQLite file: there is no rival to be quick for."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the lease found: the attempt, the pauses as they stand, the gap that has just ended."""

    held: Held | None
    pauses: dict[str, Pause]


class Leadership:
    """The lease as one process sees it."""

    def __init__(self, database: Database, clock: Clock, holder: str) -> None:
        self._database = database
        self._clock = clock
        self._holder = holder
        self._shared = database.dialect == "postgresql"
        self.pace = SHARED if self._shared else ALONE
        self.lease: Lease | None = None
        self.gaps: list[Gap] = []
        self._began: datetime | None = None
        self._until = 0.0
        self._next = 0.0
        self._measured: tuple[datetime, float] | None = None
        self._suspected: Cause = "scheduler was down"
        self._seen = (clock.now(), clock.monotonic())

    def now(self) -> datetime:
        """The scheduler's clock."""
        if self._measured is None:
            return self._clock.now()
        measured, at = self._measured
        return measured + timedelta(seconds=self._clock.monotonic() - at)

    @property
    def leading(self) -> bool:
        """Whether the lease is ours for sure."""
        return self._clock.monotonic() < self._until

    @property
    def due_in(self) -> float:
        """Seconds until the lease wants to be renewed or looked at."""
        return max(self._next - self._clock.monotonic(), 0.0)

    async def look(self) -> Look:
        """Renew the lease, take it, or see that another has it. Raises Unavailable while the database is away."""
        sent = self._clock.monotonic()
        self._next = sent + 1.0
        suspected = self._suspected
        if suspected == "scheduler was down":
            self._suspected = "database was away"  # unless this look succeeds
        local = None if self._shared else self._clock.now()
        was_leading = self.leading
        found = await self._database.read(_see, local) if self._shared and not was_leading else None
        if found is None or found.held is None or found.held.lease.expires_at <= found.held.now:
            found = await self._database.write(
                _hold, self._holder, timedelta(seconds=self.pace.ttl), local, suspected, self._began
            )
        held = found.held
        self._suspected = "scheduler was down"
        self._next = sent + self.pace.renew
        if held is None:
            return found
        if self._shared:
            self._measured = (held.now, self._clock.monotonic())
        self._began = self._began or held.now
        self.lease = held.lease
        if not held.mine:
            self._until = 0.0
            return found
        self._until = sent + self.pace.ttl - MARGIN_SECONDS
        gap = _gap(held, self._holder, suspected, self._began)
        if gap is not None:
            self.remember(gap)
        if not was_leading:
            _log.info("schedules are followed here now (epoch %d)", held.lease.epoch)
        return found

    def remember(self, gap: Gap) -> None:
        """Keep a gap in mind for the reasons of what was missed in it."""
        self.gaps = [*self.gaps[-19:], gap]
        span = f"{gap.since:%Y-%m-%d %H:%M:%S} to {gap.until:%H:%M:%S} UTC"
        _log.warning("nothing was scheduled from %s: %s", span, gap.cause)

    def jumped(self) -> timedelta:
        """How far the clock has been set since the last call, when that matters: more than `MIN_GAP`, else zero.

        The next look comes at once. Where the database's clock counts, the replica's may do as it likes.
        """
        wall, steady = self._seen
        self._seen = (self._clock.now(), self._clock.monotonic())
        drift = self._seen[0] - wall - timedelta(seconds=self._seen[1] - steady)
        if self._shared or abs(drift) < MIN_GAP:
            return timedelta()
        if drift > MIN_GAP:
            self._suspected = "clock was set forward"
        self._next = 0.0
        return drift

    async def resign(self) -> None:
        """Leave the lease to whoever looks next."""
        if self.lease is None or self.lease.holder != self._holder:
            return
        self._until = 0.0
        local = None if self._shared else self._clock.now()
        await self._database.write(lease.resign, self._holder, local)
        self.lease = None


async def _see(tx: Tx, local: datetime | None) -> Look:
    found = await lease.see(tx)
    now = await lease.clock(tx, local)
    held = Held(found, found, mine=False, now=now) if found is not None else None
    return Look(held, await pauses.everything(tx))


async def _hold(
    tx: Tx, me: str, ttl: timedelta, local: datetime | None, suspected: Cause, began: datetime | None
) -> Look:
    held = await lease.hold(tx, me, ttl, local, alone=local is not None)
    gap = _gap(held, me, suspected, began or held.now)
    if gap is not None:
        await gaps.record(tx, gap)
    return Look(held, await pauses.everything(tx))


def _gap(held: Held, me: str, suspected: Cause, began: datetime) -> Gap | None:
    """The time without a scheduler that ended when the lease came to us; None when it was short.

    What this process noticed explains it only if it was up when the time began.
    """
    if not held.mine or held.before is None or held.now - held.before.renewed_at < MIN_GAP:
        return None
    was_up = began <= held.before.renewed_at + MIN_GAP
    return Gap(held.before.renewed_at, held.now, suspected if was_up else "scheduler was down", me)
