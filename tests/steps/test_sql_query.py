"""The `sql_query` step on real databases: what it runs, counts, keeps and refuses."""

import json
import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.errors import Invalid, NotFound
from liberty.jobs.steps.base import StepFailed
from liberty.jobs.steps.json_values import json_value
from liberty.jobs.steps.sql_query import SqlQueryStep
from liberty.testing import build_fake_ctx


def registry(url: str, **pool: Any) -> ConnectorRegistry:
    return ConnectorRegistry(
        {
            "pools": {"default": {"url": url, **pool}},
            "connectors": {
                "crm": {
                    "type": "sql",
                    "queries": [
                        {
                            "name": "big-orders",
                            "sql": "SELECT id, total FROM orders WHERE total >= :least ORDER BY id",
                        },
                        {"name": "rename", "sql": "UPDATE orders SET name = :session_user", "writable": True},
                    ],
                }
            },
        }
    )


async def orders(connectors: ConnectorRegistry, count: int = 3) -> None:
    crm = connectors.sql("crm")
    await crm.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total NUMERIC(12,2), name VARCHAR(20))")
    await crm.execute_many(
        "INSERT INTO orders VALUES (:id, :total, :name)",
        [{"id": n, "total": Decimal(n) + Decimal("0.5"), "name": f"order {n}"} for n in range(1, count + 1)],
    )


async def test_a_read_gives_rows_counts_and_time(database_url: str) -> None:
    connectors = registry(database_url)
    await orders(connectors)
    step = SqlQueryStep(name="big", connector="crm", query="big-orders", params={"least": 2})
    result = await step.execute(build_fake_ctx(connectors=connectors))
    rows = [{"id": 2, "total": 2.5}, {"id": 3, "total": 3.5}]
    assert result.rows_affected == result.extras["row_count"] == 2
    assert result.extras["rows"] == rows
    assert result.extras["first_row"] == rows[0]
    assert result.extras["elapsed_ms"] > 0
    assert result.output == result.extras
    await connectors.close()


async def test_a_write_counts_what_it_changed(database_url: str) -> None:
    connectors = registry(database_url)
    await orders(connectors)
    step = SqlQueryStep(connector="crm", query="DELETE FROM orders WHERE id > :id", params={"id": 1})
    result = await step.execute(build_fake_ctx(connectors=connectors))
    assert result.rows_affected == result.extras["rows_affected"] == 2
    assert "rows" not in result.extras
    assert await connectors.sql("crm").scalar("SELECT count(*) FROM orders") == 1
    await connectors.close()


async def test_later_steps_see_every_row_and_the_history_the_first_hundred(sqlite_url: str) -> None:
    connectors = registry(sqlite_url)
    await orders(connectors, 250)
    step = SqlQueryStep(connector="crm", query="SELECT id FROM orders ORDER BY id")
    result = await step.execute(build_fake_ctx(connectors=connectors))
    assert result.extras["row_count"] == 250
    assert [row["id"] for row in result.extras["rows"]] == list(range(1, 101))
    assert result.extras["truncated"] is True
    assert len(result.output["rows"]) == 250
    assert "truncated" not in result.output
    await connectors.close()


async def test_rows_beyond_the_pools_limit_are_said_to_be_missing(sqlite_url: str) -> None:
    connectors = registry(sqlite_url, max_rows=10)
    await orders(connectors, 25)
    result = await SqlQueryStep(connector="crm", query="SELECT id FROM orders").execute(
        build_fake_ctx(connectors=connectors)
    )
    assert result.extras["row_count"] == 10
    assert result.output["truncated"] is True
    await connectors.close()


@pytest.mark.parametrize(("fetch", "rows"), [("first", [{"id": 1}]), ("none", None)])
async def test_less_than_everything_can_be_fetched(sqlite_url: str, fetch: Any, rows: Any) -> None:
    connectors = registry(sqlite_url)
    await orders(connectors)
    step = SqlQueryStep(connector="crm", query="SELECT id FROM orders ORDER BY id", fetch=fetch)
    result = await step.execute(build_fake_ctx(connectors=connectors))
    assert result.extras.get("rows") == rows
    assert result.rows_affected == (1 if fetch == "first" else 3)
    assert "truncated" not in result.extras
    await connectors.close()


async def test_every_kind_of_value_becomes_json(pg_url: str) -> None:
    connectors = registry(pg_url)
    query = """
        SELECT 9007199254740993::int8 AS big, 12345678901234567890.12::numeric AS wide, 12.50::numeric AS narrow,
               7::numeric AS whole, true AS yes, NULL::text AS missing, DATE '2026-02-28' AS day,
               TIMESTAMP '2026-02-28 12:00:00.123456' AS wall, TIMESTAMPTZ '2026-02-28 12:00+02' AS instant,
               '\\x00ff'::bytea AS raw, ARRAY[1.25, 2]::numeric[] AS several, '{"a": [1]}'::jsonb AS doc,
               '6f9619ff-8b86-d011-b42d-00c04fc964ff'::uuid AS uid
    """
    result = await SqlQueryStep(connector="crm", query=query).execute(build_fake_ctx(connectors=connectors))
    assert result.extras["first_row"] == {
        "big": 9007199254740993,
        "wide": "12345678901234567890.12",
        "narrow": 12.5,
        "whole": 7,
        "yes": True,
        "missing": None,
        "day": "2026-02-28",
        "wall": "2026-02-28T12:00:00.123456",
        "instant": "2026-02-28T10:00:00+00:00",
        "raw": "\\x00ff",
        "several": [1.25, 2],
        "doc": {"a": [1]},
        "uid": "6f9619ff-8b86-d011-b42d-00c04fc964ff",
    }
    json.dumps(result.extras, allow_nan=False)
    await connectors.close()


async def test_a_number_json_has_not_fails_the_step(pg_url: str) -> None:
    connectors = registry(pg_url)
    step = SqlQueryStep(connector="crm", query="SELECT 1 AS a, 'NaN'::float8 AS ratio")
    with pytest.raises(StepFailed, match="row 1, column 'ratio' is nan"):
        await step.execute(build_fake_ctx(connectors=connectors))
    await connectors.close()


async def test_per_fire_values_addressed_to_the_step_replace_its_own_params(sqlite_url: str) -> None:
    connectors = registry(sqlite_url)
    await orders(connectors)
    step = SqlQueryStep(connector="crm", query="big-orders", params={"least": 3})
    everything = {"least": 1, "unrelated": "x"}
    addressed = await step.execute(build_fake_ctx(connectors=connectors, params=everything))
    job_wide = await step.execute(build_fake_ctx(connectors=connectors, params=everything, explicit=()))
    assert (addressed.rows_affected, job_wide.rows_affected) == (3, 1)
    await connectors.close()


@pytest.mark.parametrize("query", ["rename:write", "UPDATE orders SET name = :session_user"])
async def test_who_triggered_the_run_is_there_as_a_placeholder(sqlite_url: str, query: str) -> None:
    connectors = registry(sqlite_url)
    await orders(connectors)
    await SqlQueryStep(connector="crm", query=query).execute(
        build_fake_ctx(connectors=connectors, session_user="bob")
    )
    assert await connectors.sql("crm").scalar("SELECT name FROM orders") == "bob"
    await connectors.close()


async def test_the_log_names_the_step_and_keeps_the_statement_for_debug(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    connectors = registry(sqlite_url)
    await orders(connectors)
    step = SqlQueryStep(name="find", connector="crm", query="SELECT id FROM orders WHERE name = 'order 2'")
    with caplog.at_level(logging.DEBUG, logger="nomaflow.sql_query"):
        await step.execute(build_fake_ctx(connectors=connectors, step_name="find", run_id="r-7"))
    info = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    debug = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert info[0] == "nomaflow.sql_query start run=r-7 step='find' connector=crm query=SELECT …"
    assert info[1].startswith("nomaflow.sql_query done run=r-7 step='find' rows=1 ")
    assert not any("order 2" in line for line in info)
    assert any("order 2" in line for line in debug)
    await connectors.close()


async def test_what_is_unknown_is_named(sqlite_url: str, tmp_path: Path) -> None:
    connectors = registry(sqlite_url)
    context = build_fake_ctx(connectors=connectors)
    with pytest.raises(NotFound, match="did you mean 'crm'"):
        await SqlQueryStep(connector="crn", query="SELECT 1").execute(context)
    with pytest.raises(NotFound, match="did you mean 'big-orders'"):
        await SqlQueryStep(connector="crm", query="big-order").execute(context)
    with pytest.raises(Invalid, match="may not use pool 'other'"):
        await SqlQueryStep(connector="crm", query="SELECT 1", pool="other").execute(context)
    await connectors.close()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("0.1"), 0.1),
        (Decimal("0.1000000000000000055511151231257827"), "0.1000000000000000055511151231257827"),
        (Decimal("1E+3"), 1000.0),
        (Decimal(-5), -5),
        (Decimal("1e400"), "1E+400"),
        (Decimal(10**30), 10**30),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        (date(2026, 1, 1), "2026-01-01"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, b"\x01"), [1, "\\x01"]),
    ],
)
def test_json_values_lose_nothing(value: object, expected: object) -> None:
    found = json_value(value)
    assert found == expected
    assert type(found) is type(expected)
