"""This process among the replicas: shows that it lives, ends what the dead left behind, hears what others announce."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from liberty.bus import Bus
from liberty.clock import Clock
from liberty.database import Database, Tx
from liberty.errors import Unavailable
from liberty.jobs.engine import rescue
from liberty.jobs.engine.persist import unless_away
from liberty.jobs.engine.replica import BEAT_SECONDS, DEAD_AFTER
from liberty.jobs.events import RunMoved
from liberty.jobs.store import lease, owners, replicas, signals
from liberty.jobs.store.replicas import Replica
from liberty.loops import Ticker

_log = logging.getLogger("nomaflow")


class Presence:
    """Control loop only. On PostgreSQL the database's clock judges who is silent, whatever the replicas' clocks say.

    `knows` tells whether a run is in progress in this process; one that its row says is ours and that is unknown at two
    beats was claimed by a write whose answer never came. `heard` is called when another replica has announced a reload.
    """

    def __init__(
        self, *, database: Database, clock: Clock, bus: Bus, me: Replica, knows: Callable[[int], bool]
    ) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._me = me
        self._shared = database.dialect == "postgresql"
        self._reloads: int | None = None
        self._beaten = True
        self._rescue_from = 0.0
        self._knows = knows
        self._strange: set[int] = set()
        self.others = 0
        self.heard: Callable[[], None] = lambda: None
        self.ticker = Ticker("heartbeat", unless_away(self._beat), BEAT_SECONDS)

    async def begin(self) -> None:
        """Register, and end what earlier processes left."""
        await self._database.write(_register, self._me, self._local)
        await self._rescue()

    async def end(self) -> None:
        try:
            await self._database.write(replicas.remove, self._me.id)
        except Unavailable as error:
            _log.warning("%s; others will find out that this process has ended", error.message)

    async def announce_reload(self) -> None:
        """Let the other replicas read their files again, too."""
        self._reloads = await self._database.write(signals.raise_, signals.RELOAD)

    @property
    def _local(self) -> datetime | None:
        return None if self._shared else self._clock.now()

    async def _beat(self) -> float | None:
        beaten_before, self._beaten = self._beaten, False
        reloads, self.others, named, mine = await self._database.write(_beat, self._me, self._local)
        now = self._clock.monotonic()
        if not beaten_before:
            # After an outage the others' beats are as old as it was long: they get the time to beat again.
            self._rescue_from = now + DEAD_AFTER.total_seconds()
        self._beaten = True
        if now >= self._rescue_from and named - {self._me.id}:
            await self._rescue()
        strange = {number for number in mine if not self._knows(number)}
        for number in sorted(strange & self._strange):
            await self._disown(number)
        self._strange = strange
        if self._reloads is not None and reloads > self._reloads:
            self.heard()
        self._reloads = reloads
        return None

    async def _disown(self, number: int) -> None:
        """End a run that nobody here runs, nor ever will: what it has done is not known, so it is not begun again."""
        ended = await self._database.write(rescue.fail_unknown, number, self._me.id, self._clock.now())
        if ended is not None:
            self._bus.publish(RunMoved(ended))

    async def _rescue(self) -> None:
        ended = await self._database.write(
            rescue.fail_orphans, self._me.id, self._clock.now(), shared=self._shared
        )
        for orphan in ended:
            self._bus.publish(RunMoved(orphan))


async def _register(tx: Tx, me: Replica, local: datetime | None) -> None:
    await replicas.register(tx, replace(me, beat_at=await lease.clock(tx, local)))


async def _beat(tx: Tx, me: Replica, local: datetime | None) -> tuple[int, int, set[str], set[int]]:
    """Beat; how many reloads were announced, how many other replicas there are, who owns runs, and which are ours."""
    now = await lease.clock(tx, local)
    if not await replicas.beat(tx, me.id, now):
        await replicas.register(tx, replace(me, beat_at=now))
    count = await replicas.count(tx)
    named, mine = await owners.owners(tx), await owners.owned(tx, me.id)
    return await signals.read(tx, signals.RELOAD), count - 1, named, mine
