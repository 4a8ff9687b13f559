"""Compiles Core statements once per dialect into plain SQL text and positional binds; running one is a driver call."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect
from sqlalchemy.sql import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from liberty.clock import rfc3339
from liberty.database.types import Instant

type DialectName = Literal["sqlite", "postgresql"]


class Prepared:
    """SQL text, the order of its binds, and how to read back what it returns."""

    __slots__ = ("_defaults", "_instants", "_names", "_sqlite", "sql")

    def __init__(self, compiled: SQLCompiler, dialect: DialectName) -> None:
        self.sql = str(compiled)
        self._sqlite = dialect == "sqlite"
        self._names = tuple(compiled.positiontup or ())
        self._defaults = {name: value for name, value in compiled.params.items() if value is not None}
        columns = compiled._result_columns  # noqa: SLF001 - the only place that knows the types of RETURNING too
        self._instants = tuple(
            index for index, column in enumerate(columns) if self._sqlite and isinstance(column.type, Instant)
        )

    def bind(self, params: Mapping[str, Any]) -> list[Any]:
        """The values in the order the text wants them; a name that is missing binds its default or NULL."""
        defaults = self._defaults
        values = [params[name] if name in params else defaults.get(name) for name in self._names]
        if self._sqlite:
            for index, value in enumerate(values):
                if isinstance(value, datetime):
                    values[index] = rfc3339(value)
        return values

    @property
    def row_reader(self) -> Callable[[tuple[Any, ...]], tuple[Any, ...]] | None:
        """Turns a driver row into values, or None when the driver's row is right as it is."""
        if not self._instants:
            return None
        instants = self._instants

        def read(row: tuple[Any, ...]) -> tuple[Any, ...]:
            values = list(row)
            for index in instants:
                if values[index] is not None:
                    values[index] = datetime.fromisoformat(values[index])
            return tuple(values)

        return read


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
        prepared = cache_of_dialect[statement] = Prepared(compiled, dialect)
    return prepared
