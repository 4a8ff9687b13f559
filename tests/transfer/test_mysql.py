"""Copies from and into MariaDB: values, modes, what is refused, and that a copy that fails leaves nothing behind."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from liberty import etl
from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid
from liberty.etl.transfer import CopyFailed
from liberty.etl.transfer.estimate import rows_of
from liberty.etl.transfer.flow import opened
from liberty.testing import build_fake_ctx
from tests.steps.copying import copied, copy_step, rows, run

EVERY_TYPE = """CREATE TABLE `from` (
    id BIGINT UNSIGNED PRIMARY KEY, t1 TINYINT, flag TINYINT(1), s SMALLINT UNSIGNED, i INT, n DECIMAL(65,30),
    narrow DECIMAL(10,2), f FLOAT, d DOUBLE, v VARCHAR(20) CHARACTER SET utf8mb4, c CHAR(3), words LONGTEXT,
    raw LONGBLOB, day DATE, clock TIME(6), wall DATETIME(6), instant TIMESTAMP(6) NULL, doc JSON,
    mood ENUM('sad','glad'), bits BIT(9), y YEAR, uid UUID, `Sel"ect%` INT, twice BIGINT AS (i * 2) STORED)
    CHARACTER SET utf8mb4"""
COLUMNS = (
    "id, t1, flag, s, i, n, narrow, f, d, v, c, words, raw, day, clock, wall, instant, doc, mood, bits, y, uid, "
    '`Sel"ect%`'
)
ROWS = (
    f"""INSERT INTO `from` ({COLUMNS}) VALUES (18446744073709551615, -128, 1, 65535, -2147483648,
     12345678901234567890123456789012345.123456789012345678901234567890, -0.01, 0.1, 0.1e0 + 0.2e0,
     'naïve 日本 😀', 'ab', CONCAT('it''s', CHAR(0), CHAR(92), ' "q" %s'), X'00FF275C', '0001-01-01',
     '-838:59:59.000001',
     '9999-12-31 23:59:59.999999', FROM_UNIXTIME(1.000001), '{{"a":  1.10}}', 'glad', b'100000001', 1901,
     '6f9619ff-8b86-d011-b42d-00c04fc964ff', 7)""",
    f"""INSERT INTO `from` ({COLUMNS}) VALUES (0, NULL, 0, NULL, 21, 0, NULL, NULL, 5e-324, '', NULL,
     '', '', '1890-02-28', '23:59:59.5', '1890-01-01 00:00:00.1', NULL, '[]', NULL, NULL, NULL, NULL, NULL)""",
)
EXACT = (
    "SELECT id, t1, flag, s, i, CAST(n AS CHAR) n, narrow, f + 0e0 f, d, HEX(v) v, HEX(c) c, HEX(words) words, "
    "HEX(raw) raw, CAST(day AS CHAR) day, CAST(clock AS CHAR) clock, CAST(wall AS CHAR) wall, instant, HEX(doc) doc, "
    'HEX(mood) mood, bits + 0 bits, y, CAST(uid AS CHAR) uid, `Sel"ect%` FROM {} ORDER BY id'
)


async def every_type(pools: ConnectorRegistry) -> None:
    await run(pools, "mysql", EVERY_TYPE, *ROWS)


async def test_every_kind_of_value_arrives_exactly_in_the_same_database(
    mysql_pools: ConnectorRegistry,
) -> None:
    await every_type(mysql_pools)
    done = await copied(mysql_pools, ("mysql", "from"), ("mysql2", "to"))
    assert (done["source_rows"], done["target_rows"]) == (2, 2)
    assert await rows(mysql_pools, "mysql", EXACT.format("`to`")) == await rows(
        mysql_pools, "mysql", EXACT.format("`from`")
    )
    made = await rows(
        mysql_pools,
        "mysql",
        "SELECT a.column_name FROM information_schema.columns a JOIN information_schema.columns b "
        "ON a.column_name = b.column_name AND a.column_type = b.column_type AND a.is_nullable = b.is_nullable "
        "AND a.column_key = b.column_key WHERE a.table_schema = DATABASE() AND b.table_schema = DATABASE() "
        "AND a.table_name = 'from' AND b.table_name = 'to'",
    )
    assert len(made) == 24


@pytest.mark.parametrize("other", ["pg", "sqlite"])
async def test_values_go_to_another_database_and_come_back(
    mysql_pools: ConnectorRegistry, other: str
) -> None:
    await every_type(mysql_pools)
    # A time of more than a day is in no other database's type.
    await run(mysql_pools, "mysql", "UPDATE `from` SET clock = '10:00:00.000001' WHERE clock < '00:00:00'")
    if other == "pg":  # which has no NUL in its texts
        await run(mysql_pools, "mysql", "UPDATE `from` SET words = REPLACE(words, CHAR(0), '-')")
    if other == "sqlite":  # which has no number of more than 64 bits
        await run(mysql_pools, "mysql", "UPDATE `from` SET id = 9223372036854775807 WHERE id > 0")
    await copied(mysql_pools, ("mysql", "from"), (other, "there"))
    await run(mysql_pools, "mysql", "CREATE TABLE back LIKE `from`")
    await copied(mysql_pools, (other, "there"), ("mysql", "back"))
    assert await rows(mysql_pools, "mysql", EXACT.format("back")) == await rows(
        mysql_pools, "mysql", EXACT.format("`from`")
    )


async def test_postgresql_values_are_read_as_what_they_are(mysql_pools: ConnectorRegistry) -> None:
    await run(
        mysql_pools,
        "pg",
        "CREATE TABLE s (id text PRIMARY KEY, yes boolean, n numeric, b bytea, day date, clock time, wall timestamp,"
        " instant timestamptz, doc jsonb, uid uuid, f real, small smallint, tags text[])",
        "INSERT INTO s VALUES ('é', true, 123456789012345678901234567890.000000000000000000000000000001, '\\x00ff',"
        " '2026-02-28', '23:59:59.999999', '1890-01-01 00:00:00.000001', '2026-01-01 12:00:00+02',"
        " '{\"a\": 1.10}', '6f9619ff-8b86-d011-b42d-00c04fc964ff', 0.1, -32768, '{\"a,b\",NULL}')",
        "INSERT INTO s (id) VALUES ('É')",  # a key of its own, whatever a collation says
    )
    await copied(mysql_pools, ("pg", "s"), ("mysql", "s"))
    found = await rows(
        mysql_pools,
        "mysql",
        "SELECT id, yes, n, b, day, CAST(clock AS CHAR), wall, CAST(doc AS CHAR), uid, f + 0e0, small, tags FROM s "
        "WHERE yes IS NOT NULL",
    )
    assert found == [
        (
            "é",
            1,
            Decimal("123456789012345678901234567890.000000000000000000000000000001"),
            b"\x00\xff",
            date(2026, 2, 28),
            "23:59:59.999999",
            datetime(1890, 1, 1, 0, 0, 0, 1),
            '{"a": 1.10}',
            "6f9619ff-8b86-d011-b42d-00c04fc964ff",
            0.10000000149011612,
            -32768,
            '{"a,b",NULL}',
        )
    ]
    instants = "SELECT UNIX_TIMESTAMP(instant) FROM s WHERE yes IS NOT NULL"
    assert await mysql_pools.sql("mysql").scalar(instants) == datetime(2026, 1, 1, 10, tzinfo=UTC).timestamp()
    assert await mysql_pools.sql("mysql").scalar("SELECT count(*) FROM s") == 2


REFUSED = [
    ("TINYINT UNSIGNED", -1, "is beyond the numbers of tinyint(3) unsigned: 0 to 255"),
    ("BIGINT", 2**63, "is beyond the numbers of bigint(20)"),
    ("INT", Decimal("1.5"), "has more decimals than int(11) keeps"),
    ("YEAR", 70, "is no year from 1901 to 2155"),
    ("BIT(3)", 8, "is beyond the numbers of bit(3): 0 to 7"),
    ("DECIMAL(5,2)", Decimal("12.345"), "has more decimals than decimal(5,2) keeps"),
    ("DECIMAL(5,2)", Decimal(1000), "is beyond the numbers of decimal(5,2)"),
    ("FLOAT", 0.1, "would be rounded by a float column"),
    ("DOUBLE(8,2)", 0.125, "has more decimals than double(8,2) keeps"),
    ("DOUBLE", float("nan"), "cannot be stored in double"),
    ("VARCHAR(2)", "abc", "is longer than the 2 characters of varchar(2)"),
    ("CHAR(3)", "a ", "ends with a blank, which a char column does not keep"),
    ("TINYTEXT", "é" * 128, "is longer than the 255 bytes of tinytext"),
    ("VARCHAR(9) CHARACTER SET latin1", "日本", "is refused"),
    ("ENUM('Yes','No')", "yes", "is not one of Yes, No"),
    ("SET('a','b')", "b,a", "is not some of a, b, each once and in this order"),
    ("BINARY(3)", b"ab", "would be filled up with zeros by binary(3)"),
    ("VARBINARY(1)", b"ab", "is longer than the 1 bytes of varbinary(1)"),
    ("DATETIME", "2026-01-01 00:00:00.5", "has a finer time than the column keeps"),
    ("DATETIME(6)", "2026-01-01 00:00:00+00:00", "has a time zone and the column keeps none"),
    ("TIMESTAMP(6) NULL", "1969-12-31 23:59:59+00:00", "is before 1970-01-01 00:00:01 UTC"),
    ("TIMESTAMP(6) NULL", "9999-01-01 00:00:00+00:00", "is refused: Incorrect datetime value"),
    ("TIMESTAMP(6) NULL", "2026-01-01 00:00:00", "says no time zone and the column needs one"),
    ("TIME(3)", "10:00:00.0001", "has a finer time than the column keeps"),
    ("TIME", "839:00:00", "is no time from -838:59:59 to 838:59:59"),
    ("DATE", "infinity", "cannot be stored in a date column"),
    ("INT NOT NULL", None, "NULL is not allowed here"),
]


@pytest.mark.parametrize("sql_type, value, complaint", REFUSED)
async def test_what_the_server_would_change_fails_with_row_column_and_value(
    mysql_pools: ConnectorRegistry, sql_type: str, value: Any, complaint: str
) -> None:
    await run(mysql_pools, "mysql", f"CREATE TABLE t (id INT PRIMARY KEY, v {sql_type})")
    pg_type = {int: "numeric", Decimal: "numeric", float: "float8", bytes: "bytea"}.get(type(value), "text")
    source = {
        "connector": "pg",
        "query": f"SELECT 1 AS id, CAST(NULL AS {pg_type}) AS v WHERE :empty UNION ALL SELECT 2, CAST(:v AS {pg_type})",
        "params": {"v": value, "empty": "NOT NULL" not in sql_type},
    }
    with pytest.raises(CopyFailed) as caught:
        await copied(mysql_pools, source, ("mysql", "t"))
    row = 1 if "NOT NULL" in sql_type else 2
    assert caught.value.message.startswith(f"row {row}, column 'v': ")
    assert complaint in caught.value.message
    assert await rows(mysql_pools, "mysql", "SELECT * FROM t") == []


async def test_a_lone_surrogate_is_no_text(mysql_pools: ConnectorRegistry) -> None:
    await run(mysql_pools, "sqlite", "CREATE TABLE s (id INTEGER, v TEXT)")
    await run(mysql_pools, "sqlite", "INSERT INTO s VALUES (1, 'fine'), (2, CAST(X'FF' AS TEXT))")
    await run(mysql_pools, "mysql", "CREATE TABLE t (id INT, v TEXT)")
    with pytest.raises(Exception, match=r"UTF-8|no Unicode text"):
        await copied(mysql_pools, ("sqlite", "s"), ("mysql", "t"))
    assert await rows(mysql_pools, "mysql", "SELECT * FROM t") == []


async def people(pools: ConnectorRegistry, pool: str, names: Sequence[str]) -> None:
    await run(pools, pool, "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20))")
    for number, name in enumerate(names, 1):
        await pools.sql(pool).execute("INSERT INTO people VALUES (:id, :name)", {"id": number, "name": name})


async def test_modes(mysql_pools: ConnectorRegistry) -> None:
    await people(mysql_pools, "pg", ["Alice", "Bob", "Charlie"])
    await people(mysql_pools, "mysql", ["alice", "Bob"])
    await run(mysql_pools, "mysql", "INSERT INTO people VALUES (9, 'gone')")
    source, target = ("pg", "people"), ("mysql", "people")
    listed = "SELECT id, name FROM people ORDER BY id"
    # A name that differs in case only has changed; a row that is the same is left alone.
    assert (await copied(mysql_pools, source, target, mode="upsert"))["rows_written"] == 2
    everyone = [(1, "Alice"), (2, "Bob"), (3, "Charlie")]
    assert await rows(mysql_pools, "mysql", listed) == [*everyone, (9, "gone")]
    done = await copied(mysql_pools, source, target, mode="upsert", delete_missing=True)
    assert (done["rows_written"], done["rows_deleted"]) == (0, 1)
    assert await rows(mysql_pools, "mysql", listed) == everyone
    with pytest.raises(CopyFailed, match="Duplicate entry"):
        await copied(mysql_pools, source, target, mode="append")
    await run(mysql_pools, "pg", "DELETE FROM people WHERE id = 1")
    with pytest.raises(CopyFailed, match="1 of the target's 3 rows would be deleted"):
        await copied(mysql_pools, source, target, guard={"max_delete_pct": 5})
    assert await rows(mysql_pools, "mysql", listed) == everyone
    assert (await copied(mysql_pools, source, target))["target_rows"] == 2
    assert await rows(mysql_pools, "mysql", listed) == everyone[1:]
    await run(mysql_pools, "pg", "UPDATE people SET id = id + 10")
    assert (await copied(mysql_pools, source, target, mode="append"))["rows_written"] == 2
    assert len(await rows(mysql_pools, "mysql", listed)) == 4


async def test_an_upsert_never_changes_a_row_with_another_key(mysql_pools: ConnectorRegistry) -> None:
    await people(mysql_pools, "pg", ["Alice", "Bob"])
    await people(mysql_pools, "mysql", ["Alice"])
    await run(
        mysql_pools,
        "mysql",
        "CREATE UNIQUE INDEX names ON people (name)",
        "INSERT INTO people VALUES (7, 'Bob')",
    )
    with pytest.raises(CopyFailed, match="Duplicate entry 'Bob' for key 'names'"):
        await copied(mysql_pools, ("pg", "people"), ("mysql", "people"), mode="upsert")
    assert await rows(mysql_pools, "mysql", "SELECT * FROM people ORDER BY id") == [(1, "Alice"), (7, "Bob")]


async def test_an_upsert_by_a_key_that_is_there_twice_is_refused(mysql_pools: ConnectorRegistry) -> None:
    await people(mysql_pools, "pg", ["Bob", "Bob"])
    await people(mysql_pools, "mysql", [])
    with pytest.raises(CopyFailed, match="2 rows with the key name = 'Bob'"):
        await copied(mysql_pools, ("pg", "people"), ("mysql", "people"), mode="upsert", key_columns=["name"])


async def test_a_check_of_the_target_undoes_the_copy(mysql_pools: ConnectorRegistry) -> None:
    await run(mysql_pools, "mysql", "CREATE TABLE t (id INT CHECK (id > 5))", "INSERT INTO t VALUES (6)")
    with pytest.raises(CopyFailed, match=r"table 't': CONSTRAINT .* failed"):
        await copied(
            mysql_pools, {"connector": "pg", "query": "SELECT 7 AS id UNION SELECT 2"}, ("mysql", "t")
        )
    assert await rows(mysql_pools, "mysql", "SELECT * FROM t") == [(6,)]


async def test_an_overwrite_keeps_rows_that_others_refer_to(mysql_pools: ConnectorRegistry) -> None:
    await people(mysql_pools, "pg", ["Alice", "Bob"])
    await people(mysql_pools, "mysql", ["alice", "Bob", "Charlie"])
    await run(
        mysql_pools,
        "mysql",
        "CREATE TABLE orders (person INT, FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE)",
        "INSERT INTO orders VALUES (1), (3)",
    )
    await copied(mysql_pools, ("pg", "people"), ("mysql", "people"))
    assert await rows(mysql_pools, "mysql", "SELECT * FROM people") == [(1, "Alice"), (2, "Bob")]
    assert await rows(mysql_pools, "mysql", "SELECT person FROM orders") == [(1,)]


async def test_zero_is_a_number_in_a_column_that_counts_by_itself(mysql_pools: ConnectorRegistry) -> None:
    await run(mysql_pools, "mysql", "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    await copied(mysql_pools, {"connector": "pg", "query": "SELECT 0 AS id, 5 AS v"}, ("mysql", "t"))
    assert await rows(mysql_pools, "mysql", "SELECT * FROM t") == [(0, 5)]


async def test_a_table_that_cannot_undo_changes_is_refused(mysql_pools: ConnectorRegistry) -> None:
    await run(mysql_pools, "mysql", "CREATE TABLE t (id INT) ENGINE=MyISAM", "INSERT INTO t VALUES (1)")
    with pytest.raises(CopyFailed, match=r"storage engine that cannot undo changes \(MyISAM\)"):
        await copied(mysql_pools, {"connector": "pg", "query": "SELECT 2 AS id"}, ("mysql", "t"))
    assert await rows(mysql_pools, "mysql", "SELECT * FROM t") == [(1,)]


async def test_a_table_is_not_copied_onto_itself(mysql_pools: ConnectorRegistry) -> None:
    await people(mysql_pools, "mysql", ["Alice"])
    with pytest.raises(Invalid, match="are the same table"):
        await copied(mysql_pools, ("mysql", "people"), ("mysql2", "people"))


async def test_a_float_of_a_query_is_refused_and_says_how_to_read_it(mysql_pools: ConnectorRegistry) -> None:
    await run(mysql_pools, "mysql", "CREATE TABLE s (f FLOAT)", "INSERT INTO s VALUES (16777215)")
    with pytest.raises(CopyFailed, match=r"'f' of the source query is FLOAT.*write f \+ 0e0 AS f"):
        await copied(mysql_pools, {"connector": "mysql", "query": "SELECT f FROM s"}, ("pg", "t"))
    await copied(mysql_pools, {"connector": "mysql", "query": "SELECT f + 0e0 AS f FROM s"}, ("pg", "t"))
    assert await rows(mysql_pools, "pg", "SELECT f FROM t") == [(16777215.0,)]


async def test_values_of_a_query_tell_their_kinds(mysql_pools: ConnectorRegistry) -> None:
    await every_type(mysql_pools)
    query = "SELECT i, clock, instant, bits, wall FROM `from` WHERE s = :s"
    source = {"connector": "mysql", "query": query.replace("clock", "CAST('10:00:00' AS TIME) clock")}
    await copied(mysql_pools, {**source, "params": {"s": 65535}}, ("pg", "t"))
    assert await rows(mysql_pools, "pg", "SELECT * FROM t") == [
        (
            -2147483648,
            time(10),
            datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC),
            257,
            datetime(9999, 12, 31, 23, 59, 59, 999999),
        )
    ]


@pytest.mark.parametrize("column, first, second", [("at", "2026-01-01", "2026-02-01"), ("id", "1", "2")])
async def test_an_incremental_append_goes_on(
    mysql_pools: ConnectorRegistry, column: str, first: str, second: str
) -> None:
    await run(mysql_pools, "mysql", "CREATE TABLE s (id INT, at TIMESTAMP(6) NULL)")
    await run(
        mysql_pools, "mysql", f"INSERT INTO s VALUES (1, '{first if column == 'at' else '2026-01-01'}')"
    )
    incremental = {"mode": "append", "incremental": {"column": column}}
    for _ in range(2):
        await copied(mysql_pools, ("mysql", "s"), ("mysql2", "t"), **incremental)
    await run(
        mysql_pools, "mysql", f"INSERT INTO s VALUES (2, '{second if column == 'at' else '2026-02-01'}')"
    )
    done = await copied(mysql_pools, ("mysql", "s"), ("mysql2", "t"), **incremental)
    assert done["rows_written"] == 1
    assert await rows(mysql_pools, "mysql", "SELECT * FROM t ORDER BY id") == await rows(
        mysql_pools, "mysql", "SELECT * FROM s ORDER BY id"
    )


@pytest.mark.parametrize("source", ["mysql", "pg", "sqlite"])
async def test_a_source_says_about_how_many_rows_it_has(mysql_pools: ConnectorRegistry, source: str) -> None:
    await people(mysql_pools, source, ["Alice", "Bob", "Charlie"])
    analyze = "ANALYZE TABLE people" if source == "mysql" else "ANALYZE people"
    await run(mysql_pools, source, analyze)
    for options, expected in (({}, 3), ({"where": "id > 1"}, None)):
        step = copy_step((source, "people"), (source, "other"), **options)
        async with opened(await step._request(build_fake_ctx(connectors=mysql_pools), None)) as crossing:
            assert await rows_of(crossing) == expected


async def test_the_helpers_of_plugins_work(mysql_pools: ConnectorRegistry) -> None:
    shared: dict[str, Any] = {"connectors": mysql_pools}
    await people(mysql_pools, "pg", ["Alice", "Bob"])
    copy = {"source_connector": "pg", "source_sql": "SELECT id AS ID, name AS NAME FROM people"}
    assert (
        await etl.copy_query_to_table(**shared, **copy, target_connector="mysql", target_table="people") == 2
    )
    on_mysql = {**shared, "target_connector": "mysql"}
    await run(
        mysql_pools,
        "mysql",
        "CREATE TABLE history LIKE people",
        "CREATE TABLE collect_audit (cla_apps_id INT, cla_module TEXT, cla_target TEXT, cla_action TEXT, "
        "cla_refresh DATETIME, cla_run_id TEXT)",
    )
    snapshot = {"source_table": "people", "history_table": "history"}
    assert await etl.snapshot_rows(**on_mysql, **snapshot, where="id > :id", params={"id": 1}) == 1
    assert await etl.delete_rows(**on_mysql, table="people", where="id = 1") == 1
    await etl.truncate_table(**on_mysql, table="people")
    target = {"target_schema": None, "target_table": "people", "apps_id": 7, "module": "hr"}
    await etl.insert_audit_record(**on_mysql, **target)
    assert await etl.run_query(**shared, connector="mysql", sql="SELECT * FROM history") == 1
    assert await rows(mysql_pools, "mysql", "SELECT cla_apps_id, cla_target FROM collect_audit") == [
        (7, "people")
    ]
    assert await rows(mysql_pools, "mysql", "SELECT * FROM people") == []


# -- what a copy that does not succeed leaves behind


async def assert_nothing_left(pools: ConnectorRegistry) -> None:
    assert {pool["checked_out"] for pool in pools.pools.stats()} == {0}
    others = (
        "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() "
        "AND (command <> 'Sleep' OR id IN (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx))"
    )
    async with asyncio.timeout(2):
        while await pools.sql("mysql").scalar(others):
            await asyncio.sleep(0.2)  # what the server says of transactions is a tenth of a second old
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
    assert [name for (name,) in await rows(pools, "mysql", tables) if name not in ("t", "people")] == []


async def test_a_failing_copy_leaves_no_table_that_it_made(mysql_pools: ConnectorRegistry) -> None:
    await run(
        mysql_pools,
        "sqlite",
        "CREATE TABLE s (id INTEGER, v TEXT)",
        "INSERT INTO s VALUES (1, 'a'), (1, 'b')",
    )
    with pytest.raises(CopyFailed, match="2 rows with the key id = 1"):
        await copied(mysql_pools, ("sqlite", "s"), ("mysql", "made"), mode="upsert", key_columns=["id"])
    await assert_nothing_left(mysql_pools)


ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 'x' AS name FROM n",
    "mysql2": "SELECT seq AS id, 'x' AS name FROM seq_1_to_1000000000",
}


@pytest.mark.parametrize("source", ENDLESS)
@pytest.mark.parametrize("mode", ["overwrite", "append"])
async def test_an_aborted_copy_leaves_nothing(
    mysql_pools: ConnectorRegistry, source: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    await people(mysql_pools, "mysql", ["Alice"])
    caplog.set_level(logging.INFO, "nomaflow.sql_copy")
    step = copy_step(
        {"connector": source, "query": ENDLESS[source]}, ("mysql", "people"), mode=mode, batch_size=1000
    )
    task = asyncio.create_task(step.execute(build_fake_ctx(connectors=mysql_pools)))
    async with asyncio.timeout(30):
        while "batch 2 " not in caplog.text:
            await asyncio.sleep(0.01)
    task.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await task
    await assert_nothing_left(mysql_pools)
    assert await rows(mysql_pools, "mysql", "SELECT * FROM people") == [(1, "Alice")]


async def test_an_abort_does_not_wait_for_a_lock(mysql_pools: ConnectorRegistry) -> None:
    await people(mysql_pools, "mysql", ["Alice"])
    await people(mysql_pools, "pg", ["Bob"])
    async with mysql_pools.pools.engine("mysql2").connect() as other:
        await other.exec_driver_sql("SELECT * FROM people FOR UPDATE")
        step = copy_step(("pg", "people"), ("mysql", "people"))
        task = asyncio.create_task(step.execute(build_fake_ctx(connectors=mysql_pools)))
        waiting = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
        async with asyncio.timeout(30):
            while not await mysql_pools.sql("mysql").scalar(waiting):
                await asyncio.sleep(0.2)
        task.cancel()
        async with asyncio.timeout(2):
            with pytest.raises(asyncio.CancelledError):
                await task
        await other.rollback()
    await assert_nothing_left(mysql_pools)
    assert await rows(mysql_pools, "mysql", "SELECT * FROM people") == [(1, "Alice")]
