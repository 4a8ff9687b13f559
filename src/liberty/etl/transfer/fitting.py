"""Whole columns of values turned into what a target column holds, or refused: nothing is rounded or cut in silence."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.request import CopyFailed, shown

type Fit = Callable[[Any], Any]


class Misfit(Exception):  # noqa: N818 - a finding about one value, turned into CopyFailed where its row is known
    """Says why a value cannot stand in a column; `str()` follows the value in the message."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How values reach one column. Types in `as_they_are` need no look at the single value."""

    column: Column
    as_they_are: frozenset[type]
    fit: Fit

    def apply(self, values: Sequence[Any], rows: Sequence[int]) -> Sequence[Any]:
        """The values as the driver takes them. `rows` are their row numbers, for the error."""
        types = set(map(type, values))
        if _NULL in types:
            if not self.column.nullable:
                number = rows[next(index for index, value in enumerate(values) if value is None)]
                why = "NULL is not allowed here" + (", it is a key" if self.column.key else "")
                raise CopyFailed(f"row {number}, column {self.column.name!r}: {why}")
            types.discard(_NULL)
        if types <= self.as_they_are:
            return values
        fit = self.fit
        try:
            return [None if value is None else fit(value) for value in values]
        except (Misfit, ValueError, ArithmeticError, UnicodeError) as error:
            self._explain(values, rows, error)
            raise

    def _explain(self, values: Sequence[Any], rows: Iterable[int], error: Exception) -> None:
        """Find the value again and name it."""
        for number, value in zip(rows, values, strict=True):
            if value is None:
                continue
            try:
                self.fit(value)
            except (Misfit, ValueError, ArithmeticError, UnicodeError) as reason:
                told = str(reason) if isinstance(reason, Misfit) else f"is no {self.column.kind} ({reason})"
                raise refused(number, self.column.name, value, told) from error


_NULL = type(None)


def refused(row: int, column: str, value: object, reason: str) -> CopyFailed:
    """The error for one value."""
    return CopyFailed(f"row {row}, column {column!r}: {shown(value)} {reason}")
