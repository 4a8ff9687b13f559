"""Writing into MySQL and MariaDB: rows gather in a temporary table, then one transaction brings them into the target.

A temporary table belongs to its connection: nothing of it is left whatever ends the process. These servers commit
before every CREATE and DROP, so a target that has to be made is made just before the transaction, and dropped again
when that fails.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from liberty.connectors import mysql_driver
from liberty.etl.transfer import into_mysql
from liberty.etl.transfer.checks import check_guard, check_key, known_key, mark_column
from liberty.etl.transfer.columns import Column, Table, column_list, find, qualified, quoted
from liberty.etl.transfer.fitting import Fitting, refused
from liberty.etl.transfer.mysql_catalog import engine_without_transactions, type_for
from liberty.etl.transfer.mysql_merge import MysqlMerge, differs
from liberty.etl.transfer.mysql_session import use_standard_quotes
from liberty.etl.transfer.mysql_source import in_utc
from liberty.etl.transfer.request import CopyFailed, CopyRequest, log
from liberty.etl.transfer.target import Check, Written, check_counts, key_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_COLUMN_IN_ERROR = re.compile(r"[Cc]olumn '?(?:`[^`]+`\.`[^`]+`\.)?[`']?(?P<name>[^`']+)[`']?")
_CHECK_FAILED = frozenset({3819, 4025})
"""Of MySQL and of MariaDB: a CHECK of the table is not met."""
_MADE_WITH = "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


class MysqlTarget:
    """One table of a MySQL or MariaDB server, on a connection that is this copy's alone until `close`."""

    def __init__(
        self, connection: "AsyncConnection", request: CopyRequest, table: Table | None, *, from_mysql: bool
    ) -> None:
        self.table = table
        self.committing = False
        self._connection = connection
        self._request = request
        self._from_mysql = from_mysql
        self._stage = quoted(f"nomaflow_stage_{request.label}")
        self._columns: tuple[Column, ...] = ()
        self._create: Table | None = None
        self._insert = ""
        self._number = 0
        self._made = ""
        self._finished = False

    def fitting(self, column: Column, origin: Column | None) -> Fitting:  # noqa: ARG002 - see Target
        return into_mysql.fitting(column)

    def made_from(self, column: Column) -> Column:
        return type_for(column, from_mysql=self._from_mysql)

    async def highest(self, column: str) -> Any:
        assert self.table is not None  # noqa: S101 - asked only for a table that exists
        await self._settle()
        origin = qualified(self.table.schema, self.table.name)
        statement = f"SELECT max({quoted(column)}) FROM {origin}"  # noqa: S608 - quoted names
        found = (await self._connection.exec_driver_sql(statement)).scalar()
        await self._connection.rollback()
        instant = find(column, self.table.columns, what="the target").kind == "timestamptz"
        return in_utc(found) if instant else found

    async def begin(self, columns: Sequence[Column], create: Table | None) -> None:
        self._columns, self._create = tuple(columns), create
        await self._connection.rollback()
        await self._settle()
        if self.table is not None:
            engine = await engine_without_transactions(self._connection, self.table)
            if engine is not None:
                raise CopyFailed(
                    f"{self._request.target} has a storage engine that cannot undo changes ({engine}); "
                    "copies need one that can, such as InnoDB"
                )
        names = column_list(column.name for column in columns)
        if self.table is None:
            await self._run(f"CREATE TEMPORARY TABLE {self._stage} ({_declared(columns)}) {_MADE_WITH}")
        else:
            origin = qualified(self.table.schema, self.table.name)
            # The target's own types, character sets and collations: texts compare as they do there.
            await self._run(
                f"CREATE TEMPORARY TABLE {self._stage} ENGINE=InnoDB AS SELECT {names} FROM {origin} LIMIT 0"  # noqa: S608
            )
        marks = ", ".join("%s" for _ in columns)
        self._insert = f"INSERT INTO {self._stage} ({_as_format(names)}) VALUES ({marks})"  # noqa: S608 - quoted names
        await self._connection.commit()

    async def load(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:
        from sqlalchemy.exc import DBAPIError

        try:
            await self._connection.exec_driver_sql(self._insert, list(rows))
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            await self._connection.rollback()
            await self._name_refused(rows, numbers)
            raise CopyFailed(f"rows {numbers[0]} to {numbers[-1]}: {_reason(error)}") from error
        await self._connection.commit()

    async def _name_refused(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:
        """Send the rows one by one, to find the one that the server does not take."""
        from sqlalchemy.exc import DBAPIError

        places = {column.name: index for index, column in enumerate(self._columns)}
        for number, row in zip(numbers, rows, strict=True):
            try:
                await self._connection.exec_driver_sql(self._insert, tuple(row))
            except DBAPIError as error:
                await self._connection.rollback()
                named = _COLUMN_IN_ERROR.search(_reason(error))
                if named is not None and named["name"] in places:
                    value = row[places[named["name"]]]
                    raise refused(number, named["name"], value, f"is refused: {_reason(error)}") from error
                raise CopyFailed(f"row {number}: {_reason(error)}") from error

    async def finish(self, loaded: int, check: Check | None = None) -> Written:
        from sqlalchemy.exc import DBAPIError, IntegrityError

        if self._create is not None:
            await self._make(self._create)
        table = self._create or self.table
        assert table is not None  # noqa: S101 - either found or made
        merge = MysqlMerge(
            target=qualified(table.schema, table.name),
            stage=self._stage,
            columns=[column.name for column in self._columns],
            value=lambda _name, expression: expression,
            differs=differs(self._columns),
        )
        try:
            async with self._connection.begin():
                written = await self._brought_in(merge, table, loaded, check)
                self.committing = True
        except DBAPIError as error:
            if not isinstance(error, IntegrityError) and _number(error) not in _CHECK_FAILED:
                raise
            raise CopyFailed(f"{self._request.target}: {_reason(error)}") from error
        self._finished = True
        return written

    async def _make(self, create: Table) -> None:
        name = qualified(create.schema, create.name)
        key = f", PRIMARY KEY ({column_list(create.key)})" if create.key else ""
        await self._run(f"CREATE TABLE {name} ({_declared(create.columns)}{key}) {_MADE_WITH}")
        self._made = name
        await self._connection.commit()

    async def _brought_in(self, merge: MysqlMerge, table: Table, loaded: int, check: Check | None) -> Written:
        check_counts("stage", expected=loaded, found=await self._count(merge.stage))
        if self._request.mode == "append":
            loaded -= await self._leave_out_known(merge)
        if self._request.guard is not None:
            key = known_key(self._request, table, self._columns)
            await check_guard(self._request.guard, merge, key, loaded, self._first)
        written = await self._merge(merge, table, loaded)
        if check is not None:
            mode = self._request.mode
            await check(
                self._connection,
                merge.written(mode, key_of(self._request, table, self._columns) if mode == "upsert" else ()),
            )
        return written

    async def _merge(self, merge: MysqlMerge, table: Table, loaded: int) -> Written:
        overwrite = self._request.mode == "overwrite"
        if self._request.mode == "append":
            return Written(await self._run(merge.insert_all()), loaded)
        if overwrite and not table.referenced:
            await self._run(merge.delete_all())
            written = await self._run(merge.insert_all())
            check_counts("target", expected=loaded, found=await self._count(merge.target))
            return Written(written, loaded)
        key = key_of(self._request, table, self._columns)
        await check_key(merge, key, self._first)
        deleted = written = 0
        if overwrite or self._request.delete_missing:
            deleted = await self._run(merge.delete_vanished(key))
        for statement in merge.by_key(key):
            written += await self._run(statement)
        if overwrite:
            check_counts("target", expected=loaded, found=await self._count(merge.target))
        return Written(loaded if overwrite else written, loaded, deleted)

    async def _leave_out_known(self, merge: MysqlMerge) -> int:
        """Rows at the mark that came with the copy before."""
        column = mark_column(self._request, self.table, self._columns)
        if column is None:
            return 0
        known = await self._run(merge.delete_known(column))
        if known:
            log.info("%d rows are in the target already, each value the same, and are left out", known)
        return known

    async def _settle(self) -> None:
        if not self._number:
            await use_standard_quotes(self._connection)
            self._number = await mysql_driver.number_of(self._connection)

    async def _run(self, statement: str) -> int:
        return (await self._connection.exec_driver_sql(_as_format(statement))).rowcount

    async def _first(self, statement: str) -> Sequence[Any] | None:
        return (await self._connection.exec_driver_sql(_as_format(statement))).first()

    async def _count(self, table: str) -> int:
        row = await self._first(f"SELECT count(*) FROM {table}")  # noqa: S608 - quoted names
        assert row is not None  # noqa: S101 - a count is one row
        return int(row[0])

    async def close(self) -> None:
        if self._finished or not self._number:
            return
        await mysql_driver.end(self._connection.engine, self._number)
        if self._made:
            await self._drop_made()

    async def _drop_made(self) -> None:
        from sqlalchemy.exc import DBAPIError

        try:
            async with mysql_driver.own_connection(self._connection.engine) as other:
                await other.exec_driver_sql("SET SESSION sql_mode = 'ANSI_QUOTES'")
                await other.exec_driver_sql(_as_format(f"DROP TABLE IF EXISTS {self._made}"))
        except DBAPIError as error:
            log.warning("table %s was made and could not be dropped again: %s", self._made, _reason(error))


def _declared(columns: Sequence[Column]) -> str:
    return ", ".join(
        f"{quoted(column.name)} {column.sql_type} {'NULL' if column.nullable else 'NOT NULL'}"
        for column in columns
    )


def _as_format(statement: str) -> str:
    """The driver fills in `%s`: a `%` of a name is written twice."""
    return statement.replace("%", "%%")


def _number(error: Any) -> object:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments else None


def _reason(error: Any) -> str:
    """The server's own words, without its number."""
    arguments = getattr(error.orig, "args", ())
    return str(arguments[-1]) if arguments else str(error.orig)
