"""Writing into SQLite: rows gather in a temporary table, then one short transaction brings them into the target.

A temporary table lives in a file of its own that belongs to the connection: filling it holds no lock on the
database, and nothing of it is left whatever ends the process.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer import into_sqlite
from liberty.etl.transfer.checks import check_guard, check_key, known_key, mark_column
from liberty.etl.transfer.columns import Column, Table, column_list, qualified, quoted
from liberty.etl.transfer.fitting import Fitting, refused
from liberty.etl.transfer.merge import Merge
from liberty.etl.transfer.request import CopyFailed, CopyRequest, log
from liberty.etl.transfer.sqlite_catalog import affinity_of, type_for
from liberty.etl.transfer.target import Check, Written, check_counts, key_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class SqliteTarget:
    """One table of a SQLite database, on a connection that is this copy's alone until `close`."""

    def __init__(
        self, connection: "AsyncConnection", request: CopyRequest, table: Table | None, *, from_sqlite: bool
    ) -> None:
        self.table = table
        self.committing = False
        self._connection = connection
        self._request = request
        self._from_sqlite = from_sqlite
        self._stage_name = f"nomaflow_stage_{request.label}"
        self._stage = qualified("temp", self._stage_name)
        self._columns: tuple[Column, ...] = ()
        self._create: Table | None = None
        self._insert = ""

    def fitting(self, column: Column, origin: Column | None) -> Fitting:
        if (
            self._from_sqlite
            and origin is not None
            and affinity_of(origin.sql_type) == affinity_of(column.sql_type)
        ):
            return into_sqlite.unchanged(column)
        return into_sqlite.fitting(column)

    def made_from(self, column: Column) -> Column:
        declared = type_for(column, from_sqlite=self._from_sqlite)
        return Column(
            name=column.name, kind=column.kind, sql_type=declared, nullable=column.nullable, key=column.key
        )

    async def highest(self, column: str) -> Any:
        assert self.table is not None  # noqa: S101 - asked only for a table that exists
        origin = qualified(self.table.schema, self.table.name)
        statement = f"SELECT max({quoted(column)}) FROM {origin}"  # noqa: S608 - quoted names
        return (await self._connection.exec_driver_sql(statement)).scalar()

    async def begin(self, columns: Sequence[Column], create: Table | None) -> None:
        self._columns, self._create = tuple(columns), create
        await self._connection.rollback()
        declared = ", ".join(f"{quoted(column.name)} {column.sql_type}" for column in columns)
        await self._connection.exec_driver_sql(f"CREATE TEMP TABLE {quoted(self._stage_name)} ({declared})")
        marks = ", ".join("?" for _ in columns)
        names = column_list(column.name for column in columns)
        self._insert = f"INSERT INTO {self._stage} ({names}) VALUES ({marks})"  # noqa: S608 - quoted names
        await self._connection.commit()

    async def load(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        try:
            await driver.executemany(self._insert, rows)
        except UnicodeEncodeError as error:
            self._name_unwritable(rows, numbers)
            raise CopyFailed(
                f"a text in rows {numbers[0]} to {numbers[-1]} is no Unicode: {error}"
            ) from error
        await driver.commit()

    async def load_made(self, make: Callable[[], Sequence[Sequence[Any]]]) -> None:
        """Take the rows that `make` returns, which is called in SQLite's own thread."""
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        insert = self._insert

        def store(connection: sqlite3.Connection) -> None:
            connection.executemany(insert, make())
            connection.commit()

        await driver.in_thread(store)

    def _name_unwritable(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:
        for number, row in zip(numbers, rows, strict=True):
            for column, value in zip(self._columns, row, strict=True):
                if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
                    raise refused(number, column.name, value, "is no Unicode text")

    async def finish(self, loaded: int, check: Check | None = None) -> Written:
        connection = await self._connection.execution_options(sqlite_begin="IMMEDIATE")
        async with connection.begin():
            await connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            if self._create is not None:
                await connection.exec_driver_sql(_create_statement(self._create))
            table = self._create or self.table
            assert table is not None  # noqa: S101 - either found or made
            merge = Merge(
                target=qualified(table.schema, table.name),
                stage=self._stage,
                columns=[column.name for column in self._columns],
                value=lambda _name, expression: expression,
                differs=lambda pairs: (
                    "(" + " OR ".join(f"{t} IS NOT {s} COLLATE BINARY" for t, s in pairs) + ")"
                ),
            )
            check_counts("stage", expected=loaded, found=await self._count(merge.stage))
            if self._request.mode == "append":
                await self._check(check, merge, table)
                loaded -= await self._leave_out_known(merge)
            written = await self._merge(merge, table, loaded)
            if self._request.mode != "append":
                await self._check(check, merge, table)
            self.committing = True
            return written

    async def _leave_out_known(self, merge: Merge) -> int:
        """Rows at the mark that came with the copy before, and all that a copy without a mark left behind."""
        column = mark_column(self._request, self.table, self._columns)
        if column is None:
            return 0
        await self._index_stage([column])
        known = await self._run(
            f"DELETE FROM {merge.stage} WHERE rowid IN (SELECT s.rowid FROM {merge.target} AS t "  # noqa: S608 - quoted
            f"JOIN {merge.stage} AS s ON {merge.same_row(column)})"
        )
        if known:
            log.info("%d rows are in the target already, each value the same, and are left out", known)
        return known

    async def _check(self, check: Check | None, merge: Merge, table: Table) -> None:
        if check is not None:
            mode = self._request.mode
            key = key_of(self._request, table, self._columns) if mode == "upsert" else ()
            await check(self._connection, merge.written(mode, key))

    async def _merge(self, merge: Merge, table: Table, loaded: int) -> Written:
        if self._request.guard is not None:
            key = known_key(self._request, table, self._columns)
            await self._index_stage(key)
            await check_guard(self._request.guard, merge, key, loaded, self._first)
        if self._request.mode == "append":
            return await self._appended(merge, loaded)
        by_key = self._request.mode == "upsert" or table.referenced
        if not by_key:
            await self._run(merge.delete_all())
            written = await self._run(merge.insert_all())
            check_counts("target", expected=loaded, found=await self._count(merge.target))
            return Written(written, loaded)
        key = key_of(self._request, table, self._columns)
        await self._index_stage(key)
        await check_key(merge, key, self._first)
        overwrite = self._request.mode == "overwrite"
        written = deleted = 0
        if overwrite or self._request.delete_missing:
            deleted = await self._run(merge.delete_vanished(key))
        for statement in merge.by_key(key):
            written += await self._run(statement)
        if overwrite:
            check_counts("target", expected=loaded, found=await self._count(merge.target))
        return Written(loaded if overwrite else written, loaded, deleted)

    async def _appended(self, merge: Merge, loaded: int) -> Written:
        before = await self._count(merge.target) if self._request.verify else 0
        written = await self._run(merge.insert_all())
        found = await self._count(merge.target) - before if self._request.verify else written
        check_counts("target", expected=loaded, found=found)
        return Written(written, written)

    async def _index_stage(self, key: Sequence[str]) -> None:
        if key:
            index = quoted(f"{self._stage_name}_key")
            await self._run(
                f"CREATE INDEX IF NOT EXISTS temp.{index} ON {quoted(self._stage_name)} ({column_list(key)})"
            )

    async def _run(self, statement: str) -> int:
        return (await self._connection.exec_driver_sql(statement)).rowcount

    async def _first(self, statement: str) -> Sequence[Any] | None:
        return (await self._connection.exec_driver_sql(statement)).first()

    async def _count(self, table: str) -> int:
        statement = f"SELECT count(*) FROM {table}"  # noqa: S608 - quoted names
        return int((await self._connection.exec_driver_sql(statement)).scalar_one())

    async def close(self) -> None:
        await self._connection.rollback()
        # A COMMIT that failed (a foreign key checked late) leaves SQLite's transaction open and SQLAlchemy's closed.
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        await driver.rollback()
        connection = await self._connection.execution_options(sqlite_begin="NONE")
        await connection.exec_driver_sql(f"DROP TABLE IF EXISTS {self._stage}")
        await self._connection.commit()


def _create_statement(table: Table) -> str:
    lines = [
        f"{quoted(column.name)} {column.sql_type}".rstrip() + ("" if column.nullable else " NOT NULL")
        for column in table.columns
    ]
    if table.key:
        lines.append(f"PRIMARY KEY ({column_list(table.key)})")
    return f"CREATE TABLE {qualified(table.schema, table.name)} ({', '.join(lines)})"
