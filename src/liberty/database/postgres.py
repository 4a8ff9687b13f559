"""PostgreSQL through asyncpg: a small pool per event loop, apart from the pools users' jobs draw on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.sql import Executable

from liberty.database.base import Operation, Params, Row
from liberty.database.postgres_trouble import (
    concerns_everyone,
    cut,
    driver_errors,
    put_back,
    suspect,
    translated,
)
from liberty.database.statements import prepare
from liberty.errors import OutcomeUnknown, StorageFull, Unavailable

if TYPE_CHECKING:
    import asyncpg

    type Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

POOL_SIZE = 6  # connections per event loop
STATEMENT_SECONDS = 5.0
"""How long the server works on a statement. The driver waits a second longer, so that a living server answers first."""
SCRIPT_SECONDS = 3600.0
WRITERS = 2  # transactions a loop writes at once, so that a long one holds up only half
MAX_GROUP = 64  # operations per transaction
_NO_PARAMS: Mapping[str, Any] = {}


class PostgresTx:
    """Statements on one connection, inside its transaction."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    async def all(self, statement: Executable, params: Params = _NO_PARAMS) -> list[Row]:
        prepared = prepare(statement, "postgresql")
        return [tuple(row) for row in await self._connection.fetch(prepared.sql, *prepared.bind(params))]

    async def first(self, statement: Executable, params: Params = _NO_PARAMS) -> Row | None:
        rows = await self.all(statement, params)
        return rows[0] if rows else None

    async def scalar(self, statement: Executable, params: Params = _NO_PARAMS) -> Any:
        rows = await self.all(statement, params)
        return rows[0][0] if rows else None

    async def run(self, statement: Executable, params: Params = _NO_PARAMS) -> int:
        prepared = prepare(statement, "postgresql")
        tag = await self._connection.execute(prepared.sql, *prepared.bind(params))
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, statement: Executable, rows: Sequence[Params]) -> None:
        prepared = prepare(statement, "postgresql")
        await self._connection.executemany(prepared.sql, [prepared.bind(row) for row in rows])

    async def add(self, insert: Executable, rows: Sequence[Params]) -> None:
        if len(rows) == 1:
            await self.run(insert, rows[0])
        else:
            await self.many(insert, rows)

    async def script(self, sql: str) -> None:
        await self._connection.execute(sql, timeout=SCRIPT_SECONDS)


class _Write:
    """An operation waiting for a transaction, and the future of whoever waits for it."""

    __slots__ = ("args", "future", "kwargs", "operation", "result")

    def __init__(
        self,
        operation: Operation[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        future: asyncio.Future[Any],
    ) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.future = future
        self.result: Any = None

    async def drive(self, connection: "Connection") -> None:
        self.result = await self.operation(PostgresTx(connection), *self.args, **self.kwargs)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def succeed(self) -> None:
        if not self.future.done():
            self.future.set_result(self.result)


def _row_written(write: _Write) -> int:
    """The number of the run that an operation is about, which it names first; 0 for those about no one run.

    Transactions that write several rows write them in this order, whoever sends them: none then waits for a row that
    is held by one that waits for it.
    """
    first = write.args[0] if write.args else 0
    number = first if isinstance(first, int) else getattr(first, "number", 0)
    return number if isinstance(number, int) else 0


class _Lane:
    """What one event loop uses: its pool, and the writes that wait for a shared transaction."""

    def __init__(self) -> None:
        self.pool: asyncpg.Pool[asyncpg.Record] | None = None
        self.opening = asyncio.Lock()
        self.pending: list[_Write] = []
        self.writers: set[asyncio.Task[None]] = set()

    def abandon(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        if self.pool is pool:
            self.pool = None
        pool.terminate()


class PostgresDatabase:
    """A PostgreSQL database; `dsn` in libpq form (`postgresql://…`).

    Writes that wait at the same time share a transaction and so a commit. When one of them fails, all run again
    alone, so that only the culprit fails. A write that has begun is finished even when its caller is cancelled.
    """

    dialect: Literal["sqlite", "postgresql"] = "postgresql"
    loses_answers = True

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._full: StorageFull | None = None
        self._lanes: dict[asyncio.AbstractEventLoop, _Lane] = {}

    async def write[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.begin_write(operation, *args, **kwargs)

    def begin_write[**P, T](
        self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        lane = self._lane(loop)
        write = _Write(operation, args, kwargs, loop.create_future())
        lane.pending.append(write)
        if len(lane.writers) < WRITERS:
            task = loop.create_task(self._write_pending(lane), name="postgres writer")
            lane.writers.add(task)
            task.add_done_callback(lane.writers.discard)
        return write.future

    async def _write_pending(self, lane: _Lane) -> None:
        while lane.pending:
            group, lane.pending = lane.pending[:MAX_GROUP], lane.pending[MAX_GROUP:]
            group.sort(key=_row_written)
            if not await self._write_together(group):
                for write in group:
                    await self._write_together([write])

    async def _write_together(self, group: list[_Write]) -> bool:
        """One transaction. False, and nothing stored or said, when each should be tried alone."""
        try:
            async with self._connection() as connection:
                await _in_transaction(connection, group)
        except asyncio.CancelledError:
            for write in group:
                write.future.cancel()
            raise
        except BaseException as error:  # noqa: BLE001 - not swallowed: raised again where the write is awaited
            if isinstance(error, StorageFull):
                self._full = error
            if len(group) > 1 and not concerns_everyone(error):
                return False
            for write in group:
                write.fail(error if len(group) == 1 else _again(error))
            return True
        self._full = None
        for write in group:
            write.succeed()
        return True

    async def read[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._connection() as connection:
            return await operation(PostgresTx(connection), *args, **kwargs)

    async def check(self) -> None:
        if self._full is not None:
            raise _again(self._full)
        async with self._connection() as connection:
            setting = await connection.fetchval("SELECT current_setting('transaction_read_only')")
        if setting == "on":
            raise Unavailable("the PostgreSQL database takes no writes: it is read-only")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["Connection"]:
        lane = self._lane(asyncio.get_running_loop())
        try:
            pool = await self._pool(lane)
            async with pool.acquire(timeout=STATEMENT_SECONDS) as connection:
                try:
                    yield connection
                except BaseException as error:
                    if suspect(error):
                        # The pool would wait for the server to confirm that the statement is cancelled; a server
                        # that hangs never does.
                        cut(connection)
                    if isinstance(error, TimeoutError):
                        lane.abandon(pool)  # its other connections hang as well
                    raise
                finally:
                    if lane.pool is not pool:
                        cut(connection)
        except driver_errors() as error:
            if (ours := translated(error)) is None:
                raise
            raise ours from error

    def _lane(self, loop: asyncio.AbstractEventLoop) -> _Lane:
        lane = self._lanes.get(loop)
        if lane is None:
            lane = self._lanes[loop] = _Lane()
        return lane

    async def _pool(self, lane: _Lane) -> "asyncpg.Pool[asyncpg.Record]":
        if lane.pool is not None:
            return lane.pool
        async with lane.opening:
            if lane.pool is None:
                import asyncpg

                # No connection is opened here: while the server is away, callers would queue for the attempt.
                lane.pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=POOL_SIZE,
                    command_timeout=STATEMENT_SECONDS + 1,
                    timeout=STATEMENT_SECONDS,
                    max_cached_statement_lifetime=0,
                    # A name in the URL counts; it tells installations on one server apart.
                    server_settings={}
                    if "application_name=" in self._dsn
                    else {"application_name": "nomaflow"},
                    init=_limit_statements,
                    reset=put_back,
                )
        return lane.pool

    async def leave_loop(self) -> None:
        lane = self._lanes.pop(asyncio.get_running_loop(), None)
        if lane is None:
            return
        if lane.writers:
            await asyncio.wait(lane.writers)
        if lane.pool is not None:
            await lane.pool.close()

    async def close(self) -> None:
        """Close the pools of loops that still run; those of ended loops went with them."""
        here = asyncio.get_running_loop()
        for loop in list(self._lanes):
            if loop is here:
                await self.leave_loop()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.leave_loop(), loop))
        self._lanes.clear()


async def _limit_statements(connection: "Connection") -> None:
    """By statement, not when connecting: poolers between us and the server refuse to pass on such settings."""
    limit = round(STATEMENT_SECONDS * 1000)
    await connection.execute(
        f"SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {2 * limit}"
    )


async def _in_transaction(connection: "Connection", group: list[_Write]) -> None:
    await connection.execute("BEGIN")
    try:
        for write in group:
            await write.drive(connection)
    except BaseException as error:
        if not suspect(error):
            await connection.execute("ROLLBACK")
        raise
    try:
        done = await connection.execute("COMMIT")
    except driver_errors() as error:
        cut(connection)
        ours = translated(error)
        if ours is None or not suspect(error):
            raise
        raise OutcomeUnknown(
            f"{ours.message}; it is not known whether the last change was stored", details=ours.details
        ) from error
    if done != "COMMIT":
        raise RuntimeError(
            f"the transaction ended with {done}: an operation went on after a statement failed"
        )


def _again(error: BaseException) -> BaseException:
    """An error of its own for each who waits, so that their tracebacks do not pile up in one."""
    if isinstance(error, Unavailable):
        fresh = type(error)(error.message, details=error.details)
        fresh.__cause__ = error.__cause__
        return fresh
    return error
