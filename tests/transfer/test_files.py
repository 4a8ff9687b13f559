"""CSV and Parquet files as source and target of copies."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from liberty.connectors import ConnectorRegistry
from liberty.connectors.file_folders import FileFolders
from liberty.errors import Invalid, NotFound
from liberty.etl.transfer import CopyFailed
from liberty.etl.transfer.preview import look
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.testing import build_fake_ctx
from tests.steps.copying import copied, copy_step, rows, run

FORMS = ("csv", "parquet")
TABLES = ("sqlite", "pg")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture
async def pools(tmp_path: Path, folder: Path, pg_url: str) -> AsyncIterator[ConnectorRegistry]:
    registry = ConnectorRegistry(
        {
            "pools": {
                "sqlite": {"url": f"sqlite:///{tmp_path}/a.db"},
                "pg": {"url": pg_url, "max_rows": 100_000},
            }
        }
    )
    registry.files = FileFolders([folder])
    yield registry
    await registry.close()


def at(path: Path, **options: Any) -> dict[str, Any]:
    return {"file": f"file://{path}", **options}


EVERY_KIND = """CREATE TABLE s (id bigint PRIMARY KEY, n numeric(30,10), free numeric, f double precision, words text,
    yes boolean, raw bytea, day date, clock time, wall timestamp, instant timestamptz, doc json,
    uid uuid, tags text[])"""
ROWS = (
    """INSERT INTO s VALUES (9223372036854775807, -12345678901234567890.0123456789, 1e-30, 0.1, E'a "b", c\\r\\n€',
     true, '\\x00ff', '0001-01-01', '23:59:59.999999', '1890-01-01 00:00:00.000001', '2026-01-01 12:00:00+02',
     '{"a":  1.10}', '6f9619ff-8b86-d011-b42d-00c04fc964ff', '{"a,b",NULL}')""",
    "INSERT INTO s (id, words, raw) VALUES (-1, '', '')",
    "INSERT INTO s (id, words) VALUES (0, NULL)",
)


@pytest.mark.parametrize("form", FORMS)
async def test_every_kind_of_value_goes_into_a_file_and_comes_back(
    pools: ConnectorRegistry, folder: Path, form: str
) -> None:
    await run(pools, "pg", EVERY_KIND, *ROWS)
    file = folder / f"s.{form}"
    done = await copied(pools, ("pg", "s"), at(file), batch_size=2)
    assert (done["source_rows"], done["target_rows"], done["rows_written"]) == (3, 3, 3)
    await run(pools, "pg", "CREATE TABLE back (LIKE s INCLUDING ALL)")
    await copied(pools, at(file), ("pg", "back"), batch_size=2)
    listed = "SELECT t::text FROM {} t ORDER BY id"
    assert await rows(pools, "pg", listed.format("back")) == await rows(pools, "pg", listed.format("s"))
    assert [path.name for path in folder.iterdir()] == [file.name]


async def test_a_csv_file_keeps_null_and_empty_text_apart(pools: ConnectorRegistry, folder: Path) -> None:
    await run(pools, "sqlite", "CREATE TABLE s (id INTEGER, a TEXT, b REAL)")
    await run(
        pools, "sqlite", "INSERT INTO s VALUES (1, '', 0.5), (2, NULL, NULL), (3, '1', 1e300), (NULL, 'x', 2)"
    )
    file = folder / "s.csv"
    await copied(pools, ("sqlite", "s"), at(file))
    assert file.read_text() == 'id,a,b\n1,"",0.5\n2,,\n3,"1",1e+300\n,"x",2.0\n'
    await copied(pools, at(file), ("sqlite", "back"))
    assert await rows(pools, "sqlite", "SELECT id, a, b FROM back") == [
        ("1", "", "0.5"),
        ("2", None, None),
        ("3", "1", "1e+300"),
        (None, "x", "2.0"),
    ]


async def test_a_text_for_null_and_other_forms_of_csv(pools: ConnectorRegistry, folder: Path) -> None:
    file = folder / "export"
    file.write_bytes('id;name\r\n1;Zoë\r\n2;NULL\r\n3;\r\n4;""\r\n\r\n'.encode("cp1252"))
    form = {"form": "csv", "delimiter": ";", "encoding": "cp1252", "null": "NULL"}
    await copied(pools, at(file, **form), ("sqlite", "t"))
    found = [("1", "Zoë"), ("2", None), ("3", None), ("4", "")]
    assert await rows(pools, "sqlite", "SELECT * FROM t") == found
    await copied(pools, ("sqlite", "t"), at(folder / "out", **form))
    assert (folder / "out").read_bytes() == 'id;name\n"1";"Zoë"\n"2";NULL\n"3";NULL\n"4";""\n'.encode(
        "cp1252"
    )
    await run(pools, "sqlite", "UPDATE t SET name = 'NULL' WHERE id = '1'")
    with pytest.raises(CopyFailed, match="row 1, column 'name': 'NULL' is the text that stands for NULL"):
        await copied(pools, ("sqlite", "t"), at(folder / "out", **form))


async def test_a_column_of_its_own_may_be_null(pools: ConnectorRegistry, folder: Path) -> None:
    await run(pools, "sqlite", "CREATE TABLE s (a TEXT)", "INSERT INTO s VALUES ('x'), (NULL), ('')")
    await copied(pools, ("sqlite", "s"), at(folder / "s.csv"))
    assert (folder / "s.csv").read_text() == 'a\n"x"\n\n""\n'
    await copied(pools, at(folder / "s.csv"), ("sqlite", "back"))
    assert await rows(pools, "sqlite", "SELECT * FROM back") == [("x",), (None,), ("",)]


@pytest.mark.parametrize("target", TABLES)
async def test_texts_become_what_the_target_or_the_job_says(
    pools: ConnectorRegistry, folder: Path, target: str
) -> None:
    file = folder / "s.csv"
    file.write_text("\ufeffid,yes,n,at,raw\n1,true,1.10,2026-01-02 03:04:05,\\x00ff\n2,f,,2026-01-02,\n")
    kinds = {"id": "int", "yes": "bool", "n": "decimal", "at": "timestamp", "raw": "bytes"}
    await copied(pools, at(file, columns=kinds), (target, "made"))
    await copied(pools, at(file), (target, "made"), mode="append")
    found = await rows(pools, target, "SELECT id, yes, n, at, raw FROM made ORDER BY id")
    if target == "pg":
        first = (1, True, Decimal("1.10"), datetime(2026, 1, 2, 3, 4, 5), b"\x00\xff")
        assert found == [first, first, *[(2, False, None, datetime(2026, 1, 2), None)] * 2]
    else:
        first = (1, 1, "1.10", "2026-01-02 03:04:05", b"\x00\xff")
        assert found == [first, first, *[(2, 0, None, "2026-01-02 00:00:00", None)] * 2]


async def test_a_file_updates_a_table_by_its_key(pools: ConnectorRegistry, folder: Path) -> None:
    await run(pools, "pg", "CREATE TABLE t (id int PRIMARY KEY, name text)")
    await run(pools, "pg", "INSERT INTO t VALUES (1, 'alice'), (2, 'Bob'), (9, 'gone')")
    (folder / "t.csv").write_text("ID,name\n1,Alice\n2,Bob\n3,Charlie\n")
    done = await copied(pools, at(folder / "t.csv"), ("pg", "t"), mode="upsert", delete_missing=True)
    assert (done["rows_written"], done["rows_deleted"]) == (2, 1)
    assert await rows(pools, "pg", "SELECT * FROM t ORDER BY id") == [
        (1, "Alice"),
        (2, "Bob"),
        (3, "Charlie"),
    ]


BROKEN = [
    ("", "the file is empty"),
    ("id,id\n", "the first line names column 'id' twice"),
    ("id,\n", "the first line gives column 2 no name"),
    ("id,name\n1,a\n2\n", "row 2 has 1 fields; the first line names 2"),
    ("id,name\n1,a\n\n2,b\n", "row 2 follows an empty line"),
    ('id,name\n1,"a" b\n', "row 1: ',' expected after '\"'"),
    ('id,name\n1,"a\n', "row 1: unexpected end of data"),
    ("id,name\nx,a\n", "row 1, column 'id': 'x' is no number"),
    ("id,name\n1,a\n1.5,a\n", "row 2, column 'id': '1.5' is no whole number"),
    ("id,name\n99999999999,a\n", "row 1, column 'id': 99999999999 is beyond the 32 bits of integer"),
    ("id,other\n1,a\n", "has no column 'other'"),
]


@pytest.mark.parametrize("text, complaint", BROKEN)
async def test_a_file_that_does_not_fit_changes_nothing(
    pools: ConnectorRegistry, folder: Path, text: str, complaint: str
) -> None:
    await run(
        pools, "pg", "CREATE TABLE t (id int PRIMARY KEY, name text)", "INSERT INTO t VALUES (1, 'kept')"
    )
    (folder / "t.csv").write_text(text)
    with pytest.raises(CopyFailed) as caught:
        await copied(pools, at(folder / "t.csv"), ("pg", "t"))
    assert complaint in caught.value.message
    assert await rows(pools, "pg", "SELECT * FROM t") == [(1, "kept")]


async def test_bytes_that_are_no_text_are_told(pools: ConnectorRegistry, folder: Path) -> None:
    (folder / "t.csv").write_bytes(b"id,name\n1,a\n2,\xff\n")
    with pytest.raises(CopyFailed, match=r"is no utf-8"):
        await copied(pools, at(folder / "t.csv"), ("sqlite", "t"))
    (folder / "t.parquet").write_bytes(b"id,name\n")
    with pytest.raises(CopyFailed, match="is no Parquet file"):
        await copied(pools, at(folder / "t.parquet"), ("sqlite", "t"))


@pytest.mark.parametrize("form", FORMS)
async def test_a_value_that_does_not_fit_leaves_the_file_as_it_was(
    pools: ConnectorRegistry, folder: Path, form: str
) -> None:
    file = folder / f"t.{form}"
    file.write_text("kept")
    await run(pools, "pg", "CREATE TABLE s (id int, v timestamptz)")
    await run(pools, "pg", "INSERT INTO s VALUES (1, now()), (2, 'infinity')")
    if form == "parquet":
        with pytest.raises(CopyFailed, match=r"row 2, column 'v': .* cannot be written into a Parquet file"):
            await copied(pools, ("pg", "s"), at(file))
    else:
        with pytest.raises(CopyFailed, match="guard: 2 rows would be written and min_rows is 3"):
            await copied(pools, ("pg", "s"), at(file), guard={"min_rows": 3})
    assert file.read_text() == "kept"
    assert [path.name for path in folder.iterdir()] == [file.name]


async def test_rows_are_added_to_a_csv_file(pools: ConnectorRegistry, folder: Path) -> None:
    file = folder / "t.csv"
    await run(pools, "sqlite", "CREATE TABLE s (NAME TEXT, id INTEGER)", "INSERT INTO s VALUES ('Bob', 2)")
    for text in ('id,name,more\n1,"Alice",x', 'id,name,more\n1,"Alice",x\n'):
        file.write_text(text)
        assert (await copied(pools, ("sqlite", "s"), at(file), mode="append"))["rows_written"] == 1
        assert file.read_text() == 'id,name,more\n1,"Alice",x\n2,"Bob",\n'
    file.write_text("id\n1\n")
    with pytest.raises(CopyFailed, match="has no column 'NAME'"):
        await copied(pools, ("sqlite", "s"), at(file), mode="append")
    file.unlink()
    await copied(pools, ("sqlite", "s"), at(file), mode="append")
    assert file.read_text() == 'NAME,id\n"Bob",2\n'


async def test_a_file_that_grows_meanwhile_is_not_taken(
    pools: ConnectorRegistry, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = folder / "t.csv"
    file.write_text("id\n" + "1\n" * 30_000)
    caplog.set_level(logging.INFO, "nomaflow.sql_copy")
    task = asyncio.create_task(
        copy_step(at(file), ("sqlite", "t"), batch_size=100).execute(build_fake_ctx(connectors=pools))
    )
    async with asyncio.timeout(30):
        while "batch 1 " not in caplog.text:
            await asyncio.sleep(0)
    with file.open("a") as more:
        more.write("2\n")
    with pytest.raises(CopyFailed, match="was changed while it was read"):
        await task
    assert await rows(pools, "sqlite", "SELECT name FROM sqlite_master WHERE name = 't'") == []


@pytest.mark.parametrize("form", FORMS)
async def test_an_aborted_copy_leaves_no_half_file(
    pools: ConnectorRegistry, folder: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = folder / f"t.{form}"
    file.write_text("kept")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id FROM n"
    caplog.set_level(logging.INFO, "nomaflow.sql_copy")
    step = copy_step({"connector": "sqlite", "query": endless}, at(file))
    task = asyncio.create_task(step.execute(build_fake_ctx(connectors=pools)))
    async with asyncio.timeout(30):
        while "batch 2 " not in caplog.text:
            await asyncio.sleep(0.01)
    task.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert file.read_text() == "kept"
    assert [path.name for path in folder.iterdir()] == [file.name]
    assert {pool["checked_out"] for pool in pools.pools.stats()} == {0}


async def test_types_of_a_parquet_file_are_the_tables_types(pools: ConnectorRegistry, folder: Path) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 0, 1)
    table = pa.table(
        {
            "u": pa.array([2**64 - 1, None], pa.uint64()),
            "i": pa.array([-128, None], pa.int8()),
            "d": pa.array([Decimal("1.10"), None], pa.decimal256(40, 2)),
            "word": pa.array(["x", None], pa.dictionary(pa.int8(), pa.string())),
            "ns": pa.array([moment, None], pa.timestamp("ns")),
            "z": pa.array(
                [moment.replace(microsecond=0, tzinfo=UTC), None], pa.timestamp("s", tz="Europe/Paris")
            ),
            "t": pa.array([time(1, 2, 3), None], pa.time32("s")),
            "day": pa.array([date(1, 1, 1), None], pa.date32()),
            "list": pa.array([[1, 2], None], pa.list_(pa.int64())),
        }
    )
    parquet.write_table(table, folder / "s.parquet")
    await copied(pools, at(folder / "s.parquet"), ("pg", "t"))
    assert await rows(pools, "pg", 'SELECT u, i, d, word, ns, z, t, day, "list"::text FROM t') == [
        (
            2**64 - 1,
            -128,
            Decimal("1.10"),
            "x",
            moment,
            datetime(2026, 1, 1, 12, tzinfo=UTC),
            time(1, 2, 3),
            date(1, 1, 1),
            "[1, 2]",
        ),
        (None,) * 9,
    ]
    parquet.write_table(pa.table({"ns": pa.array([1], pa.timestamp("ns"))}), folder / "s.parquet")
    with pytest.raises(CopyFailed, match=r"rows 1 and following: .*would lose data"):
        await copied(pools, at(folder / "s.parquet"), ("pg", "t"), mode="append")


async def test_a_file_into_a_file(pools: ConnectorRegistry, folder: Path) -> None:
    (folder / "a.csv").write_text("id,name\n1,Alice\n2,\n")
    await copied(pools, at(folder / "a.csv", columns={"id": "int"}), at(folder / "b.parquet"))
    assert parquet.read_table(folder / "b.parquet").to_pylist() == [
        {"id": 1, "name": "Alice"},
        {"id": 2, "name": None},
    ]
    with pytest.raises(Invalid, match="cannot be copied onto itself"):
        await copied(pools, at(folder / "a.csv"), at(folder / "a.csv"))
    with pytest.raises(Invalid, match="a Parquet file is complete when it is closed"):
        await copied(pools, at(folder / "a.csv"), at(folder / "b.parquet"), mode="append")
    with pytest.raises(NotFound, match=r"missing.csv does not exist"):
        await copied(pools, at(folder / "missing.csv"), at(folder / "b.parquet"))
    with pytest.raises(Invalid, match="its name does not tell what it holds"):
        await copied(pools, at(folder / "a.txt"), at(folder / "b.parquet"))


async def test_a_plan_shows_the_file_and_writes_nothing(pools: ConnectorRegistry, folder: Path) -> None:
    (folder / "a.csv").write_text("id,name\n1,Alice\nx,Bob\n")
    await run(pools, "pg", "CREATE TABLE t (id int PRIMARY KEY, name text)")
    step = copy_step(at(folder / "a.csv", columns={"id": "text"}), ("pg", "t"), guard={"min_rows": 1})
    found = await look(await step._request(build_fake_ctx(connectors=pools), None, look=True))
    assert (found["source_rows"], found["target_rows"], found["guard"]) == (
        None,
        0,
        "known when the file is read",
    )
    assert found["problems"] == ["row 2, column 'id': 'x' is no number"]
    assert [column["target"] for column in found["columns"]] == ["id", "name"]
    step = copy_step(("pg", "t"), at(folder / "b.parquet"))
    found = await look(await step._request(build_fake_ctx(connectors=pools), None, look=True))
    assert [column["target_type"] for column in found["columns"]] == ["int64", "string"]
    assert [path.name for path in folder.iterdir()] == ["a.csv"]


WRONG = [
    ({"file": "file:///x.csv", "connector": "a"}, {}, "give either 'file' or 'connector'"),
    ({"table": "t"}, {}, "give 'connector', or 'file'"),
    ({"connector": "a"}, {}, "give either 'table' or 'query', or 'file'"),
    ({"connector": "a", "table": "t", "null": "x"}, {}, "'null' belongs to 'file'"),
    ({"file": "file:///x.csv", "encoding": "utf-9"}, {}, "no encoding 'utf-9'"),
    (
        {"file": "file:///x.csv", "encoding": "utf-16"},
        {},
        "encoding 'utf-16' has more than one byte for a letter",
    ),
    ({"file": "file:///x.csv"}, {"where": "id > 1"}, "drop rows of a file with a 'transform'"),
    ({"file": "file:///x.csv"}, {"mode": "upsert", "incremental": {"column": "id"}}, "needs a source table"),
    ({"connector": "a", "table": "t"}, {"mode": "upsert", "to": True}, "a target file has no keys"),
]


@pytest.mark.parametrize("source, options, complaint", WRONG)
def test_what_does_not_go_together_is_refused_at_load(
    source: dict[str, Any], options: dict[str, Any], complaint: str
) -> None:
    options = dict(options)
    target = {"file": "file:///y.csv"} if options.pop("to", False) else {"connector": "b", "table": "t"}
    with pytest.raises(ValidationError) as caught:
        SqlCopyStep.model_validate({"source": source, "target": target, **options})
    assert complaint in str(caught.value)
