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


class PostgresDatabase:
    """A PostgreSQL database; `dsn` in libpq form (`postgresql://…`)."""

    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pools: dict[asyncio.AbstractEventLoop, asyncpg.Pool[asyncpg.Record]] = {}
        self._opening: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}

    async def write[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._connection() as connection, connection.transaction():
            return await operation(PostgresTx(connection), *args, **kwargs)

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
            asyncpg.CrashShutdownError,
            asyncpg.ReadOnlySQLTransactionError,
            asyncpg.DiskFullError,
            asyncpg.QueryCanceledError,
        ) as error:
            raise Unavailable(
                f"the PostgreSQL database cannot be used now: {type(error).__name__}: {error}",
                details={"reason": type(error).__name__},
            ) from error

    async def _pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is not None:
            return pool
        async with self._opening.setdefault(loop, asyncio.Lock()):
            if loop not in self._pools:
                import asyncpg

                self._pools[loop] = await asyncpg.create_pool(
                    self._dsn,
                    min_size=1,
                    max_size=POOL_SIZE,
                    command_timeout=STATEMENT_SECONDS,
                    timeout=5.0,
                    max_cached_statement_lifetime=0,
                    server_settings={"application_name": "nomaflow"},
                )
        return self._pools[loop]

    async def close(self) -> None:
        here = asyncio.get_running_loop()
        for loop, pool in list(self._pools.items()):
            if loop is here:
                await pool.close()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(pool.close(), loop))
            else:
                pool.terminate()
        self._pools.clear()
