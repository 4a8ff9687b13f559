"""Looking at a database through its pool: whether it answers, what tables it has, what columns those have."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liberty.connectors.pools import PoolSet
from liberty.errors import Invalid, LibertyError, NotFound, Unavailable
from liberty.secrets import redactor

if TYPE_CHECKING:
    from sqlalchemy import Connection

TEST_SECONDS = 5.0
BROWSE_SECONDS = 10.0
MAX_TABLES = 2_000


@dataclass(frozen=True, slots=True)
class PoolAnswer:
    """Whether a pool gave a connection that works, how soon, and why not."""

    ok: bool
    milliseconds: float
    dialect: str | None
    server: str | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class TableName:
    """A table or view."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tables:
    """What a schema holds; `truncated` when there is more."""

    schema: str | None
    schemas: list[str]
    tables: list[TableName]
    truncated: bool


@dataclass(frozen=True, slots=True)
class ColumnFact:
    """A column as the database describes it."""

    name: str
    type: str
    nullable: bool
    key: bool


async def test_pool(pools: PoolSet, name: str) -> PoolAnswer:
    """Get a connection and ask it something. Never raises for what the database does wrong; NotFound for no pool."""
    if name not in pools:
        pools.resolve(name)
    began = time.perf_counter()
    asking = asyncio.ensure_future(_ask(pools, name))
    done, _ = await asyncio.wait({asking}, timeout=TEST_SECONDS)
    took = round((time.perf_counter() - began) * 1000, 3)
    if not done:
        asking.cancel()
        return PoolAnswer(False, took, None, None, f"no answer within {TEST_SECONDS:g} s")
    error = asking.exception()
    if error is not None:
        return PoolAnswer(False, took, None, None, _said(error))
    dialect, server = asking.result()
    return PoolAnswer(True, took, dialect, server, None)


async def _ask(pools: PoolSet, name: str) -> tuple[str, str | None]:
    from sqlalchemy import literal, select

    async with pools.engine(name).connect() as connection:
        await connection.execute(select(literal(1)))
        version: tuple[Any, ...] = connection.dialect.server_version_info or ()
        return connection.dialect.name, ".".join(map(str, version)) or None


async def tables(pools: PoolSet, pool: str, *, schema: str | None, like: str | None) -> Tables:
    """Tables and views of a schema, by name, at most 2,000. `like`: only those with this in their name."""
    wanted = (like or "").lower()

    def look(connection: "Connection") -> Tables:
        from sqlalchemy import inspect

        inspector = inspect(connection)
        named = [TableName(name, "table") for name in inspector.get_table_names(schema=schema)]
        named += [TableName(name, "view") for name in inspector.get_view_names(schema=schema)]
        fitting = sorted(
            (table for table in named if wanted in table.name.lower()), key=lambda table: table.name.lower()
        )
        return Tables(
            schema or inspector.default_schema_name,
            sorted(inspector.get_schema_names())[:MAX_TABLES],
            fitting[:MAX_TABLES],
            len(fitting) > MAX_TABLES,
        )

    return await _within(_looked(pools, pool, look), pool)


async def columns(pools: PoolSet, pool: str, table: str, *, schema: str | None) -> list[ColumnFact]:
    """The columns of a table or view, in order. Raises NotFound."""

    def look(connection: "Connection") -> list[ColumnFact] | None:
        from sqlalchemy import inspect

        inspector = inspect(connection)
        if not inspector.has_table(table, schema=schema):
            return None
        key = inspector.get_pk_constraint(table, schema=schema).get("constrained_columns") or []
        return [
            ColumnFact(
                str(found["name"]),
                str(found["type"]),
                bool(found.get("nullable", True)),
                found["name"] in key,
            )
            for found in inspector.get_columns(table, schema=schema)
        ]

    found = await _within(_looked(pools, pool, look), pool)
    if found is None:
        raise NotFound(f"pool {pool!r} has no table {table!r}{f' in schema {schema!r}' if schema else ''}")
    return found


async def _looked[T](pools: PoolSet, pool: str, look: "Callable[[Connection], T]") -> T:
    async with pools.engine(pool).connect() as connection:
        return await connection.run_sync(look)


async def _within[T](looking: Coroutine[Any, Any, T], pool: str) -> T:
    """What it gives. Raises Invalid with what the database says, Unavailable when it takes too long."""
    return await answered(looking, f"pool {pool!r}", BROWSE_SECONDS)


async def answered[T](asking: Coroutine[Any, Any, T], what: str, seconds: float) -> T:
    """The result. Raises our own errors as they are, anything a driver raises as Invalid, redacted."""
    task = asyncio.ensure_future(asking)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise Unavailable(f"{what} gave no answer within {seconds:g} s")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, LibertyError):
        raise error
    raise Invalid(f"{what}: {_said(error)}") from None


def _said(error: BaseException) -> str:
    """The first line of what a driver says, without secrets; its own text can hold the statement and more."""
    origin = getattr(error, "orig", None) or error
    line = str(origin).strip().partition("\n")[0] or type(origin).__name__
    return redactor.redact(f"{type(origin).__name__}: {line}")[:500]
