"""PostgreSQL through asyncpg: a small pool per event loop, apart from the pools users' jobs draw on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.sql import Executable

from liberty.database.base import Duplicate, Operation, Params, Row
from liberty.database.statements import prepare
from liberty.errors import Unavailable

if TYPE_CHECKING:
    import asyncpg

    type Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

POOL_SIZE = 6  # connections per event loop
STATEMENT_SECONDS = 15.0
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

    async def script(self, sql: str) -> None:
        await self._connection.execute(sql)


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


class _Lane:
    """What one event loop uses: its pool, and the writes that wait for a shared transaction."""

    def __init__(self) -> None:
        self.pool: asyncpg.Pool[asyncpg.Record] | None = None
        self.opening = asyncio.Lock()
        self.pending: list[_Write] = []
        self.writers: set[asyncio.Task[None]] = set()


class PostgresDatabase:
    """A PostgreSQL database; `dsn` in libpq form (`postgresql://…`).

    Writes that wait at the same time share a transaction and so a commit. When one of them fails, all run again
    alone, so that only the culprit fails. A write that has begun is finished even when its caller is cancelled.
    """

    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
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
            try:
                async with self._connection() as connection, connection.transaction():
                    for write in group:
                        await write.drive(connection)
            except asyncio.CancelledError:
                for write in group:
                    write.future.cancel()
                raise
            except BaseException as error:  # noqa: BLE001 - not swallowed: raised again where the write is awaited
                if len(group) == 1:
                    group[0].fail(error)
                else:
                    for write in group:
                        await self._write_alone(write)
                continue
            for write in group:
                write.succeed()

    async def _write_alone(self, write: _Write) -> None:
        try:
            async with self._connection() as connection, connection.transaction():
                await write.drive(connection)
        except asyncio.CancelledError:
            write.future.cancel()
            raise
        except BaseException as error:  # noqa: BLE001 - not swallowed: raised again where the write is awaited
            write.fail(error)
        else:
            write.succeed()

    async def read[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._connection() as connection:
            return await operation(PostgresTx(connection), *args, **kwargs)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["Connection"]:
        import asyncpg

        try:
            pool = await self._pool()
            async with pool.acquire(timeout=STATEMENT_SECONDS) as connection:
                yield connection
        except asyncpg.UniqueViolationError as error:
            raise Duplicate(str(error)) from error
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.CannotConnectNowError,
            asyncpg.TooManyConnectionsError,
            asyncpg.AdminShutdownError,
            asyncpg.DeadlockDetectedError,
            asyncpg.CrashShutdownError,
            asyncpg.ReadOnlySQLTransactionError,
            asyncpg.DiskFullError,
            asyncpg.QueryCanceledError,
        ) as error:
            raise Unavailable(
                f"the PostgreSQL database cannot be used now: {type(error).__name__}: {error}",
                details={"reason": type(error).__name__},
            ) from error

    def _lane(self, loop: asyncio.AbstractEventLoop) -> _Lane:
        lane = self._lanes.get(loop)
        if lane is None:
            lane = self._lanes[loop] = _Lane()
        return lane

    async def _pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        lane = self._lane(asyncio.get_running_loop())
        if lane.pool is not None:
            return lane.pool
        async with lane.opening:
            if lane.pool is None:
                import asyncpg

                lane.pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=1,
                    max_size=POOL_SIZE,
                    command_timeout=STATEMENT_SECONDS,
                    timeout=5.0,
                    max_cached_statement_lifetime=0,
                    server_settings={"application_name": "nomaflow"},
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
