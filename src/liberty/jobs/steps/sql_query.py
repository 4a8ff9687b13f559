"""The `sql_query` step: one statement on a SQL connector."""

import logging
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from liberty.jobs.steps.addressed import own_params
from liberty.jobs.steps.base import PoolNames, RunContext, StepConfig, StepResult, pool_used
from liberty.jobs.steps.fields import Templatable
from liberty.jobs.steps.guard import RowGuard
from liberty.jobs.steps.json_values import json_row

if TYPE_CHECKING:
    from liberty.connectors import SqlConnector, SqlResult

STORED_ROWS = 100
SHOWN_ROWS = 20

_log = logging.getLogger("nomaflow.sql_query")
_SESSION_USER = re.compile(r"(?<![:\w\\]):session_user\b")


class SqlQueryStep(StepConfig):
    """Run a declared query or one SQL statement; rows and counts are there for later steps."""

    type: Literal["sql_query"] = "sql_query"
    connector: str = Field(min_length=1, description="SQL connector (or pool) the statement runs on.")
    query: str = Field(
        min_length=1,
        description="Name of a declared query (`:write` suffix allowed) or the text of one SQL statement.",
    )
    params: Annotated[dict[str, Any], Templatable()] = Field(
        default_factory=dict, description="Values for the statement's `:name` placeholders."
    )
    pool: str | None = Field(None, description="Run on this pool instead of the connector's own.")
    fetch: Annotated[Literal["all", "first", "none"], Templatable()] = Field(
        "all", description="What to keep of the result: all rows, the first one, or only the count."
    )
    guard: RowGuard | None = Field(
        None,
        description="Limits for the rows changed or read; beyond them the statement is undone and the step fails.",
    )

    @model_validator(mode="after")
    def _guard_sees_all_rows(self) -> Self:
        if self.guard is not None and self.fetch == "first":
            raise ValueError("'guard' counts rows and fetch 'first' reads one; use 'all' or 'none'")
        return self

    async def execute(self, ctx: RunContext) -> StepResult:
        """Run the statement in a transaction of its own.

        A placeholder `:session_user` that no param fills is who triggered the run. Later steps see every row the
        connector's `max_rows` lets through; the first 100 are stored.
        """
        connector, params = self._call(ctx)
        _log.info(
            "nomaflow.sql_query start run=%s step=%r connector=%s query=%s",
            ctx.run_id,
            ctx.step_name,
            self.connector,
            _shown(self.query),
        )
        _log.debug("nomaflow.sql_query sql run=%s step=%r %s", ctx.run_id, ctx.step_name, self.query)
        result = await connector.execute(
            self.query,
            params,
            pool=self.pool,
            max_rows=1 if self.fetch == "first" else None,
            check=None if self.guard is None else self._guarded,
        )
        made = self._result(result)
        _log.info(
            "nomaflow.sql_query done run=%s step=%r rows=%s elapsed_ms=%s",
            ctx.run_id,
            ctx.step_name,
            made.rows_affected,
            made.extras["elapsed_ms"],
        )
        return made

    async def preview(self, ctx: RunContext) -> dict[str, Any]:
        """The rows a statement would change, tried out and undone; of a read, how many there are and the first ones."""
        connector, params = self._call(ctx)
        result = await connector.try_out(self.query, params, pool=self.pool, max_rows=SHOWN_ROWS)
        found: dict[str, Any] = {"statement": result.statement_type}
        found["rows_read" if result.reads else "rows_affected"] = max(result.rowcount, 0)
        if result.columns:
            found["rows"] = result.rows
        if self.guard is not None:
            found["guard"] = self.guard.opened().verdict(max(result.rowcount, 0))
        return found

    def _call(self, ctx: RunContext) -> tuple["SqlConnector", dict[str, Any]]:
        connector = ctx.connectors.sql(self.connector)
        params = own_params(self.params, ctx)
        if "session_user" not in params and _SESSION_USER.search(_text_of(connector, self.query)):
            params["session_user"] = ctx.session_user
        return connector, params

    def pools(self, connectors: PoolNames) -> frozenset[str]:
        """The statement's one pool."""
        return pool_used(connectors, self.connector, self.pool)

    def _guarded(self, result: "SqlResult") -> None:
        """Raises CopyFailed beyond a limit, before the statement is committed."""
        if self.guard is not None:
            done = "were read" if result.reads else "would be changed"
            self.guard.opened().check_rows(max(result.row_count, 0), done)

    def _result(self, result: "SqlResult") -> StepResult:
        affected = max(result.row_count, 0)
        facts: dict[str, Any] = {
            "row_count": affected,
            "rows_affected": affected,
            "elapsed_ms": result.duration_ms,
        }
        if result.truncated and self.fetch != "first":
            facts["truncated"] = True
        if not result.columns or self.fetch == "none":
            return StepResult(affected, facts, dict(facts))
        rows = [json_row(row, number) for number, row in enumerate(result.rows, 1)]
        facts["first_row"] = rows[0] if rows else None
        stored = {**facts, "rows": rows[:STORED_ROWS]}
        if len(rows) > STORED_ROWS:
            stored["truncated"] = True
        return StepResult(affected, stored, {**facts, "rows": rows})


def _text_of(connector: "SqlConnector", query: str) -> str:
    """The SQL of a declared query in all its dialects, else the text itself."""
    name = query.strip()
    for declared in connector.config.all_queries():
        if declared.name in (name, name.removesuffix(":write")):
            return declared.sql if isinstance(declared.sql, str) else "\n".join(declared.sql.values())
    return query


def _shown(query: str) -> str:
    """A query's name; of SQL text only its first word, since the text may hold data."""
    words = query.split(maxsplit=1)
    return repr(query.strip()) if len(words) == 1 else f"{words[0].upper()} …"
