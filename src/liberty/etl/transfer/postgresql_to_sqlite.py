"""From PostgreSQL to SQLite: the driver's own cursor reads while SQLite's thread stores the rows before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.crossing import Crossing, Meeting
from liberty.etl.transfer.postgresql_catalog import columns_of_result
from liberty.etl.transfer.postgresql_source import Query, prepared
from liberty.etl.transfer.request import log
from liberty.etl.transfer.shaping import names_of
from liberty.etl.transfer.source import source_call
from liberty.etl.transfer.sqlite_target import SqliteTarget
from liberty.etl.transfer.sqlite_values import Taking

if TYPE_CHECKING:
    from liberty.etl.transfer.paths import Fill

ROWS_AT_ONCE = 2_000
"""Rows read, and stored, in one go; in between an abort is noticed."""

WAITING_PARTS = 2
"""Of so many rows each; when so many wait for SQLite, the source is not read."""


class PostgresqlToSqlite:
    """Used when nobody wants values changed; what does not fit is refused as on the general path."""

    name = "cursor to thread"
    source, target = "postgresql", "sqlite"

    async def fits(self, crossing: Crossing) -> "Fill | str":
        connection, target = crossing.source_connection, crossing.target
        if reason := crossing.changes():
            return reason
        if connection.dialect.driver != "asyncpg" or not isinstance(target, SqliteTarget):
            return "a driver other than asyncpg is used"
        query = await prepared(connection, source_call(crossing))
        if isinstance(query, str):
            return query
        names = [attribute.name for attribute in query.attributes]
        if crossing.source_table is not None:
            columns: Sequence[Column] = crossing.source_table.columns
        else:
            if len(set(names)) < len(names):
                return "two of its columns have the same name"
            oids = [attribute.type.oid for attribute in query.attributes]
            columns = await columns_of_result(connection, names, oids)
            if unknown := [column for column in columns if column.kind == "other"]:
                return f"column {unknown[0].name!r} of the query is {unknown[0].sql_type}"
        arriving = names_of(crossing.request, columns)
        meeting = crossing.meet(arriving, dict(zip(arriving, columns, strict=True)), [])
        return partial(_fill, target=target, meeting=meeting, query=query, columns=columns)


async def _fill(
    crossing: Crossing, *, target: SqliteTarget, meeting: Meeting, query: Query, columns: Sequence[Column]
) -> int:
    crossing.announce(meeting)
    await target.begin(meeting.columns, meeting.create)
    takings = [
        Taking(columns[index], column, target.fitting(column, columns[index]))
        for index, column in zip(meeting.taken, meeting.columns, strict=True)
    ]
    aliases = ", ".join(f"c{index}" for index in range(len(columns)))
    listed = ", ".join(
        taking.expression(f"c{index}") for index, taking in zip(meeting.taken, takings, strict=True)
    )
    sql = f"SELECT {listed} FROM ({query.sql}) AS source({aliases})"  # noqa: S608 - around the author's query
    log.debug("nomaflow.sql_copy source sql %s", sql)
    outcome, size = crossing.outcome, crossing.request.batch_size
    async with _reading(crossing, sql, query.args) as parts:
        async for rows in parts:
            numbers = range(outcome.rows_read + 1, outcome.rows_read + len(rows) + 1)
            await target.load_made(partial(_kept, takings, rows, numbers))
            outcome.rows_read += len(rows)
            crossing.meter.took(rows, outcome.rows_read)
            if outcome.rows_read // size > outcome.chunks:
                crossing.batch_done()
    if outcome.rows_read > outcome.chunks * size:
        crossing.batch_done()
    return outcome.rows_read


def _kept(takings: Sequence[Taking], rows: Sequence[Any], numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """The rows as SQLite keeps them. Raises CopyFailed naming row, column and value."""
    columns = zip(*rows, strict=True)
    kept = [taking.of(values, numbers) for taking, values in zip(takings, columns, strict=True)]
    return list(zip(*kept, strict=True))


@asynccontextmanager
async def _reading(
    crossing: Crossing, sql: str, args: Sequence[Any]
) -> AsyncIterator[AsyncIterator[Sequence[Any]]]:
    """The source's rows, read ahead; leaving early ends the reading."""
    connection = crossing.source_connection
    await connection.exec_driver_sql("SELECT 1")  # begins the transaction that a cursor needs
    driver: Any = (await connection.get_raw_connection()).driver_connection
    cursor = await driver.cursor(sql, *args)
    waiting: asyncio.Queue[Sequence[Any] | None] = asyncio.Queue()
    room = asyncio.Semaphore(WAITING_PARTS)
    at_once = min(crossing.request.batch_size, ROWS_AT_ONCE)

    async def read() -> None:
        while True:
            await room.acquire()
            rows = await cursor.fetch(at_once)
            if not rows:
                return
            waiting.put_nowait(rows)

    async def parts() -> AsyncIterator[Sequence[Any]]:
        while (rows := await waiting.get()) is not None:
            yield rows
            room.release()
        reader.result()  # raises what ended the source too early

    reader = asyncio.ensure_future(read())
    reader.add_done_callback(lambda _: waiting.put_nowait(None))
    try:
        yield parts()
    finally:
        reader.cancel()
        await asyncio.wait({reader})
