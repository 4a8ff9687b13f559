"""Marks of incremental copies, one per job and step; each change counts up, so that none overwrites a newer one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.marks import CopyMark
from liberty.jobs.store.tables import copy_marks


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A mark, and when which run or person set it."""

    step: str
    mark: CopyMark
    set_at: datetime
    set_by: str


_FIELDS = ("job", "step", "kind", "value", "revision", "set_at", "set_by")
_CHANGED = ("kind", "value", "revision", "set_at", "set_by")
_COLUMNS = [copy_marks.c[name] for name in ("step", "kind", "value", "revision", "set_at", "set_by")]
_ONE = (copy_marks.c.job == bindparam("of_job")) & (copy_marks.c.step == bindparam("of_step"))
_GET = select(*_COLUMNS).where(_ONE)
_OF_JOB = select(*_COLUMNS).where(copy_marks.c.job == bindparam("of_job")).order_by(copy_marks.c.step)
_INSERT = insert(copy_marks).values({name: bindparam(name) for name in _FIELDS})
_FIRST = _INSERT.on_conflict_do_nothing()
_MOVE = (
    update(copy_marks)
    .where(_ONE, copy_marks.c.revision == bindparam("seen"))
    .values({name: bindparam(name) for name in _CHANGED})
)
_DROP = delete(copy_marks).where(copy_marks.c.job == bindparam("of_job"))
_RENAME = update(copy_marks).where(copy_marks.c.job == bindparam("of_job")).values(job=bindparam("new_name"))
_SET = _INSERT.on_conflict_do_update(
    index_elements=[copy_marks.c.job, copy_marks.c.step],
    set_={
        **{name: _INSERT.excluded[name] for name in _CHANGED if name != "revision"},
        "revision": copy_marks.c.revision + 1,
    },
)


async def get(tx: Tx, job: str, step: str) -> MarkRow | None:
    row = await tx.first(_GET, {"of_job": job, "of_step": step})
    return None if row is None else _mark(row)


async def of_job(tx: Tx, job: str) -> list[MarkRow]:
    """The marks of a job, by step."""
    return [_mark(row) for row in await tx.all(_OF_JOB, {"of_job": job})]


async def move(tx: Tx, job: str, step: str, mark: CopyMark, *, seen: int, at: datetime, by: str) -> bool:
    """Set the mark if its revision is still `seen` (0: there is none); False when somebody else set it meanwhile.

    Safe to repeat: a mark that this run has set already counts as set.
    """
    values = {"kind": mark.kind, "value": mark.value, "revision": seen + 1, "set_at": at, "set_by": by}
    if seen == 0:
        moved = await tx.run(_FIRST, {"job": job, "step": step, **values})
    else:
        moved = await tx.run(_MOVE, {"of_job": job, "of_step": step, "seen": seen, **values})
    if moved == 1:
        return True
    found = await get(tx, job, step)
    return found is not None and (found.set_by, found.mark.kind, found.mark.value) == (
        by,
        mark.kind,
        mark.value,
    )


async def put(tx: Tx, job: str, step: str, mark: CopyMark, *, at: datetime, by: str) -> None:
    """Set the mark, whatever it was."""
    values = {"kind": mark.kind, "value": mark.value, "revision": 1, "set_at": at, "set_by": by}
    await tx.run(_SET, {"job": job, "step": step, **values})


async def rename(tx: Tx, job: str, new_name: str) -> int:
    """Let the marks of a job go on under its new name, over any left of an earlier job; how many there are."""
    await tx.run(_DROP, {"of_job": new_name})
    return await tx.run(_RENAME, {"of_job": job, "new_name": new_name})


def _mark(row: tuple[object, ...]) -> MarkRow:
    step, kind, value, revision, set_at, set_by = row
    return MarkRow(str(step), CopyMark(str(kind), value, int(str(revision))), set_at, str(set_by))  # type: ignore[arg-type]  # as the table's columns say
