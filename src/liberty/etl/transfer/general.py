"""The path that always works: rows read in batches, fitted value by value, and handed to the target."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from liberty.etl.transfer.crossing import Crossing
from liberty.etl.transfer.digest import Summing
from liberty.etl.transfer.fitting import Fitting
from liberty.etl.transfer.request import CopyFailed
from liberty.etl.transfer.shaping import SLICE_ROWS, Batch, Shaper, coalesced
from liberty.etl.transfer.source import reading

NAME = "general"


async def fill(crossing: Crossing) -> int:
    """Bring the rows to the target; returns how many. Raises CopyFailed when the data does not fit."""
    return await _Filling(crossing).run()


class _Filling:
    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._plan: _Plan | None = None
        self._loaded = 0

    async def run(self) -> int:
        crossing = self._crossing
        request, outcome = crossing.request, crossing.outcome
        trim = crossing.source_side.settings.trim_strings
        async with reading(crossing) as source:
            shaper = Shaper(request, source.columns, trim=trim)
            async for rows in source.batches:
                batch = await shaper.shape(rows, outcome.rows_read + 1)
                outcome.rows_read += len(rows)
                outcome.rows_dropped += max(0, len(rows) - len(batch.rows))
                if batch.rows:
                    plan = self._plan or await self._prepare(shaper, batch)
                    await self._load(plan, batch)
                crossing.batch_done(rows)
            if self._plan is None:
                await self._prepare(shaper, Batch([], []))
        return self._loaded

    async def _prepare(self, shaper: Shaper, first: Batch) -> "_Plan":
        """Decide, with the first rows at hand, which column goes where; make the stage."""
        crossing = self._crossing
        target = crossing.target
        names = shaper.names
        if names is None:  # a transform that kept no row at all says nothing about columns
            if target.table is None:
                raise CopyFailed(
                    "the transform kept no row, so the columns of the missing target are unknown"
                )
            names = [column.name for column in target.table.columns if not column.generated]
        meeting = crossing.meet(names, shaper.origins, first.rows)
        crossing.announce(meeting)
        await target.begin(meeting.columns, meeting.create)
        fill = crossing.target_end.settings.coalesce_nulls
        substitutes = [coalesced(column) if fill else None for column in meeting.columns]
        origins = {} if shaper.touches_values or fill else shaper.origins
        fittings = [
            target.fitting(column, origins.get(names[index]))
            for index, column in zip(meeting.taken, meeting.columns, strict=True)
        ]
        changed = shaper.touches_values or fill
        passing = crossing.verification.of_rows(changed=changed) if crossing.verification else None
        self._plan = _Plan(meeting.taken, fittings, substitutes, passing)
        return self._plan

    async def _load(self, plan: "_Plan", batch: Batch) -> None:
        fitted: list[Sequence[Any]] = []
        for start in range(0, len(batch.rows), SLICE_ROWS):
            fitted += plan.fit(
                batch.rows[start : start + SLICE_ROWS], batch.numbers[start : start + SLICE_ROWS]
            )
            await asyncio.sleep(0)
        await self._crossing.target.load(fitted, batch.numbers)
        self._loaded += len(fitted)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which values of a row are taken, how they fit, what stands for NULL, and who sums up what passes."""

    taken: Sequence[int]
    fittings: Sequence[Fitting]
    substitutes: Sequence[Any]
    passing: Summing | None

    def fit(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> list[Sequence[Any]]:
        """The rows as the target takes them. Raises CopyFailed naming row, column and value."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        given = []
        fitted = []
        for index, fitting, substitute in zip(self.taken, self.fittings, self.substitutes, strict=True):
            values = columns[index]
            if substitute is not None:
                values = [substitute if value is None else value for value in values]
            given.append(values)
            fitted.append(fitting.apply(values, numbers))
        if self.passing is not None:
            self.passing.add(given)
        return list(zip(*fitted, strict=True))
