"""From SQLite to PostgreSQL: rows are read and written out in SQLite's thread while text COPY takes those before."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.crossing import Crossing
from liberty.etl.transfer.digest import Summing
from liberty.etl.transfer.postgresql_target import PostgresqlTarget
from liberty.etl.transfer.postgresql_text import Lines
from liberty.etl.transfer.shaping import names_of
from liberty.etl.transfer.source import plain_columns, source_call
from liberty.etl.transfer.target import check_counts

if TYPE_CHECKING:
    from liberty.etl.transfer.paths import Fill

ROWS_AT_ONCE = 2_000
"""Rows read and written out in one go; in between an abort is noticed."""

WAITING_CHUNKS = 4
"""Of so many rows each; when so many wait for the target, the source is not read."""


class SqliteToPostgresql:
    """Used when nobody wants values changed; what does not fit is refused as on the general path."""

    name = "text COPY"
    source, target = "sqlite", "postgresql"

    async def fits(self, crossing: Crossing) -> "Fill | str":
        if reason := crossing.changes():
            return reason
        if not isinstance(crossing.target, PostgresqlTarget):
            return "a driver other than asyncpg is used"
        call = source_call(crossing)
        if any(isinstance(value, list | tuple) for value in call.values.values()):
            return "a parameter of the query is a list"
        return fill


async def fill(crossing: Crossing) -> int:
    """Bring the rows to the target; returns how many. Raises CopyFailed when the data does not fit."""
    target = crossing.target
    assert isinstance(target, PostgresqlTarget)  # noqa: S101 - looked at when the path was chosen
    cursor = await _opened(crossing)
    try:
        reader = _Reader(crossing, cursor, _columns(crossing, cursor))
        await reader.prepare(target)
        async with reader.sending() as chunks:
            loaded = await target.pour(chunks, form="text")
    finally:
        await cursor.close()
    check_counts("target", expected=crossing.outcome.rows_read, found=loaded)
    return loaded


async def _opened(crossing: Crossing) -> Any:
    """The driver's own cursor over the source: what is between takes longer than reading."""
    connection = crossing.source_connection
    call = source_call(crossing)
    compiled = call.clause.compile(dialect=connection.dialect)
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return await driver.execute(str(compiled), [call.values[name] for name in compiled.positiontup or ()])


def _columns(crossing: Crossing, cursor: Any) -> list[Column]:
    if crossing.source_table is not None:
        return list(crossing.source_table.columns)
    return plain_columns([entry[0] for entry in cursor.description])


class _Reader:
    """Reads and writes out in the source's thread; some rows are on their way while the next ones are made."""

    def __init__(self, crossing: Crossing, cursor: Any, columns: Sequence[Column]) -> None:
        self._crossing = crossing
        self._columns = columns
        self._raw = cursor._cursor  # noqa: SLF001 - aiosqlite would change threads for every few rows
        self._in_thread = cursor._conn.in_thread  # noqa: SLF001
        self._first: list[Any] = []
        self._last: list[Any] = []
        self._taken: Sequence[int] = ()
        self._lines: Lines | None = None
        self._passing: Summing | None = None
        self._rows = min(crossing.request.batch_size, ROWS_AT_ONCE)

    async def prepare(self, target: PostgresqlTarget) -> None:
        """Decide, with the first rows at hand, which column goes where; make the target ready."""
        crossing = self._crossing
        self._first = await self._in_thread(lambda _: self._raw.fetchmany(self._rows))
        names = names_of(crossing.request, self._columns)
        meeting = crossing.meet(names, dict(zip(names, self._columns, strict=True)), self._first)
        crossing.announce(meeting)
        await target.begin(meeting.columns, meeting.create, may_go_straight=crossing.may_go_straight())
        self._taken = meeting.taken
        self._lines = Lines(meeting.columns)
        self._passing = crossing.verification.of_rows(changed=False) if crossing.verification else None

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines as they are made; leaving early ends the reading."""
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        room = asyncio.Semaphore(WAITING_CHUNKS)

        async def make() -> None:
            outcome, size = self._crossing.outcome, self._crossing.request.batch_size
            while chunk := await self._in_thread(self._next):
                self._crossing.meter.took(self._last, outcome.rows_read)
                if outcome.rows_read // size > outcome.chunks:
                    self._crossing.batch_done()
                await room.acquire()
                waiting.put_nowait(chunk)
            if outcome.rows_read > outcome.chunks * size:
                self._crossing.batch_done()

        async def made() -> AsyncIterator[bytes]:
            while (chunk := await waiting.get()) is not None:
                room.release()
                yield chunk
            maker.result()  # raises what ended the source too early, so that the target keeps nothing

        maker = asyncio.ensure_future(make())
        maker.add_done_callback(lambda _: waiting.put_nowait(None))
        try:
            yield made()
        finally:
            maker.cancel()
            await asyncio.wait({maker})

    def _next(self, _connection: sqlite3.Connection) -> bytes:
        """The lines of the next rows; in the source's thread."""
        rows = self._first or self._raw.fetchmany(self._rows)
        self._first = []
        if not rows:
            return b""
        self._last = rows
        assert self._lines is not None  # noqa: S101 - prepared
        outcome = self._crossing.outcome
        number = outcome.rows_read + 1
        columns = list(zip(*rows, strict=True))
        given = [columns[index] for index in self._taken]
        lines = self._lines.of(given, range(number, number + len(rows)))
        if self._passing is not None:
            self._passing.add(given)
        outcome.rows_read += len(rows)
        return lines
