"""Settings of a connection to MySQL or MariaDB that keep the values of a copy exact."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_SQL_MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
# What does not fit is an error and 0 is no request for a new number; TIMESTAMP values are read and written in UTC.
_SETTINGS = (
    f"SET SESSION sql_mode = '{_SQL_MODE}'",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET NAMES utf8mb4",
)


async def settle(connection: "AsyncConnection") -> None:
    """Give a connection the settings of a copy; it is not given back to a pool afterwards."""
    for statement in _SETTINGS:
        await connection.exec_driver_sql(statement)
    await connection.rollback()


async def use_standard_quotes(connection: "AsyncConnection") -> None:
    """Let names be quoted as in other databases, so that these share their statements."""
    await connection.exec_driver_sql("SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')")
    await connection.rollback()
