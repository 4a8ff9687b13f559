"""Compiles Core statements once per dialect into plain SQL text and positional binds; running one is a driver call."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Table
from sqlalchemy.sql import Executable, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import NullType

from liberty.clock import rfc3339
from liberty.database.types import Instant

type DialectName = Literal["sqlite", "postgresql"]


class Prepared:
    """SQL text, the order of its binds, and how to read back what it returns."""

    __slots__ = ("_defaults", "_instants", "_names", "_sqlite", "_times", "row_reader", "sql", "tables")

    def __init__(self, statement: Executable, compiled: SQLCompiler, dialect: DialectName) -> None:
        self.sql = str(compiled)
        self.tables = _tables_of(statement)
        self._sqlite = dialect == "sqlite"
        self._names = tuple(compiled.positiontup or ())
        self._times = tuple(
            index
            for index, name in enumerate(self._names)
            if self._sqlite and isinstance(compiled.binds[name].type, Instant | NullType)
        )
        self._defaults = {name: value for name, value in compiled.params.items() if value is not None}
        columns = compiled._result_columns  # noqa: SLF001 - the only place that knows the types of RETURNING too
        self._instants = tuple(
            index for index, column in enumerate(columns) if self._sqlite and isinstance(column.type, Instant)
        )
        self.row_reader: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None = (
            self._read if self._instants else None
        )
        """Turns a driver row into values; None when the driver's row is right as it is."""

    def bind(self, params: Mapping[str, Any]) -> list[Any]:
        """The values in the order the text wants them; a name that is missing binds its default or NULL."""
        defaults = self._defaults
        values = [params[name] if name in params else defaults.get(name) for name in self._names]
        for index in self._times:
            value = values[index]
            if isinstance(value, datetime):
                values[index] = rfc3339(value)
        return values

    def for_rows(self, count: int) -> str:
        """The text of an INSERT of one row, for `count` rows; their binds follow one another."""
        one = f"({', '.join('?' * len(self._names))})"
        before, values, after = self.sql.partition(one)
        if not values:
            raise ValueError(f"not an INSERT of one row that binds every column: {self.sql}")
        return before + ", ".join([one] * count) + after

    def _read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for index in self._instants:
            if values[index] is not None:
                values[index] = datetime.fromisoformat(values[index])
        return tuple(values)


def _tables_of(statement: Executable) -> frozenset[str]:
    """The names of the tables a statement reads or writes."""
    return frozenset(
        element.name
        for element in visitors.iterate(statement)  # type: ignore[arg-type]  # every Executable we build is a ClauseElement
        if isinstance(element, Table)
    )


@cache
def sqlalchemy_dialect(name: DialectName) -> Dialect:
    """The SQLAlchemy dialect whose compiler writes the text our drivers take."""
    if name == "sqlite":
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        return SQLiteDialect_pysqlite(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

    return PGDialect_asyncpg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # untyped upstream


_prepared: dict[DialectName, WeakKeyDictionary[Executable, Prepared]] = {
    "sqlite": WeakKeyDictionary(),
    "postgresql": WeakKeyDictionary(),
}


def prepare(statement: Executable, dialect: DialectName) -> Prepared:
    """The compiled form of `statement`, compiled at most once while the statement lives."""
    cache_of_dialect = _prepared[dialect]
    prepared = cache_of_dialect.get(statement)
    if prepared is None:
        compiled = statement.compile(  # type: ignore[attr-defined]  # every Executable we build is a ClauseElement
            dialect=sqlalchemy_dialect(dialect), compile_kwargs={"render_postcompile": True}
        )
        prepared = cache_of_dialect[statement] = Prepared(statement, compiled, dialect)
    return prepared
