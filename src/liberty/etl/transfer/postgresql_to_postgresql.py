"""From PostgreSQL to PostgreSQL: what one server sends in binary COPY goes to the other unread."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer import postgresql_wire
from liberty.etl.transfer.columns import Column, column_list
from liberty.etl.transfer.crossing import Crossing, Meeting
from liberty.etl.transfer.postgresql_catalog import columns_of_result, server_of
from liberty.etl.transfer.postgresql_source import Query, prepared
from liberty.etl.transfer.postgresql_target import PostgresqlTarget
from liberty.etl.transfer.postgresql_wire import WireType
from liberty.etl.transfer.shaping import names_of
from liberty.etl.transfer.source import source_call
from liberty.etl.transfer.target import check_counts

if TYPE_CHECKING:
    from liberty.connectors.sql_call import Call
    from liberty.etl.transfer.paths import Fill

WAITING_CHUNKS = 8
"""Of up to 256 KiB each; when so many wait for the target, the source is not read."""

_OWN_PLACEHOLDER = re.compile(r"\$\d")


class PostgresqlToPostgresql:
    """Used when all columns write the same bytes on both sides and nobody wants values changed."""

    name = "binary COPY"
    source = target = "postgresql"

    async def fits(self, crossing: Crossing) -> "Fill | str":
        connection, target = crossing.source_connection, crossing.target
        if reason := crossing.changes():
            return reason
        if connection.dialect.driver != "asyncpg" or not isinstance(target, PostgresqlTarget):
            return "a driver other than asyncpg is used"
        query = await _query(crossing, source_call(crossing, own_types=True))
        if isinstance(query, str):
            return query
        names = [attribute.name for attribute in query.attributes]
        if crossing.source_table is not None:
            columns: Sequence[Column] = crossing.source_table.columns
            found = await postgresql_wire.of_table(connection, crossing.source_table.number)
            wires = [found[name] for name in names]
        else:
            if len(set(names)) < len(names):
                return "two of its columns have the same name"
            oids = [attribute.type.oid for attribute in query.attributes]
            columns = await columns_of_result(connection, names, oids)
            wires = await postgresql_wire.of_types(connection, oids)
        arriving = names_of(crossing.request, columns)
        meeting = crossing.meet(arriving, dict(zip(arriving, columns, strict=True)), [])
        reason = await _difference(crossing, target, meeting, columns, wires)
        if reason is not None:
            return reason
        sql = query.sql
        if len(meeting.taken) < len(columns):
            listed = column_list(names[index] for index in meeting.taken)
            sql = f"SELECT {listed} FROM ({sql}) AS source"  # noqa: S608 - quoted names around the author's query
        return partial(_fill, target=target, meeting=meeting, query=Query(sql, query.args, ()))


async def _query(crossing: Crossing, call: "Call") -> Query | str:
    """The statement with typed values, or why COPY cannot take it."""
    # COPY takes no parameters: they are written into the text, where nothing else may look like a placeholder.
    if call.values and _OWN_PLACEHOLDER.search(call.statement.text):
        return "the query has parameters, and a $ before a number as well"
    return await prepared(crossing.source_connection, call)


async def _difference(
    crossing: Crossing,
    target: PostgresqlTarget,
    meeting: Meeting,
    columns: Sequence[Column],
    wires: Sequence[WireType],
) -> str | None:
    """Why the bytes of one column may not pass unread; None when all may."""
    there: dict[str, WireType] = {}
    same_database = False
    if target.table is not None:
        there = await postgresql_wire.of_table(target.connection, target.table.number)
        same_database = await server_of(crossing.source_connection) == await server_of(target.connection)
    for index, column in zip(meeting.taken, meeting.columns, strict=True):
        source, wire = columns[index], wires[index]
        if meeting.create is not None:
            if not postgresql_wire.made_alike(wire, column.sql_type, source.sql_type):
                return f"column {column.name!r} is made as {column.sql_type} for {source.sql_type}"
            continue
        reason = postgresql_wire.difference(wire, there[column.name], same_database=same_database)
        if reason is not None:
            return f"of column {column.name!r}: {reason}"
    return None


async def _fill(crossing: Crossing, *, target: PostgresqlTarget, meeting: Meeting, query: Query) -> int:
    crossing.announce(meeting)
    straight = crossing.may_go_straight()
    await target.begin(meeting.columns, meeting.create, own_types=True, may_go_straight=straight)
    driver: Any = (await crossing.source_connection.get_raw_connection()).driver_connection
    async with _sending(driver, query, crossing) as (chunks, sender):
        loaded = await target.pour(chunks)
        crossing.outcome.rows_read = int((await sender).rpartition(" ")[2])
    crossing.outcome.chunks = 1
    check_counts("target", expected=crossing.outcome.rows_read, found=loaded)
    return loaded


@asynccontextmanager
async def _sending(
    driver: Any, query: Query, crossing: Crossing
) -> AsyncIterator[tuple[AsyncIterator[bytes], "asyncio.Task[str]"]]:
    """What the source sends, and the task that reads it; leaving early ends its COPY."""
    waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = asyncio.Semaphore(WAITING_CHUNKS)
    passed = 0

    async def take(chunk: bytes) -> None:
        nonlocal passed
        await room.acquire()
        waiting.put_nowait(chunk)
        passed += len(chunk)
        crossing.meter.passed(passed)

    async def chunks() -> AsyncIterator[bytes]:
        while (chunk := await waiting.get()) is not None:
            room.release()
            yield chunk
        sender.result()  # raises what ended the source too early, so that the target keeps nothing

    sender: asyncio.Task[str] = asyncio.ensure_future(
        driver.copy_from_query(query.sql, *query.args, output=take, format="binary")
    )
    sender.add_done_callback(lambda _: waiting.put_nowait(None))
    try:
        yield chunks(), sender
    finally:
        sender.cancel()
        await asyncio.wait({sender})
