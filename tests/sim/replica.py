"""A simulated process: the production scheduler, leases, claims and rescue, with runs that only take time."""

import asyncio
import socket
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from liberty.database import Duplicate
from liberty.errors import Unavailable
from liberty.jobs.engine import rescue
from liberty.jobs.engine.firing import Basis, Fired, Firing, fire
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.persist import persist
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.run import FAILED, QUEUED, SUCCEEDED, Run
from liberty.jobs.store import owners, queue, replicas, runs
from liberty.jobs.store.replicas import Replica as Row
from liberty.jobs.store.runs import Fence
from tests.sim.world import BadDatabase, Sleeper, World

BEAT_SECONDS = 5.0
POLL_SECONDS = 2.0


class SkewedClock:
    """A replica's own clock: wrong by `skew`, which may jump."""

    def __init__(self, world: World, skew: timedelta) -> None:
        self._world = world
        self.skew = skew

    def now(self) -> datetime:
        return self._world.now + self.skew

    def monotonic(self) -> float:
        return self._world.loop.time()


class Replica:
    """One process; `kill` ends it in the middle of whatever it does, `stop` as SIGTERM would."""

    def __init__(self, world: World, name: str, clock: SkewedClock, generation: Generation) -> None:
        self.world = world
        self.replica = name
        self.clock = clock
        self.sleeper = Sleeper(world.loop)
        self.database: Any = BadDatabase(world, self.sleeper)
        self.scheduler = Scheduler(engine=self, database=self.database, clock=clock)
        self.generation = generation
        self._tasks: set[asyncio.Task[Any]] = set()
        self._claiming: set[int] = set()
        self._running: set[int] = set()

    def start(self) -> None:
        self._spawn(self._main())

    async def reload(self, generation: Generation) -> None:
        """Like a reload: over and over until the database lets it."""
        self.generation = generation
        while True:
            try:
                await self.scheduler.use(generation)
                return
            except Unavailable:
                await asyncio.sleep(1)

    def begin_reload(self, generation: Generation) -> None:
        self._spawn(self.reload(generation))

    def kill(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    async def stop(self) -> None:
        """Let go of the schedule; the runs are left to the rescue, as after a drain that was too short."""
        self.kill()
        await self.scheduler.resign()

    async def enqueue_fires(
        self, firings: Sequence[Firing], basis: Basis, generation: Generation, now: datetime
    ) -> Fired:
        writing = self.database.begin_write(fire, firings, basis, now)
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        fired: Fired = await asyncio.shield(writing)
        for enqueued, _ in fired.made:
            if enqueued.created and enqueued.run.status == QUEUED and not enqueued.run.gates:
                self._take(enqueued.run.number)
        return fired

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _main(self) -> None:
        await persist(self.database, replicas.register, self._row())
        await self.reload(self.generation)
        self._spawn(self.scheduler.ticker.run())
        self._spawn(self._every(BEAT_SECONDS, self._beat))
        self._spawn(self._every(POLL_SECONDS, self._poll))

    def _row(self) -> Row:
        now = self._beats_now
        # On SQLite replicas are processes of one machine, and this one's number is that of no real process.
        alone = self.world.dialect == "sqlite"
        host = socket.gethostname() if alone else f"host-of-{self.replica}"
        return Row(self.replica, host, 2**30, "simulated", "server", "1", now, now)

    @property
    def _beats_now(self) -> datetime:
        """Heartbeats are judged by the database's clock; on SQLite that is the machine's."""
        return self.clock.now() if self.world.dialect == "sqlite" else self.world.now

    async def _every(self, seconds: float, work: Any) -> None:
        while True:
            with suppress(Unavailable):
                await work()
            await asyncio.sleep(seconds)

    async def _beat(self) -> None:
        if not await self.database.write(replicas.beat, self.replica, self._beats_now):
            await self.database.write(replicas.register, self._row())
        if await self.database.read(owners.owners) - {self.replica}:
            await self.database.write(
                rescue.fail_orphans, self.replica, self._beats_now, shared=self.world.dialect == "postgresql"
            )

    async def _poll(self) -> None:
        in_line: set[str] = set()
        for run in await self.database.read(queue.waiting, after=0, limit=50):
            if not (run.gates and run.job in in_line):
                self._take(run.number)
            if run.gates:
                in_line.add(run.job)

    async def _claim(self, number: int) -> Run | None:
        run = await persist(self.database, runs.get, number)
        if run is None:
            return None
        if not run.gates:
            return await persist(self.database, runs.claim, number, self.replica, self.scheduler.now())
        while True:
            try:
                turn = await self.database.write(
                    queue.claim_in_turn, number, self.replica, self.scheduler, lock=False
                )
            except Duplicate:
                return None
            except Unavailable:
                await asyncio.sleep(1)
            else:
                return turn if isinstance(turn, Run) else None  # in a line: asked for again by the next poll

    def _take(self, number: int) -> None:
        if number not in self._claiming | self._running:
            self._claiming.add(number)
            self._spawn(self._run(number))

    async def _run(self, number: int) -> None:
        try:
            run = await self._claim(number)
        finally:
            self._claiming.discard(number)
        if run is None:
            return
        self._running.add(number)
        dice = self.world.dice
        await asyncio.sleep(dice.choice([0.01, 0.5, 4] if run.gates else [0.01, 0.5, 4, 12, 40]))
        fence = Fence(run.number, self.replica, run.epoch)
        status = FAILED if dice.random() < 0.1 else SUCCEEDED
        await persist(self.database, runs.end, fence, status, self.scheduler.now())
