"""Tables and types as MySQL and MariaDB have them."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer.columns import Column, Kind, Table

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

MOST_DIGITS, MOST_DECIMALS = 65, 30
"""Of a DECIMAL."""
KEY_LENGTH = 255
"""Characters or bytes of a key that is made: a key cannot be as long as a text."""

_TABLE = """
SELECT TABLE_SCHEMA, TABLE_NAME, @@hostname, @@port FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = COALESCE(%s, DATABASE()) AND TABLE_NAME = %s
"""
_COLUMNS = """
SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.CHARACTER_MAXIMUM_LENGTH, c.NUMERIC_PRECISION,
       c.NUMERIC_SCALE, c.DATETIME_PRECISION, c.COLUMN_DEFAULT, c.EXTRA, k.ORDINAL_POSITION
  FROM information_schema.COLUMNS c
  LEFT JOIN information_schema.KEY_COLUMN_USAGE k
    ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME
   AND k.CONSTRAINT_NAME = 'PRIMARY'
 WHERE c.TABLE_SCHEMA = %s AND c.TABLE_NAME = %s ORDER BY c.ORDINAL_POSITION
"""
_REFERENCES = """
SELECT COUNT(*) FROM information_schema.KEY_COLUMN_USAGE
 WHERE REFERENCED_TABLE_SCHEMA = %s AND REFERENCED_TABLE_NAME = %s
"""
_ENGINE = """
SELECT t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t
  LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
 WHERE t.TABLE_SCHEMA = %s AND t.TABLE_NAME = %s
"""

_BITS = {"tinyint": 16, "smallint": 16, "mediumint": 32, "int": 32, "bigint": 64, "year": 16, "bit": 64}
"""What other databases have for it."""
_BITS_UNSIGNED = {"tinyint": 16, "smallint": 32, "mediumint": 32, "int": 64, "bigint": 64}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_BITS, "int"),
    **dict.fromkeys(("decimal", "numeric"), "decimal"),
    **dict.fromkeys(("float", "double", "real"), "float"),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"), "text"),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), "bytes"),
    "date": "date",
    "time": "time",
    "datetime": "timestamp",
    "timestamp": "timestamptz",
    "json": "json",
    "uuid": "uuid",
}


async def find_table(connection: "AsyncConnection", schema: str | None, name: str) -> Table | None:
    """The table or view of that name; the schema is a database of the server, by default the connection's."""
    found: Any = (await connection.exec_driver_sql(_TABLE, (schema, name))).first()
    if found is None:
        return None
    database, table, host, port = found
    rows: list[Any] = list(await connection.exec_driver_sql(_COLUMNS, (database, table)))
    referenced = (await connection.exec_driver_sql(_REFERENCES, (database, table))).scalar_one()
    return Table(
        schema and database,
        table,
        tuple(_column(row) for row in rows),
        ("mysql", host, port, database, table),
        bool(referenced),
    )


async def engine_without_transactions(connection: "AsyncConnection", table: Table) -> str | None:
    """The name of the table's storage engine when it cannot undo changes; None when it can."""
    found: Any = (await connection.exec_driver_sql(_ENGINE, table.identity[-2:])).one()
    return None if found[1] == "YES" else str(found[0] or "none: it is a view")


def _column(row: Any) -> Column:
    name, base, sql_type, nullable, length, digits, scale, fraction, default, extra, key = row
    base, sql_type, extra = base.lower(), _text(sql_type), extra.upper()
    kind, bits = _KINDS.get(base, "other"), _BITS.get(base, 64)
    unsigned = "unsigned" in sql_type
    if sql_type.startswith("tinyint(1)") and not unsigned:
        kind = "bool"
    elif unsigned and kind == "int":
        bits = _BITS_UNSIGNED.get(base, 64)
        if base == "bigint":  # its upper half is beyond every whole number elsewhere
            kind, digits, scale = "decimal", 20, 0
    elif base == "bit" and sql_type == "bit(64)":
        kind, digits, scale = "decimal", 20, 0
    elif base == "float":
        bits = 32
    precision = {"decimal": digits, "time": fraction, "timestamp": fraction, "timestamptz": fraction}.get(
        kind
    )
    return Column(
        name=name,
        kind=kind,
        sql_type=sql_type,
        nullable=nullable == "YES",
        key=int(key or 0),
        bits=bits,
        length=int(length) if length is not None and kind in ("text", "bytes") else None,
        precision=None if precision is None else int(precision),
        scale=int(scale) if scale is not None and kind == "decimal" else None,
        fills_itself="AUTO_INCREMENT" in extra or default not in (None, "NULL"),
        generated=re.search(r"\b(?:VIRTUAL|STORED|PERSISTENT|INVISIBLE) GENERATED\b", extra) is not None,
    )


def base_of(sql_type: str) -> str:
    """`bigint` of `bigint(20) unsigned`."""
    return re.split(r"[ (]", sql_type, maxsplit=1)[0].lower()


def labels_of(sql_type: str) -> list[str]:
    """What an ENUM or SET may hold."""
    return [label.replace("''", "'") for label in re.findall(r"'((?:[^']|'')*)'", sql_type)]


def type_for(column: Column, *, from_mysql: bool) -> Column:
    """The column to make for what `column` holds: the same type, or the one that holds its every value."""
    declared = column.sql_type if from_mysql and column.sql_type else _declared(column)
    made = _column((column.name, base_of(declared), declared, *_facts(declared), None, "", column.key))
    return replace(made, nullable=column.nullable and not column.key)


def _declared(column: Column) -> str:
    match column.kind:
        case "int":
            return "smallint" if column.bits <= 16 else "int" if column.bits <= 32 else "bigint"
        case "decimal":
            digits, scale = column.precision or MOST_DIGITS, column.scale
            if scale is None:
                scale = MOST_DECIMALS if column.precision is None else 0
            return f"decimal({min(digits, MOST_DIGITS)},{min(scale, MOST_DECIMALS)})"
        case "float":
            return "float" if column.bits == 32 else "double"
        case "text" | "bytes":
            return _stretch(column)
        case kind:
            return _TYPE_OF_KIND[kind]


def _stretch(column: Column) -> str:
    text = column.kind == "text"
    if column.key or (column.length is not None and column.length <= KEY_LENGTH):
        length = min(column.length or KEY_LENGTH, KEY_LENGTH)
        return f"varchar({length})" if text else f"varbinary({length})"
    return "longtext" if text else "longblob"


_TYPE_OF_KIND: dict[Kind, str] = {
    "bool": "tinyint(1)",
    "date": "date",
    "time": "time(6)",
    "timestamp": "datetime(6)",
    "timestamptz": "timestamp(6)",
    "uuid": "char(36)",
    "json": "json",
    "other": "longtext",
}


def _facts(declared: str) -> tuple[Any, ...]:
    """What the catalogue would say of a type: nullable, length, digits, scale, decimals of a second."""
    base = base_of(declared)
    numbers = [int(number) for number in re.findall(r"\d+", declared.partition("(")[2].partition(")")[0])]
    first = numbers[0] if numbers else None
    length = {"tinytext": 255, "tinyblob": 255, "text": 65_535, "blob": 65_535}.get(base, first)
    if base in ("decimal", "numeric"):
        return "YES", None, first or 10, numbers[1] if len(numbers) > 1 else 0, None
    moment = base in ("time", "datetime", "timestamp")
    return "YES", None if base in ("enum", "set") else length, None, None, (first or 0) if moment else None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
