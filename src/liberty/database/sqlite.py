"""SQLite: one writer thread whose transactions are shared by all operations that wait (group commit), readers apart.

Write-ahead log, `synchronous=FULL`: an operation that returned survives a power cut. `BEGIN IMMEDIATE` makes
another process's write lock something to wait for instead of an instant error.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy.sql import Executable

from liberty.database.base import Duplicate, Operation, Params, Row, Tx
from liberty.database.statements import prepare
from liberty.errors import Unavailable

BUSY_SECONDS = 5.0
MAX_GROUP = 256  # operations per commit
READERS = 2
_PRAGMAS = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=33554432",
)

_log = logging.getLogger("liberty.database")
_NO_PARAMS: Mapping[str, Any] = {}


class SqliteTx:
    """Statements on one connection. Its coroutines never suspend, so a thread can drive them without a loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _execute(self, sql: str, binds: list[Any]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, binds)
        except sqlite3.IntegrityError as error:
            raise Duplicate(str(error)) from error

    async def all(self, statement: Executable, params: Params = _NO_PARAMS) -> list[Row]:
        prepared = prepare(statement, "sqlite")
        rows = self._execute(prepared.sql, prepared.bind(params)).fetchall()
        reader = prepared.row_reader
        return rows if reader is None else [reader(row) for row in rows]

    async def first(self, statement: Executable, params: Params = _NO_PARAMS) -> Row | None:
        rows = await self.all(statement, params)
        return rows[0] if rows else None

    async def scalar(self, statement: Executable, params: Params = _NO_PARAMS) -> Any:
        rows = await self.all(statement, params)
        return rows[0][0] if rows else None

    async def run(self, statement: Executable, params: Params = _NO_PARAMS) -> int:
        prepared = prepare(statement, "sqlite")
        return self._execute(prepared.sql, prepared.bind(params)).rowcount

    async def many(self, statement: Executable, rows: Sequence[Params]) -> None:
        prepared = prepare(statement, "sqlite")
        try:
            self._connection.executemany(prepared.sql, [prepared.bind(row) for row in rows])
        except sqlite3.IntegrityError as error:
            raise Duplicate(str(error)) from error

    async def script(self, sql: str) -> None:
        pending = ""
        for line in sql.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                self._connection.execute(pending)
                pending = ""
        if pending.strip():
            self._connection.execute(pending)


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


def _concerns_everyone(error: BaseException) -> bool:
    """True when the disk is full or the file is locked, False when a statement is wrong."""
    wrong = sqlite3.SQLITE_ERROR
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF != wrong


def _unavailable(error: sqlite3.Error, path: Path) -> Unavailable:
    return Unavailable(f"database {path.name} cannot be used now: {error}", details={"reason": str(error)})


class SqliteDatabase:
    """A database file. `read_only=True` opens without a writer thread, e.g. to list runs beside a live server."""

    dialect: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._writes: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._read_only = read_only
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
            self._commit(connection, tx, group)
            _hand_back(group)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, tx: SqliteTx, group: list[_Job]) -> None:
        """Run the group in one transaction; when one of them fails, again with a savepoint around each."""
        try:
            if self._attempt(connection, tx, group):
                return
            connection.execute("BEGIN IMMEDIATE")
            for job in group:
                self._in_savepoint(connection, tx, job)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for job in group:
                if job.error is None:
                    job.error = _unavailable(error, self.path)

    def _attempt(self, connection: sqlite3.Connection, tx: SqliteTx, group: list[_Job]) -> bool:
        """The common case, without savepoints. False, and nothing done, when an operation raised."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in group:
                job.drive(tx)
        except BaseException as error:
            if _concerns_everyone(error):
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
        except BaseException as error:
            if _concerns_everyone(error):
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
                job.error = _unavailable(error, self.path)
            except BaseException as error:  # noqa: BLE001 - not swallowed: raised again where the operation is awaited
                job.error = error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            _hand_back([job])
        connection.close()

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
