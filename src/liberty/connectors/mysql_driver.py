"""What MySQL and MariaDB need that other databases do by themselves: a statement whose client has left is ended."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

NAMES = ("mysql", "mariadb")

_log = logging.getLogger("liberty.connectors")


async def number_of(connection: "AsyncConnection") -> int:
    """A connection's number on its server."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return int(driver.thread_id())


async def end(engine: "AsyncEngine", number: int) -> None:
    """Let the server end a connection: it would go on with its statement, and keep its locks."""
    from sqlalchemy.exc import DBAPIError

    try:
        async with own_connection(engine) as other:
            await other.exec_driver_sql(f"KILL {number}")
    except DBAPIError as error:  # it is gone already, or the server is
        _log.debug("connection %d was not ended: %s", number, error.orig)


@asynccontextmanager
async def own_connection(engine: "AsyncEngine") -> AsyncIterator["AsyncConnection"]:
    """A connection outside the pool, whose connections may all be in use."""
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    alone = create_async_engine(engine.url, poolclass=NullPool, hide_parameters=True)
    try:
        async with alone.connect() as connection:
            yield connection
    finally:
        await alone.dispose()


@asynccontextmanager
async def ended_when_left(connection: "AsyncConnection", *, errors_too: bool = False) -> AsyncIterator[None]:
    """When the caller is cancelled inside, the server stops working for this connection.

    `errors_too`: also when anything is raised, for connections whose statement may not have come to its end then.
    """
    number = await number_of(connection)
    try:
        yield
    except BaseException as error:
        if errors_too or not isinstance(error, Exception):
            await connection.invalidate()
            await end(connection.engine, number)
        raise
