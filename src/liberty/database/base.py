"""The contract of both drivers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, Literal, Protocol
from weakref import WeakSet

from sqlalchemy.sql import Executable

from liberty.errors import Conflict

type Row = tuple[Any, ...]
type Params = Mapping[str, Any]
type Operation[**P, T] = Callable[Concatenate[Tx, P], Awaitable[T]]


class Duplicate(Conflict):
    """A unique key refused the row."""


class Tx(Protocol):
    """An open transaction. Statements are SQLAlchemy Core with `bindparam` names; times are aware datetimes."""

    async def all(self, statement: Executable, params: Params = ...) -> list[Row]:
        """Every row."""
        ...

    async def first(self, statement: Executable, params: Params = ...) -> Row | None:
        """The first row, or None."""
        ...

    async def scalar(self, statement: Executable, params: Params = ...) -> Any:
        """First column of the first row, or None."""
        ...

    async def run(self, statement: Executable, params: Params = ...) -> int:
        """Execute and return how many rows were changed."""
        ...

    async def many(self, statement: Executable, rows: Sequence[Params]) -> None:
        """Execute once per mapping."""
        ...

    async def add(self, insert: Executable, rows: Sequence[Params]) -> None:
        """Insert rows whose result nobody needs, with an INSERT of one row that binds every column.

        They are there for whatever the transaction reads later. SQLite gathers those of all operations that share a
        transaction into few statements: for each one, its thread waits for the interpreter again.
        """
        ...

    async def script(self, sql: str) -> None:
        """Run plain SQL text, several statements allowed. For migrations."""
        ...


_essential: WeakSet[Callable[..., Any]] = WeakSet()


def essential[**P, T](operation: Operation[P, T]) -> Operation[P, T]:
    """Marks an operation that ends what has begun: on a full disk it may use the space kept back for it."""
    _essential.add(operation)
    return operation


_deferrable: WeakSet[Callable[..., Any]] = WeakSet()


def deferrable[**P, T](operation: Operation[P, T]) -> Operation[P, T]:
    """Marks an operation that is the first to be refused, with StorageFull, when space for writing gets short."""
    _deferrable.add(operation)
    return operation


def is_deferrable(operation: Callable[..., Any]) -> bool:
    return operation in _deferrable


def is_essential(operation: Callable[..., Any]) -> bool:
    return operation in _essential


class Database(Protocol):
    """A database file or server.

    Raises Unavailable when it cannot be reached or is busy too long; of its kinds, StorageFull says that nothing was
    stored, OutcomeUnknown that it may have been.
    """

    dialect: Literal["sqlite", "postgresql"]
    loses_answers: bool
    """Whether a commit may be done and its answer lost on the way back (OutcomeUnknown)."""

    async def write[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `operation` in a transaction of its own (a savepoint of a shared one on SQLite); durable on return.

        Exceptions of the operation roll it back and are raised here.
        """
        ...

    def begin_write[**P, T](
        self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> "asyncio.Future[T]":
        """The same, begun at once: it is finished whether or not anybody waits for the future.

        To be awaited through `asyncio.shield`, which keeps a cancelled caller from cancelling the future.
        """
        ...

    async def read[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `operation` without waiting for writers.

        On SQLite all its statements see one snapshot; on PostgreSQL each sees what is committed when it begins.
        """
        ...

    async def check(self) -> None:
        """Look after the database and find out whether it takes writes. Raises Unavailable with the reason."""
        ...

    async def leave_loop(self) -> None:
        """Let go of what belongs to the running event loop, before that loop ends."""
        ...

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""
        ...
