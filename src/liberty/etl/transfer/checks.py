"""What is looked at between stage and target, inside the transaction, in PostgreSQL and SQLite alike."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from liberty.etl.transfer.columns import Column, Table, quoted
from liberty.etl.transfer.guard import Guard
from liberty.etl.transfer.merge import Merge
from liberty.etl.transfer.request import CopyFailed, CopyRequest

type First = Callable[[str], Awaitable[Sequence[Any] | None]]
"""The first row of a statement."""


async def check_guard(guard: Guard, merge: Merge, key: Sequence[str], loaded: int, first: First) -> None:
    """Raises CopyFailed when the copy goes beyond a limit. With `key`, rows vanish whose key the stage has not;
    without one, as many as the target has more of than the stage."""
    guard.check_rows(loaded)
    if guard.max_delete_pct is None:
        return
    held = await _number(first, merge.count_all())
    vanishing = await _number(first, merge.count_vanished(key)) if key else max(0, held - loaded)
    guard.check_deletes(vanishing, held)


async def check_key(merge: Merge, key: Sequence[str], first: First) -> None:
    """Raises CopyFailed naming a key that the stage has twice, or a key column that holds NULL."""
    counts = ", ".join(f"count(*) - count({quoted(name)})" for name in key)
    empty = await first(f"SELECT {counts} FROM {merge.stage}")  # noqa: S608 - quoted names
    for name, nulls in zip(key, empty or (), strict=False):
        if nulls:
            raise CopyFailed(
                f"key column {name!r} is NULL in {nulls:,} rows of the source; a key is never NULL"
            )
    repeated = await first(merge.repeated_key(key))
    if repeated is not None:
        values = ", ".join(f"{name} = {value!r}" for name, value in zip(key, repeated, strict=False))
        raise CopyFailed(
            f"the source has {repeated[-1]} rows with the key {values}; a key must be there once"
        )


def mark_column(request: CopyRequest, table: Table | None, columns: Sequence[Column]) -> str | None:
    """The column by which an incremental append tells which rows the target has already; None for other copies.

    Raises CopyFailed when it does not arrive.
    """
    if request.incremental is None or request.mode != "append" or table is None:
        return None
    names = {column.name.lower(): column.name for column in columns}
    if request.incremental.lower() not in names:
        raise CopyFailed(f"an incremental append needs column {request.incremental!r} in the target too")
    return names[request.incremental.lower()]


def known_key(request: CopyRequest, table: Table, columns: Sequence[Column]) -> tuple[str, ...]:
    """The key by which vanishing rows can be told; empty when there is none among the copied columns."""
    names = {column.name.lower(): column.name for column in columns}
    key = request.key_columns or table.key
    return tuple(names[name.lower()] for name in key) if all(name.lower() in names for name in key) else ()


async def _number(first: First, statement: str) -> int:
    row = await first(statement)
    return int(row[0]) if row is not None else 0
