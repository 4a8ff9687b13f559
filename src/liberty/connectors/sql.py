"""SQL connectors: declared queries and raw SQL over a pool, one statement and one transaction per call."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from liberty.connectors.config import MAX_ROWS_LIMIT, QueryConfig, SqlConnectorConfig
from liberty.connectors.mysql_driver import NAMES, ended_when_left
from liberty.connectors.pools import PoolSet
from liberty.connectors.sql_call import Call, clause_of, stream_rows, with_typed_texts
from liberty.connectors.sql_result import SqlResult, SqlRow, unique_names
from liberty.connectors.sql_text import Statement, parse_statement
from liberty.connectors.values import complete, for_driver
from liberty.errors import Invalid, NotFound, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from liberty.connectors.http import HttpClients

_log = logging.getLogger("liberty.connectors")

STREAM_BATCH = 1_000
UNDONE = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
"""Statements that a rollback undoes in every database."""

type SqlParams = Mapping[str, Any]


class SqlConnector:
    """A database as jobs see it. Awaitable from any loop: each has connections of its own."""

    kind = "sql"
    config_model: ClassVar["type[BaseModel]"] = SqlConnectorConfig

    def __init__(self, name: str, config: SqlConnectorConfig, pools: PoolSet) -> None:
        self.name = name
        self.config = config
        self._pools = pools
        self._queries = {query.name: query for query in config.all_queries()}

    @classmethod
    def build(
        cls, name: str, values: Mapping[str, Any], pools: PoolSet, _http: "HttpClients"
    ) -> "SqlConnector":
        """Check a definition's values and make the connector. Raises pydantic's ValidationError."""
        return cls(name, SqlConnectorConfig.model_validate(values), pools)

    @property
    def pool(self) -> str:
        return self.config.pool

    @property
    def allowed_pools(self) -> tuple[str, ...]:
        return (self.config.pool, *self.config.pools)

    @property
    def engine(self) -> "AsyncEngine":
        """The SQLAlchemy engine of the connector's pool for the running loop."""
        return self._pools.engine(self.config.pool)

    def query_names(self) -> list[str]:
        return sorted(self._queries)

    def describe(self) -> dict[str, Any]:
        """Name, pools and queries; no secret."""
        return {
            "name": self.name,
            "type": "sql",
            "pool": self.pool,
            "pools": list(self.allowed_pools),
            "label": self.config.label,
            "description": self.config.description,
            "queries": [
                {
                    "name": query.name,
                    "kind": query.type,
                    "writable": query.writable,
                    "label": query.label,
                    "description": query.description,
                    "params": [param.model_dump(exclude_none=True) for param in query.params],
                }
                for query in self._queries.values()
            ],
        }

    def query_problems(self) -> Iterator[tuple[str, str]]:
        """Queries that would be refused when called, each with the reason."""
        for query in self._queries.values():
            texts = [query.sql] if isinstance(query.sql, str) else query.sql.values()
            for text in texts:
                try:
                    statement = parse_statement(text)
                except Invalid as error:
                    yield query.name, error.message
                    break
                if not query.writable and not statement.reads:
                    yield (
                        query.name,
                        f"is {statement.kind} and would change data; set writable = true if that is meant",
                    )
                    break

    # -- calling

    async def execute(
        self,
        sql: str,
        params: SqlParams | None = None,
        *,
        pool: str | None = None,
        max_rows: int | None = None,
        check: Callable[[SqlResult], None] | None = None,
    ) -> SqlResult:
        """Run a declared query by its name, or SQL text, in a transaction of its own.

        Args:
            sql: a query's name (`:write` may follow it), or one SQL statement with `:name` binds.
            params: values of the binds. A declared query's missing ones are their defaults, else NULL.
            pool: another of the connector's allowed pools.
            max_rows: rows to keep instead of the configured number.
            check: called with the result before it is committed; what it raises undoes the statement.

        Raises:
            NotFound: no such query. Invalid: a wrong parameter, pool, or a query that may not write.
            The database's own errors come through unchanged.
        """
        call = self.prepare(sql, params, pool, max_rows)
        started = time.perf_counter()
        if call.statement.reads:
            result = await self._read(call)
            if check is not None:
                check(result)
        else:
            result = await self._change(call, call.values, check)
        result.duration_ms = round((time.perf_counter() - started) * 1000, 3)
        _log.debug(
            "sql %s: %s on pool %s: %d rows in %.1f ms",
            self.name,
            call.label,
            call.pool,
            result.row_count,
            result.duration_ms,
        )
        if result.truncated and max_rows != 1:  # who asks for one row knows that there may be more
            _log.warning("sql %s: %s was cut at %d rows (max_rows)", self.name, call.label, call.max_rows)
        return result

    async def try_out(
        self,
        sql: str,
        params: SqlParams | None = None,
        *,
        pool: str | None = None,
        max_rows: int | None = None,
    ) -> SqlResult:
        """Run a statement and undo it: what it gives and how many rows it changes. A read may not write at all.

        Raises Invalid for a statement that cannot be undone; else the same as `execute`.
        """
        call = self.prepare(sql, params, pool, max_rows)
        kind = call.statement.kind
        if call.statement.outside_transaction or not (call.statement.reads or kind in UNDONE):
            raise Invalid(f"sql {self.name}: {call.label} is {kind}, which is not tried out")
        async with self._pools.engine(call.pool).connect() as connection:
            options: dict[str, Any] = {"sqlite_begin": "NONE" if call.statement.reads else "IMMEDIATE"}
            if call.statement.reads and connection.dialect.name == "postgresql":
                options["postgresql_readonly"] = True
            connection = await connection.execution_options(**options)
            if call.statement.reads:
                return await _counted(connection, call)
            try:
                return await _changed(connection, call, call.values)
            finally:
                await connection.rollback()

    async def execute_many(
        self, sql: str, rows: Sequence[SqlParams], *, pool: str | None = None
    ) -> SqlResult:
        """Run one statement once per mapping, all in one transaction."""
        if not rows:
            return SqlResult(rowcount=0)
        calls = [self.prepare(sql, row, pool, None) for row in rows]
        if calls[0].statement.reads:
            raise Invalid(f"sql {self.name}: {calls[0].label} only reads; execute_many is for changes")
        return await self._change(calls[0], [call.values for call in calls])

    async def rows(
        self, sql: str, params: SqlParams | None = None, *, pool: str | None = None
    ) -> list[SqlRow]:
        """The rows of a statement, at most `max_rows`."""
        return (await self.execute(sql, params, pool=pool)).rows

    async def run(self, name: str, /, **params: Any) -> list[SqlRow]:
        """`rows` with the parameters as keywords."""
        return await self.rows(name, params)

    async def first(
        self, sql: str, params: SqlParams | None = None, *, pool: str | None = None
    ) -> SqlRow | None:
        """The first row, or None; later rows are not read."""
        return (await self._limited(sql, params, pool)).first()

    async def scalar(self, sql: str, params: SqlParams | None = None, *, pool: str | None = None) -> Any:
        """The first column of the first row, or None."""
        return (await self._limited(sql, params, pool)).scalar()

    async def stream(
        self,
        sql: str,
        params: SqlParams | None = None,
        *,
        pool: str | None = None,
        batch_size: int = STREAM_BATCH,
    ) -> AsyncIterator[SqlRow]:
        """Every row, one by one, without a limit and without holding them all: `async for row in c.stream(sql)`."""
        call = self.prepare(sql, params, pool, None)
        if not call.statement.reads:
            raise Invalid(
                f"sql {self.name}: {call.label} is {call.statement.kind}; only a SELECT can be streamed"
            )
        async with self._connection(call) as connection:
            result = await stream_rows(connection, call, batch_size)
            columns = unique_names(result.keys())
            async for batch in result.partitions(batch_size):
                for row in batch:
                    yield dict(zip(columns, row, strict=True))

    # -- deciding

    def prepare(self, sql: str, params: SqlParams | None, pool: str | None, max_rows: int | None) -> Call:
        """The statement and its values as they will be sent. Raises Invalid when they do not fit each other."""
        if pool is not None and pool not in self.allowed_pools:
            raise Invalid(
                f"connector {self.name!r} may not use pool {pool!r}{did_you_mean(pool, self.allowed_pools)}; "
                f"it may use: {', '.join(self.allowed_pools)}"
            )
        pool = pool or self.pool
        dialect = self._pools.dialect(pool)
        query = self._declared(sql)
        text = self._text_of(query, dialect) if query is not None else sql
        label = f"query {query.name!r}" if query is not None else "SQL text"
        try:
            statement = parse_statement(self._pools.expand(text, pool))
        except Invalid as error:
            raise Invalid(f"sql {self.name}: {label}: {error.message}") from None
        given = params or {}
        if query is not None:
            if not query.writable and not statement.reads:
                raise Invalid(
                    f"sql {self.name}: {label} is {statement.kind} and would change data; "
                    f"set writable = true on it if that is meant"
                )
            values = complete(query.params, statement.binds, given, what=f"sql {self.name}: {label}")
            values = {name: values[name] for name in statement.binds}
        else:
            values = self._raw_values(statement, given)
        config = self._pools.config(pool)
        limits = (
            max_rows,
            query.max_rows if query is not None else None,
            self.config.max_rows,
            config.max_rows,
        )
        if config.debug_sql or _log.isEnabledFor(logging.DEBUG):
            _log.debug("sql %s: %s", self.name, statement.text)
        multiple = {param.name for param in query.params if param.multiple} if query is not None else set()
        return Call(
            pool=pool,
            dialect=dialect,
            statement=statement,
            clause=clause_of(statement, multiple & set(statement.binds)),
            values={
                name: value if name in multiple else for_driver(value, dialect)
                for name, value in values.items()
            },
            max_rows=min(next(limit for limit in limits if limit is not None), MAX_ROWS_LIMIT),
            read_only=query is not None and not query.writable and query.type != "sequence",
            label=label,
        )

    def _declared(self, sql: str) -> QueryConfig | None:
        name = sql.strip()
        found = self._queries.get(name) or self._queries.get(name.removesuffix(":write"))
        if found is not None:
            return found
        if any(character.isspace() for character in name):
            return None
        known = ", ".join(self.query_names()) or "none"
        raise NotFound(
            f"connector {self.name!r} has no query {name!r}{did_you_mean(name, self._queries)}; its queries: {known}"
        )

    @staticmethod
    def _text_of(query: QueryConfig, dialect: str) -> str:
        if isinstance(query.sql, str):
            return query.sql
        return query.sql.get(dialect) or query.sql["default"]

    def _raw_values(self, statement: Statement, given: SqlParams) -> dict[str, Any]:
        for name in statement.binds:
            if name not in given:
                raise Invalid(
                    f"sql {self.name}: the SQL text binds :{name}, but no parameter {name!r} was given"
                    f"{did_you_mean(name, given)}"
                )
        for name in given:
            if name not in statement.binds:
                raise Invalid(
                    f"sql {self.name}: parameter {name!r} is not used by the SQL text"
                    f"{did_you_mean(name, statement.binds)}; it binds: {', '.join(statement.binds) or 'none'}"
                )
        return {name: given[name] for name in statement.binds}

    # -- running

    @asynccontextmanager
    async def _connection(self, call: Call) -> AsyncIterator["AsyncConnection"]:
        """A connection in a transaction that commits at the end; a declared read may not write at all."""
        async with self._pools.engine(call.pool).connect() as connection:
            options: dict[str, Any] = {"sqlite_begin": "NONE"}
            if call.statement.outside_transaction:
                options["isolation_level"] = "AUTOCOMMIT"
            elif call.read_only and connection.dialect.name == "postgresql":
                options["postgresql_readonly"] = True
            connection = await connection.execution_options(**options)
            leaving = ended_when_left(connection) if connection.dialect.name in NAMES else nullcontext()
            async with leaving:
                yield connection
                if not connection.invalidated:
                    await connection.commit()

    async def _limited(self, sql: str, params: SqlParams | None, pool: str | None) -> SqlResult:
        call = self.prepare(sql, params, pool, 1)
        return await (self._read(call) if call.statement.reads else self._change(call, call.values))

    async def _read(self, call: Call) -> SqlResult:
        async with self._connection(call) as connection:
            size = min(call.max_rows + 1, STREAM_BATCH)
            result = await stream_rows(connection, call, size)
            columns = unique_names(result.keys())
            rows: list[SqlRow] = []
            while len(rows) <= call.max_rows:
                batch = await result.fetchmany(size)
                rows += [dict(zip(columns, row, strict=True)) for row in batch]
                if len(batch) < size:
                    break
            if len(rows) > call.max_rows and connection.dialect.name in NAMES:
                # Closing the result would read all that is left of it.
                await connection.invalidate()
            else:
                await result.close()
        truncated = len(rows) > call.max_rows
        del rows[call.max_rows :]
        return SqlResult(rows, columns, len(rows), truncated, statement_type=call.statement.kind)

    async def _change(
        self,
        call: Call,
        values: dict[str, Any] | list[dict[str, Any]],
        check: Callable[[SqlResult], None] | None = None,
    ) -> SqlResult:
        async with self._connection(call) as connection:
            found = await _changed(connection, call, values)
            if check is not None:
                check(found)
        return found


async def _changed(
    connection: "AsyncConnection", call: Call, values: dict[str, Any] | list[dict[str, Any]]
) -> SqlResult:
    result = await with_typed_texts(connection, call, values)
    found = SqlResult(rowcount=result.rowcount, statement_type=call.statement.kind)
    if result.returns_rows:
        found.columns = unique_names(result.keys())
        rows = result.fetchmany(call.max_rows + 1)
        found.truncated = len(rows) > call.max_rows
        found.rows = [dict(zip(found.columns, row, strict=True)) for row in rows[: call.max_rows]]
        if found.rowcount < 0:
            found.rowcount = len(found.rows)
        result.close()
    return found


async def _counted(connection: "AsyncConnection", call: Call) -> SqlResult:
    """The first rows of a read; `rowcount` counts them all, read by the batch and forgotten."""
    result = await stream_rows(connection, call, STREAM_BATCH)
    found = SqlResult(columns=unique_names(result.keys()), rowcount=0, statement_type=call.statement.kind)
    async for batch in result.partitions(STREAM_BATCH):
        missing = call.max_rows - len(found.rows)
        found.rows += [dict(zip(found.columns, row, strict=True)) for row in batch[:missing]]
        found.rowcount += len(batch)
    found.truncated = found.rowcount > len(found.rows)
    return found
