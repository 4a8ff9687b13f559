"""Helpers for plugins that run one statement in a transaction of its own."""

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from liberty.errors import Invalid
from liberty.etl.current_run import current_run_id

if TYPE_CHECKING:
    from liberty.connectors import ConnectorRegistry

_log = logging.getLogger("liberty.etl")
_TABLE = re.compile(r'(?:[A-Za-z_][\w$]*|"[^"]+")(?:\.(?:[A-Za-z_][\w$]*|"[^"]+")){0,2}')

type Params = Mapping[str, Any]


async def snapshot_rows(
    *,
    connectors: "ConnectorRegistry",
    target_connector: str,
    source_table: str,
    history_table: str,
    where: str = "",
    params: Params | None = None,
    if_not_exists: bool = False,
) -> int:
    """Add the rows of a table to its history table on the same connector; returns how many were added.

    Args:
        where: a condition with `:name` placeholders; empty takes every row.
        if_not_exists: leave out rows whose key the history has. Raises NotImplementedError where neither PostgreSQL
            nor SQLite answers.
    """
    insert, tail = "INSERT INTO", ""
    if if_not_exists:
        dialect = connectors.sql(target_connector).engine.dialect.name
        if dialect == "sqlite":
            insert = "INSERT OR IGNORE INTO"
        elif dialect == "postgresql":
            tail = " ON CONFLICT DO NOTHING"
        else:
            raise NotImplementedError(  # what the helper is documented to raise for other databases
                f"snapshot_rows(if_not_exists=True) is known for PostgreSQL and SQLite, not for {dialect}"
            )
    source, history = table_name(source_table), table_name(history_table)
    statement = f"{insert} {history} SELECT * FROM {source}{_where(where)}{tail}"  # noqa: S608 - names checked
    rows = await _changed(connectors, target_connector, statement, params)
    _log.info(
        "liberty.etl snapshot %s: %s -> %s rows=%d", target_connector, source_table, history_table, rows
    )
    return rows


async def delete_rows(
    *,
    connectors: "ConnectorRegistry",
    target_connector: str,
    table: str,
    where: str = "",
    params: Params | None = None,
) -> int:
    """Delete the rows that meet `where`, all of them when it is empty; returns how many."""
    statement = f"DELETE FROM {table_name(table)}{_where(where)}"  # noqa: S608 - name checked
    rows = await _changed(connectors, target_connector, statement, params)
    _log.info("liberty.etl delete %s: %s rows=%d", target_connector, table, rows)
    return rows


async def truncate_table(*, connectors: "ConnectorRegistry", target_connector: str, table: str) -> None:
    """Empty a table the quick way the database has; SQLite has only DELETE."""
    verb = (
        "DELETE FROM"
        if connectors.sql(target_connector).engine.dialect.name == "sqlite"
        else "TRUNCATE TABLE"
    )
    await _changed(connectors, target_connector, f"{verb} {table_name(table)}", None)
    _log.info("liberty.etl truncate %s: %s", target_connector, table)


async def insert_audit_record(
    *,
    connectors: "ConnectorRegistry",
    target_connector: str,
    target_schema: str | None,
    target_table: str,
    apps_id: int | str,
    module: str,
    action: str = "ETL",
    audit_table: str = "collect_audit",
    run_id: str | None = None,
) -> None:
    """Write one row of the audit table in `target_schema`: who refreshed `target_table`, when, in which run.

    `run_id` is by default that of the run the caller works for; NULL outside of any.
    """
    table = table_name(f"{target_schema}.{audit_table}" if target_schema else audit_table)
    await connectors.sql(target_connector).execute(
        f"INSERT INTO {table} "  # noqa: S608 - name checked
        "(cla_apps_id, cla_module, cla_target, cla_action, cla_refresh, cla_run_id) "
        "VALUES (:apps_id, :module, :target, :action, CURRENT_TIMESTAMP, :run_id)",
        {
            "apps_id": apps_id,
            "module": module,
            "target": target_table,
            "action": action,
            "run_id": run_id if run_id is not None else current_run_id.get(),
        },
    )
    _log.info("liberty.etl audit %s: %s %s %s", target_connector, module, target_table, action)


async def run_query(
    *, connectors: "ConnectorRegistry", connector: str, sql: str, params: Params | None = None
) -> int:
    """Run a declared query or one SQL statement; returns the rows it changed or gave, 0 when it has no count."""
    rows = await _changed(connectors, connector, sql, params)
    _log.info("liberty.etl query %s rows=%d", connector, rows)
    _log.debug("liberty.etl query %s: %s", connector, sql)
    return rows


def table_name(name: str) -> str:
    """A table's name as it may stand in SQL. Raises Invalid for anything that is not a plain, dotted or quoted name."""
    if _TABLE.fullmatch(name) is None:
        raise Invalid(
            f"{name!r} is no table name: write letters, digits and _, dots between schema and table"
        )
    return name


def _where(condition: str) -> str:
    return f" WHERE {condition}" if condition.strip() else ""


async def _changed(
    connectors: "ConnectorRegistry", connector: str, statement: str, params: Params | None
) -> int:
    result = await connectors.sql(connector).execute(statement, params)
    return max(result.row_count, 0)
