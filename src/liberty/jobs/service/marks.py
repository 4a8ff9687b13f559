"""Marks of incremental copies as callers see them: how far each step has come, and setting one anew."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from liberty.auth import audit
from liberty.clock import Clock
from liberty.database import Database, Tx
from liberty.errors import Invalid, NotFound, did_you_mean
from liberty.jobs.catalogue import Catalogue
from liberty.jobs.engine.generation import Generation
from liberty.jobs.marks import START, CopyMark
from liberty.jobs.service.caller import Caller
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.jobs.store import marks

MAX_VALUE = 1000


@dataclass(frozen=True, slots=True)
class StepMark:
    """An incremental step and its mark. `kind` is None before the first copy, `start` when the next one takes all.

    `column` is None for a step that the job has no more, or that is not incremental any more.
    """

    step: str
    column: str | None
    kind: str | None = None
    value: str | None = None
    set_at: datetime | None = None
    set_by: str | None = None


class Marks:
    """Shows and sets marks."""

    def __init__(self, *, database: Database, clock: Clock, current: Callable[[], Generation]) -> None:
        self._database = database
        self._clock = clock
        self._current = current

    async def of_job(self, name: str, caller: Caller) -> list[StepMark]:
        """Every incremental step of the job, then the marks that are left of steps it has no more."""
        catalogue = self._current().catalogue
        name = caller.job_name(catalogue, name, "read")
        found = {row.step: row for row in await self._database.read(marks.of_job, name)}
        columns = _incremental(catalogue, name)
        listed = []
        for step in [*columns, *(step for step in found if step not in columns)]:
            row = found.get(step)
            if row is None:
                listed.append(StepMark(step, columns.get(step)))
            else:
                mark = row.mark
                listed.append(
                    StepMark(step, columns.get(step), mark.kind, mark.value, row.set_at, row.set_by)
                )
        return listed

    async def reset(self, name: str, step: str, caller: Caller, *, value: str | None = None) -> StepMark:
        """Let the next copy take everything, or go on from `value`; the mark.

        Raises NotFound for a step that has no mark and is not incremental, Invalid for a value of another kind.
        """
        catalogue = self._current().catalogue
        name = caller.job_name(catalogue, name, "read")
        if value is not None and (not value or len(value) > MAX_VALUE or "\x00" in value):
            raise Invalid(f"a mark is a text of 1 to {MAX_VALUE} characters")
        columns = _incremental(catalogue, name)
        now = self._clock.now()

        async def put(tx: Tx) -> CopyMark:
            row = await marks.get(tx, name, step)
            if row is None and step not in columns:
                raise NotFound(f"job {name!r} has no incremental step {step!r}{did_you_mean(step, columns)}")
            before = row.mark if row is not None else None
            mark = CopyMark(START, None) if value is None else CopyMark.written(value, before)
            await marks.put(tx, name, step, mark, at=now, by=caller.by)
            await audit.record(
                tx,
                at=now,
                actor=caller.principal,
                action="reset-mark",
                object=f"job:{name}",
                details={"step": step, "from": before and before.value, "to": mark.value},
                address=caller.address,
            )
            return mark

        mark = await self._database.write(put)
        return StepMark(step, columns.get(step), mark.kind, mark.value, now, caller.by)


def _incremental(catalogue: Catalogue, name: str) -> dict[str, str]:
    """The column each incremental step follows; none for a quarantined job."""
    job = catalogue.jobs.get(name)
    return {
        step.name: step.incremental.column
        for step in (job.steps if job is not None else ())
        if isinstance(step, SqlCopyStep) and step.incremental is not None
    }
