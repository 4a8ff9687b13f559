"""Saved definitions, their versions page by page, and marks that follow a renamed job."""

from dataclasses import replace

from liberty.database import Database
from liberty.jobs.marks import CopyMark
from liberty.jobs.store import edits, marks, versions
from liberty.jobs.store.edits import Edit
from tests.factories import NOW

EDIT = Edit("daily", 1, "create", "made", "[[jobs]] # é", "config/jobs.toml", "user:alice", NOW)


async def test_the_last_edit_of_each_version_counts(database: Database) -> None:
    for edit in (
        EDIT,
        replace(EDIT, version=2),
        replace(EDIT, version=2, summary="comments"),
        replace(EDIT, job="x"),
    ):
        await database.write(edits.add, edit)
    await database.write(edits.add, replace(EDIT, version=None, action="delete"))
    found = await database.read(edits.of_versions, "daily", [2, 1])
    assert found == {1: EDIT, 2: replace(EDIT, version=2, summary="comments")}
    assert await database.read(edits.of_versions, "daily", []) == {}


async def test_versions_are_read_page_by_page(database: Database) -> None:
    for number in range(1, 6):
        await database.write(versions.remember, {"daily": (str(number), f'{{"n":{number}}}')}, NOW)
    first = await database.read(versions.page, "daily", 2)
    assert [row[0] for row in first] == [5, 4]
    assert await database.read(versions.page, "daily", 9, 4) == [(n, NOW, f'{{"n":{n}}}') for n in (3, 2, 1)]


async def test_marks_follow_a_renamed_job(database: Database) -> None:
    for job, value in (("old", "7"), ("new", "1")):
        await database.write(marks.put, job, "copy", CopyMark("integer", value, 1), at=NOW, by="r-1")
    assert await database.write(marks.rename, "old", "new") == 1
    assert [row.mark.value for row in await database.read(marks.of_job, "new")] == ["7"]
    assert await database.read(marks.of_job, "old") == []
