"""The order of things in every copy: open both ends, choose a path, let it fill the target, finish or undo."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from liberty.errors import Invalid
from liberty.etl.transfer.anywhere_target import AnywhereTarget
from liberty.etl.transfer.columns import Column, Table, find
from liberty.etl.transfer.crossing import Crossing
from liberty.etl.transfer.estimate import rows_of
from liberty.etl.transfer.file_end import FileEnd
from liberty.etl.transfer.file_target import FileTarget
from liberty.etl.transfer.into_mysql import fitting as mysql_fitting
from liberty.etl.transfer.into_postgresql import fitting as postgresql_fitting
from liberty.etl.transfer.into_sqlite import fitting as sqlite_fitting
from liberty.etl.transfer.mysql_target import MysqlTarget
from liberty.etl.transfer.paths import choose
from liberty.etl.transfer.postgresql_target import PostgresqlTarget
from liberty.etl.transfer.request import CopyFailed, CopyOutcome, CopyRequest, End, log, side_of
from liberty.etl.transfer.source import Watermark, connection_of, highest, table_of
from liberty.etl.transfer.sqlite_target import SqliteTarget
from liberty.etl.transfer.target import Target
from liberty.etl.transfer.verify import Verification, hold_snapshot

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


async def copy(request: CopyRequest) -> CopyOutcome:
    """Run the copy. Raises CopyFailed when the data does not fit, NotFound and Invalid for a wrong request.

    Whatever is raised, cancellation included, the target is as it was. A cancel that comes once the commit is on its
    way is too late: the copy ends as the commit does, and the task's `cancelling()` tells that somebody asked.
    """
    running = _Copy(request)
    task = asyncio.ensure_future(running.run())
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if not running.decided:
                task.cancel()
    return task.result()


def opened(request: CopyRequest) -> AbstractAsyncContextManager[Crossing]:
    """Both ends of a copy, open, to look at. Nothing is written."""
    return _Copy(request).opened()


class _Copy:
    """One copy from its opening to its end."""

    def __init__(self, request: CopyRequest) -> None:
        self._request = request
        self._source = side_of(request.source, request.connectors)
        self._target_end = side_of(request.target, request.connectors)
        self._target: Target | None = None

    @property
    def decided(self) -> bool:
        """The commit is on its way."""
        return self._target is not None and self._target.committing

    async def run(self) -> CopyOutcome:
        request = self._request
        async with self.opened() as crossing:
            target = self._target = crossing.target
            check = None
            if request.verify and (crossing.connection is None or isinstance(self._target_end, FileEnd)):
                log.warning("verify: a file has no checksum; only the rows are counted")
            elif request.verify:
                await hold_snapshot(crossing.source_connection)
                crossing.verification = Verification(crossing)
                check = crossing.verification.compare
            believed = await rows_of(crossing)
            crossing.meter.total = lambda _rows: believed
            loaded = await (await choose(crossing))(crossing)
            if crossing.watermark is not None and crossing.outcome.rows_read:
                crossing.outcome.reached = crossing.watermark.until
            if check is None:
                # As little as possible is to lie between the commit and the end of the copy.
                await crossing.close_source()
            written = await target.finish(loaded, check)
        outcome = crossing.outcome
        outcome.rows_written, outcome.target_rows = written.rows_written, written.target_rows
        outcome.rows_deleted = written.rows_deleted
        return outcome

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Crossing]:
        """Both ends open, nothing written."""
        request = self._request
        async with (
            _open_target(request, self._target_end, self._source.backend) as target,
            AsyncExitStack() as source,
        ):
            connection: AsyncConnection | None = None
            table: Table | None = None
            found, watermark = None, None
            if isinstance(self._source, End):
                connection = await source.enter_async_context(connection_of(self._source))
                table = await table_of(connection, self._source) if request.source.table is not None else None
                found, watermark = await self._watermark(connection, self._source, table, target)
            self._refuse_itself(table, target)
            yield Crossing(
                request=request,
                source_side=self._source,
                target_end=self._target_end,
                target=target,
                connection=connection,
                close_source=source.aclose,
                source_table=table,
                watermark=watermark,
                outcome=CopyOutcome(watermark=found),
            )

    def _refuse_itself(self, table: Table | None, target: Target) -> None:
        source, end = self._source, self._target_end
        if isinstance(source, FileEnd) and isinstance(end, FileEnd) and source.file == end.file:
            raise Invalid(
                f"{source.file.url} is source and target of the copy; it cannot be copied onto itself"
            )
        if table is not None and target.table is not None and table.identity == target.table.identity:
            raise Invalid(
                f"{self._request.source} and {self._request.target} are the same table; it cannot be copied onto itself"
            )

    async def _watermark(
        self, connection: "AsyncConnection", source: End, table: Table | None, target: Target
    ) -> tuple[Any, Watermark | None]:
        """Where the copy goes on, and the condition on the source that follows from it.

        It ends at the highest value there is now: a row that comes later, with whatever value, is for the next time.
        """
        name = self._request.incremental
        if name is None or table is None:
            return None, None
        column = find(name, table.columns, what=f"source table {str(table)!r}")
        found = value = await self._since(name, target)
        if value is not None:
            log.info("only rows with %s from %s on", name, value)
            value = self._as_source_writes_it(column, value)
        until = await highest(connection, source, table, column, self._request.where)
        return found, Watermark(name, value, until)

    async def _since(self, name: str, target: Target) -> Any:
        if self._request.mark is not None:
            return self._request.mark.value
        if target.table is None:
            return None
        column = find(name, target.table.columns, what=f"target table {str(target.table)!r}")
        return await target.highest(column.name)

    def _as_source_writes_it(self, column: Column, value: Any) -> Any:
        if self._source.backend == "sqlite" and self._request.mark is not None:
            return value
        if self._source.backend == "sqlite" != self._target_end.backend and not isinstance(
            value, int | float | Decimal
        ):
            raise Invalid(
                f"incremental copies from SQLite into another database need a column of numbers: {column.name!r} holds "
                "texts there, whose order depends on how they are written"
            )
        fittings = {"postgresql": postgresql_fitting, "sqlite": sqlite_fitting, "mysql": mysql_fitting}
        fitting = fittings.get(self._source.backend)
        try:
            return value if fitting is None else fitting(column).apply([value], [0])[0]
        except CopyFailed as error:
            raise Invalid(
                f"the mark {value!r} does not fit column {column.name!r}; reset it: {error}"
            ) from error


@asynccontextmanager
async def _open_target(
    request: CopyRequest, end: End | FileEnd, source_backend: str
) -> AsyncIterator[Target]:
    async with AsyncExitStack() as stack:
        if isinstance(end, FileEnd):
            file = FileTarget(end, request)
            stack.push_async_callback(_closed, file)
            await file.open()
            yield file
            return
        connection = await stack.enter_async_context(connection_of(end))
        table = await table_of(connection, end)
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
        case "mysql":
            return MysqlTarget(connection, request, table, from_mysql=source_backend == "mysql")
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
