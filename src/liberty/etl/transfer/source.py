"""The side a copy reads from: its columns, and its rows in batches, never all at once."""

import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from liberty.connectors import mysql_driver
from liberty.connectors.sql_call import stream_rows
from liberty.errors import Invalid
from liberty.etl.transfer import (
    mysql_catalog,
    mysql_session,
    mysql_source,
    postgresql_catalog,
    sqlite_catalog,
)
from liberty.etl.transfer.anywhere_catalog import find_table as find_anywhere
from liberty.etl.transfer.columns import Column, Table, column_list, find, qualified, quoted
from liberty.etl.transfer.file_end import FileEnd
from liberty.etl.transfer.file_source import reading_file
from liberty.etl.transfer.postgresql_codecs import keep_values_exact
from liberty.etl.transfer.request import CopyFailed, End, log

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from liberty.connectors.sql_call import Call
    from liberty.etl.transfer.crossing import Crossing

type Rows = Sequence[Sequence[Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class Watermark:
    """Only rows whose `column` lies between these two are wanted, both included; None for `since` takes NULLs too."""

    column: str
    since: Any
    until: Any


@dataclasses.dataclass(slots=True)
class Reading:
    """An open source. `columns` of a SQLite query know no kind (`other`): its values have to tell."""

    columns: list[Column]
    batches: AsyncIterator[Rows]


async def table_of(connection: "AsyncConnection", end: End) -> Table | None:
    """The table of a place on that connection; None when there is none."""
    schema, name = end.table_name()
    match end.backend:
        case "postgresql":
            return await postgresql_catalog.find_table(connection, schema, name)
        case "sqlite":
            return await sqlite_catalog.find_table(connection, schema, name)
        case "mysql":
            return await mysql_catalog.find_table(connection, schema, name)
        case _:
            return await find_anywhere(connection, schema, name)


@asynccontextmanager
async def connection_of(end: End) -> AsyncIterator["AsyncConnection"]:
    """A connection for one copy alone. One with settings of its own is closed afterwards."""
    async with end.engine.connect() as connection:
        if end.backend == "mysql":
            async with mysql_driver.ended_when_left(connection, errors_too=True):
                await mysql_session.settle(connection)
                yield connection
            # Given back to the pool, a result that is not read to its end would be.
            await connection.invalidate()
            return
        if end.backend == "sqlite":
            connection = await connection.execution_options(sqlite_begin="NONE")
        if connection.dialect.driver != "asyncpg":
            yield connection
            return
        try:
            await keep_values_exact((await connection.get_raw_connection()).driver_connection)
            yield connection
        finally:
            await connection.invalidate()


@asynccontextmanager
async def reading(crossing: "Crossing") -> AsyncIterator[Reading]:
    """Open the source. Raises CopyFailed when its table does not exist, Invalid for a query that is none."""
    if isinstance(crossing.source_side, FileEnd):
        async with reading_file(crossing.source_side, crossing.request, crossing.target.table) as file:
            crossing.meter.total = file.total
            yield Reading(file.columns, file.batches)
        return
    end, batch_size = crossing.source, crossing.request.batch_size
    call = source_call(crossing)
    result = await stream_rows(crossing.source_connection, call, batch_size)
    if crossing.source_table is not None:
        columns = list(crossing.source_table.columns)
    else:
        columns = await _result_columns(crossing.source_connection, end, result)
    batches = result.partitions(batch_size)
    if end.backend == "mysql":
        batches = mysql_source.as_known_elsewhere(batches, _description(result))
    yield Reading(columns, batches)
    await result.close()


async def highest(
    connection: "AsyncConnection", end: End, table: Table, column: Column, where: str | None
) -> Any:
    """The greatest value of a column among the rows that are wanted; None when there is none."""
    quote = _quoting(end)
    origin = f"{quote(table.schema)}.{quote(table.name)}" if table.schema else quote(table.name)
    text = f"SELECT max({quote(column.name)}) FROM {origin}"  # noqa: S608 - quoted, and the author's condition
    call = end.connector.prepare(
        f"{text} WHERE ({where})" if where else text, dict(end.place.params), end.place.pool, None
    )
    result = await stream_rows(connection, call, 1)
    value = (await result.first())[0]
    return mysql_source.in_utc(value) if column.kind == "timestamptz" else value


def source_call(
    crossing: "Crossing", only: Sequence[str] | None = None, *, own_types: bool = False
) -> "Call":
    """The statement that reads the source. Raises CopyFailed for a missing table, Invalid for one that writes.

    Args:
        only: names of the source table's columns to read; default: all.
        own_types: PostgreSQL sends all values in their own types, also those its driver has no exact form for.
    """
    end = crossing.source
    sql, params = end.place.query or "", dict(end.place.params)
    if end.place.table is not None:
        table = crossing.source_table
        if table is None:
            schema, name = end.table_name()
            raise CopyFailed(
                f"source table {f'{schema}.{name}' if schema else name!r} does not exist on pool {end.pool!r}"
            )
        columns = [column for column in table.columns if only is None or column.name in only]
        sql, params = _select(crossing, table, columns, own_types=own_types)
    # The connector's own preparation: declared queries, defaults, `#SCHEMA.X#` and one statement only.
    call = end.connector.prepare(sql, params, end.place.pool, None)
    if not call.statement.reads:
        raise Invalid(
            f"the source query of connector {end.connector.name!r} is {call.statement.kind}; it must only read"
        )
    log.debug("nomaflow.sql_copy source sql %s", call.statement.text)
    return call


def _select(
    crossing: "Crossing", table: Table, columns: Sequence[Column], *, own_types: bool
) -> tuple[str, dict[str, Any]]:
    end, where, watermark = crossing.source, crossing.request.where, crossing.watermark
    quote = _quoting(end)
    if end.backend == "postgresql":
        # Types the driver has no exact form for travel as text, which PostgreSQL reads back without loss.
        listed = ", ".join(
            f"{quoted(column.name)}::text"
            if column.kind == "other" and not own_types
            else quoted(column.name)
            for column in columns
        )
        origin = qualified(table.schema, table.name)
    elif end.backend == "sqlite":
        listed, origin = (
            column_list(column.name for column in columns),
            qualified(table.schema, table.name),
        )
    else:
        mysql = end.backend == "mysql"
        listed = ", ".join(
            mysql_source.selected(column, quote(column.name)) if mysql else quote(column.name)
            for column in columns
        )
        origin = f"{quote(table.schema)}.{quote(table.name)}" if table.schema else quote(table.name)
    conditions = [f"({where})"] if where else []
    params: dict[str, Any] = dict(end.place.params)
    if watermark is not None:
        column = find(watermark.column, table.columns, what=f"source table {str(table)!r}")
        name = quote(column.name)
        within = [f"{name} >= :nomaflow_since"] if watermark.since is not None else []
        within += [f"{name} <= :nomaflow_until"] if watermark.until is not None else []
        bounds = " AND ".join(within)
        if bounds:
            conditions.append(bounds if watermark.since is not None else f"({bounds} OR {name} IS NULL)")
        given = {"nomaflow_since": watermark.since, "nomaflow_until": watermark.until}
        params |= {name: value for name, value in given.items() if value is not None}
    text = f"SELECT {listed} FROM {origin}"  # noqa: S608 - quoted names, and a condition the job's author wrote
    return (f"{text} WHERE {' AND '.join(conditions)}" if conditions else text), params


def _quoting(end: End) -> Callable[[str], str]:
    """How names are quoted for `text()`, which itself doubles each `%` where the driver wants that."""
    if end.backend == "mysql":
        return mysql_source.quoted_there
    return end.engine.dialect.identifier_preparer.quote_identifier


async def _result_columns(connection: "AsyncConnection", end: End, result: Any) -> list[Column]:
    columns = plain_columns(list(result.keys()))
    if end.backend == "postgresql":
        oids = [int(entry[1]) for entry in _description(result)]
        return await postgresql_catalog.columns_of_result(
            connection, [column.name for column in columns], oids
        )
    return columns


def plain_columns(names: Sequence[str]) -> list[Column]:
    """Columns of a query of which only the names are known. Raises CopyFailed when two have the same."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise CopyFailed(
            f"the source query gives column {repeated[0]!r} more than once; name them apart with AS"
        )
    return [Column(name=name, kind="other") for name in names]


def _description(result: Any) -> Any:
    return result._real_result.cursor.description  # noqa: SLF001 - an AsyncResult shows no cursor description
