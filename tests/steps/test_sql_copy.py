"""The `sql_copy` step on real databases: every pair of SQLite and PostgreSQL, every mode."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid, NotFound
from liberty.etl.transfer import CopyFailed
from liberty.jobs.steps.sql_copy import SqlCopyStep
from liberty.testing import build_fake_ctx


@pytest.fixture
async def pools(tmp_path: Path, pg_url: str) -> AsyncIterator[ConnectorRegistry]:
    registry = ConnectorRegistry(
        {
            "pools": {
                "sqlite": {"url": f"sqlite:///{tmp_path}/a.db", "max_rows": 1_000_000},
                "sqlite2": {"url": f"sqlite:///{tmp_path}/b.db", "max_rows": 1_000_000},
                "pg": {"url": pg_url, "max_rows": 1_000_000},
            }
        }
    )
    yield registry
    await registry.close()


def place(pool: str, **values: Any) -> dict[str, Any]:
    return {"connector": pool, **values}


async def copied(pools: ConnectorRegistry, source: Any, target: Any, **options: Any) -> dict[str, Any]:
    """Run a copy; `source` and `target` are (pool, table) or whole places."""
    sides = [place(side[0], table=side[1]) if isinstance(side, tuple) else side for side in (source, target)]
    step = SqlCopyStep.model_validate({"source": sides[0], "target": sides[1], **options})
    result = await step.execute(build_fake_ctx(connectors=pools))
    assert result.rows_affected == result.extras["rows_written"]
    return result.extras


async def run(pools: ConnectorRegistry, pool: str, *statements: str) -> None:
    for statement in statements:
        await pools.sql(pool).execute(statement)


async def rows(pools: ConnectorRegistry, pool: str, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await pools.sql(pool).rows(sql)]


PAIRS = list(itertools.product(("sqlite", "pg"), ("sqlite2", "pg")))


async def people(pools: ConnectorRegistry, pool: str, count: int = 5) -> None:
    await run(
        pools, pool, "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, age INTEGER)"
    )
    await pools.sql(pool).execute_many(
        "INSERT INTO people VALUES (:id, :name, :age)",
        [{"id": n, "name": f"name {n}", "age": None if n % 3 == 0 else n} for n in range(1, count + 1)],
    )


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_missing_target_is_made_with_types_and_key(
    pools: ConnectorRegistry, source: str, target: str
) -> None:
    await people(pools, source)
    facts = await copied(pools, (source, "people"), (target, "folk"))
    assert facts["source_rows"] == facts["target_rows"] == facts["rows_read"] == facts["rows_written"] == 5
    assert (facts["rows_dropped"], facts["chunks"], facts["mode"]) == (0, 1, "overwrite")
    assert await rows(pools, target, "SELECT id, name, age FROM folk ORDER BY id") == [
        (n, f"name {n}", None if n % 3 == 0 else n) for n in range(1, 6)
    ]
    with pytest.raises(Exception, match=r"(?i)unique|not null"):
        await run(pools, target, "INSERT INTO folk VALUES (1, 'again', 1)")


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_overwrite_replaces_all_rows(pools: ConnectorRegistry, source: str, target: str) -> None:
    await people(pools, source, 3)
    await run(
        pools,
        target,
        "CREATE TABLE folk (id INTEGER PRIMARY KEY, name VARCHAR(40), age INTEGER, seen INTEGER DEFAULT 7)",
        "INSERT INTO folk VALUES (1, 'old', 1, 1), (99, 'gone', 1, 1)",
    )
    facts = await copied(pools, (source, "people"), (target, "folk"))
    assert facts["target_rows"] == 3
    assert await rows(pools, target, "SELECT * FROM folk ORDER BY id") == [
        (1, "name 1", 1, 7),
        (2, "name 2", 2, 7),
        (3, "name 3", None, 7),
    ]


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_append_and_upsert(pools: ConnectorRegistry, source: str, target: str) -> None:
    await people(pools, source, 3)
    await run(
        pools,
        target,
        "CREATE TABLE folk (id INTEGER PRIMARY KEY, name VARCHAR(40), age INTEGER)",
        "INSERT INTO folk VALUES (2, 'name 2', 2), (3, 'old', 1), (9, 'kept', 9)",
    )
    facts = await copied(pools, (source, "people"), (target, "folk"), mode="upsert")
    assert facts["rows_written"] == 2, "one new, one changed, one the same"
    assert facts["target_rows"] == 3
    facts = await copied(
        pools,
        place(source, query="SELECT id + :by AS id, name FROM people", params={"by": 100}),
        (target, "folk"),
        mode="append",
        verify=True,
    )
    assert facts["rows_written"] == 3
    assert await rows(pools, target, "SELECT * FROM folk ORDER BY id") == [
        (1, "name 1", 1),
        (2, "name 2", 2),
        (3, "name 3", None),
        (9, "kept", 9),
        (101, "name 1", None),
        (102, "name 2", None),
        (103, "name 3", None),
    ]


async def test_upsert_by_columns_that_are_named(pools: ConnectorRegistry) -> None:
    for target in ("sqlite2", "pg"):
        await run(pools, target, "CREATE TABLE folk (id INTEGER, name VARCHAR(40), age INTEGER)")
        await run(pools, target, "INSERT INTO folk VALUES (50, 'name 1', 0), (51, 'other', 0)")
    await people(pools, "sqlite", 2)
    for target in ("sqlite2", "pg"):
        await copied(pools, ("sqlite", "people"), (target, "folk"), mode="upsert", key_columns=["NAME"])
        assert await rows(pools, target, "SELECT * FROM folk ORDER BY id") == [
            (1, "name 1", 1),
            (2, "name 2", 2),
            (51, "other", 0),
        ]


async def test_upsert_without_a_usable_key_is_refused(pools: ConnectorRegistry) -> None:
    await people(pools, "sqlite", 3)
    for target in ("sqlite2", "pg"):
        await run(pools, target, "CREATE TABLE folk (id INTEGER, name VARCHAR(40), age INTEGER)")
        with pytest.raises(CopyFailed, match="has no primary key; name key_columns"):
            await copied(pools, ("sqlite", "people"), (target, "folk"), mode="upsert")
        with pytest.raises(CopyFailed, match=r"row 3, column 'age': NULL"):
            await copied(pools, ("sqlite", "people"), (target, "folk"), mode="upsert", key_columns=["age"])
        twice = place("sqlite", query="SELECT id, 'x' AS name, age FROM people WHERE id < 3")
        with pytest.raises(CopyFailed, match="2 rows with the key name = 'x'"):
            await copied(pools, twice, (target, "folk"), mode="upsert", key_columns=["name"])
        assert await rows(pools, target, "SELECT * FROM folk") == []


VALUES: dict[str, tuple[str, Any, Any]] = {
    # Under each name: the type in PostgreSQL, the value there, the value in SQLite.
    "big": ("bigint", -(2**63), -(2**63)),
    "small": ("smallint", 32767, 32767),
    "narrow": ("numeric(10,2)", Decimal("12345678.90"), 12345678.9),
    "wide": (
        "numeric(38,10)",
        Decimal("1234567890123456789012345678.0123456789"),
        "1234567890123456789012345678.0123456789",
    ),
    "loose": ("numeric", Decimal("0.10"), "0.10"),
    "real": ("double precision", 0.1 + 0.2, 0.1 + 0.2),
    "single": ("real", 1.5, 1.5),
    "empty": ("text", "", ""),
    "words": ("text", "naïve 日本 😀 ' \" \\ \n", "naïve 日本 😀 ' \" \\ \n"),
    "nothing": ("text", None, None),
    "yes": ("boolean", True, 1),
    "raw": ("bytea", bytes(range(256)), bytes(range(256))),
    "day": ("date", date(2024, 2, 29), "2024-02-29"),
    "last_day": ("date", date(9999, 12, 31), "9999-12-31"),
    "clock": ("time", time(23, 59, 59, 999999), "23:59:59.999999"),
    "wall": ("timestamp", datetime(2026, 3, 29, 2, 30, 0, 1), "2026-03-29 02:30:00.000001"),
    "instant": ("timestamptz", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "2026-03-29 01:30:00+00:00"),
    "uid": ("uuid", UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"), "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
}


async def everything(pools: ConnectorRegistry, table: str) -> None:
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in VALUES.items())
    await run(
        pools,
        "pg",
        f"CREATE TABLE {table} ({columns}, doc json, docb jsonb, span interval, net inet, tags text[], r int4range)",
    )


async def fill_everything(pools: ConnectorRegistry) -> None:
    await everything(pools, "every")
    # As texts: the driver takes the last day a date can be for infinity.
    names = ", ".join(VALUES)
    binds = ", ".join(f"CAST(CAST(:{name} AS text) AS {kind})" for name, (kind, _, _) in VALUES.items())
    others = (
        """'{"b": 1.10,  "a": 1, "a": 2}', '{"n": 1.10}', '1 mon 2 days 03:00:00.5', '10.0.0.1/8'""",
        """ARRAY['a,b', NULL, 'c"\\d'], '[1,5)'""",
    )
    await pools.sql("pg").execute(
        f"INSERT INTO every ({names}, doc, docb, span, net, tags, r) VALUES ({binds}, {', '.join(others)})",
        {name: as_text(value) for name, (_, value, _) in VALUES.items()},
    )


def as_text(value: Any) -> str | None:
    if value is None:
        return None
    return "\\x" + value.hex() if isinstance(value, bytes) else str(value)


TEXTS = (
    "SELECT to_jsonb(t)::text, doc::text, docb::text, span::text, net::text, tags::text, r::text FROM {} AS t"
)


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("origin", ["table", "query"])
async def test_every_kind_of_value_arrives_exactly_in_postgresql(
    pools: ConnectorRegistry, made: bool, origin: str
) -> None:
    await fill_everything(pools)
    if not made:
        await everything(pools, "copy")
    listed = ", ".join([*VALUES, "doc, docb, span, net, tags, r::text AS r"])
    query = place("pg", query=f"SELECT {listed} FROM every")
    source = place("pg", table="every") if origin == "table" else query
    await copied(pools, source, ("pg", "copy"))
    before, after = [await rows(pools, "pg", TEXTS.format(table)) for table in ("every", "copy")]
    if made and origin == "query":  # a query's result does not say how long a number may be
        assert before[0][1:] == after[0][1:]
    else:
        assert before == after


async def test_every_kind_of_value_arrives_exactly_in_sqlite_and_comes_back(pools: ConnectorRegistry) -> None:
    await fill_everything(pools)
    await copied(pools, ("pg", "every"), ("sqlite", "every"))
    found = (await pools.sql("sqlite").rows("SELECT * FROM every"))[0]
    for name, (_, _, expected) in VALUES.items():
        assert found[name] == expected, name
        assert type(found[name]) is type(expected), name
    assert found["doc"] == '{"b": 1.10,  "a": 1, "a": 2}'
    assert (found["span"], found["net"], found["tags"]) == (
        "P1M2DT3H0.5S",
        "10.0.0.1/8",
        '{"a,b",NULL,"c\\"\\\\d"}',
    )
    await everything(pools, "back")
    await copied(pools, ("sqlite", "every"), ("pg", "back"))
    before, after = [await rows(pools, "pg", TEXTS.format(table)) for table in ("every", "back")]
    assert before == after


async def test_infinite_dates_are_not_mistaken_for_the_last_day(pools: ConnectorRegistry) -> None:
    await run(
        pools,
        "pg",
        "CREATE TABLE ends (n int, d date, w timestamp, i timestamptz)",
        """INSERT INTO ends VALUES (1, 'infinity', 'infinity', '-infinity'),
           (2, '9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00')""",
    )
    await copied(pools, ("pg", "ends"), ("pg", "ends2"))
    await copied(pools, ("pg", "ends"), ("sqlite", "ends"))
    await copied(pools, ("sqlite", "ends"), ("pg", "ends3"))
    text = "SELECT n, d::text, w::text, i::text FROM {} ORDER BY n"
    expected = await rows(pools, "pg", text.format("ends"))
    assert expected[0][1:] == ("infinity", "infinity", "-infinity")
    assert await rows(pools, "pg", text.format("ends2")) == expected
    assert await rows(pools, "pg", text.format("ends3")) == expected


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("n integer", 2**31, "is beyond the 32 bits of integer"),
        ("n integer", 1.5, "is no whole number"),
        ("n integer", "abc", "is no number"),
        ("n integer", "007", "is no number"),
        ("n numeric(5,2)", 1.239, "has more decimals than numeric"),
        ("n double precision", 2**53 + 1, "would be rounded"),
        ("n real", 0.1, "would be rounded"),
        ("n varchar(3)", "four", "is longer than the 3 characters"),
        ("n text", "a\0b", "holds a NUL character"),
        ("n text", b"\xff", "is a bytes, no text"),
        ("n boolean", 2, "is neither true nor false"),
        ("n date", "2026-02-30", "is no date"),
        ("n date", "2026-01-01 10:00:00", "has a time of day"),
        ("n timestamp", "2026-01-01 10:00:00+02:00", "has a time zone"),
        ("n timestamp", "2026-01-01 10:00:00.1234567", "has a finer time"),
        ("n timestamp(0)", "2026-01-01 10:00:00.5", "has a finer time"),
        ("n timestamptz", "2026-01-01 10:00:00", "says no time zone"),
        ("n uuid", "not-a-uuid", "is no uuid"),
        ("n json", "{broken", "was refused: invalid input syntax for type json"),
        ("n bytea", "text", "is a str, no bytes"),
        ("n integer CHECK (n > 0)", 0, None),
        ("n integer NOT NULL", None, "NULL is not allowed here"),
    ],
)
async def test_what_postgresql_cannot_hold_fails_with_row_column_and_value(
    pools: ConnectorRegistry, column: str, value: Any, complaint: str | None
) -> None:
    await run(pools, "sqlite", "CREATE TABLE t (id INTEGER PRIMARY KEY, n)")
    await pools.sql("sqlite").execute("INSERT INTO t VALUES (1, NULL), (2, :n)", {"n": value})
    await run(pools, "pg", f"CREATE TABLE t (id int, {column})")
    if value is None:
        await run(pools, "pg", "INSERT INTO t VALUES (7, 7)")
    query = "SELECT id, n FROM t WHERE id = 2 OR n IS NOT NULL"
    with pytest.raises(Exception) as failed:
        await copied(pools, place("sqlite", query=query), ("pg", "t"))
    if complaint is not None:
        assert isinstance(failed.value, CopyFailed)
        assert f"row 1, column 'n': {'' if value is None else repr(value)}" in str(failed.value)
        assert complaint in str(failed.value)
    assert len(await rows(pools, "pg", "SELECT * FROM t")) == (1 if value is None else 0)


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        (
            "n NUMERIC(38,10)",
            "1234567890123456789.5::numeric",
            "has more digits than a number of SQLite holds",
        ),
        ("n INTEGER", "0.1234567890123456789::numeric", "has more digits"),
        ("n REAL", "9007199254740993::bigint", "would be rounded by a REAL column"),
        ("n REAL", "'NaN'::float8", "would be stored as NULL"),
        ("n TEXT", "'NaN'::numeric", "cannot be stored in SQLite"),
        ("n INTEGER", "'007'::text", "would be turned into a number"),
        ("n INTEGER", "'12345678901234567890.5'::text", "has more digits"),
        ("n INTEGER NOT NULL", "NULL::int", "NULL is not allowed here"),
    ],
)
async def test_what_sqlite_would_change_fails_with_row_column_and_value(
    pools: ConnectorRegistry, column: str, value: str, complaint: str
) -> None:
    await run(pools, "pg", f"CREATE TABLE t AS SELECT 1 AS id, {value} AS n")
    await run(pools, "sqlite", f"CREATE TABLE t (id INTEGER, {column})")
    with pytest.raises(CopyFailed, match=r"row 1, column 'n': ") as failed:
        await copied(pools, ("pg", "t"), ("sqlite", "t"))
    assert complaint in str(failed.value)
    assert await rows(pools, "sqlite", "SELECT * FROM t") == []


async def test_sqlite_keeps_every_value_as_it_is(pools: ConnectorRegistry) -> None:
    await run(pools, "sqlite", "CREATE TABLE t (a INTEGER, b REAL, c TEXT, d BLOB, e, f NUMERIC, g DATETIME)")
    values: list[Any] = [
        2**63 - 1,
        1e300,
        "007",
        b"\x00",
        "x",
        0.5,
        "2026-01-01",
        "text in it",
        1.5,
        b"1",
        3,
        2.0,
        "n/a",
        5,
    ]
    for row in (values[:7], values[7:]):
        await pools.sql("sqlite").execute(
            "INSERT INTO t VALUES (:a, :b, :c, :d, :e, :f, :g)", dict(zip("abcdefg", row, strict=True))
        )
    await copied(pools, ("sqlite", "t"), ("sqlite2", "t"))
    types = "SELECT *, " + ", ".join(f"typeof({name})" for name in "abcdefg") + " FROM t ORDER BY rowid"
    assert await rows(pools, "sqlite", types) == await rows(pools, "sqlite2", types)


async def test_names_match_without_case_and_missing_ones_are_named(pools: ConnectorRegistry) -> None:
    await people(pools, "sqlite", 1)
    await run(pools, "pg", 'CREATE TABLE "Folk" ("ID" int, "Name" text, needed int NOT NULL)')
    with pytest.raises(
        CopyFailed, match=r"has no column 'age'; .*did you mean|has no column 'age'; its columns: ID, Name"
    ):
        await copied(pools, ("sqlite", "people"), ("pg", "folk"))
    with pytest.raises(CopyFailed, match="needs column 'needed'"):
        await copied(pools, place("sqlite", query="SELECT id, name FROM people"), ("pg", "folk"))
    await run(pools, "pg", 'ALTER TABLE "Folk" DROP needed')
    await copied(pools, place("sqlite", query="SELECT id, name FROM people"), ("pg", "folk"))
    assert await rows(pools, "pg", 'SELECT * FROM "Folk"') == [(1, "name 1")]
    with pytest.raises(CopyFailed, match="source table 'peple' does not exist"):
        await copied(pools, ("sqlite", "peple"), ("pg", "folk"))
    with pytest.raises(NotFound, match="did you mean 'sqlite'"):
        await copied(pools, ("sqlit", "people"), ("pg", "folk"))


async def test_a_table_is_not_copied_onto_itself(
    pools: ConnectorRegistry, tmp_path: Path, pg_url: str
) -> None:
    await people(pools, "sqlite")
    await people(pools, "pg")
    other = ConnectorRegistry(
        {
            "pools": {
                "sqlite": {"url": f"sqlite:///{tmp_path}/a.db"},
                "again": {"url": f"sqlite:///{tmp_path}/../{tmp_path.name}/a.db"},
                "pg": {"url": pg_url},
                "pg_again": {"url": pg_url.replace("127.0.0.1", "localhost")},
            }
        }
    )
    for source, target in (("sqlite", "again"), ("pg", "pg_again")):
        with pytest.raises(Invalid, match="are the same table"):
            await copied(other, (source, "people"), (target, "PEOPLE"))
        assert len(await rows(other, source, "SELECT * FROM people")) == 5
    await other.close()


async def test_a_transform_changes_and_drops_rows(pools: ConnectorRegistry, tmp_path: Path) -> None:
    from liberty.plugins import Plugins

    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "shape.py").write_text(
        "def adults(row):\n"
        "    if row['age'] is None:\n        return None\n"
        "    return {'id': row['id'], 'label': row['name'].upper(), 'half': row['age'] / 2}\n"
        "def broken(row):\n    return 1 / (row['id'] - 2)\n"
        "def listing(row):\n    return [1]\n"
        "async def waits(row):\n    return row\n"
        "def uneven(row):\n    return {'id': 1} if row['id'] == 1 else {'no': 1}\n"
    )
    plugins = Plugins(tmp_path / "plugins")
    await people(pools, "sqlite", 4)

    async def transformed(name: str) -> dict[str, Any]:
        step = SqlCopyStep.model_validate(
            {
                "source": place("sqlite", table="people"),
                "target": place("pg", table="t"),
                "transform": f"shape:{name}",
            }
        )
        return (await step.execute(build_fake_ctx(connectors=pools, plugins=plugins.snapshot()))).extras

    facts = await transformed("adults")
    assert (facts["rows_read"], facts["rows_written"], facts["rows_dropped"]) == (4, 3, 1)
    expected = [(1, "NAME 1", 0.5), (2, "NAME 2", 1.0), (4, "NAME 4", 2.0)]
    assert await rows(pools, "pg", "SELECT id, label, half FROM t ORDER BY id") == expected
    with pytest.raises(ZeroDivisionError):
        await transformed("broken")
    with pytest.raises(CopyFailed, match=r"row 1: the transform returned \[1\]"):
        await transformed("listing")
    with pytest.raises(
        CopyFailed, match=r"row 2: the transform returned the columns no; for the rows before it was id"
    ):
        await transformed("uneven")
    with pytest.raises(Exception, match="is an async function"):
        await transformed("waits")
    assert await rows(pools, "pg", "SELECT id, label, half FROM t ORDER BY id") == expected


async def test_jde_coercion_strip_and_truncation(pools: ConnectorRegistry) -> None:
    await run(
        pools,
        "sqlite",
        "CREATE TABLE F0101 (ABAN8 NUMERIC(8,0) PRIMARY KEY, ABALPH TEXT, ABAMT NUMERIC(15,2), ABTXT TEXT)",
        "INSERT INTO F0101 VALUES (1, '  padded  ', -12.99, '  both  ')",
    )
    await pools.sql("sqlite").execute("INSERT INTO F0101 VALUES (2, :nul, 12.99, '')", {"nul": "a\0b"})
    await copied(
        pools,
        ("sqlite", "F0101"),
        ("pg", "F0101"),
        type_coercion="jde",
        decimal_mode="truncate",
        strip_both_columns=["abtxt"],
    )
    assert await rows(pools, "pg", "SELECT * FROM f0101 ORDER BY aban8") == [
        (1, "  padded  ", -12, "both"),
        (2, "ab", 12, ""),
    ]
    types = (
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'f0101' ORDER BY 1"
    )
    assert dict(await rows(pools, "pg", types)) == {
        "aban8": "bigint",
        "abalph": "text",
        "abamt": "bigint",
        "abtxt": "text",
    }
    with pytest.raises(CopyFailed, match="the source has no column 'nope'"):
        await copied(pools, ("sqlite", "F0101"), ("pg", "F0101"), strip_both_columns=["nope"])


async def test_pool_settings_trim_texts_and_replace_nulls(tmp_path: Path) -> None:
    pools = ConnectorRegistry(
        {
            "pools": {
                "a": {"url": f"sqlite:///{tmp_path}/a.db", "trim_strings": True, "schemas": {"MAIN": "main"}},
                "b": {"url": f"sqlite:///{tmp_path}/b.db", "coalesce_nulls": True},
            }
        }
    )
    await run(
        pools, "a", "CREATE TABLE t (n INTEGER, w TEXT)", "INSERT INTO t VALUES (NULL, ' x  '), (1, NULL)"
    )
    await copied(pools, place("a", schema="#SCHEMA.MAIN#", table="t"), ("b", "t"))
    assert await rows(pools, "b", "SELECT * FROM t ORDER BY n") == [(0, " x"), (1, " ")]
    await pools.close()


async def test_where_batches_and_progress(pools: ConnectorRegistry, caplog: pytest.LogCaptureFixture) -> None:
    await people(pools, "sqlite", 25)
    with caplog.at_level("INFO", logger="nomaflow.sql_copy"):
        source = place("sqlite", table="people", params={"last": 23})
        facts = await copied(
            pools, source, ("pg", "folk"), where="id <= :last OR name = 'a:b'", batch_size=10
        )
    assert (facts["rows_read"], facts["chunks"]) == (23, 3)
    messages = [record.getMessage() for record in caplog.records]
    assert "▶ batch 2 · 20 rows" in messages
    assert messages[0].startswith("nomaflow.sql_copy start run=r-1 step='fake-step' mode=overwrite")
    assert messages[-1].startswith("nomaflow.sql_copy done run=r-1 step='fake-step' rows=23")


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("column", ["id", "at"])
async def test_an_incremental_copy_takes_what_is_new(
    pools: ConnectorRegistry, source: str, target: str, column: str
) -> None:
    kind = "timestamp" if source == "pg" else "DATETIME"
    await run(
        pools,
        source,
        f"CREATE TABLE log (id INTEGER PRIMARY KEY, at {kind}, note TEXT)",
        "INSERT INTO log VALUES (1, '2026-01-01 00:00:00', 'a'), (2, '2026-01-02 00:00:00', 'b')",
    )
    options: dict[str, Any] = {"mode": "append", "incremental": {"column": column}}
    assert (await copied(pools, (source, "log"), (target, "log2"), **options))["rows_read"] == 2
    if (source, target, column) == ("sqlite", "pg", "at"):
        with pytest.raises(Invalid, match="need a column of numbers"):
            await copied(pools, (source, "log"), (target, "log2"), **options)
        return
    again = await copied(pools, (source, "log"), (target, "log2"), **options)
    assert (again["rows_read"], again["rows_written"]) == (1, 0), "the row at the mark is looked at again"
    await run(pools, source, "INSERT INTO log VALUES (3, '2026-01-02 00:00:00.5', 'c')")
    facts = await copied(pools, (source, "log"), (target, "log2"), **options)
    assert (facts["rows_read"], facts["rows_written"]) == (2, 1)
    assert facts["watermark"] == ("2" if column == "id" else "2026-01-02 00:00:00")
    await run(pools, source, "UPDATE log SET note = 'changed' WHERE id = 3")
    facts = await copied(pools, (source, "log"), (target, "log2"), **{**options, "mode": "upsert"})
    assert (facts["rows_read"], facts["rows_written"]) == (1, 1)
    assert len(await rows(pools, target, "SELECT * FROM log2")) == 3


async def test_an_empty_source_empties_the_target_and_makes_a_missing_one(pools: ConnectorRegistry) -> None:
    await run(
        pools,
        "pg",
        "CREATE TABLE none (id int, name text)",
        "CREATE TABLE t (id int)",
        "INSERT INTO t VALUES (1)",
    )
    facts = await copied(pools, ("pg", "none"), ("sqlite", "made"))
    assert (facts["target_rows"], facts["chunks"]) == (0, 0)
    assert await rows(pools, "sqlite", "SELECT id, name FROM made") == []
    await copied(pools, place("pg", query="SELECT id FROM none"), ("pg", "t"))
    assert await rows(pools, "pg", "SELECT * FROM t") == []


async def test_a_source_query_only_reads(pools: ConnectorRegistry) -> None:
    await people(pools, "pg", 2)
    with pytest.raises(Invalid, match="is DELETE; it must only read"):
        await copied(pools, place("pg", query="DELETE FROM people RETURNING id"), ("sqlite", "t"))
    with pytest.raises(CopyFailed, match="gives column 'id' more than once"):
        await copied(pools, place("pg", query="SELECT id, id FROM people"), ("sqlite", "t"))
    assert len(await rows(pools, "pg", "SELECT * FROM people")) == 2


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"incremental": {"column": "id"}}, "needs mode 'append' or 'upsert'"),
        (
            {
                "incremental": {"column": "id"},
                "mode": "append",
                "source": {"connector": "a", "query": "SELECT 1"},
            },
            "source table",
        ),
        (
            {"where": "id > 1", "source": {"connector": "a", "query": "SELECT 1"}},
            "'where' filters a source table",
        ),
        (
            {"source": {"connector": "a", "table": "t", "params": {"a": 1}}},
            "'params' belong to 'query' or 'where'",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused_at_load(values: dict[str, Any], complaint: str) -> None:
    whole = {"source": {"connector": "a", "table": "t"}, "target": {"connector": "b", "table": "t"}, **values}
    with pytest.raises(ValidationError, match=complaint):
        SqlCopyStep.model_validate(whole)
