"""The path that always works: rows read in batches, fitted value by value, gathered in a stage, merged at the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from liberty.errors import Invalid
from liberty.etl.transfer.anywhere_target import AnywhereTarget
from liberty.etl.transfer.columns import Column, Table, check_complete, find, matched
from liberty.etl.transfer.fitting import Fitting
from liberty.etl.transfer.into_postgresql import fitting as postgresql_fitting
from liberty.etl.transfer.into_sqlite import fitting as sqlite_fitting
from liberty.etl.transfer.making import described
from liberty.etl.transfer.postgresql_target import PostgresqlTarget
from liberty.etl.transfer.request import CopyFailed, CopyOutcome, CopyRequest, End, log
from liberty.etl.transfer.shaping import SLICE_ROWS, Batch, Shaper, coalesced
from liberty.etl.transfer.source import Watermark, connection_of, reading, source_table
from liberty.etl.transfer.sqlite_target import SqliteTarget
from liberty.etl.transfer.target import Target, key_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

CHATTY_BATCHES = 100
"""So many batches get a log line each; later ones share a line a second."""


async def copy(request: CopyRequest) -> CopyOutcome:
    """Run the copy. Raises CopyFailed when the data does not fit, NotFound and Invalid for a wrong request.

    Whatever is raised, cancellation included, the target is as it was.
    """
    return await _Copy(request).run()


class _Copy:
    """One copy in progress."""

    def __init__(self, request: CopyRequest) -> None:
        self._request = request
        self._source = End.of(request.source, request.connectors)
        self._target_end = End.of(request.target, request.connectors)
        self._outcome = CopyOutcome()
        self._loaded = 0
        self._spoke = 0.0
        self._plan: _Plan | None = None

    async def run(self) -> CopyOutcome:
        async with _open_target(self._request, self._target_end, self._source.backend) as target:
            watermark = await self._watermark(target)
            if self._request.source.table is not None:
                await self._refuse_itself(target)
            await self._fill(target, watermark)
            written = await target.finish(self._loaded)
        self._outcome.rows_written, self._outcome.target_rows = written.rows_written, written.target_rows
        return self._outcome

    async def _refuse_itself(self, target: Target) -> None:
        if target.table is None:
            return
        async with self._source.engine.connect() as connection:
            table = await source_table(connection, self._source)
        if table is not None and table.identity == target.table.identity:
            raise Invalid(
                f"{self._request.source} and {self._request.target} are the same table; it cannot be copied onto itself"
            )

    async def _watermark(self, target: Target) -> Watermark | None:
        name = self._request.incremental
        if name is None or target.table is None:
            return None
        column = find(name, target.table.columns, what=f"target table {str(target.table)!r}")
        value = await target.highest(column.name)
        if value is None:
            return None
        log.info("only rows with %s beyond %s", name, value)
        self._outcome.watermark = value
        async with self._source.engine.connect() as connection:
            table = await source_table(connection, self._source)
        if table is not None:
            value = self._as_source_writes_it(
                find(name, table.columns, what=f"source table {str(table)!r}"), value
            )
        return Watermark(name, value, inclusive=self._request.mode == "upsert")

    def _as_source_writes_it(self, column: Column, value: Any) -> Any:
        if self._source.backend == "sqlite" != self._target_end.backend and not isinstance(
            value, int | float | Decimal
        ):
            raise Invalid(
                f"incremental copies from SQLite into another database need a column of numbers: {column.name!r} holds "
                "texts there, whose order depends on how they are written"
            )
        fittings = {"postgresql": postgresql_fitting, "sqlite": sqlite_fitting}
        fitting = fittings.get(self._source.backend)
        return value if fitting is None else fitting(column).apply([value], [0])[0]

    async def _fill(self, target: Target, watermark: Watermark | None) -> None:
        request = self._request
        trim = request.connectors.pools.config(self._source.pool).trim_strings
        async with reading(
            self._source, batch_size=request.batch_size, where=request.where, watermark=watermark
        ) as source:
            shaper = Shaper(request, source.columns, trim=trim)
            async for rows in source.batches:
                batch = await shaper.shape(rows, self._outcome.rows_read + 1)
                self._outcome.rows_read += len(rows)
                self._outcome.rows_dropped += len(rows) - len(batch.rows)
                if batch.rows:
                    plan = self._plan or await self._prepare(target, shaper, batch)
                    await self._load(target, plan, batch)
                self._outcome.chunks += 1
                self._tell_progress()
            if self._plan is None:
                await self._prepare(target, shaper, Batch([], []))

    async def _prepare(self, target: Target, shaper: Shaper, first: Batch) -> "_Plan":
        """Decide, with the first rows at hand, which column goes where; make the stage."""
        names = shaper.names
        if names is None:  # a transform that kept no row at all says nothing about columns
            if target.table is None:
                raise CopyFailed(
                    "the transform kept no row, so the columns of the missing target are unknown"
                )
            names = [column.name for column in target.table.columns if not column.generated]
        create = None
        if target.table is None:
            made = [
                target.made_from(column)
                for column in described(names, shaper.origins, first.rows, self._request)
            ]
            schema, name = self._target_end.table_name()
            create = Table(schema, name.lower() if self._request.jde else name, tuple(made), ())
            columns = made
            log.info("target table %r does not exist and is made", str(create))
        else:
            columns = matched(names, target.table.columns, what=f"target table {str(target.table)!r}")
            check_complete(columns, target.table)
        taken = [index for index, column in enumerate(columns) if not column.generated]
        for column in columns:
            if column.generated:
                log.info("column %r is computed by the target and not copied", column.name)
        columns = [columns[index] for index in taken]
        if not columns:
            raise CopyFailed("there is no column to copy")
        if self._request.mode == "upsert":
            key = key_of(self._request, create or target.table, columns)
            columns = [
                replace(column, nullable=False) if column.name in key else column for column in columns
            ]
        await target.begin(columns, create)
        fill = self._request.connectors.pools.config(self._target_end.pool).coalesce_nulls
        substitutes = [coalesced(column) if fill else None for column in columns]
        origins = {} if shaper.touches_values or fill else shaper.origins
        fittings = [
            target.fitting(column, origins.get(names[index]))
            for index, column in zip(taken, columns, strict=True)
        ]
        self._plan = _Plan(taken, fittings, substitutes)
        return self._plan

    async def _load(self, target: Target, plan: "_Plan", batch: Batch) -> None:
        fitted: list[Sequence[Any]] = []
        for start in range(0, len(batch.rows), SLICE_ROWS):
            fitted += plan.fit(
                batch.rows[start : start + SLICE_ROWS], batch.numbers[start : start + SLICE_ROWS]
            )
            await asyncio.sleep(0)
        await target.load(fitted, batch.numbers)
        self._loaded += len(fitted)

    def _tell_progress(self) -> None:
        now = time.monotonic()
        if self._outcome.chunks > CHATTY_BATCHES and now - self._spoke < 1:
            return
        self._spoke = now
        log.info("▶ batch %d · %d rows", self._outcome.chunks, self._outcome.rows_read)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which values of a row are taken, how they fit, and what stands for NULL."""

    taken: Sequence[int]
    fittings: Sequence[Fitting]
    substitutes: Sequence[Any]

    def fit(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> list[Sequence[Any]]:
        """The rows as the target takes them. Raises CopyFailed naming row, column and value."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        fitted = []
        for index, fitting, substitute in zip(self.taken, self.fittings, self.substitutes, strict=True):
            values = columns[index]
            if substitute is not None:
                values = [substitute if value is None else value for value in values]
            fitted.append(fitting.apply(values, numbers))
        return list(zip(*fitted, strict=True))


@asynccontextmanager
async def _open_target(request: CopyRequest, end: End, source_backend: str) -> AsyncIterator[Target]:
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connection_of(end))
        table = await source_table(connection, end)
        target = _target_on(connection, request, table, end.backend, source_backend)
        stack.push_async_callback(_closed, target)
        yield target


def _target_on(
    connection: "AsyncConnection",
    request: CopyRequest,
    table: Table | None,
    backend: str,
    source_backend: str,
) -> Target:
    match backend:
        case "postgresql" if connection.dialect.driver == "asyncpg":
            return PostgresqlTarget(
                connection, request, table, from_postgresql=source_backend == "postgresql"
            )
        case "sqlite":
            return SqliteTarget(connection, request, table, from_sqlite=source_backend == "sqlite")
        case _:
            return AnywhereTarget(connection, request, table)


async def _closed(target: Target) -> None:
    """Close to the end: a stage left on a pooled connection would meet its next user."""
    task = asyncio.ensure_future(target.close())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
