"""Writing into PostgreSQL: rows gather in a temporary table by binary COPY, then the same transaction brings them
into the target. Readers see the old rows until it commits; nothing is left of a copy that does not."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from liberty.etl.transfer import into_postgresql
from liberty.etl.transfer.checks import check_guard, check_key, known_key, mark_column
from liberty.etl.transfer.columns import Column, Table, column_list, qualified, quoted
from liberty.etl.transfer.fitting import Fitting, refused
from liberty.etl.transfer.merge import Merge
from liberty.etl.transfer.postgresql_catalog import type_for
from liberty.etl.transfer.request import CopyFailed, CopyRequest, log
from liberty.etl.transfer.target import Check, Written, check_counts, key_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_PLACE = re.compile(r"line (\d+)(?:, column (.*))?$", re.MULTILINE)
_DATA_ERRORS = ("22", "23")
"""SQLSTATE classes "data exception" and "integrity constraint violation"."""

_NULL_REFUSED = "23502"
_LOCK_NOT_AVAILABLE = "55P03"

# Rules and row security do to an INSERT what COPY would pass by or refuse.
_PLAIN = (
    "SELECT relkind IN ('r', 'p') AND NOT relhasrules AND NOT relrowsecurity FROM pg_class WHERE oid = $1"
)

_SEQUENCE = """
SELECT s FROM pg_get_serial_sequence($1, $2) AS s
 WHERE has_sequence_privilege(s, 'UPDATE') AND has_sequence_privilege(s, 'SELECT') AND has_table_privilege($1, 'SELECT')
"""


class PostgresqlTarget:
    """One table of a PostgreSQL database, on a connection that is this copy's alone."""

    def __init__(
        self,
        connection: "AsyncConnection",
        request: CopyRequest,
        table: Table | None,
        *,
        from_postgresql: bool,
    ) -> None:
        self.table = table
        self.committing = False
        self.connection = self._connection = connection
        self._request = request
        self._from_postgresql = from_postgresql
        self._stage_name = f"nomaflow_stage_{request.label}"
        self._stage = qualified("pg_temp", self._stage_name)
        self._columns: tuple[Column, ...] = ()
        self._written_to: Table | None = None
        self._own_types = self._straight = False

    def fitting(self, column: Column, origin: Column | None) -> Fitting:  # noqa: ARG002 - see Target
        return into_postgresql.fitting(column)

    def made_from(self, column: Column) -> Column:
        declared = type_for(column, from_postgresql=self._from_postgresql)
        as_text = declared == "text"
        own = self._from_postgresql and declared == column.sql_type
        return Column(
            name=column.name,
            kind="text" if as_text else column.kind,
            sql_type=declared,
            nullable=column.nullable,
            key=column.key,
            bits=column.bits,
            length=column.length if own else None,
            precision=column.precision if own else None,
            scale=column.scale if own else None,
        )

    async def highest(self, column: str) -> Any:
        assert self.table is not None  # noqa: S101 - asked only for a table that exists
        origin = qualified(self.table.schema, self.table.name)
        statement = f"SELECT max({quoted(column)}) FROM {origin}"  # noqa: S608 - quoted names
        return (await self._connection.exec_driver_sql(statement)).scalar()

    async def begin(
        self,
        columns: Sequence[Column],
        create: Table | None,
        *,
        own_types: bool = False,
        may_go_straight: bool = False,
    ) -> None:
        """Get ready for rows of these columns.

        Args:
            own_types: values of every type arrive in its binary form, none as text.
            may_go_straight: rows may go into the target itself, where that shows nobody less than a stage would.
        """
        self._columns, self._own_types = tuple(columns), own_types
        if create is not None:
            await self._run(_create_statement(create))
        self._written_to = create or self.table
        if may_go_straight and await self._go_straight(create):
            self._straight = True
            return
        declared = ", ".join(f"{quoted(column.name)} {self._staged_type(column)}" for column in columns)
        await self._run(f"CREATE TEMP TABLE {quoted(self._stage_name)} ({declared}) ON COMMIT DROP")

    def _staged_type(self, column: Column) -> str:
        if not self._own_types:
            return "text" if column.kind == "other" else column.sql_type
        return column.sql_type if column.nullable else f"{column.sql_type} NOT NULL"

    async def _go_straight(self, create: Table | None) -> bool:
        """Empty the target for rows that go into it unstaged; False when they have to be staged.

        Readers see the old rows until the commit either way. Other writers wait from now on, so where some are at
        work the stage is the better way.
        """
        from sqlalchemy.exc import DBAPIError

        if create is not None:
            return True
        table = self.table
        assert table is not None  # noqa: S101 - it is there or it is made
        overwrite = self._request.mode == "overwrite"
        if self._request.mode == "upsert" or (overwrite and table.referenced):
            return False
        if not (await self._connection.exec_driver_sql(_PLAIN, (table.number,))).scalar():
            return False
        if overwrite:
            target = qualified(table.schema, table.name)
            try:
                async with self._connection.begin_nested():
                    await self._run(f"LOCK TABLE {target} IN SHARE ROW EXCLUSIVE MODE NOWAIT")
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
                log.info("others write to the target; rows gather in a stage first")
                return False
            await self._run(f"DELETE FROM {target}")  # noqa: S608 - quoted names
        return True

    async def pour(self, chunks: AsyncIterator[bytes], form: Literal["binary", "text"] = "binary") -> int:
        """Take rows in a form of COPY; returns how many. Raises CopyFailed for one that is refused."""
        from asyncpg import PostgresError

        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        schema, name = self._receiver()
        try:
            status: str = await driver.copy_to_table(
                name,
                schema_name=schema,
                source=chunks,
                columns=[column.name for column in self._columns],
                format=form,
            )
        except PostgresError as error:
            place = _PLACE.search(getattr(error, "context", None) or "")
            if place is None or not (error.sqlstate or "").startswith(_DATA_ERRORS):
                raise
            raise self._refused(error, int(place[1]), place[2] or "") from error
        return int(status.rpartition(" ")[2])

    def _refused(self, error: Any, row: int, place: str) -> CopyFailed:
        """What the server says about a row; of a text it tells the value too."""
        name, _, quoted_value = place.partition(": ")
        columns = {column.name: column for column in self._columns}
        if not quoted_value or error.column_name or name not in columns:
            key = error.column_name in columns and columns[error.column_name].key
            return CopyFailed(_told(error, row, name, ", it is a key" if key else ""))
        value = quoted_value[1:].removesuffix('"')
        try:
            self.fitting(columns[name], None).apply([value], [row])
        except CopyFailed as reason:
            return reason
        return refused(row, name, value, f"was refused: {error}")

    def _receiver(self) -> tuple[str | None, str]:
        if not self._straight:
            return "pg_temp", self._stage_name
        assert self._written_to is not None  # noqa: S101 - begin found or made it
        return self._written_to.schema, self._written_to.name

    async def load(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:
        from asyncpg import PostgresError

        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        try:
            await driver.copy_records_to_table(
                self._stage_name,
                schema_name="pg_temp",
                records=rows,
                columns=[column.name for column in self._columns],
            )
        except PostgresError as error:
            if not (error.sqlstate or "").startswith(_DATA_ERRORS):
                raise
            raise self._explained(error, rows, numbers) from error

    def _explained(self, error: Any, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> CopyFailed:
        place = _PLACE.search(getattr(error, "context", None) or "")
        if place is None or not 0 < int(place[1]) <= len(rows):
            return CopyFailed(f"rows {numbers[0]} to {numbers[-1]}: {error}")
        index = int(place[1]) - 1
        names = [column.name for column in self._columns]
        name = (place[2] or "").partition(": ")[0]
        if name not in names:
            return CopyFailed(f"row {numbers[index]}: {error}")
        return refused(numbers[index], name, rows[index][names.index(name)], f"was refused: {error}")

    async def finish(self, loaded: int, check: Check | None = None) -> Written:
        table = self._written_to
        assert table is not None  # noqa: S101 - begin found or made it
        if self._straight:
            return await self._arrived(table, loaded, check)
        casts = {
            column.name: column.sql_type
            for column in self._columns
            if column.kind == "other" and not self._own_types
        }
        merge = Merge(
            target=qualified(table.schema, table.name),
            stage=self._stage,
            columns=[column.name for column in self._columns],
            value=lambda name, expression: f"{expression}::{casts[name]}" if name in casts else expression,
            differs=_differ,
            overriding=" OVERRIDING SYSTEM VALUE"
            if any(column.always_identity for column in self._columns)
            else "",
        )
        check_counts("stage", expected=loaded, found=await self._count(merge.stage))
        if self._request.mode == "append":
            await self._check(check, merge, table)
            loaded -= await self._leave_out_known(merge)
        written = await self._merge(merge, table, loaded)
        if self._request.mode != "append":
            await self._check(check, merge, table)
        await self._advance_sequences(table)
        self.committing = True
        await self._connection.commit()
        return written

    async def _leave_out_known(self, merge: Merge) -> int:
        """Rows at the mark that came with the copy before, and all that a copy without a mark left behind."""
        column = mark_column(self._request, self.table, self._columns)
        if column is None:
            return 0
        await self._run(f"ANALYZE {self._stage}")
        known = await self._run(
            f"DELETE FROM {merge.stage} AS s USING {merge.target} AS t WHERE {merge.same_row(column)}"  # noqa: S608 - quoted
        )
        if known:
            log.info("%d rows are in the target already, each value the same, and are left out", known)
        return known

    async def _check(self, check: Check | None, merge: Merge, table: Table) -> None:
        if check is not None:
            mode = self._request.mode
            key = key_of(self._request, table, self._columns) if mode == "upsert" else ()
            await check(self._connection, merge.written(mode, key))

    async def _arrived(self, table: Table, loaded: int, check: Check | None) -> Written:
        """The end of a copy without a stage."""
        if self._request.verify:
            target = qualified(table.schema, table.name)
            check_counts("target", expected=loaded, found=await self._count(target))
            if check is not None:
                await check(self._connection, f"{target} AS t")
        await self._advance_sequences(table)
        self.committing = True
        await self._connection.commit()
        return Written(loaded, loaded)

    async def _merge(self, merge: Merge, table: Table, loaded: int) -> Written:
        if self._request.mode != "append" or self._request.verify:
            # Readers go on; other writers wait, so that none adds a row between the statements.
            await self._run(f"LOCK TABLE {merge.target} IN SHARE ROW EXCLUSIVE MODE")
        overwrite = self._request.mode == "overwrite"
        if self._request.guard is not None:
            key = known_key(self._request, table, self._columns)
            await self._run(f"ANALYZE {self._stage}")
            await check_guard(self._request.guard, merge, key, loaded, self._first)
        if self._request.mode == "append":
            before = await self._count(merge.target) if self._request.verify else 0
            written = await self._run(merge.insert_all())
            found = await self._count(merge.target) - before if self._request.verify else written
            check_counts("target", expected=loaded, found=found)
            return Written(written, written)
        written = deleted = 0
        if overwrite and not table.referenced:
            await self._run(merge.delete_all())
            written = await self._run(merge.insert_all())
        else:
            key = key_of(self._request, table, self._columns)
            await self._run(f"ANALYZE {self._stage}")
            await check_key(merge, key, self._first)
            if overwrite or self._request.delete_missing:
                deleted = await self._run(merge.delete_vanished(key))
            for statement in merge.by_key(key):
                written += await self._run(statement)
        if overwrite:
            check_counts("target", expected=loaded, found=await self._count(merge.target))
        return Written(loaded if overwrite else written, loaded, deleted)

    async def _advance_sequences(self, table: Table) -> None:
        """Let the next number of a column that numbers itself lie beyond the numbers that were copied."""
        origin = qualified(table.schema, table.name)
        for column in self._columns:
            if not (column.fills_itself and column.kind == "int"):
                continue
            found = await self._connection.exec_driver_sql(_SEQUENCE, (origin, column.name))
            sequence = found.scalar()
            if sequence is not None:
                await self._run(
                    f"SELECT setval('{sequence.replace(chr(39), chr(39) * 2)}', m) FROM "  # noqa: S608 - names quoted
                    f"(SELECT max({quoted(column.name)}) AS m FROM {origin}) AS x, {sequence} AS q "
                    f"WHERE m > q.last_value OR (m = q.last_value AND NOT q.is_called)"
                )

    async def _run(self, statement: str) -> int:
        return (await self._connection.exec_driver_sql(statement)).rowcount

    async def _first(self, statement: str) -> Sequence[Any] | None:
        return (await self._connection.exec_driver_sql(statement)).first()

    async def _count(self, table: str) -> int:
        statement = f"SELECT count(*) FROM {table}"  # noqa: S608 - quoted names
        return int((await self._connection.exec_driver_sql(statement)).scalar_one())

    async def close(self) -> None:
        """The connection is closed by who opened it, and with it the transaction and the stage are gone."""


def _told(error: Any, row: int, column: str, of_key: str) -> str:
    """What the server says about a row, with the place in front."""
    name = error.column_name or column
    where = f"row {row}, column {name!r}" if name else f"row {row}"
    if error.sqlstate == _NULL_REFUSED:
        return f"{where}: NULL is not allowed here{of_key}"
    return f"{where}: {error}" + (f" ({error.detail})" if error.detail else "")


def _create_statement(table: Table) -> str:
    lines = [
        f"{quoted(column.name)} {column.sql_type}" + ("" if column.nullable else " NOT NULL")
        for column in table.columns
    ]
    if table.key:
        lines.append(f"PRIMARY KEY ({column_list(table.key)})")
    return f"CREATE TABLE {qualified(table.schema, table.name)} ({', '.join(lines)})"


def _differ(pairs: Sequence[tuple[str, str]]) -> str:
    """By record image: equal to the last byte, for every type, NULL like any value."""
    target, stage = (", ".join(side) for side in zip(*pairs, strict=True))
    return f"ROW({target})::record *<> ROW({stage})::record"
