"""The helpers of `liberty.etl`, as plugins call them, on SQLite and PostgreSQL."""

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from liberty import etl
from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid
from liberty.etl.transfer import CopyFailed
from liberty.plugins import Plugins

HELPERS = [
    "copy_query_to_table",
    "delete_rows",
    "insert_audit_record",
    "run_query",
    "snapshot_rows",
    "truncate_table",
]


@pytest.fixture
async def connectors(database_url: str, tmp_path: Path) -> AsyncIterator[ConnectorRegistry]:
    registry = ConnectorRegistry(
        {
            "pools": {"db": {"url": database_url}, "other": {"url": f"sqlite:///{tmp_path}/other.db"}},
            "connectors": {"sales": {"type": "sql", "pool": "db"}},
        }
    )
    for statement in (
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, name VARCHAR(10))",
        "INSERT INTO orders VALUES (1, 'one'), (2, 'two'), (3, 'three')",
        "CREATE TABLE past (id INTEGER PRIMARY KEY, name VARCHAR(10))",
    ):
        await registry.sql("db").execute(statement)
    yield registry
    await registry.close()


async def rows(connectors: ConnectorRegistry, sql: str, pool: str = "db") -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await connectors.sql(pool).rows(sql)]


@pytest.mark.parametrize("name", HELPERS)
def test_every_helper_is_a_coroutine_function_with_keywords_only(name: str, tmp_path: Path) -> None:
    helper = getattr(etl, name)
    assert inspect.iscoroutinefunction(helper)
    kinds = {parameter.kind for parameter in inspect.signature(helper).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    assert Plugins(tmp_path).snapshot().resolve(f"liberty.etl:{name}") is helper


async def test_copy_query_to_table_adds_rows_under_lower_case_names(connectors: ConnectorRegistry) -> None:
    copied = await etl.copy_query_to_table(
        connectors=connectors,
        source_connector="sales",
        source_sql="SELECT id + :by AS ID, name AS NAME FROM orders WHERE id < 3",
        source_params={"by": 10},
        target_connector="sales",
        target_table="past",
    )
    assert copied == 2
    assert await rows(connectors, "SELECT * FROM past ORDER BY id") == [(11, "one"), (12, "two")]


async def test_copy_query_to_table_renames_and_makes_a_missing_target(connectors: ConnectorRegistry) -> None:
    await etl.copy_query_to_table(
        connectors=connectors,
        source_connector="db",
        source_sql="SELECT id, name FROM orders",
        target_connector="other",
        target_table="main.labels",
        target_columns=["number", "label"],
        batch_size=2,
    )
    assert await rows(connectors, "SELECT number, label FROM labels ORDER BY number", "other") == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
    ]
    with pytest.raises(CopyFailed, match="the source has 2 columns, 1 names were given"):
        await etl.copy_query_to_table(
            connectors=connectors,
            source_connector="db",
            source_sql="SELECT id, name FROM orders",
            target_connector="other",
            target_table="labels",
            target_columns=["number"],
        )


async def test_copy_query_to_table_adds_all_rows_or_none(connectors: ConnectorRegistry) -> None:
    await connectors.sql("db").execute("INSERT INTO past VALUES (3, 'here')")
    with pytest.raises(Exception, match=r"(?i)unique"):
        await etl.copy_query_to_table(
            connectors=connectors,
            source_connector="db",
            source_sql="SELECT * FROM orders ORDER BY id",
            target_connector="db",
            target_table="past",
            batch_size=1,
        )
    assert await rows(connectors, "SELECT * FROM past") == [(3, "here")]


async def test_copies_work_within_one_connection_that_a_test_registers() -> None:
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    registry = ConnectorRegistry()
    registry.pools.register_engine("default", engine)
    await registry.sql("default").execute("CREATE TABLE a (id INTEGER)")
    await registry.sql("default").execute("INSERT INTO a VALUES (1), (2), (3)")
    copied = await etl.copy_query_to_table(
        connectors=registry,
        source_connector="default",
        source_sql="SELECT id FROM a",
        target_connector="default",
        target_table="b",
        batch_size=1,
    )
    assert copied == 3
    assert await rows(registry, "SELECT id FROM b ORDER BY id", "default") == [(1,), (2,), (3,)]
    await engine.dispose()


async def test_snapshot_rows_fills_the_history(connectors: ConnectorRegistry) -> None:
    names = {"source_table": "orders", "history_table": "past"}
    added = await etl.snapshot_rows(
        connectors=connectors, target_connector="sales", **names, where="id >= :least", params={"least": 2}
    )
    assert added == 2
    with pytest.raises(Exception, match=r"(?i)unique"):
        await etl.snapshot_rows(connectors=connectors, target_connector="sales", **names)
    added = await etl.snapshot_rows(
        connectors=connectors, target_connector="sales", **names, if_not_exists=True
    )
    assert added == 1
    assert len(await rows(connectors, "SELECT * FROM past")) == 3


async def test_delete_rows_and_truncate_table(connectors: ConnectorRegistry) -> None:
    deleted = await etl.delete_rows(
        connectors=connectors,
        target_connector="db",
        table="orders",
        where="name = :name",
        params={"name": "two"},
    )
    assert deleted == 1
    assert await etl.delete_rows(connectors=connectors, target_connector="db", table="orders") == 2
    await connectors.sql("db").execute("INSERT INTO orders VALUES (4, 'four')")
    assert await etl.truncate_table(connectors=connectors, target_connector="db", table="orders") is None
    assert await rows(connectors, "SELECT * FROM orders") == []


@pytest.mark.parametrize("table", ["orders; DROP TABLE past", "orders WHERE 1=1", "", "a..b", 'x"y'])
async def test_what_is_no_table_name_is_refused(connectors: ConnectorRegistry, table: str) -> None:
    with pytest.raises(Invalid, match="is no table name"):
        await etl.delete_rows(connectors=connectors, target_connector="db", table=table)
    assert len(await rows(connectors, "SELECT * FROM orders")) == 3


async def test_insert_audit_record_names_the_run(connectors: ConnectorRegistry) -> None:
    await connectors.sql("db").execute(
        "CREATE TABLE collect_audit (cla_apps_id INTEGER, cla_module VARCHAR(20), cla_target VARCHAR(20), "
        "cla_action VARCHAR(20), cla_refresh TIMESTAMP NOT NULL, cla_run_id VARCHAR(20))"
    )
    given = {"target_schema": None, "target_table": "orders", "apps_id": 7, "module": "SALES"}
    token = etl.current_run_id.set("r-42")
    await etl.insert_audit_record(connectors=connectors, target_connector="db", **given)
    etl.current_run_id.reset(token)
    await etl.insert_audit_record(
        connectors=connectors, target_connector="db", **given, action="PURGE", run_id="r-9"
    )
    await etl.insert_audit_record(connectors=connectors, target_connector="db", **given)
    found = await rows(
        connectors,
        "SELECT cla_apps_id, cla_module, cla_target, cla_action, cla_run_id FROM collect_audit ORDER BY cla_run_id",
    )
    assert sorted(found, key=str) == sorted(
        [
            (7, "SALES", "orders", "ETL", "r-42"),
            (7, "SALES", "orders", "PURGE", "r-9"),
            (7, "SALES", "orders", "ETL", None),
        ],
        key=str,
    )


async def test_run_query_counts_what_it_changed(connectors: ConnectorRegistry) -> None:
    changed = await etl.run_query(
        connectors=connectors,
        connector="sales",
        sql="UPDATE orders SET name = :name WHERE id > 1",
        params={"name": "x"},
    )
    assert changed == 2
    assert (
        await etl.run_query(connectors=connectors, connector="sales", sql="CREATE TABLE made (id INTEGER)")
        == 0
    )
