"""What PostgreSQL's and its driver's errors mean: away, full, wrong, and whether the connection can be kept."""

import asyncio
from contextlib import suppress
from typing import Any

from liberty.database.base import Duplicate
from liberty.errors import LibertyError, StorageFull, Unavailable


def driver_errors() -> tuple[type[Exception], ...]:
    """Whatever the driver raises."""
    import asyncpg

    return OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError


def translated(error: Exception) -> LibertyError | None:
    """Our error for one of the driver's; None when the statement or a value is at fault."""
    import asyncpg

    if isinstance(error, asyncpg.UniqueViolationError):
        return Duplicate(str(error))
    if isinstance(
        error, LibertyError | ValueError
    ):  # the driver's own for a value that does not fit its type
        return None
    text = f"the PostgreSQL database cannot be used now: {type(error).__name__}: {error}".rstrip(": ")
    details = {"reason": type(error).__name__}
    if isinstance(error, asyncpg.DiskFullError):
        return StorageFull(f"the disk of the PostgreSQL database is full: {error}", details=details)
    away = (
        OSError,
        TimeoutError,
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.TransactionRollbackError,
        asyncpg.LockNotAvailableError,
        asyncpg.IdleInTransactionSessionTimeoutError,
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
    )
    return Unavailable(text, details=details) if isinstance(error, away) else None


def suspect(error: BaseException) -> bool:
    """True when it is not known what state the connection is in; the server itself has said nothing."""
    import asyncpg

    if isinstance(error, asyncpg.PostgresConnectionError | asyncio.CancelledError):
        return True
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return False
    return isinstance(
        error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError
    ) or (
        isinstance(error, asyncpg.OperatorInterventionError)
        and not isinstance(error, asyncpg.QueryCanceledError)
    )


def concerns_everyone(error: BaseException) -> bool:
    """True when the operations of a group would all fail again alone: the server is away, full or read-only."""
    import asyncpg

    cause = error.__cause__  # none: an operation's own refusal
    return isinstance(error, Unavailable) and not isinstance(cause, asyncpg.TransactionRollbackError | None)


def cut(connection: Any) -> None:
    """End a connection at once, without a word to the server; one that ended by itself is gone already."""
    import asyncpg

    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def put_back(_: Any) -> None:
    """A connection goes back as it is: nothing here changes its session, and a transaction never stays open."""
