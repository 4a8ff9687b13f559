"""SQLite connections whose running statement ends when the task that awaits it is cancelled.

aiosqlite alone abandons the statement: it runs on in its thread, holding its locks, for as long as it likes.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import aiosqlite

BUSY_SECONDS = 5.0
"""How long a statement waits for another connection's lock."""

# SQLite's own waiting for a lock cannot be interrupted: it waits in short turns, and the rest is done here.
_BUSY_TURN_MS = 200
_BUSY_PAUSE_SECONDS = 0.02
INTERRUPT_EVERY_SECONDS = 0.05


_MAY_WAIT = frozenset({"execute", "executemany", "commit"})


class CancellableConnection(aiosqlite.Connection):
    """Cancelling an await interrupts the statement and waits until its thread is free again.

    What does no work in the database is done at once, without the thread: a change of threads costs more than a
    small query.
    """

    _in_flight = 0

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")  # the text SQLAlchemy recognises as a lost connection
        if self._in_flight == 0 and self._is_instant(fn):
            return fn(*args, **kwargs)
        abandoned = threading.Event()

        def call() -> Any:
            if abandoned.is_set():
                raise sqlite3.OperationalError("interrupted")
            if getattr(fn, "__name__", "") in _MAY_WAIT:
                return self._patiently(partial(fn, *args, **kwargs), abandoned)
            return fn(*args, **kwargs)

        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._in_flight += 1
        future.add_done_callback(self._landed)
        self._tx.put_nowait((future, call))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            abandoned.set()
            await self._interrupt_until(future)
            raise

    async def in_thread[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Let `work` use the connection in its thread: one change of threads for many statements."""
        result: T = await self._execute(lambda: work(self._conn))
        return result

    def _patiently(self, operation: Callable[[], Any], abandoned: threading.Event) -> Any:
        """Try until the lock is free; only what has changed nothing is tried again."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            changes = self._conn.total_changes
            try:
                return operation()
            except sqlite3.OperationalError as error:
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
                hopeless = code & 0xFF != sqlite3.SQLITE_BUSY or code == sqlite3.SQLITE_BUSY_SNAPSHOT
                if hopeless or self._conn.total_changes != changes or time.monotonic() >= deadline:
                    raise
                if abandoned.wait(_BUSY_PAUSE_SECONDS):
                    raise

    def _is_instant(self, fn: Callable[..., Any]) -> bool:
        name = getattr(fn, "__name__", "")
        if name == "close":
            return isinstance(getattr(fn, "__self__", None), sqlite3.Cursor)
        return name == "cursor"

    def _landed(self, _future: "asyncio.Future[Any]") -> None:
        self._in_flight -= 1

    async def _interrupt_until(self, future: "asyncio.Future[Any]") -> None:
        """Interrupt again and again: a first one may come before the statement has begun."""
        while not future.done():
            if self._connection is not None:
                with suppress(sqlite3.ProgrammingError):  # closed in between
                    self._connection.interrupt()
            with suppress(asyncio.CancelledError):  # the caller re-raises the first one
                await asyncio.wait({future}, timeout=INTERRUPT_EVERY_SECONDS)
        if not future.cancelled():
            future.exception()  # seen; asyncio would complain about it otherwise

    async def commit(self) -> None:
        if self._must_ask():
            await self._finish(super().commit)

    async def rollback(self) -> None:
        if self._must_ask():
            await self._finish(super().rollback)

    async def close(self) -> None:
        await self._finish(super().close)

    def _must_ask(self) -> bool:
        """False when there is certainly no transaction to end."""
        return self._in_flight > 0 or self._connection is None or self._connection.in_transaction

    async def _finish(self, operation: Callable[[], Any]) -> None:
        """Let the end of a transaction complete, then pass the cancel on: half an end is no end."""
        task = asyncio.ensure_future(operation())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
            if not task.cancelled():
                task.exception()
            raise


def open_connection(database: str, **options: Any) -> CancellableConnection:
    """What SQLAlchemy calls (`async_creator_fn`) to get a connection; awaiting the result opens it."""
    connection = CancellableConnection(partial(_open, database, options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - aiosqlite offers no argument; else an open connection blocks exit
    return connection


def _open(database: str, options: Mapping[str, Any]) -> sqlite3.Connection:
    connection: sqlite3.Connection = sqlite3.connect(database, **{**options, "check_same_thread": False})
    # The module's own check is off because the loop's thread interrupts and does what is instant; never both at once.
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TURN_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    with suppress(sqlite3.OperationalError):  # a read-only file keeps the journal it has
        connection.execute("PRAGMA journal_mode = WAL")
    return connection
