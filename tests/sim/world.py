"""One thread, a virtual clock and one database with bad days: what the simulated replicas live in."""

import asyncio
import random
import selectors
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal

from liberty.clock import rfc3339
from liberty.database.migrate import migrations
from liberty.database.sqlite_tx import SqliteTx
from liberty.errors import Unavailable

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

type Dialect = Literal["sqlite", "postgresql"]


class _Jump(selectors.SelectSelector):
    """Instead of waiting for the next timer, moves the time to it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the simulation waits for something that will never come")
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is virtual; what is meant for a thread is done at once."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except BaseException as error:  # noqa: BLE001 - not swallowed: raised again where it is awaited
            done.set_exception(error)
        return done


class World:
    """The true time, the database, its outages, and the dice: everything random comes from `dice`."""

    def __init__(self, seed: int, dialect: Dialect) -> None:
        self.dice = random.Random(seed)
        self.dialect: Dialect = dialect
        self.loop = VirtualLoop()
        self.trouble = 0.0
        self.away_until = 0.0
        self.sequence = 0
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        _empty_database().backup(self.connection)
        self.connection.create_function("clock_timestamp", 0, lambda: rfc3339(self.now))
        self.connection.create_function("sim_sequence", 0, lambda: self.sequence)
        self.connection.create_function("sim_seconds", 0, lambda: self.loop.time())
        self.connection.executescript(_WITNESS)
        self.tx = SqliteTx(self.connection)

    @property
    def now(self) -> datetime:
        """The true time: the database's clock."""
        return START + timedelta(seconds=self.loop.time())

    @property
    def in_flight(self) -> bool:
        """Whether any run is not final."""
        statuses = "('queued', 'running', 'aborting')"
        found = self.connection.execute(f"SELECT 1 FROM ly2_job_runs WHERE status IN {statuses} LIMIT 1")
        return found.fetchone() is not None

    def close(self) -> None:
        self.connection.close()
        self.loop.close()

    def drive(self, operation: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """One operation in one transaction, at once."""
        self.sequence += 1
        self.connection.execute("BEGIN")
        try:
            result = _finish(operation(self.tx, *args, **kwargs))
            self.tx.settle()
        except BaseException:
            self.tx.forget()
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return result

    def look(self, operation: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """One operation that only reads."""
        return _finish(operation(self.tx, *args, **kwargs))


class Sleeper:
    """What may be stopped and woken: a replica's process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.stopped_until = 0.0

    async def awake(self) -> None:
        while self._loop.time() < self.stopped_until:
            await asyncio.sleep(self.stopped_until - self._loop.time())


class BadDatabase:
    """The world's database as one replica reaches it: late, away, or gone after it has committed."""

    def __init__(self, world: World, sleeper: Sleeper) -> None:
        self.world = world
        self.sleeper = sleeper
        self.dialect = world.dialect
        self.loses_answers = True

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._call(operation, args, kwargs, writes=True)

    def begin_write(self, operation: Any, *args: Any, **kwargs: Any) -> "asyncio.Future[Any]":
        return asyncio.ensure_future(self._call(operation, args, kwargs, writes=True))

    async def read(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._call(operation, args, kwargs, writes=False)

    async def leave_loop(self) -> None:
        """Nothing belongs to a loop."""

    async def close(self) -> None:
        """The world closes it."""

    async def _call(self, operation: Any, args: Any, kwargs: Any, *, writes: bool) -> Any:
        world, dice = self.world, self.world.dice
        await self.sleeper.awake()
        await self._way()
        if world.loop.time() < world.away_until or dice.random() < world.trouble / 2:
            raise Unavailable("the database is away")
        result = (world.drive if writes else world.look)(operation, *args, **kwargs)
        if dice.random() < world.trouble / 2:
            raise Unavailable("the connection broke after the commit")
        await self._way()
        return result

    async def _way(self) -> None:
        """The way there or back, which may be long, and on which the replica may fall asleep."""
        late = self.world.dice.random() < self.world.trouble
        await asyncio.sleep(self.world.dice.uniform(0, 4) if late else 0)
        await self.sleeper.awake()


def _finish(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("an operation awaited something other than its transaction")


@cache
def _empty_database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in migrations("sqlite"):
        connection.executescript(migration.sql)
    return connection


# Written by the database itself, so that no code under test can forget to: every row and every move of one.
_WITNESS = """
CREATE TABLE witness (id INTEGER, job TEXT, before TEXT, after TEXT, sequence INTEGER, at REAL);
CREATE TRIGGER witness_insert AFTER INSERT ON ly2_job_runs BEGIN
  INSERT INTO witness VALUES (NEW.id, NEW.job, NULL, NEW.status, sim_sequence(), sim_seconds());
END;
CREATE TRIGGER witness_update AFTER UPDATE OF status ON ly2_job_runs BEGIN
  INSERT INTO witness VALUES (NEW.id, NEW.job, OLD.status, NEW.status, sim_sequence(), sim_seconds());
END;
"""
