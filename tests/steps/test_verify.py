"""`verify` on real databases: equal data passes whatever its types, and what is changed on the way undoes the copy."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyFailed
from liberty.etl.transfer.canonical import Writer
from tests.steps.copying import PAIRS, copied, place, rows, run

TABLE = "(id INTEGER PRIMARY KEY, name VARCHAR(20), amount NUMERIC(10,2), at TIMESTAMP)"


async def people(pools: ConnectorRegistry, pool: str, table: str, count: int = 5) -> None:
    await run(pools, pool, f"CREATE TABLE {table} {TABLE}")
    values = ", ".join(
        f"({n}, {'NULL' if n == 3 else repr(f'né {n}')}, {n}.50, '2026-01-0{n} 10:00:00.5')"
        for n in range(1, count + 1)
    )
    if count:
        await run(pools, pool, f"INSERT INTO {table} VALUES {values}")


def sqlite_script(pools: ConnectorRegistry, pool: str, sql: str) -> None:
    """Several statements in one, which a connector refuses."""
    with closing(sqlite3.connect(pools.sql(pool).engine.url.database or "")) as connection:
        connection.executescript(sql)


async def changing_trigger(pools: ConnectorRegistry, pool: str, changes: str) -> None:
    """Rows that arrive in `copy` are changed by the database itself."""
    if pool == "pg":
        names = ", ".join(f"NEW.{change.strip()}" for change in changes.split(","))
        body = "; ".join(names.split(", "))
        await run(
            pools,
            pool,
            f"CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$",
            "CREATE TRIGGER spoil BEFORE INSERT ON copy FOR EACH ROW EXECUTE FUNCTION spoil()",
        )
    else:
        sqlite_script(
            pools,
            pool,
            f"CREATE TRIGGER spoil AFTER INSERT ON copy BEGIN UPDATE copy SET {changes} WHERE id = NEW.id; END",
        )


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
async def test_equal_rows_pass_and_the_log_says_so(
    pools: ConnectorRegistry, source: str, target: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await people(pools, source, "orig")
    await people(pools, target, "copy", 0)
    await run(pools, target, "INSERT INTO copy (id, name) VALUES (9, 'before')")
    facts = await copied(pools, (source, "orig"), (target, "copy"), mode=mode, verify=True, where="id <> 4")
    assert facts["rows_written"] == 4
    assert "verify: 4 rows, checksum" in caplog.text


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("mode", ["overwrite", "upsert"])
async def test_rows_that_the_target_changes_undo_the_copy(
    pools: ConnectorRegistry, source: str, target: str, mode: str
) -> None:
    await people(pools, source, "orig")
    await people(pools, target, "copy", 0)
    await run(pools, target, "INSERT INTO copy (id, name) VALUES (9, 'before')")
    await changing_trigger(pools, target, "name = 'spoilt', amount = 0")
    told = r"verify: 5 rows were read and as many are in .*, but they differ in columns 'name', 'amount'; nothing"
    with pytest.raises(CopyFailed, match=told):
        await copied(pools, (source, "orig"), (target, "copy"), mode=mode, verify=True)
    assert await rows(pools, target, "SELECT id, name FROM copy") == [(9, "before")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_rows_that_the_target_loses_undo_the_copy(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await people(pools, source, "orig")
    await people(pools, target, "copy", 0)
    lose = "CREATE TRIGGER lose AFTER INSERT ON copy BEGIN DELETE FROM copy WHERE id = 2; END"
    if target == "pg":
        await run(
            pools,
            target,
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER lose BEFORE INSERT ON copy FOR EACH ROW EXECUTE FUNCTION lose()",
        )
    else:
        sqlite_script(pools, target, lose)
    with pytest.raises(CopyFailed, match=r"verify: 5 rows were read and 4 are in"):
        await copied(pools, (source, "orig"), (target, "copy"), mode="upsert", verify=True)
    assert await rows(pools, target, "SELECT id FROM copy") == []


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_values_that_swap_rows_are_noticed(pools: ConnectorRegistry, source: str, target: str) -> None:
    await people(pools, source, "orig", 2)
    await people(pools, target, "copy", 0)
    await changing_trigger(
        pools, target, "name = CASE WHEN id = 1 THEN 'né 2' ELSE 'né 1' END".replace("WHEN id", "WHEN NEW.id")
    )
    with pytest.raises(CopyFailed, match="in which values stand in one row"):
        await copied(pools, (source, "orig"), (target, "copy"), verify=True)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("options", [{"strip_both_columns": ["name"]}, {"decimal_mode": "truncate"}])
async def test_values_changed_on_purpose_are_summed_up_as_they_are_sent(
    pools: ConnectorRegistry,
    source: str,
    target: str,
    options: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await people(pools, source, "orig")
    await copied(pools, (source, "orig"), (target, "copy"), verify=True, **options)
    assert "values change on their way" in caplog.text
    assert "verify: 5 rows, checksum" in caplog.text
    await run(pools, target, "DELETE FROM copy")
    await changing_trigger(pools, target, "name = 'spoilt'")
    with pytest.raises(CopyFailed, match="they differ from what was sent"):
        await copied(pools, (source, "orig"), (target, "copy"), verify=True, **options)


@pytest.mark.parametrize("origin", ["table", "query"])
async def test_every_type_of_postgresql_goes_around_and_passes(
    pools: ConnectorRegistry, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    await run(
        pools,
        "pg",
        """CREATE TABLE every (big bigint, small smallint, n numeric(10,2), w numeric(38,10), loose numeric,
           f double precision, r real, t text, v varchar(9), c char(5), b boolean, raw bytea, d date, clock time,
           wall timestamp, instant timestamptz, uid uuid, j json, jb jsonb, span interval, tags text[], net inet)""",
        """INSERT INTO every VALUES (-9223372036854775808, 7, 12.50, 1234567890123456789012345678.0123456789, 0.10,
           1e15, 0.5, E'a\\nb', '', 'ab', true, '\\x00ff', '1969-12-31', '23:59:59.100', '2026-01-01 10:00:00',
           '2026-01-01 10:00:00.123+02', '6F9619FF-8B86-D011-B42D-00C04FC964FF', '{"b": 1.10,  "a": 1}',
           '{"n": 1.10}', '1 mon 2 days 03:00', '{a,NULL}', '10.0.0.1/8'), (0, 0, 0, 0, 1e20, -0.0, 0, 'é',
           'é', '', false, '', 'infinity', '00:00', 'infinity', '-infinity', NULL, '[]', '[]', '0', '{}', '::1')""",
        "INSERT INTO every (big) VALUES (NULL)",
    )
    assert await rows(pools, "pg", "SELECT count(*) FROM every") == [(3,)]
    caplog.set_level(logging.INFO)
    source = place("pg", table="every") if origin == "table" else place("pg", query="SELECT * FROM every")
    await copied(pools, source, ("sqlite", "every"), verify=True)
    await copied(pools, source, ("pg", "every2"), verify=True)
    await copied(pools, ("sqlite", "every"), ("sqlite2", "every"), verify=True)
    assert "left out" not in caplog.text or origin == "query"
    if origin == "table":
        await run(pools, "pg", "CREATE TABLE every3 (LIKE every)")
        await copied(pools, ("sqlite", "every"), ("pg", "every3"), verify=True)
        assert "write these types differently: 'jb', 'span', 'tags', 'net'" in caplog.text
    assert caplog.text.count("verify: 3 rows, checksum") == (4 if origin == "table" else 3)


async def test_loose_values_of_sqlite_pass_between_columns_of_other_affinities(
    pools: ConnectorRegistry,
) -> None:
    await run(
        pools,
        "sqlite",
        "CREATE TABLE loose (a INTEGER, b TEXT, c, d NUMERIC, e REAL)",
        "INSERT INTO loose VALUES (1, '12', 'x', 1.5, 2), ('abc', '1.50', 2, '7', 0.1), (NULL, NULL, NULL, NULL, NULL)",
    )
    await run(pools, "sqlite2", "CREATE TABLE loose (a TEXT, b TEXT, c TEXT, d REAL, e NUMERIC)")
    await copied(pools, ("sqlite", "loose"), ("sqlite2", "loose"), verify=True)


async def test_where_no_column_can_be_compared_rows_are_counted(pools: ConnectorRegistry) -> None:
    await run(
        pools,
        "sqlite",
        "CREATE TABLE docs (doc JSON)",
        """INSERT INTO docs VALUES ('{"a":1}'), ('[]')""",
    )
    await run(pools, "pg", "CREATE TABLE docs (doc jsonb)")
    facts = await copied(pools, ("sqlite", "docs"), ("pg", "docs"), verify=True)
    assert facts["target_rows"] == 2


@pytest.mark.parametrize("source", ["sqlite", "pg"])
async def test_the_checksum_is_of_one_moment(pools: ConnectorRegistry, source: str) -> None:
    """Rows that reach the source while it is copied are neither copied nor summed up."""
    await people(pools, source, "moving")
    loop, tasks = asyncio.get_running_loop(), list[asyncio.Task[Any]]()

    class AddsARow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "batch 1 " in record.getMessage():
                adding = pools.sql(source).execute("INSERT INTO moving (id, name) VALUES (100, 'late')")
                tasks.append(loop.create_task(adding))

    log, handler = logging.getLogger("nomaflow.sql_copy"), AddsARow()
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        facts = await copied(pools, (source, "moving"), ("sqlite2", "copy"), verify=True, batch_size=2)
    finally:
        log.removeHandler(handler)
    await asyncio.gather(*tasks)
    assert len(tasks) == 1
    assert facts["source_rows"] == 5
    assert await rows(pools, source, "SELECT count(*) FROM moving") == [(6,)]


def test_a_value_that_is_none_of_its_kind_is_written_as_itself() -> None:
    assert Writer("int").texts([1, "x", None, "1", 1.5]) == ["1", "'x'", "\x1e", "1", "1.5"]
    moments = ["2026-01-01T10:00", "no time"]
    assert Writer("timestamp").texts(moments) == ["2026-01-01 10:00:00", "'no time'"]
