"""About how many rows a source has: what its database believes, without counting."""

from typing import TYPE_CHECKING

from liberty.etl.transfer.columns import qualified

if TYPE_CHECKING:
    from liberty.etl.transfer.crossing import Crossing

_POSTGRESQL = "SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = $1 AND relkind IN ('r', 'p', 'm')"
_MYSQL = "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"


async def rows_of(crossing: "Crossing") -> int | None:
    """None for a query, for a part of a table, and where nobody believes anything."""
    from sqlalchemy.exc import DBAPIError

    table, connection = crossing.source_table, crossing.connection
    whole = crossing.request.where is None and crossing.watermark is None
    if table is None or connection is None or not whole:
        return None
    match crossing.source_side.backend:
        case "postgresql" if connection.dialect.driver == "asyncpg":
            result = await connection.exec_driver_sql(_POSTGRESQL, (table.number,))
        case "mysql":
            result = await connection.exec_driver_sql(_MYSQL, table.identity[-2:])
        case "sqlite":
            origin = qualified(table.schema, table.name)
            try:
                result = await connection.exec_driver_sql(f"SELECT max(_rowid_) FROM {origin}")  # noqa: S608 - quoted
            except DBAPIError:  # a view, or a table without such a number
                return None
        case _:
            return None
    found = result.scalar()
    return int(found) if found is not None and int(found) > 0 else None
