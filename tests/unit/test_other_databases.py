"""Oracle and SQL Server, as far as they can be seen without a server: URLs, quoting, upserts, reading by the batch."""

import pytest
from sqlalchemy import Column, Dialect, Integer, MetaData, String, Table, make_url
from sqlalchemy.dialects import mssql, oracle
from sqlalchemy.dialects.mssql.aioodbc import MSDialectAsync_aioodbc
from sqlalchemy.dialects.mysql.aiomysql import MySQLDialect_aiomysql
from sqlalchemy.dialects.oracle.oracledb import OracleDialectAsync_oracledb

from liberty.connectors import ConnectorRegistry
from liberty.connectors.pools import ASYNC_DRIVERS
from liberty.errors import Invalid
from liberty.etl.transfer.merge_rows import merge_statement


def table(schema: str | None = None) -> Table:
    return Table(
        "orders",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("select", String(20)),
        Column('od"d: %', String(20)),
        schema=schema,
    )


NAMES = ["id", "select", 'od"d: %']


def compiled(dialect: Dialect, key: list[str], names: list[str] = NAMES) -> str:
    return str(merge_statement(table("sales"), names, key, dialect).compile(dialect=dialect))


def test_an_upsert_into_oracle() -> None:
    assert compiled(oracle.dialect(paramstyle="named"), ["id"]) == (
        'MERGE INTO sales.orders t USING (SELECT :v0 AS id, :v1 AS "select", :v2 AS "od""d: %" FROM dual) s '
        'ON (t.id = s.id) WHEN MATCHED THEN UPDATE SET t."select" = s."select", t."od""d: %" = s."od""d: %" '
        'WHEN NOT MATCHED THEN INSERT (id, "select", "od""d: %") VALUES (s.id, s."select", s."od""d: %")'
    )


def test_an_upsert_into_sql_server() -> None:
    assert compiled(mssql.dialect(paramstyle="qmark"), ["id", "select"]) == (
        'MERGE INTO sales.orders WITH (HOLDLOCK) AS t USING (VALUES (?, ?, ?)) AS s (id, [select], [od"d: %]) '
        'ON (t.id = s.id AND t.[select] = s.[select]) WHEN MATCHED THEN UPDATE SET t.[od"d: %] = s.[od"d: %] '
        'WHEN NOT MATCHED THEN INSERT (id, [select], [od"d: %]) VALUES (s.id, s.[select], s.[od"d: %]);'
    )


@pytest.mark.parametrize("dialect", [oracle.dialect(), mssql.dialect()])
def test_a_table_that_is_all_key_is_only_added_to(dialect: Dialect) -> None:
    assert "WHEN MATCHED" not in compiled(dialect, ["id"], ["id"])


@pytest.mark.parametrize(
    "url, extra, package",
    [
        ("oracle://u@host/?service_name=x", "oracle", "oracledb"),
        ("mssql://u@host/db?driver=x", "mssql", "aioodbc"),
    ],
)
async def test_a_driver_that_is_missing_says_what_to_install(url: str, extra: str, package: str) -> None:
    registry = ConnectorRegistry({"pools": {"erp": {"url": url}}})
    with pytest.raises(
        Invalid, match=rf"the driver package '{package}' .* run: pip install nomaflow\[{extra}\]"
    ):
        registry.pools.engine("erp")


@pytest.mark.parametrize(
    "backend, dialect",
    [
        ("mysql", MySQLDialect_aiomysql),
        ("oracle", OracleDialectAsync_oracledb),
        ("mssql", MSDialectAsync_aioodbc),
    ],
)
def test_rows_are_read_by_the_batch(backend: str, dialect: type[Dialect]) -> None:
    """The driver that a plain URL means leaves rows on the server until they are asked for."""
    assert make_url(f"{ASYNC_DRIVERS[backend]}://host").get_dialect() is dialect
    assert (dialect.is_async, dialect.supports_server_side_cursors) == (True, True)
