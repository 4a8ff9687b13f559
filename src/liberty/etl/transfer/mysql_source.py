"""Values of MySQL and MariaDB as other databases know them, and the columns that have to be asked for differently."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.into_mysql import as_time
from liberty.etl.transfer.request import CopyFailed

type Rows = Sequence[Sequence[Any]]

_FLOAT, _TIMESTAMP, _TIME, _BIT = 4, 7, 11, 16
"""Types of the protocol (MariaDB, "Result Set Packets", field types)."""


def selected(column: Column, name: str) -> str:
    """How a table's column is read: a FLOAT would be written with six digits, a DOUBLE is written whole."""
    return f"({name} + 0e0)" if column.sql_type.startswith("float") else name


def quoted_there(name: str) -> str:
    """A name for a connection with the server's own quotes."""
    return "`" + name.replace("`", "``") + "`"


def in_utc(value: Any) -> Any:
    """A TIMESTAMP is an instant; the connection's time zone is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _number(value: Any) -> Any:
    return int.from_bytes(value) if isinstance(value, bytes) else value


_CHANGES: Mapping[int, Callable[[Any], Any]] = {_TIMESTAMP: in_utc, _TIME: as_time, _BIT: _number}


def as_known_elsewhere(
    batches: AsyncIterator[Rows], description: Sequence[Sequence[Any]]
) -> AsyncIterator[Rows]:
    """The rows with instants, times of day and numbers for TIMESTAMP, TIME and BIT.

    Raises CopyFailed for a query that gives a FLOAT, whose digits the server has cut already.
    """
    for entry in description:
        if entry[1] == _FLOAT:
            raise CopyFailed(
                f"column {entry[0]!r} of the source query is FLOAT, which the server writes with six digits only; "
                f"write {entry[0]} + 0e0 AS {entry[0]} in the query"
            )
    changes = [_CHANGES.get(entry[1]) for entry in description]
    return _changed(batches, changes) if any(changes) else batches


async def _changed(
    batches: AsyncIterator[Rows], changes: Sequence[Callable[[Any], Any] | None]
) -> AsyncIterator[Rows]:
    async for rows in batches:
        columns = [
            values if change is None else [change(value) for value in values]
            for change, values in zip(changes, zip(*rows, strict=True), strict=True)
        ]
        yield list(zip(*columns, strict=True))
