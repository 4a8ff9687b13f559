"""Tables and declared types as SQLite has them: a type is a hint (an affinity), any value may stand anywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from liberty.etl.transfer.columns import Column, Kind, Table

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

type Affinity = Literal["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"]

EXACT_DIGITS = 15
"""Significant digits every double holds (SQLite, "Floating point numbers")."""

_TABLE = """
SELECT name FROM pragma_table_list WHERE schema = ? COLLATE NOCASE AND name = ? COLLATE NOCASE AND type <> 'shadow'
"""
_COLUMNS = (
    'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1'
)
_REFERENCES = """
SELECT 1 FROM pragma_table_list l, pragma_foreign_key_list(l.name, l.schema) f
 WHERE l.schema = ? AND l.type = 'table' AND l.name <> ? COLLATE NOCASE AND f."table" = ? COLLATE NOCASE LIMIT 1
"""
_DATABASE = "SELECT file FROM pragma_database_list WHERE name = ? COLLATE NOCASE"


async def find_table(connection: "AsyncConnection", schema: str | None, name: str) -> Table | None:
    """The table or view of that name, in whatever case it is spelled."""
    schema = schema or "main"
    found = (await connection.exec_driver_sql(_TABLE, (schema, name))).scalar()
    if found is None:
        return None
    rows: list[Any] = list(await connection.exec_driver_sql(_COLUMNS, (found, schema)))
    single_key = sum(1 for row in rows if row[4]) == 1
    referenced = (await connection.exec_driver_sql(_REFERENCES, (schema, found, found))).scalar() is not None
    file = (await connection.exec_driver_sql(_DATABASE, (schema,))).scalar()
    identity: tuple[object, ...] = (str(connection.engine.url),)
    if file:
        status = Path(file).stat()  # noqa: ASYNC240 - a file that is open already
        identity = (status.st_dev, status.st_ino)
    return Table(
        schema,
        found,
        tuple(_column(row, single_key=single_key) for row in rows),
        ("sqlite", *identity, found.lower()),
        referenced,
    )


def _column(row: Any, *, single_key: bool) -> Column:
    name, declared, not_null, default, key, hidden = row
    kind, precision, scale = declared_kind(declared)
    rowid = bool(key) and single_key and declared.upper() == "INTEGER"
    return Column(
        name=name,
        kind=kind,
        sql_type=declared,
        nullable=not not_null and not rowid,
        key=key,
        precision=precision,
        scale=scale,
        fills_itself=default is not None or rowid,
        generated=hidden in (2, 3),
    )


def declared_kind(declared: str) -> tuple[Kind, int | None, int | None]:
    """What a declared type is meant to hold, with precision and scale of a decimal."""
    base, _, arguments = declared.upper().partition("(")
    base = base.strip()
    affinity = affinity_of(declared)
    if base.startswith("BOOL"):
        return "bool", None, None
    if base.startswith(("DATETIME", "TIMESTAMP")):
        zoned = "TZ" in base or ("WITH TIME ZONE" in declared.upper() and "WITHOUT" not in declared.upper())
        return "timestamptz" if zoned else "timestamp", None, None
    if base in _KINDS:
        return _KINDS[base], None, None
    if affinity == "NUMERIC" and base.startswith(("NUM", "DEC", "MONEY")):
        numbers = [int(part) for part in arguments.rstrip(") ").split(",") if part.strip().isdigit()]
        scale = numbers[1] if len(numbers) > 1 else (0 if numbers else None)
        return "decimal", numbers[0] if numbers else None, scale
    return _KIND_OF_AFFINITY[affinity] if declared else "other", None, None


_KINDS: dict[str, Kind] = {
    "DATE": "date",
    "TIME": "time",
    "JSON": "json",
    "JSONB": "json",
    "UUID": "uuid",
    "GUID": "uuid",
}
_KIND_OF_AFFINITY: dict[Affinity, Kind] = {
    "INTEGER": "int",
    "TEXT": "text",
    "BLOB": "bytes",
    "REAL": "float",
    "NUMERIC": "other",
}


def affinity_of(declared: str) -> Affinity:
    """SQLite's rule ("Determination of column affinity"), in its order."""
    upper = declared.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(part in upper for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in upper or not upper:
        return "BLOB"
    return "REAL" if any(part in upper for part in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


_TYPE_OF_KIND: dict[Kind, str] = {
    "int": "INTEGER",
    "decimal": "TEXT",
    "float": "REAL",
    "text": "TEXT",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "DATETIME",
    "timestamptz": "TIMESTAMPTZ",
    "bytes": "BLOB",
    "uuid": "TEXT",
    "json": "TEXT",
    "other": "",
}


def type_for(column: Column, *, from_sqlite: bool) -> str:
    """The declared type of a column that is made to hold what `column` holds.

    Decimals with more digits than a double holds become TEXT, the one form in which SQLite keeps them.
    """
    if from_sqlite and column.sql_type:
        return column.sql_type
    if column.kind == "decimal" and column.precision is not None and column.precision <= EXACT_DIGITS:
        return f"NUMERIC({column.precision},{column.scale or 0})"
    return _TYPE_OF_KIND[column.kind]
