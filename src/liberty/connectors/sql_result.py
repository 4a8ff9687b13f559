"""What a SQL statement gave back, in the form steps and plugins see."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

type SqlRow = dict[str, Any]

_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})


@dataclass(slots=True)
class SqlResult:
    """What one statement gave.

    Attributes:
        rows: the rows kept, each a dict; at most `max_rows` of them.
        columns: column names; a repeated one gets `_2`, `_3`.
        rowcount: rows changed by a write, rows kept for a read, -1 when the driver does not say (asyncpg, many).
        truncated: there were more rows than were kept.
        statement_type: SELECT, INSERT, … in upper case.
    """

    rows: list[SqlRow] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rowcount: int = -1
    truncated: bool = False
    duration_ms: float = 0.0
    statement_type: str = ""

    @property
    def row_count(self) -> int:
        """Rows of a read, rows changed by a write."""
        return len(self.rows) if self.reads else self.rowcount

    @property
    def reads(self) -> bool:
        """It gave rows and is none of the statements that change some."""
        return bool(self.columns) and self.statement_type not in _CHANGES

    def first(self) -> SqlRow | None:
        """The first row, or None."""
        return self.rows[0] if self.rows else None

    def scalar(self) -> Any:
        """The first column of the first row, or None."""
        return next(iter(self.rows[0].values()), None) if self.rows else None

    def __iter__(self) -> Iterator[SqlRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def unique_names(names: Iterable[str]) -> list[str]:
    """Column names as dict keys: a repeated one gets a number, so that no value is lost."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique
