"""What both drivers promise: transactions, shared commits that do not share failures, migrations, closing."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, insert, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from liberty.auth.tables import metadata as auth_tables
from liberty.database import Database, Duplicate, Tx, open_database
from liberty.database.lock import DataLock
from liberty.database.migrate import migrate, migrations
from liberty.database.sqlite import SqliteDatabase
from liberty.database.statements import sqlalchemy_dialect
from liberty.errors import Conflict, Invalid, OutcomeUnknown, Unavailable
from liberty.jobs.store import runs
from liberty.jobs.store.tables import metadata as job_tables
from liberty.notify.store.tables import metadata as notify_tables
from tests.factories import NOW, eventually, migrated, run_of

things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text))
ADD = insert(things).values(id=bindparam("id"), name=bindparam("name"))
IDS = select(things.c.id).order_by(things.c.id)


async def make_table(tx: Tx) -> None:
    await tx.script("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT);")


async def add(tx: Tx, number: int, *more: int) -> int:
    for one in (number, *more):
        await tx.run(ADD, {"id": one, "name": f"thing {one}"})
    return number


async def add_and_fail(tx: Tx, number: int, error: Exception) -> None:
    await add(tx, number)
    raise error


async def add_and_ask_nonsense(tx: Tx, number: int) -> None:
    await add(tx, number)
    await tx.all(text("SELECT nothing FROM nowhere"))


async def ids(tx: Tx) -> list[int]:
    return [row[0] for row in await tx.all(IDS)]


@pytest.fixture
async def with_things(database: Database) -> Database:
    await database.write(make_table)
    return database


async def test_what_an_operation_returns_and_raises_arrives(with_things: Database) -> None:
    database = with_things
    assert await database.write(add, 1) == 1
    with pytest.raises(ZeroDivisionError, match="mine"):
        await database.write(add_and_fail, 2, ZeroDivisionError("mine"))
    with pytest.raises(Duplicate):
        await database.write(add, 5, 1)
    assert await database.read(ids) == [1]
    with pytest.raises(ZeroDivisionError):
        await database.read(add_and_fail_reading)


async def add_and_fail_reading(tx: Tx) -> None:
    await ids(tx)
    raise ZeroDivisionError


@pytest.mark.parametrize("kind", ["raises", "duplicate", "nonsense"])
async def test_one_failing_operation_does_not_take_the_others_along(with_things: Database, kind: str) -> None:
    database = with_things
    await database.write(add, 0)

    def operation(number: int) -> Any:
        if number % 7:
            return database.write(add, number)
        if kind == "raises":
            return database.write(add_and_fail, number, ZeroDivisionError())
        if kind == "duplicate":
            return database.write(add, number, 0)
        return database.write(add_and_ask_nonsense, number)

    results = await asyncio.gather(*(operation(number) for number in range(1, 100)), return_exceptions=True)
    for number, result in enumerate(results, 1):
        assert (result == number) if number % 7 else isinstance(result, Exception)
    assert await database.read(ids) == [number for number in range(100) if number % 7 or not number]


async def test_an_operation_sees_its_own_writes_and_readers_only_what_is_committed(
    with_things: Database,
) -> None:
    database = with_things

    async def add_and_look(tx: Tx) -> list[int]:
        await add(tx, 1)
        return await ids(tx)

    assert await database.write(add_and_look) == [1]
    with pytest.raises(ZeroDivisionError):
        await database.write(add_and_fail, 2, ZeroDivisionError())
    assert await database.read(ids) == [1]


async def gather(tx: Tx, *numbers: int) -> list[int]:
    await tx.add(ADD, [{"id": one, "name": f"thing {one}"} for one in numbers])
    return list(numbers)


async def test_rows_that_are_gathered_are_there_for_what_the_transaction_reads_and_rolled_back_with_it(
    with_things: Database,
) -> None:
    database = with_things

    async def gather_and_look(tx: Tx) -> list[int]:
        await gather(tx, *range(100))
        return await ids(tx)

    async def gather_and_fail(tx: Tx) -> None:
        await gather(tx, 200, 201)
        raise ZeroDivisionError

    assert await database.write(gather_and_look) == list(range(100))
    with pytest.raises(ZeroDivisionError):
        await database.write(gather_and_fail)
    await database.write(add, 300)
    assert await database.read(ids) == [*range(100), 300]


async def test_a_gathered_row_that_is_refused_fails_only_the_operation_it_belongs_to(
    with_things: Database,
) -> None:
    database = with_things
    await database.write(add, 0)
    operations = (
        database.write(gather, number, 0 if number % 7 == 0 else -number) for number in range(1, 60)
    )
    results = await asyncio.gather(*operations, return_exceptions=True)
    for number, result in enumerate(results, 1):
        assert isinstance(result, Duplicate) if number % 7 == 0 else result == [number, -number]
    kept = {number for number in range(1, 60) if number % 7}
    assert set(await database.read(ids)) == kept | {-number for number in kept} | {0}


async def test_a_caller_that_goes_away_does_not_undo_what_it_asked_for(with_things: Database) -> None:
    database = with_things
    tasks = [asyncio.ensure_future(database.write(add, number)) for number in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [r for r in results if not isinstance(r, asyncio.CancelledError)] == list(range(1, 50, 2))

    async def all_there() -> bool:
        return await database.read(ids) == list(range(50))

    await eventually(all_there)


async def test_a_database_serves_several_loops(with_things: Database) -> None:
    database = with_things

    def in_thread(first: int) -> list[int]:
        async def work() -> list[int]:
            got = await asyncio.gather(*(database.write(add, first + n) for n in range(20)))
            await database.leave_loop()
            return got

        return asyncio.run(work())

    found = await asyncio.gather(*(asyncio.to_thread(in_thread, first) for first in (100, 200, 300)))
    assert [len(one) for one in found] == [20, 20, 20]
    assert len(await database.read(ids)) == 60


async def test_times_are_aware_utc_with_milliseconds_wherever_they_come_from(database: Database) -> None:
    east = datetime(2026, 3, 1, 14, 0, 0, 123_000, tzinfo=timezone(timedelta(hours=5)))
    made = await database.write(runs.insert_queued, run_of(), east)
    run = await database.read(runs.get, made.run.number)
    assert run is not None
    assert run.queued_at == east
    assert run.queued_at.utcoffset() == timedelta(0)


# -- migrations


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    assert await migrate(database, NOW) == []


async def test_many_programs_that_start_together_migrate_once(database_url: str) -> None:
    found = await asyncio.gather(*(asyncio.to_thread(_migrate_in_process, database_url) for _ in range(4)))
    assert sorted(found) == ["", "", "", ",".join(m.name for m in migrations("sqlite"))]


def _migrate_in_process(url: str) -> str:
    code = (
        "import asyncio, sys\nfrom datetime import UTC, datetime\n"
        "from liberty.database import open_database\nfrom liberty.database.migrate import migrate\n"
        "async def main():\n    database = open_database(sys.argv[1])\n"
        "    print(','.join(await migrate(database, datetime.now(UTC))))\n    await database.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, url], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    async def from_the_future(tx: Tx) -> None:
        await tx.script(
            "INSERT INTO ly2_schema (number, name, applied_at) VALUES (9999, 'later', '2030-01-01T00:00:00.000Z');"
        )

    await database.write(from_the_future)
    with pytest.raises(Unavailable, match=r"migration 9999.*run the newer version"):
        await migrate(database, NOW)


async def test_a_newer_version_that_only_added_may_work_beside_this_one(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def from_the_future(tx: Tx) -> None:
        await tx.script(
            "INSERT INTO ly2_schema (number, name, applied_at)"
            " VALUES (9999, 'pre_later', '2030-01-01T00:00:00.000Z');"
        )

    await database.write(from_the_future)
    assert await migrate(database, NOW) == []
    assert "finish the upgrade" in caplog.text


SCHEMA = {
    "sqlite": "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name LIKE 'ly2_%' AND type <> 'trigger'",
    "postgresql": """
        SELECT 'column', table_name, column_name, data_type || ' ' || is_nullable || ' ' ||
               coalesce(regexp_replace(column_default, '::\\w+', ''), '') || ' ' ||
               coalesce(generation_expression, '')
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'ly2_%'
        UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u')
    """,
}


async def schema_of(database: Database) -> set[tuple[str, ...]]:
    async def look(tx: Tx) -> set[tuple[str, ...]]:
        rows = await tx.all(text(SCHEMA[database.dialect]))
        return {
            (*(str(value) for value in row[:-1]), part)
            for row in rows
            if "ly2_schema" not in row
            for part in _parts(_squeezed(str(row[-1])))
        }

    return await database.read(look)


def _parts(sql: str) -> list[str]:
    """Columns and constraints one by one: SQLite writes an added column behind the constraints."""
    if not sql.startswith("CREATE TABLE"):
        return [sql]
    parts, depth = [""], 0
    for word in sql.split(" "):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and depth == 1:
            parts.append("")
        elif not (depth == 1 and word == "(") and not (depth == 0 and word == ")"):
            parts[-1] += f" {word}"
    # What follows the closing bracket belongs to the table, not to its last column.
    last, _, tail = parts[-1].partition(" WITHOUT ROWID")
    return [part.strip() for part in (*parts[1:-1], last, parts[0] + tail)]


def _squeezed(sql: str) -> str:
    for mark in "(),":
        sql = sql.replace(mark, f" {mark} ")
    return " ".join(sql.replace('"', "").split())


async def test_the_migrated_schema_is_that_of_the_tables(
    database: Database, tmp_path: Path, request: Any
) -> None:
    dialect = sqlalchemy_dialect(database.dialect)
    migrated_schema = await schema_of(database)

    async def drop_and_create(tx: Tx) -> None:
        for metadata in (job_tables, auth_tables, notify_tables):
            for table in reversed(metadata.sorted_tables):
                await tx.script(f"DROP TABLE {table.name};")
        for metadata in (job_tables, auth_tables, notify_tables):
            for table in metadata.sorted_tables:
                await tx.script(f"{CreateTable(table).compile(dialect=dialect)};")
                for index in table.indexes:
                    await tx.script(f"{CreateIndex(index).compile(dialect=dialect)};")

    await database.write(drop_and_create)
    described = await schema_of(database)
    assert migrated_schema - described == set()
    assert described - migrated_schema == set()


def test_both_databases_have_the_same_migrations() -> None:
    names = {
        dialect: [(m.number, m.name) for m in migrations(dialect)] for dialect in ("sqlite", "postgresql")
    }
    assert names["sqlite"] == names["postgresql"]
    numbers = [number for number, _ in names["sqlite"]]
    assert numbers == sorted(set(numbers))


# -- opening and closing


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite://", "sqlite+aiosqlite:///:memory:"])
def test_only_what_can_keep_history_is_opened(url: str) -> None:
    with pytest.raises(Invalid, match="history"):
        open_database(url)


async def test_an_unreachable_server_is_said_to_be_unavailable() -> None:
    database = open_database("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    for call in (database.read, database.write):
        with pytest.raises(Unavailable, match="PostgreSQL"):
            await call(ids)
    await database.close()


async def test_a_file_that_is_no_database_is_said_to_be_unavailable(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(Unavailable, match=r"x\.db"):
        open_database(f"sqlite:///{tmp_path / 'x.db'}")


# -- SQLite alone


@pytest.fixture
async def sqlite(tmp_path: Path) -> Any:
    async with migrated(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}") as database:
        await database.write(make_table)
        yield database


async def test_an_operation_may_await_nothing_but_its_transaction(sqlite: SqliteDatabase) -> None:
    async def dawdles(tx: Tx) -> None:
        await asyncio.sleep(0)

    async def adds_and_dawdles(tx: Tx) -> None:
        await add(tx, 1)
        await asyncio.sleep(0)

    for call, operation in ((sqlite.write, adds_and_dawdles), (sqlite.read, dawdles)):
        with pytest.raises(RuntimeError, match="awaited something other than its transaction"):
            await call(operation)
    with pytest.raises(Unavailable, match="readonly"):
        await sqlite.read(add, 3)
    assert await sqlite.read(ids) == []
    assert await sqlite.write(add, 2) == 2


async def test_close_finishes_what_is_queued(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    await database.write(make_table)
    tasks = [asyncio.ensure_future(database.write(add, number)) for number in range(600)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*tasks) == list(range(600))
    with pytest.raises(Unavailable, match="closed"):
        await database.write(add, 1000)
    await database.close()
    with sqlite3.connect(tmp_path / "x.db") as shell:
        assert shell.execute("SELECT count(*) FROM things").fetchone() == (600,)
    shell.close()


async def test_a_database_opened_for_reading_reads_and_refuses_to_write(sqlite: SqliteDatabase) -> None:
    await sqlite.write(add, 1)
    beside = open_database(f"sqlite:///{sqlite.path}", read_only=True)
    try:
        assert await beside.read(ids) == [1]
        with pytest.raises(Unavailable, match="only for reading"):
            await asyncio.wait_for(beside.write(add, 2), 5)
    finally:
        await beside.close()


async def test_opening_for_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"none\.db"):
        open_database(f"sqlite:///{tmp_path / 'none.db'}", read_only=True)
    assert list(tmp_path.iterdir()) == []


async def test_a_writer_waits_for_another_process_and_then_says_so(
    sqlite: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(sqlite.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(sqlite.write(add, 1))
    await asyncio.sleep(0.1)
    assert not writing.done()
    assert await sqlite.read(ids) == []
    other.execute("COMMIT")
    assert await writing == 1
    other.close()


async def test_a_lock_held_for_too_long_is_said_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liberty.database.sqlite.BUSY_SECONDS", 0.1)
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    await database.write(make_table)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(database.write(add, n) for n in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 5
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(add, 1) == 1
    await database.close()


async def test_a_writer_whose_connection_is_lost_makes_another(sqlite: SqliteDatabase) -> None:
    async def lose(tx: Tx) -> None:
        await tx.script("PRAGMA user_version;")
        tx._connection.close()  # type: ignore[attr-defined]

    results = await asyncio.gather(sqlite.write(lose), sqlite.write(add, 1), return_exceptions=True)
    assert isinstance(results[0], Exception)
    assert await sqlite.write(add, 2) == 2
    assert 2 in await sqlite.read(ids)


# -- PostgreSQL alone


@pytest.fixture
async def postgres(pg_url: str) -> Any:
    async with migrated(pg_url) as database:
        await database.write(make_table)
        yield database


async def test_a_value_that_does_not_fit_is_no_outage(postgres: Database) -> None:
    results = await asyncio.gather(
        *(postgres.write(add, number) for number in (1, 2**40, 3)), return_exceptions=True
    )
    assert [results[0], results[2]] == [1, 3]
    assert "out of int32 range" in str(results[1])
    assert not isinstance(results[1], Unavailable)


async def test_a_commit_that_breaks_off_is_said_to_be_unknown(postgres: Database) -> None:
    async def sleep_at_commit(tx: Tx) -> None:
        await tx.script(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER dawdles AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION dawdle();"
        )

    async def committing(tx: Tx) -> int:
        return int(await tx.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT'")))

    async def terminate(tx: Tx) -> None:
        await tx.all(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'COMMIT'"))

    await postgres.write(sleep_at_commit)
    writing = asyncio.ensure_future(postgres.write(add, 1))
    await eventually(lambda: postgres.read(committing))
    await postgres.read(terminate)
    with pytest.raises(OutcomeUnknown, match="not known whether"):
        await writing


async def test_an_operation_that_goes_on_after_a_failed_statement_is_not_taken_for_done(
    postgres: Database,
) -> None:
    async def swallows(tx: Tx) -> None:
        try:
            await add(tx, 1, 1)
        except Exception:  # noqa: BLE001 - the mistake that is to be found out
            return

    with pytest.raises(RuntimeError, match="ROLLBACK"):
        await postgres.write(swallows)
    assert await postgres.read(ids) == []


# -- one server per data folder


HOLD = """
import sys, time
from pathlib import Path
from liberty.database.lock import DataLock
with DataLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "server.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Conflict, match=rf"process {holder.pid}\) uses .*LIBERTY_DATA_DIR"),
            DataLock(path),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()
    with DataLock(path):
        assert path.read_text() == str(os.getpid())
    assert path.stat().st_mode & 0o077 == 0
    with DataLock(path):
        pass


# -- a writer that is killed


WRITE = """
import asyncio, sys
from tests.factories import NOW, run_of
from liberty.database import open_database
from liberty.jobs.store import runs

async def main():
    database = open_database(sys.argv[1])
    async def work():
        while True:
            made = await database.write(runs.insert_queued, run_of(), NOW)
            print(made.run.number, flush=True)
    await asyncio.gather(*(work() for _ in range(8)))

asyncio.run(main())
"""


async def test_no_run_that_was_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    async with migrated(url):
        pass
    acknowledged: set[int] = set()
    for turn in range(6):
        said = await asyncio.to_thread(_write_until_killed, url, 20 + 35 * turn)
        assert said
        acknowledged |= said
        with sqlite3.connect(tmp_path / "x.db") as shell:
            assert shell.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = {row[0] for row in shell.execute("SELECT id FROM ly2_job_runs")}
        shell.close()
        assert acknowledged <= stored
    async with migrated(url) as database:
        assert (await database.write(runs.insert_queued, run_of(), NOW)).run.number > max(acknowledged)


def _write_until_killed(url: str, acknowledgements: int) -> set[int]:
    """The run numbers that a process said were stored before it was killed."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(acknowledgements)]
    process.kill()
    said += process.stdout.readlines()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return {int(line) for line in said if line.endswith("\n") and line.strip()}
