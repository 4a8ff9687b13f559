"""What happens to rows between source and target: trimming, number modes, the user's transform."""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from liberty.etl.transfer.columns import Column, find
from liberty.etl.transfer.request import CopyFailed, CopyRequest, shown

SLICE_ROWS = 2_000
"""Rows shaped in one go; in between the loop serves others, and an abort."""

type Change = Callable[[Any], Any]
type Rows = Sequence[Sequence[Any]]


@dataclasses.dataclass(slots=True)
class Batch:
    """Rows with the numbers they had in the source, counted from 1."""

    rows: Rows
    numbers: Sequence[int]


class Shaper:
    """Shapes the rows of one source.

    `names` are the columns that come out, known after the first row did; `origins` are the source's columns under
    the names they come out with, or reach the transform with.
    """

    def __init__(self, request: CopyRequest, columns: Sequence[Column], *, trim: bool) -> None:
        self._read = names_of(request, columns)
        self.origins = dict(zip(self._read, columns, strict=True))
        self.names: list[str] | None = None if request.transforms else self._read
        strip = {find(name, columns, what="the source").name for name in request.strip_columns}
        changes = [_change(column, request, strip=column.name in strip, trim=trim) for column in columns]
        self._changes = changes if any(changes) else []
        self._transform = request.transform
        self._batch_transform = request.batch_transform
        self._columns = [dataclasses.replace(c, name=name) for name, c in self.origins.items()]
        self.touches_values = bool(self._changes) or request.transforms

    async def shape(self, rows: Rows, first_number: int) -> Batch:
        """Rows as they leave the source. Raises CopyFailed when the transform returns something else than rows."""
        if self._batch_transform is not None and rows:
            return await self._shaped_whole(rows, first_number)
        shaped: list[Sequence[Any]] = []
        numbers: list[int] = []
        for start in range(0, len(rows), SLICE_ROWS):
            part = self._changed(rows[start : start + SLICE_ROWS])
            number = first_number + start
            if self._transform is None:
                shaped += part
                numbers += range(number, number + len(part))
            else:
                returned = await self._transform(
                    [dict(zip(self._read, row, strict=True)) for row in part], number
                )
                for kept_number, row in self._kept(returned, number):
                    shaped.append(row)
                    numbers.append(kept_number)
            await asyncio.sleep(0)
        return Batch(shaped, numbers)

    async def _shaped_whole(self, rows: Rows, first_number: int) -> Batch:
        """Through a transform of batches. Its rows keep their numbers when they are as many as before."""
        assert self._batch_transform is not None  # noqa: S101 - asked before
        found = await self._batch_transform(self._columns, self._changed(rows), first_number)
        if found is None:
            return Batch([], [])
        names, shaped = found
        if self.names is None:
            self.names = names
        if sorted(names) != sorted(self.names):
            raise CopyFailed(
                f"rows {first_number} and following: the transform returned the columns {', '.join(names)}; "
                f"for the rows before it was {', '.join(self.names)}"
            )
        if names != self.names:
            order = [names.index(name) for name in self.names]
            shaped = [[row[place] for place in order] for row in shaped]
        return Batch(shaped, range(first_number, first_number + len(shaped)))

    def _changed(self, rows: Rows) -> Rows:
        if not self._changes or not rows:
            return rows
        columns = [
            column if change is None else [change(value) for value in column]
            for change, column in zip(self._changes, zip(*rows, strict=True), strict=True)
        ]
        return list(zip(*columns, strict=True))

    def _kept(self, returned: Sequence[object], first_number: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
        for number, row in enumerate(returned, first_number):
            if row is None:
                continue
            if not isinstance(row, dict):
                raise CopyFailed(
                    f"row {number}: the transform returned {shown(row)}; it returns a dict, or None to drop"
                )
            if self.names is None:
                self.names = [str(name) for name in row]
            if row.keys() != set(self.names):
                raise CopyFailed(
                    f"row {number}: the transform returned the columns {', '.join(map(str, row))}; "
                    f"for the rows before it was {', '.join(self.names)}"
                )
            yield number, tuple(row[name] for name in self.names)


def names_of(request: CopyRequest, columns: Sequence[Column]) -> list[str]:
    """What the source's columns are called on their way to the target."""
    if request.target_columns:
        if len(request.target_columns) != len(columns):
            raise CopyFailed(
                f"the source has {len(columns)} columns, {len(request.target_columns)} names were given"
            )
        return list(request.target_columns)
    lower = request.jde or request.lower_names
    return [column.name.lower() if lower else column.name for column in columns]


def _change(column: Column, request: CopyRequest, *, strip: bool, trim: bool) -> Change | None:
    """What one column needs, as one function of a value; None when nothing."""
    steps: list[Change] = []
    if request.jde:
        steps.append(_without_nul)
    if strip:
        steps.append(_stripped)
    elif trim:
        steps.append(_trimmed)
    if request.truncate_decimals:
        steps.append(_whole_number if column.kind == "decimal" else _whole_decimal)
    if not steps:
        return None
    if len(steps) == 1:
        return steps[0]

    def all_steps(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return all_steps


def _without_nul(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _trimmed(value: Any) -> Any:
    return value.rstrip() if isinstance(value, str) else value


def _whole_decimal(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value.is_finite() else value


def _whole_number(value: Any) -> Any:
    """SQLite has no decimals: what a decimal column of it holds arrives as a float."""
    return int(value) if isinstance(value, float) and abs(value) < 2**53 else _whole_decimal(value)


def coalesced(column: Column) -> Any:
    """What a pool that wants no NULLs gets instead; None where there is nothing fitting."""
    if column.kind == "text":
        return " "
    return 0 if column.kind in ("int", "decimal", "float") else None
