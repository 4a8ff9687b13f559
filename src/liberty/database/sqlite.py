"""SQLite: one writer thread whose transactions are shared by all operations that wait (group commit), readers apart.

Write-ahead log, `synchronous=FULL`: an operation that returned survives a power cut. `BEGIN IMMEDIATE` makes
another process's write lock something to wait for instead of an instant error.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from liberty.database.base import Operation, Tx, is_deferrable, is_essential
from liberty.database.room import Room
from liberty.database.sqlite_trouble import concerns_everyone, is_broken, is_full, unavailable
from liberty.database.sqlite_tx import SqliteTx
from liberty.errors import StorageFull, Unavailable

BUSY_SECONDS = 30.0  # another process's lock is waited for; backups and tools hold one for seconds
MAX_GROUP = 256  # operations per commit
MAX_ROWS = (
    32  # per INSERT: each number of rows is a statement of its own, which the connection keeps prepared
)
READERS = 2
_PRAGMAS = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=33554432",
)

_log = logging.getLogger("liberty.database")


class _Job:
    """An operation waiting for a thread, and the future of whoever waits for it."""

    __slots__ = ("args", "error", "future", "kwargs", "operation", "result")

    def __init__(
        self,
        operation: Operation[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        future: asyncio.Future[Any],
    ) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def drive(self, tx: Tx) -> None:
        coroutine: Coroutine[Any, Any, Any] = self.operation(tx, *self.args, **self.kwargs)  # type: ignore[assignment]  # operations are async functions
        try:
            coroutine.send(None)
        except StopIteration as stop:
            self.result = stop.value
        else:
            coroutine.close()
            raise RuntimeError(f"operation {self.operation!r} awaited something other than its transaction")


def _deliver(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def _hand_back(jobs: list[_Job]) -> None:
    """Resolve each future on its own loop, one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.future.get_loop(), []).append(job)
    for loop, done in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver, done)
        except RuntimeError:  # that loop has closed: nobody waits any more
            continue


async def _nothing(_: Tx) -> None:
    """Takes its turn and the lock, and writes nothing."""


class SqliteDatabase:
    """A database file. `read_only=True` opens without a writer thread, e.g. to list runs beside a live server."""

    dialect: Literal["sqlite", "postgresql"] = "sqlite"
    loses_answers = False

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._writes: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._read_only = read_only
        self._room = Room(path)
        self._trouble: str | None = None
        self._threads: list[threading.Thread] = []
        if not read_only:
            self._start("liberty-sqlite-writer", self._write_loop)
        for number in range(READERS):
            self._start(f"liberty-sqlite-reader-{number}", self._read_loop)

    def _start(self, name: str, target: Any) -> None:
        opened: Future[None] = Future()
        thread = threading.Thread(target=target, args=(opened,), name=name, daemon=True)
        thread.start()
        try:
            opened.result()
        except sqlite3.Error as error:
            raise Unavailable(f"cannot open database {self.path}: {error}") from error
        self._threads.append(thread)

    def _connect(self, *, writer: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode={'rw' if self._read_only else 'rwc'}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        if writer:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        else:
            connection.execute("PRAGMA query_only=ON")
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection

    async def write[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.begin_write(operation, *args, **kwargs)

    def begin_write[**P, T](
        self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> "asyncio.Future[T]":
        if self._read_only:
            raise Unavailable(f"database {self.path.name} is open only for reading")
        return self._enqueue(self._writes, operation, args, kwargs)

    async def read[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self._enqueue(self._reads, operation, args, kwargs)
        return result

    def _enqueue(
        self,
        to: "queue.SimpleQueue[_Job | None]",
        operation: Operation[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> asyncio.Future[Any]:
        if self._closed:
            raise Unavailable(f"database {self.path.name} is closed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        to.put(_Job(operation, args, kwargs, future))
        return future

    def _write_loop(self, opened: "Future[None]") -> None:
        try:
            connection = self._connect(writer=True)
        except sqlite3.Error as error:
            opened.set_exception(error)
            return
        opened.set_result(None)
        tx = SqliteTx(connection)
        stopping = False
        while not stopping:
            job = self._writes.get()
            if job is None:
                break
            group = [job]
            while len(group) < MAX_GROUP:
                try:
                    following = self._writes.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stopping = True
                    break
                group.append(following)
            try:
                self._commit(connection, tx, group)
            except sqlite3.Error as error:
                for job in group:
                    job.error = unavailable(error, self.path)
                connection, tx = self._anew(connection, tx)
            _hand_back(group)
        connection.close()

    def _anew(self, connection: sqlite3.Connection, tx: SqliteTx) -> tuple[sqlite3.Connection, SqliteTx]:
        """Another connection for one that is of no use any more; the same one while there is no other to be had."""
        try:
            fresh = self._connect(writer=True)
        except sqlite3.Error as error:
            _log.warning("database %s cannot be opened again yet: %s", self.path.name, error)
            return connection, tx
        connection.close()
        return fresh, SqliteTx(fresh)

    def _commit(self, connection: sqlite3.Connection, tx: SqliteTx, group: list[_Job]) -> None:
        """Run the group in one transaction; on a full disk once more in what can be had, if only the essential ones."""
        if self._room.short:
            group = self._refuse(group, is_essential)
        if self._room.crowded:
            group = self._refuse(group, lambda operation: not is_deferrable(operation))
        error = self._together(connection, tx, group)
        if error is not None and is_full(error):
            try:  # what already stands in the database file need not stand in the log too
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            except sqlite3.Error as full:
                _log.debug("no space inside the write-ahead log: %s", full)
            error = self._together(connection, tx, group)
            if error is not None and is_full(error):
                self._trouble = unavailable(error, self.path).message
                group = self._refuse(group, is_essential)
                if group:
                    self._room.give_away()
                    error = self._together(connection, tx, group)
        if error is not None:
            self._trouble = unavailable(error, self.path).message
            if is_broken(error):
                raise error
            for job in group:
                job.error = unavailable(error, self.path)

    def _refuse(self, group: list[_Job], may: Callable[[Operation[..., Any]], bool]) -> list[_Job]:
        """The jobs that may use the space there is; the others are told that there is none for them."""
        for job in group:
            if not may(job.operation):
                job.error = StorageFull(f"nothing can be stored: there is no space for {self.path.name}")
        return [job for job in group if job.error is None]

    def _together(
        self, connection: sqlite3.Connection, tx: SqliteTx, group: list[_Job]
    ) -> sqlite3.Error | None:
        """One transaction; when one of the group fails, again with a savepoint around each. What went wrong for all."""
        if not group:
            return None
        before = connection.total_changes
        for job in group:
            job.error = None
        try:
            if not self._attempt(connection, tx, group):
                connection.execute("BEGIN IMMEDIATE")
                for job in group:
                    self._in_savepoint(connection, tx, job)
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return error
        if self._trouble is not None and not self._room.short and connection.total_changes != before:
            self._trouble = None
        return None

    def _attempt(self, connection: sqlite3.Connection, tx: SqliteTx, group: list[_Job]) -> bool:
        """The common case, without savepoints. False, and nothing done, when an operation raised."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in group:
                job.drive(tx)
            tx.settle()
        except BaseException as error:
            tx.forget()
            if concerns_everyone(error):
                raise
            connection.execute("ROLLBACK")
            if len(group) > 1:
                return False
            group[0].error = error
            return True
        connection.execute("COMMIT")
        return True

    def _in_savepoint(self, connection: sqlite3.Connection, tx: SqliteTx, job: _Job) -> None:
        connection.execute("SAVEPOINT operation")
        try:
            job.drive(tx)
            tx.settle()
        except BaseException as error:
            tx.forget()
            if concerns_everyone(error):
                raise
            connection.execute("ROLLBACK TO operation")
            job.error = error
        connection.execute("RELEASE operation")

    def _read_loop(self, opened: "Future[None]") -> None:
        try:
            connection = self._connect(writer=False)
        except sqlite3.Error as error:
            opened.set_exception(error)
            return
        opened.set_result(None)
        tx = SqliteTx(connection)
        while (job := self._reads.get()) is not None:
            try:
                connection.execute("BEGIN")
                job.drive(tx)
            except sqlite3.OperationalError as error:
                job.error = unavailable(error, self.path)
            except BaseException as error:  # noqa: BLE001 - not swallowed: raised again where the operation is awaited
                job.error = error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            _hand_back([job])
        connection.close()

    async def check(self) -> None:
        no_room = await asyncio.to_thread(self._room.tidy)
        await self.write(_nothing)
        trouble = self._trouble or no_room
        if trouble is not None:
            raise Unavailable(trouble)

    async def leave_loop(self) -> None:
        """Nothing belongs to a loop: threads do the work."""

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._writes.put(None)
        for _ in range(READERS):
            self._reads.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, 10.0)
