"""A mirror from its beginning to its end: the whole list first, then one transaction that may still be called off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from liberty.connectors.mysql_driver import NAMES, ended_when_left
from liberty.etl.mirror.fitting import DoesNotFit
from liberty.etl.mirror.query import MirrorQuery
from liberty.etl.mirror.request import BATCH_ROWS, Entry, MirrorOutcome, MirrorRequest
from liberty.etl.mirror.spool import Spool
from liberty.etl.mirror.table import Batch, MirrorTable, Row
from liberty.etl.transfer.request import CopyFailed, End, Place

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from liberty.connectors import ConnectorRegistry

type Pages = AsyncIterator[list[Entry]]
type Labelled = tuple[str, Row]

EXAMPLES = 20


async def mirror(request: MirrorRequest, pages: Pages) -> MirrorOutcome:
    """Write what is new or changed, delete what has gone. A mirror that fails or is aborted changes nothing.

    An entry that cannot be written is counted, and the others are. Raises CopyFailed when that is all of them, when
    the list is empty and rows would be deleted, or when a guard says no.
    """
    async with _spooled(request, pages) as (spool, outcome), _Writing.open(request, outcome) as writing:
        while entries := await asyncio.to_thread(spool.take, BATCH_ROWS):
            await writing.write(entries)
            await writing.note_present(spool, entries)
        _refuse_all_failed(outcome)
        if request.deletion != "none":
            await writing.find_vanished(spool)
            if request.guard is not None:
                request.guard.check_deletes(outcome.deleted, outcome.held or 0)
            await writing.remove(spool)
        await writing.connection.commit()
    return outcome


async def look(request: MirrorRequest, pages: Pages) -> MirrorOutcome:
    """What `mirror` would do, with a few rows; nothing is written. Of a query only the number of calls is known."""
    async with (
        _spooled(request, pages) as (spool, outcome),
        _Writing.open(request, outcome, reads=True) as writing,
    ):
        while entries := await asyncio.to_thread(spool.take, BATCH_ROWS):
            await writing.look(entries)
            await writing.note_present(spool, entries)
        if request.deletion != "none":
            await writing.find_vanished(spool)
            free = max(EXAMPLES - len(outcome.examples), 0)
            gone = await asyncio.to_thread(spool.vanished, 0, free)
            outcome.examples += [{"change": "delete", request.key_column or "": key} for key in gone]
        if request.guard is not None:
            outcome.verdict = request.guard.verdict(outcome.fetched, outcome.deleted, outcome.held or 0)
    return outcome


async def names_of_target(
    connectors: "ConnectorRegistry", connector: str, table: str | None, query: str | None
) -> list[str]:
    """The columns of a table, or the parameters of a query. Raises Invalid and NotFound."""
    request = MirrorRequest(
        connectors=connectors, connector=connector, names=(), table=None if query else table, query=query
    )
    async with _Writing.open(request, MirrorOutcome(), reads=True) as writing:
        return writing.names


@asynccontextmanager
async def _spooled(request: MirrorRequest, pages: Pages) -> AsyncIterator[tuple[Spool, MirrorOutcome]]:
    """The list, read to its end: what breaks on the way leaves the table alone."""
    spool, outcome, key_column = Spool(), MirrorOutcome(), request.key_column
    try:
        async for page in pages:
            outcome.fetched += len(page)
            taken = []
            for entry in page:
                if key_column is not None and not entry.values.get(key_column):
                    outcome.fail(entry.label, f"it has no value for the key column {key_column!r}")
                else:
                    taken.append(entry)
            for entry in await asyncio.to_thread(spool.add, taken, key_column):
                outcome.fail(
                    entry.label, f"an earlier entry has the key {entry.values[key_column or '']!r} too"
                )
        if not outcome.fetched and request.deletion != "none":
            raise CopyFailed("no entry was found, and so every row would be deleted; nothing was changed")
        if request.guard is not None and request.guarded:
            request.guard.check_rows(outcome.fetched, "found")
        _refuse_all_failed(outcome)
        yield spool, outcome
    finally:
        await asyncio.shield(asyncio.to_thread(spool.close))


def _refuse_all_failed(outcome: MirrorOutcome) -> None:
    if outcome.failed and outcome.failed == outcome.fetched:
        first = outcome.failures[0]
        raise CopyFailed(
            f"none of {outcome.fetched:,} entries could be written; nothing was changed. "
            f"The first, {first.entry}: {first.reason}"
        )


class _Writing:
    """The open transaction with the table, the query, or both."""

    def __init__(
        self,
        request: MirrorRequest,
        outcome: MirrorOutcome,
        connection: "AsyncConnection",
        table: MirrorTable | None,
        query: MirrorQuery | None,
    ) -> None:
        self.connection = connection
        self._request = request
        self._outcome = outcome
        self._table = table
        self._query = query

    @classmethod
    @asynccontextmanager
    async def open(
        cls, request: MirrorRequest, outcome: MirrorOutcome, *, reads: bool = False
    ) -> AsyncIterator["_Writing"]:
        """What is not committed inside the block is undone at its end."""
        end = End.of(Place(connector=request.connector, table=request.table), request.connectors)
        async with end.engine.connect() as connection:
            options: dict[str, Any] = {"sqlite_begin": "DEFERRED" if reads else "IMMEDIATE"}
            if reads and end.backend == "postgresql":
                options["postgresql_readonly"] = True
            connection = await connection.execution_options(**options)
            leaving = ended_when_left(connection) if connection.dialect.name in NAMES else nullcontext()
            async with leaving:
                try:
                    table = query = None
                    if request.table is not None:
                        key, mark = request.key_column, request.deletion_column
                        table = await MirrorTable.find(connection, end, key, mark)
                    if request.query is not None:
                        query = await MirrorQuery.find(connection, end, request.query)
                    writing = cls(request, outcome, connection, table, query)
                    writing._check_names()
                    yield writing
                finally:
                    if not connection.invalidated:
                        await connection.rollback()

    def _check_names(self) -> None:
        """Raises Invalid for a value that has nowhere to go."""
        for name in self._request.names:
            if self._query is not None:
                if name != self._request.key_column or self._table is None:
                    self._query.check(name)
            elif self._table is not None:
                self._table.column(name)

    @property
    def names(self) -> list[str]:
        """Where values can go."""
        return self._query.names if self._query is not None else self._the_table.column_names

    # -- writing

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write a batch. Rows that the database refuses are counted as failed."""
        if self._query is not None:
            query = self._query
            done = await self._one_by_one(self._rows(query.row, entries), query.write)
            self._outcome.called += len(done)
            return
        table = self._the_table
        rows = self._rows(table.row, entries)
        if not rows:
            return
        batch = table.sort([row for _, row in rows], await table.known([row for _, row in rows]))
        self._outcome.unchanged += batch.unchanged
        new, changed = {id(row) for row in batch.new}, {id(row) for row in batch.changed}

        async def write(some: Sequence[Row]) -> None:
            await table.write(
                Batch(
                    [row for row in some if id(row) in changed],
                    [row for row in some if id(row) in new],
                    0,
                    batch.new_may_be_known,
                )
            )

        done = await self._one_by_one([item for item in rows if id(item[1]) in new | changed], write)
        added = sum(1 for row in done if id(row) in new)
        self._outcome.added += added
        self._outcome.changed += len(done) - added

    async def _one_by_one(
        self, rows: Sequence[Labelled], write: Callable[[Sequence[Row]], Awaitable[None]]
    ) -> list[Row]:
        """Write all that can be; halves of a batch that is refused are tried apart until the culprit is found."""
        from sqlalchemy.exc import OperationalError, StatementError

        if not rows:
            return []
        try:
            async with self.connection.begin_nested():
                await write([row for _, row in rows])
        except StatementError as error:
            if getattr(error, "connection_invalidated", False):
                raise
            if isinstance(error, OperationalError) and self.connection.dialect.name == "sqlite":
                raise  # locked, or the disk is full: nothing that a row is to blame for
            if len(rows) == 1:
                self._outcome.fail(rows[0][0], _reason(error))
                return []
            half = len(rows) // 2
            first = await self._one_by_one(rows[:half], write)
            return first + await self._one_by_one(rows[half:], write)
        return [row for _, row in rows]

    def _rows(self, fit: Callable[[dict[str, str | None]], Row], entries: Sequence[Entry]) -> list[Labelled]:
        found = []
        for entry in entries:
            try:
                found.append((entry.label, fit(entry.values)))
            except DoesNotFit as error:
                self._outcome.fail(entry.label, str(error))
        return found

    # -- looking

    async def look(self, entries: Sequence[Entry]) -> None:
        """Count what `write` would do with a batch."""
        outcome = self._outcome
        if self._query is not None:
            outcome.called += len(self._rows(self._query.row, entries))
            return
        rows = [row for _, row in self._rows(self._the_table.row, entries)]
        if not rows:
            return
        batch = self._the_table.sort(rows, await self._the_table.known(rows))
        outcome.added += len(batch.new)
        outcome.changed += len(batch.changed)
        outcome.unchanged += batch.unchanged
        shown = [{"change": "add", **row} for row in batch.new]
        shown += [{"change": "change", **row} for row in batch.changed]
        outcome.examples += shown[: max(EXAMPLES - len(outcome.examples), 0)]

    # -- deleting

    async def note_present(self, spool: Spool, entries: Sequence[Entry]) -> None:
        """Remember what the table has of a batch, so that the rest can be told apart."""
        if self._request.deletion == "none":
            return
        keys = [entry.values[self._request.key_column or ""] for entry in entries]
        present = await self._the_table.present(keys)
        await asyncio.to_thread(spool.note_present, present)

    async def find_vanished(self, spool: Spool) -> None:
        """Which of the table's rows the list has not, and how many there are at all."""
        held = gone = 0
        async for keys in self._the_table.keys():
            held += len(keys)
            gone += await asyncio.to_thread(spool.note_vanished, keys)
        self._outcome.held, self._outcome.deleted = held, gone

    async def remove(self, spool: Spool) -> None:
        """Delete, or mark, what has vanished."""
        done = 0
        while keys := await asyncio.to_thread(spool.vanished, done, BATCH_ROWS):
            await self._the_table.remove(keys, soft=self._request.deletion == "soft")
            done += len(keys)

    @property
    def _the_table(self) -> MirrorTable:
        assert self._table is not None  # noqa: S101 - the step sees to it that there is one where it is needed
        return self._table


def _reason(error: Exception) -> str:
    """The first line of what the database says."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0][:300]
