"""Marks of incremental copies in the store: moved by runs, shown and reset by people, on both databases."""

import pytest

from liberty.auth import audit
from liberty.errors import Invalid, NotFound
from liberty.jobs.marks import CopyMark
from liberty.jobs.service.marks import Marks
from liberty.jobs.store import marks
from tests.factories import ALICE, NOW, AppsRepo, Program, migrated

JOB = """
[[jobs]]
name = "orders"

[[jobs.steps]]
name = "make"
type = "sql_query"
connector = "data"
query = "CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY)"

[[jobs.steps]]
name = "fill"
type = "sql_query"
connector = "data"
query = "INSERT INTO log SELECT coalesce(max(id), 0) + 1 FROM log"

[[jobs.steps]]
name = "copy"
type = "sql_copy"
source = {connector = "data", table = "log"}
target = {connector = "data", table = "log2"}
mode = "append"
incremental = {column = "id"}
"""


def service(program: Program) -> Marks:
    runtime = program.runtime
    return Marks(database=runtime.database, clock=runtime.clock, current=lambda: runtime.generation)


async def test_runs_move_the_mark_and_people_reset_it(repo: AppsRepo) -> None:
    repo.jobs(JOB).connectors(f'[pools.data]\nurl = "sqlite:///{repo.root}/data.db"\n')
    async with repo.running() as program:
        shown = service(program)
        listed = await shown.of_job("orders", ALICE)
        assert [(mark.step, mark.column, mark.kind) for mark in listed] == [("copy", "id", None)]
        for number in (1, 2):
            run = await program.run("orders")
            assert run.run.status == "succeeded"
            found = (await shown.of_job("orders", ALICE))[0]
            assert (found.kind, found.value, found.set_by) == ("int", str(number), run.run.run_id)
        assert run.steps[-1].rows_affected == 1
        with pytest.raises(Invalid, match="'x' is no int"):
            await shown.reset("orders", "copy", ALICE, value="x")
        with pytest.raises(NotFound, match="no incremental step 'cpy'; did you mean 'copy'"):
            await shown.reset("orders", "cpy", ALICE)
        await shown.reset("orders", "copy", ALICE)
        found = (await shown.of_job("orders", ALICE))[0]
        assert (found.kind, found.value, found.set_by) == ("start", None, "user:alice")
        entry = (await program.runtime.database.read(audit.entries, action="reset-mark"))[0]
        assert (entry.object, entry.details) == ("job:orders", {"step": "copy", "from": "2", "to": None})
        run = await program.run("orders")
        assert run.steps[-1].output["source_rows"] == 3
        assert run.steps[-1].rows_affected == 1


async def test_a_mark_that_was_reset_meanwhile_is_not_overwritten(database_url: str) -> None:
    async with migrated(database_url) as database:
        five, six = CopyMark.of(5), CopyMark.of(6)

        async def move(mark: CopyMark, seen: int, by: str) -> bool:
            return await database.write(marks.move, "job", "copy", mark, seen=seen, at=NOW, by=by)

        assert await move(five, 0, "r-1")
        assert await move(five, 0, "r-1"), "said again, because the answer was lost"
        assert not await move(six, 0, "r-2")
        await database.write(marks.put, "job", "copy", CopyMark("start", None), at=NOW, by="user:alice")
        assert not await move(six, 1, "r-3")
        row = await database.read(marks.get, "job", "copy")
        assert row is not None
        assert (row.mark, row.set_by) == (CopyMark("start", None, 2), "user:alice")
        assert await move(six, 2, "r-4")
        assert await database.read(marks.of_job, "other") == []
