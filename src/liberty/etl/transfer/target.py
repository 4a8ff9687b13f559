"""What every target of a copy can do, and what it does alike in all databases."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from liberty.etl.transfer.columns import Column, Table
from liberty.etl.transfer.fitting import Fitting
from liberty.etl.transfer.request import CopyFailed, CopyRequest

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

type Check = Callable[["AsyncConnection", str], Awaitable[None]]
"""Looks at the rows that were written: a connection, and a FROM clause whose table is called `t`."""


@dataclass(frozen=True, slots=True)
class Written:
    """Rows inserted or changed, rows the target holds for them, and rows deleted as vanished."""

    rows_written: int
    target_rows: int
    rows_deleted: int = 0


class Target(Protocol):
    """The table being written. Until `finish` returns, it is as it was; closing without it undoes everything."""

    table: Table | None
    """As it is found; None when it has to be made."""

    committing: bool
    """The commit is on its way: whether the rows are there is the database's to say."""

    def fitting(self, column: Column, origin: Column | None) -> Fitting:
        """How values reach a column. `origin` is the source's column when its values come untouched from a table."""
        ...

    def made_from(self, column: Column) -> Column:
        """The column to make for what `column` of the source holds."""
        ...

    async def highest(self, column: str) -> Any:
        """The greatest value of a column, None when there is none."""
        ...

    async def begin(self, columns: Sequence[Column], create: Table | None) -> None:
        """Get ready for rows of these columns; `create` is the table to make."""
        ...

    async def load(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:
        """Take rows whose values fit. Raises CopyFailed for one that the database refuses all the same."""
        ...

    async def finish(self, loaded: int, check: Check | None = None) -> Written:
        """Make the rows part of the table, in one transaction. What `check` raises at its end undoes it."""
        ...

    async def close(self) -> None: ...


def key_of(request: CopyRequest, table: Table | None, columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns by which rows are told apart. Raises CopyFailed when there are none, or one is not copied."""
    names = {column.name.lower(): column.name for column in columns}
    if request.key_columns:
        missing = [name for name in request.key_columns if name.lower() not in names]
        key = tuple(names.get(name.lower(), name) for name in request.key_columns)
    else:
        key = table.key if table is not None else tuple(column.name for column in columns if column.key)
        missing = [name for name in key if name.lower() not in names]
    if not key:
        why = "upsert" if request.mode == "upsert" else "overwriting a table that other tables refer to"
        raise CopyFailed(f"{why} needs a key: {request.target} has no primary key; name key_columns")
    if missing:
        raise CopyFailed(
            f"key column {missing[0]!r} is not among the copied columns: {', '.join(names.values())}"
        )
    return key


def check_counts(what: str, *, expected: int, found: int) -> None:
    """Raises CopyFailed, and so undoes the copy, when the database holds another number of rows than was sent."""
    if expected != found:
        raise CopyFailed(f"{what}: {expected} rows were sent and {found} arrived; nothing was changed")
