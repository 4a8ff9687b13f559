"""The table a list is mirrored into: which rows are new or changed, and which have gone. The database compares keys."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from liberty.errors import Invalid, did_you_mean
from liberty.etl.mirror.fitting import DoesNotFit, deleted_marks, fitted, key_text
from liberty.etl.mirror.request import BATCH_ROWS
from liberty.etl.transfer.request import End

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one batch by what is to be done with them.

    Attributes:
        new_may_be_known: the database finds more of their keys than Python does, as it ignores case or blanks.
    """

    changed: list[Row]
    new: list[Row]
    unchanged: int
    new_may_be_known: bool


class MirrorTable:
    """One table as the database describes it. `connection` is in a transaction that others begin and end."""

    def __init__(
        self,
        connection: "AsyncConnection",
        table: "Table",
        key_column: str | None,
        deletion_column: str | None,
    ) -> None:
        self._connection = connection
        self._table = table
        self._by_lower = {column.name.lower(): column for column in table.columns}
        self._key = None if key_column is None else self.column(key_column)
        self.mark = None if deletion_column is None else self.column(deletion_column)
        marks = (None, None) if self.mark is None else deleted_marks(self.mark, datetime.now(UTC))
        self._gone: Any = marks[0]
        self._there: Any = marks[1]

    @classmethod
    async def find(
        cls, connection: "AsyncConnection", end: End, key_column: str | None, deletion_column: str | None
    ) -> "MirrorTable":
        """Look it up. Raises Invalid when it does not exist, or lacks a column."""
        from sqlalchemy import MetaData, Table
        from sqlalchemy.exc import NoSuchTableError

        schema, name = end.table_name()
        try:
            table = await connection.run_sync(
                lambda sync: Table(name, MetaData(), schema=schema, autoload_with=sync, resolve_fks=False)
            )
        except NoSuchTableError:
            raise Invalid(f"table {end.place.table!r} does not exist on pool {end.pool!r}") from None
        return cls(connection, table, key_column, deletion_column)

    @property
    def key(self) -> Any:
        """The column that tells rows apart."""
        assert self._key is not None  # noqa: S101 - whoever only asks for names has no use for it
        return self._key

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self._table.columns]

    def column(self, name: str) -> Any:
        """The column of that name, in whatever case. Raises Invalid."""
        found = self._by_lower.get(name.lower())
        if found is None:
            near = did_you_mean(name, self.column_names)
            raise Invalid(
                f"table {self._table.name!r} has no column {name!r}{near}; it has: {', '.join(self.column_names)}"
            )
        return found

    def row(self, values: Mapping[str, str | None]) -> Row:
        """Values as the columns want them, the mark of deletion taken off. Raises DoesNotFit."""
        row = {}
        for name, text in values.items():
            column = self.column(name)
            row[column.name] = fitted(column, text)
        if self.mark is not None:
            row[self.mark.name] = self._there
        return row

    async def known(self, rows: Sequence[Row]) -> list[Row]:
        """Those of the rows that the table has, by the database's own idea of the same key, as they are now."""
        from sqlalchemy import select

        columns = [self._table.c[name] for name in rows[0]]
        keys = [row[self.key.name] for row in rows]
        found = await self._connection.execute(select(*columns).where(self.key.in_(keys)))
        return [dict(row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for it

    def sort(self, rows: Sequence[Row], known: Sequence[Row]) -> Batch:
        """What is to be done with each row, given what the table has of them."""
        there: dict[Any, list[Row]] = {}
        for row in known:
            there.setdefault(row[self.key.name], []).append(row)
        changed, new, unchanged = [], [], 0
        for row in rows:
            found = there.get(row[self.key.name])
            if found is None:
                new.append(row)
            elif all(one == row for one in found):
                unchanged += 1
            else:
                changed.append(row)
        return Batch(changed, new, unchanged, len(there) > len(rows) - len(new))

    async def write(self, batch: "Batch") -> None:
        """Update the changed rows, insert the new ones."""
        from sqlalchemy import bindparam, exists, insert, literal, select, update

        rows = [*batch.changed, *batch.new]
        if not rows:
            return
        key = self.key
        binds = {
            name: bindparam(f"b_{number}", type_=self._table.c[name].type)
            for number, name in enumerate(rows[0])
        }
        others = {name: bind for name, bind in binds.items() if name != key.name}
        known = rows if batch.new_may_be_known else batch.changed
        if known and others:
            statement: Any = update(self._table).where(key == binds[key.name]).values(others)
            await self._connection.execute(statement, _sent(known))
        if batch.new:
            statement = insert(self._table).values(binds)
            if batch.new_may_be_known:
                there = exists(select(literal(1)).select_from(self._table).where(key == binds[key.name]))
                picked = select(*(bind.label(name) for name, bind in binds.items())).where(~there)
                statement = insert(self._table).from_select(list(binds), picked)
            await self._connection.execute(statement, _sent(batch.new))

    async def present(self, keys: Sequence[str | None]) -> list[str]:
        """Of these keys those that the table has, as the table spells them."""
        from sqlalchemy import select

        wanted = []
        for text in keys:
            with suppress(DoesNotFit):
                wanted.append(fitted(self.key, text))
        found = await self._connection.execute(select(self.key).where(self.key.in_(wanted)))
        return [key_text(row[0]) for row in found]

    async def keys(self) -> AsyncIterator[list[str]]:
        """The keys of all rows that are not marked as deleted, batch by batch."""
        from sqlalchemy import select

        wanted = select(self.key).where(self.key.is_not(None))
        if self.mark is not None:
            wanted = wanted.where(self._alive())
        result = await self._connection.stream(wanted, execution_options={"yield_per": BATCH_ROWS})
        async for batch in result.partitions(BATCH_ROWS):
            yield [key_text(row[0]) for row in batch]
        await result.close()

    async def remove(self, keys: Sequence[str], *, soft: bool) -> None:
        """Delete, or mark as deleted, the rows with these keys."""
        from sqlalchemy import delete, update

        values = [fitted(self.key, text) for text in keys]
        if soft and self.mark is not None:
            statement: Any = update(self._table).values({self.mark.name: self._gone})
            statement = statement.where(self._alive())
        else:
            statement = delete(self._table)
        await self._connection.execute(statement.where(self.key.in_(values)))

    def _alive(self) -> Any:
        from sqlalchemy import or_

        if self._there is None:
            return self.mark.is_(None)  # type: ignore[union-attr]
        return or_(self.mark.is_(None), self.mark == self._there)  # type: ignore[union-attr]


def _sent(rows: Sequence[Row]) -> list[Row]:
    return [{f"b_{number}": value for number, value in enumerate(row.values())} for row in rows]
