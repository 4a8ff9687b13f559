"""Whatever rows there are, they come round every pair of databases as they were, by whichever path."""

import itertools
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from liberty.connectors import ConnectorRegistry
from liberty.etl.transfer import CopyRequest, Place, copy
from tests.conftest import SHARED_SERVER

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
"""What PostgreSQL can hold: no NUL, no lone surrogates."""

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.decimals(-(10**30), 10**30),
    "numeric(12,2)": st.decimals(-(10**9), 10**9, places=2),
    "double precision": st.floats(allow_nan=False).map(lambda number: number + 0.0),
    "text": TEXT | st.sampled_from(["\\N", "\\", "a\tb", "line\nbreak\r", '"', "7", "1e5", "infinity", ""]),
    "varchar(12)": TEXT,
    "boolean": st.booleans(),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "time": st.times(),
    "timestamp": MOMENTS,
    "timestamptz": MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)),
    "bytea": st.binary(max_size=12),
    "uuid": st.uuids(),
    "json": st.sampled_from(['{"a":  1.10}', "[]", '"é\\u0000"', "null", "9007199254740993"]),
}
NAMES = ["plain", "Mixed Case", "select", 'quo"te', "naïve", "percent%", "col:on", "d$1"]

TABLES = st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6).flatmap(
    lambda types: st.tuples(
        st.just(types),
        st.permutations(NAMES),
        st.lists(st.tuples(*(st.none() | VALUES[name] for name in types)), max_size=12),
    )
)


@pytest.fixture
async def pools(tmp_path: Path, pytestconfig: pytest.Config, pg_url: str) -> AsyncIterator[ConnectorRegistry]:
    with pytestconfig.stash[SHARED_SERVER].database() as other:
        registry = ConnectorRegistry(
            {
                "pools": {
                    "pg": {"url": pg_url},
                    "pg2": {"url": other},
                    "lite": {"url": f"sqlite:///{tmp_path}/a.db"},
                    "lite2": {"url": f"sqlite:///{tmp_path}/b.db"},
                }
            }
        )
        yield registry
        await registry.close()


_numbers = itertools.count()


async def hop(pools: ConnectorRegistry, source: str, target: str, **options: Any) -> None:
    """Copy table `t` into a table that the copy makes."""
    await pools.sql(target).execute("DROP TABLE IF EXISTS t")
    place = {"source": Place(source, table="t"), "target": Place(target, table="t")}
    await copy(CopyRequest(connectors=pools, label=f"trip{next(_numbers)}", **place, **options))


async def make(pools: ConnectorRegistry, pool: str, declared: str) -> None:
    async with pools.pools.engine(pool).begin() as connection:
        await connection.exec_driver_sql("DROP TABLE IF EXISTS t")
        await connection.exec_driver_sql(f"CREATE TABLE t ({declared})")


async def unchanged(rows: list[dict[str, Any]], _first: int) -> list[dict[str, Any] | None]:
    """A transform that changes nothing, but sends rows over the general path."""
    return list(rows)


async def in_postgresql(pools: ConnectorRegistry, pool: str) -> list[str]:
    found = await pools.sql(pool).rows("SELECT t::text AS row FROM t")
    return sorted(row["row"] for row in found)


def in_sqlite(pools: ConnectorRegistry, pool: str) -> list[str]:
    """Every value with its storage class: as Python writes it."""
    with closing(sqlite3.connect(pools.sql(pool).engine.url.database or "")) as connection:
        return sorted(map(repr, connection.execute("SELECT * FROM t")))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(table=(["numeric"], ["n"], [(Decimal(1564621925354003906250000),)]), batch_size=1, verify=True)
@given(table=TABLES, batch_size=st.sampled_from([1, 3, 10_000]), verify=st.booleans())
async def test_rows_come_round_as_they_were(
    pools: ConnectorRegistry, table: Any, batch_size: int, verify: bool
) -> None:
    types, names, rows = table
    columns = list(zip(names, types, strict=False))
    declared = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" {kind}' for name, kind in columns)
    await make(pools, "pg", declared)
    marks = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    async with pools.pools.engine("pg").begin() as connection:
        for row in rows:
            await connection.exec_driver_sql(f"INSERT INTO t VALUES ({marks})", row)
    options = {"batch_size": batch_size, "verify": verify}
    given_rows = await in_postgresql(pools, "pg")
    await hop(pools, "pg", "lite", **options)
    kept = in_sqlite(pools, "lite")
    await hop(pools, "lite", "lite2", **options)
    assert in_sqlite(pools, "lite2") == kept
    await make(pools, "pg2", declared)
    place = {"source": Place("lite2", table="t"), "target": Place("pg2", table="t")}
    await copy(CopyRequest(connectors=pools, label="back", **place, **options))
    assert await in_postgresql(pools, "pg2") == given_rows
    await pools.sql("pg").execute("TRUNCATE t")
    place = {"source": Place("pg2", table="t"), "target": Place("pg", table="t")}
    await copy(CopyRequest(connectors=pools, label="round", **place, **options))
    assert await in_postgresql(pools, "pg") == given_rows
    await hop(pools, "pg", "lite", **options)
    assert in_sqlite(pools, "lite") == kept
    general = {"source": Place("pg", table="t"), "target": Place("lite", table="t"), "transform": unchanged}
    await copy(CopyRequest(connectors=pools, label="general", **general, **options))
    assert in_sqlite(pools, "lite") == kept
    general = {"source": Place("lite", table="t"), "target": Place("pg2", table="t"), "transform": unchanged}
    await copy(CopyRequest(connectors=pools, label="general", **general, **options))
    assert await in_postgresql(pools, "pg2") == given_rows
