"""Hurts a cluster at random moments, repeatable by seed, and counts what it did."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from liberty.chaos.cluster import Cluster
from liberty.chaos.replica import Replica
from liberty.chaos.result import Plan
from liberty.errors import Unavailable

LEASE_SECONDS = 6.0
DEAD_SECONDS = 20.0
EXIT_SECONDS = 60.0


class Faults:
    """Draws one fault after another until told to end. Faults of one lane never meet; two lanes may."""

    def __init__(self, cluster: Cluster, plan: Plan, dice: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self._cluster = cluster
        self._plan = plan
        self._dice = dice
        self._hurt: set[str] = set()
        self._on_replicas: list[Callable[[Replica], Awaitable[None]]] = [
            self.killed,
            self.stopped,
            self.paused,
        ]
        self._on_database: list[Callable[[], Awaitable[None]]] = []
        if cluster.sandbox is not None:
            self._on_database.append(self.cut)
        if plan.restart_database is not None and cluster.sandbox is not None:
            self._on_database.append(self.restarted_database)

    async def run(self, seconds: float) -> None:
        """Until the time is over and everybody is up again."""
        until = time.monotonic() + seconds
        # One replica alone is hurt by one thing at a time; of several, two may be.
        lanes = [self._hurt_a_replica] * min(2, len(self._cluster.replicas))
        if self._on_database:
            lanes.append(self._hurt_the_database)
        tasks = [asyncio.create_task(self._lane(hurt, until)) for hurt in lanes]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._cluster.heal()

    async def _lane(self, hurt: Callable[[], Awaitable[None]], until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(self._dice.uniform(1, 5), left))
            if time.monotonic() < until:
                await hurt()

    async def _hurt_a_replica(self) -> None:
        free = [one for one in self._cluster.replicas if one.name not in self._hurt and one.usable]
        if not free:
            return
        replica = self._dice.choice(free)
        self._hurt.add(replica.name)
        try:
            await self._dice.choice(self._on_replicas)(replica)
        finally:
            self._hurt.discard(replica.name)

    async def _hurt_the_database(self) -> None:
        await self._dice.choice(self._on_database)()
        await asyncio.sleep(self._dice.uniform(1, 4))

    async def killed(self, replica: Replica) -> None:
        """`kill -9`, and a new start a while later."""
        self.counts["kill -9"] += 1
        await replica.kill()
        await asyncio.sleep(self._dice.uniform(0, 3))
        await self._started(replica)

    async def stopped(self, replica: Replica) -> None:
        """SIGTERM, and a new start."""
        self.counts["SIGTERM"] += 1
        replica.terminate()
        if await replica.exited(EXIT_SECONDS) is None:
            self.counts["SIGTERM without an exit"] += 1
            await replica.kill()
        await asyncio.sleep(self._dice.uniform(0, 2))
        await self._started(replica)

    async def paused(self, replica: Replica) -> None:
        """SIGSTOP for longer than the lease lasts, now and then for longer than a silent replica is believed in."""
        self.counts["SIGSTOP"] += 1
        long = self._plan.seconds >= 120 and self._dice.random() < 0.25
        shortest = DEAD_SECONDS + 3 if long else LEASE_SECONDS + 1
        replica.pause()
        await asyncio.sleep(self._dice.uniform(shortest, shortest + 3))
        replica.resume()

    async def cut(self) -> None:
        """Every database connection of the servers ends at once."""
        if self._cluster.sandbox is None:
            return
        try:
            self.counts["connections cut"] += await self._cluster.sandbox.cut()
        except Unavailable:
            return  # another lane has just taken the server away
        self.counts["cuts"] += 1

    async def restarted_database(self) -> None:
        """The database server is stopped the hard way and comes back."""
        if self._plan.restart_database is None:
            return
        self.counts["database restarts"] += 1
        await self._plan.restart_database()

    async def _started(self, replica: Replica) -> None:
        """A start may meet a database that is away; then it is tried again, as any supervisor does."""
        for _ in range(20):
            try:
                await replica.start()
                return
            except Unavailable:
                self.counts["starts refused"] += 1
                await asyncio.sleep(1)
        await replica.start()
