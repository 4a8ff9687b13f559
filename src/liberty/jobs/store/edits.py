"""Definitions that were saved through the program: who, when, what for, and the text as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import job_edits


@dataclass(frozen=True, slots=True)
class Edit:
    """One act of saving. `version` is what the definition was loaded as; None when the job was deleted."""

    job: str
    version: int | None
    action: str
    summary: str
    toml: str
    file: str
    author: str
    at: datetime


_FIELDS = ("job", "version", "action", "summary", "toml", "file", "author", "at")
_ADD = insert(job_edits).values({name: bindparam(name) for name in _FIELDS})
_COLUMNS = [job_edits.c[name] for name in _FIELDS]
_OF_VERSIONS = (
    select(*_COLUMNS)
    .where(
        job_edits.c.job == bindparam("of_job"),
        job_edits.c.version.between(bindparam("low"), bindparam("high")),
    )
    .order_by(job_edits.c.id)
)


async def add(tx: Tx, edit: Edit) -> None:
    """Remember an edit."""
    await tx.run(_ADD, {name: getattr(edit, name) for name in _FIELDS})


async def of_versions(tx: Tx, job: str, numbers: Sequence[int]) -> dict[int, Edit]:
    """The last edit that made each of these versions, or changed no more than its comments."""
    if not numbers:
        return {}
    span = {"of_job": job, "low": min(numbers), "high": max(numbers)}
    found = [Edit(*row) for row in await tx.all(_OF_VERSIONS, span)]
    return {edit.version: edit for edit in found if edit.version is not None}
