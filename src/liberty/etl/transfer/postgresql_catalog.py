"""Tables and types as PostgreSQL's catalogue describes them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from liberty.errors import Invalid
from liberty.etl.transfer.columns import Column, Kind, Table, qualified

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_KINDS: dict[str, Kind] = {
    "int2": "int",
    "int4": "int",
    "int8": "int",
    "numeric": "decimal",
    "float4": "float",
    "float8": "float",
    "text": "text",
    "varchar": "text",
    "bpchar": "text",
    "bool": "bool",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "bytea": "bytes",
    "uuid": "uuid",
    "json": "json",
    "jsonb": "json",
}
_BITS = {"int2": 16, "int4": 32, "float4": 32}

_TABLE = """
SELECT c.oid, n.nspname, c.relname,
       EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.conrelid <> c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND lower(c.relname) = lower($1)
   AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(c.oid) ELSE lower(n.nspname) = lower($2) END
 ORDER BY c.relname = $1 DESC, n.nspname = $2 DESC LIMIT 2
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(b.typname, t.typname),
       CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE t.typtypmod END,
       a.attnotnull OR t.typnotnull, a.atthasdef, a.attidentity::text, a.attgenerated::text,
       coalesce(array_position(string_to_array(i.indkey::text, ' ')::int2[], a.attnum), 0),
       t.typtype::text = 'b' AND t.typnamespace = 'pg_catalog'::regnamespace
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type b ON b.oid = t.typbasetype
  LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
 WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""
_TYPES = """
SELECT t.oid, format_type(t.oid, NULL), t.typname, t.typtype = 'b' AND t.typnamespace = 'pg_catalog'::regnamespace
  FROM pg_type t WHERE t.oid = ANY($1::oid[])
"""
_SERVER = "SELECT pg_postmaster_start_time()::text, current_setting('port'), current_database()"


async def find_table(connection: "AsyncConnection", schema: str | None, name: str) -> Table | None:
    """The table or view of that name, spelled so or but for its case. Raises Invalid when two differ only in case."""
    found: list[Any] = list(await connection.exec_driver_sql(_TABLE, (name, schema)))
    if not found:
        return None
    if len(found) > 1 and found[0][2] != name:
        both = " and ".join(qualified(row[1], row[2]) for row in found)
        raise Invalid(f"table {name!r} may be {both}; write the one that is meant exactly")
    oid, found_schema, found_name, referenced = found[0]
    described: list[Any] = list(await connection.exec_driver_sql(_COLUMNS, (oid,)))
    columns = tuple(_column(row) for row in described)
    identity = ("postgresql", *await server_of(connection), oid)
    return Table(found_schema, found_name, columns, identity, referenced)


async def server_of(connection: "AsyncConnection") -> tuple[str, ...]:
    """Equal for all connections to the same database, however it is reached."""
    found: Any = (await connection.exec_driver_sql(_SERVER)).one()
    return tuple(found)


async def columns_of_result(
    connection: "AsyncConnection", names: Sequence[str], oids: Sequence[int]
) -> list[Column]:
    """The columns of a query's result."""
    rows: list[Any] = list(await connection.exec_driver_sql(_TYPES, (list(set(oids)),)))
    types = {row[0]: (row[1], row[2], row[3]) for row in rows}
    found = []
    for name, oid in zip(names, oids, strict=True):
        sql_type, base, built_in = types[oid]
        found.append(
            Column(
                name=name,
                kind=_KINDS.get(base, "other"),
                # Of a length nobody knows: "character" alone would be one character.
                sql_type="bpchar" if sql_type == "character" else sql_type,
                bits=_BITS.get(base, 64),
                portable=built_in,
            )
        )
    return found


def _column(row: Any) -> Column:
    name, sql_type, base, modifier, not_null, has_default, identity, generated, key, built_in = row
    kind = _KINDS.get(base, "other")
    length = precision = scale = None
    if modifier >= 0:
        if base == "numeric":
            precision, scale = (modifier - 4) >> 16 & 0xFFFF, ((modifier - 4 & 0x7FF) ^ 0x400) - 0x400
        elif base in ("varchar", "bpchar"):
            length = modifier - 4
        elif kind in ("time", "timestamp", "timestamptz"):
            precision = modifier
    return Column(
        name=name,
        kind=kind,
        sql_type=sql_type,
        nullable=not not_null,
        key=key,
        bits=_BITS.get(base, 64),
        length=length,
        precision=precision,
        scale=scale,
        fills_itself=has_default or bool(identity),
        generated=bool(generated),
        always_identity=identity == "a",
        portable=built_in,
    )


_TYPE_OF_KIND: dict[Kind, str] = {
    "int": "bigint",
    "decimal": "numeric",
    "float": "double precision",
    "text": "text",
    "bool": "boolean",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "bytes": "bytea",
    "uuid": "uuid",
    "json": "json",
    "other": "text",
}


def type_for(column: Column, *, from_postgresql: bool) -> str:
    """The type of a column that is made to hold what `column` holds."""
    if from_postgresql and column.sql_type and column.portable:
        return column.sql_type
    if column.kind == "int" and column.bits < 64:
        return {16: "smallint", 32: "integer"}[column.bits]
    if column.kind == "float" and column.bits == 32:
        return "real"
    return _TYPE_OF_KIND[column.kind]
