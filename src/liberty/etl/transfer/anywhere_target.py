"""Writing into any database SQLAlchemy speaks: one transaction of plain INSERTs, straight into the target."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer.columns import Column, Table
from liberty.etl.transfer.fitting import Fitting, Misfit
from liberty.etl.transfer.merge_rows import DIALECTS, merge_statement
from liberty.etl.transfer.request import CopyFailed, CopyRequest
from liberty.etl.transfer.target import Check, Written, check_counts, key_of

if TYPE_CHECKING:
    from sqlalchemy import Table as SqlTable
    from sqlalchemy import TextClause
    from sqlalchemy.ext.asyncio import AsyncConnection


class AnywhereTarget:
    """One table that exists. Readers see what the database's isolation lets them."""

    def __init__(self, connection: "AsyncConnection", request: CopyRequest, table: Table | None) -> None:
        self.table = table
        self.committing = False
        self._connection = connection
        self._request = request
        self._columns: tuple[Column, ...] = ()
        self._sql_table: SqlTable | None = None
        self._held = 0
        self._merge: TextClause | None = None

    def fitting(self, column: Column, origin: Column | None) -> Fitting:  # noqa: ARG002 - see Target
        """Values pass as they are: the driver knows its own types, and refuses what it cannot send."""
        if self._connection.dialect.name == "oracle":
            return Fitting(column, frozenset(), _for_oracle)
        return Fitting(column, frozenset(), lambda value: value)

    def made_from(self, column: Column) -> Column:  # noqa: ARG002 - see Target
        raise CopyFailed(
            f"{self._request.target} does not exist; make it first: copies make tables in PostgreSQL, SQLite and MySQL"
        )

    async def highest(self, column: str) -> Any:
        from sqlalchemy import func, select

        table = await self._reflected()
        return (await self._connection.execute(select(func.max(table.c[column])))).scalar()

    async def begin(self, columns: Sequence[Column], create: Table | None) -> None:  # noqa: ARG002 - see Target
        self._columns = tuple(columns)
        table = await self._reflected()
        if self._request.mode == "upsert":
            self._prepare_merge(table)
        if self._request.mode == "overwrite":
            self._held = await self._count()
            await self._connection.execute(table.delete())

    def _prepare_merge(self, table: "SqlTable") -> None:
        dialect = self._connection.dialect
        if dialect.name not in DIALECTS:
            raise CopyFailed(f"upsert is not known for {dialect.name}")
        if self._request.delete_missing:
            raise CopyFailed(
                f"delete_missing is not known for {dialect.name}; it would have to remember every key"
            )
        key = key_of(self._request, self.table, self._columns)
        self._merge = merge_statement(table, [column.name for column in self._columns], key, dialect)

    async def load(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:
        from sqlalchemy.exc import DataError, IntegrityError

        table = await self._reflected()
        names = [column.name for column in self._columns]
        try:
            if self._merge is not None:
                binds = [f"v{index}" for index in range(len(names))]
                await self._connection.execute(
                    self._merge, [dict(zip(binds, row, strict=True)) for row in rows]
                )
                return
            await self._connection.execute(
                table.insert(), [dict(zip(names, row, strict=True)) for row in rows]
            )
        except (DataError, IntegrityError) as error:
            raise CopyFailed(f"rows {numbers[0]} to {numbers[-1]}: {error.orig}") from error

    async def finish(self, loaded: int, check: Check | None = None) -> Written:
        overwrite, guard = self._request.mode == "overwrite", self._request.guard
        if guard is not None:
            guard.check_rows(loaded)
            guard.check_deletes(max(0, self._held - loaded), self._held)
        if overwrite:
            check_counts("target", expected=loaded, found=await self._count())
        if check is not None:
            await check(self._connection, "")
        self.committing = True
        await self._connection.commit()
        return Written(loaded, loaded)

    async def _count(self) -> int:
        from sqlalchemy import func, select

        table = await self._reflected()
        return int((await self._connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def close(self) -> None:
        await self._connection.rollback()

    async def _reflected(self) -> "SqlTable":
        from sqlalchemy import MetaData
        from sqlalchemy import Table as SqlTable

        if self._sql_table is None:
            assert self.table is not None  # noqa: S101 - made_from refuses a missing one
            name, schema = self.table.name, self.table.schema
            self._sql_table = await self._connection.run_sync(
                lambda connection: SqlTable(name, MetaData(), schema=schema, autoload_with=connection)
            )
        return self._sql_table


def _for_oracle(value: Any) -> Any:
    if value == "":
        raise Misfit("is an empty text, which Oracle stores as NULL; make it NULL in a query")
    return value
