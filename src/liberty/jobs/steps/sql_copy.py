"""The `sql_copy` step: rows from one database into another."""

import inspect
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from liberty.jobs.marks import CopyMark
from liberty.jobs.steps.addressed import own_params
from liberty.jobs.steps.base import (
    PoolNames,
    RunContext,
    StepCancelled,
    StepConfig,
    StepFailed,
    StepResult,
    pool_used,
)
from liberty.jobs.steps.fields import CallableRef, Templatable
from liberty.jobs.steps.guard import CopyGuard

if TYPE_CHECKING:
    from liberty.etl.transfer import CopyRequest, Place, Transform
    from liberty.etl.transfer.file_end import FileOptions

CANCEL_CHECK_ROWS = 256

_log = logging.getLogger("nomaflow.sql_copy")
_copy_numbers = itertools.count(1)


type ColumnKind = Literal[
    "int",
    "decimal",
    "float",
    "text",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "bytes",
    "uuid",
    "json",
]
_FILE_KEYS = ("form", "delimiter", "encoding", "null", "columns")


class _Side(BaseModel):
    """What both sides may say: a table of a connector, or a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connector: str | None = Field(None, min_length=1, description="SQL connector (or pool); or give `file`.")
    # `schema` is the published key, and a method of every pydantic model: the attribute needs another name.
    schema_name: str | None = Field(None, alias="schema", description="Schema of the table.")
    table: str | None = Field(None, min_length=1, description="The table.")
    pool: str | None = Field(None, description="Use this pool instead of the connector's own.")
    file: str | None = Field(
        None,
        description="A file in a folder of `[jobs] file_folders`: `file:///data/orders.csv` or `.parquet`.",
    )
    form: Literal["csv", "parquet"] | None = Field(
        None, description="What the file is; default: what its name ends with."
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between the fields of a CSV file.")
    encoding: str = Field("utf-8", description="Of a CSV file.")
    null: str = Field("", description="Text that stands for NULL in a CSV file, besides an unquoted nothing.")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            letter = "a".encode(value)
        except LookupError:
            raise ValueError(f"no encoding {value!r}; use utf-8, latin-1, cp1252 or another one") from None
        if len(letter) != 1:
            raise ValueError(
                f"encoding {value!r} has more than one byte for a letter; convert the file to utf-8"
            )
        return value

    def _check_file(self) -> None:
        given = self.model_fields_set
        if self.file is None:
            for key in _FILE_KEYS:
                if key in given:
                    raise ValueError(f"'{key}' belongs to 'file'")
            if self.connector is None:
                raise ValueError("give 'connector', or 'file'")
            return
        for key, name in (
            ("connector", "connector"),
            ("schema_name", "schema"),
            ("table", "table"),
            ("pool", "pool"),
        ):
            if key in given:
                raise ValueError(f"give either 'file' or '{name}'")

    def _options(self) -> "FileOptions":
        from liberty.etl.transfer.file_end import FileOptions

        return FileOptions(form=self.form, delimiter=self.delimiter, encoding=self.encoding, null=self.null)

    def _pool_used(self, connectors: PoolNames) -> frozenset[str]:
        return frozenset() if self.connector is None else pool_used(connectors, self.connector, self.pool)


class CopySource(_Side):
    """Where rows are read: a table, the result of a query, or a file."""

    query: str | None = Field(None, description="Declared query or SELECT text to read instead of a table.")
    params: Annotated[dict[str, Any], Templatable()] = Field(
        default_factory=dict, description="Values for the `:name` placeholders of `query` or `where`."
    )
    columns: dict[str, ColumnKind] = Field(
        default_factory=dict,
        description="Kinds of a CSV file's columns; default: what the target's columns are, else text.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        self._check_file()
        given = [name for name in ("table", "query", "file") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give either 'table' or 'query', or 'file'")
        if self.file is not None and self.params:
            raise ValueError("'params' belong to 'query' or 'where'; a file has none")
        return self

    def place(self, ctx: RunContext) -> "Place":
        """With this run's values for the parameters."""
        from liberty.etl.transfer import Place

        if self.file is not None:
            return Place(file=self.file, options=replace(self._options(), columns=self.columns))
        params = own_params(self.params, ctx)
        return Place(self.connector or "", self.schema_name, self.table, self.pool, self.query, params)


class CopyTarget(_Side):
    """Where rows are written: a table, made from the source's columns when it is missing, or a file."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        self._check_file()
        if self.file is None and self.table is None:
            raise ValueError("give 'table', or 'file'")
        return self

    def place(self) -> "Place":
        from liberty.etl.transfer import Place

        if self.file is not None:
            return Place(file=self.file, options=self._options())
        return Place(self.connector or "", self.schema_name, self.table, self.pool)


class Incremental(BaseModel):
    """Copy only what the copy before has not seen: a mark, kept per job and step, says how far it came."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = Field(min_length=1, description="Ever-growing column, e.g. a change time or an identity.")


class SqlCopyStep(StepConfig):
    """Copy rows between databases; a copy that fails or is aborted leaves the target as it was."""

    type: Literal["sql_copy"] = "sql_copy"
    source: CopySource = Field(description="Table or query to read.")
    target: CopyTarget = Field(description="Table to write.")
    mode: Annotated[Literal["overwrite", "append", "upsert"], Templatable()] = Field(
        "overwrite",
        description="overwrite swaps in a full new table, append adds rows, upsert updates by key.",
    )
    key_columns: Annotated[tuple[str, ...], Templatable()] = Field(
        (), description="Key for upsert; default: the target's primary key."
    )
    batch_size: Annotated[int, Field(ge=1, le=1_000_000), Templatable()] = Field(
        10_000, description="Rows per batch."
    )
    where: str | None = Field(None, description="SQL condition on the source table's rows.")
    transform: CallableRef | None = Field(
        None,
        description="`module.path:function` called with each row as a dict; returns a dict, or None to drop it.",
    )
    type_coercion: Annotated[Literal["none", "jde"], Templatable()] = Field(
        "none", description="jde: lower-case names and JD Edwards types."
    )
    decimal_mode: Annotated[Literal["preserve", "truncate"], Templatable()] = Field(
        "preserve", description="truncate: decimals become whole numbers, toward zero."
    )
    strip_both_columns: Annotated[tuple[str, ...], Templatable()] = Field(
        (), description="Text columns stripped of blanks on both sides."
    )
    incremental: Incremental | None = Field(None, description="Copy only what is new since the last copy.")
    verify: Annotated[bool, Templatable()] = Field(
        False,
        description="Count the target's rows before and after too, and undo the copy when they do not add up.",
    )
    guard: CopyGuard | None = Field(
        None, description="Limits beyond which the step fails and the target stays as it was."
    )
    delete_missing: Annotated[bool, Templatable()] = Field(
        False, description="With mode upsert: delete the target's rows whose key the source no longer has."
    )

    @model_validator(mode="after")
    def _options_fit_the_mode(self) -> Self:
        self._files_fit_the_mode()
        if self.source.query is None and self.source.params and self.where is None:
            raise ValueError("'params' belong to 'query' or 'where'; a table alone has none")
        if self.where is not None and self.source.table is None:
            raise ValueError("'where' filters a source table; put the condition into the query instead")
        if self.incremental is not None and self.mode == "overwrite":
            raise ValueError("'incremental' needs mode 'append' or 'upsert'")
        if self.incremental is not None and self.source.table is None:
            raise ValueError("'incremental' needs a source table; put the condition into the query instead")
        if self.delete_missing is True and self.mode in ("overwrite", "append"):
            raise ValueError("'delete_missing' needs mode 'upsert'")
        if self.delete_missing is True and self.incremental is not None:
            raise ValueError(
                "'delete_missing' would delete every row that 'incremental' leaves out; choose one"
            )
        limited = self.guard is not None and self.guard.max_delete_pct is not None
        if limited and (self.mode == "append" or (self.mode == "upsert" and self.delete_missing is False)):
            raise ValueError(
                "'guard.max_delete_pct' limits nothing here: only 'overwrite' and 'upsert' with 'delete_missing' delete"
            )
        return self

    def _files_fit_the_mode(self) -> None:
        if self.source.file is not None and self.where is not None:
            raise ValueError("'where' filters a source table; drop rows of a file with a 'transform'")
        if self.target.file is None:
            return
        if self.mode == "upsert":
            raise ValueError("a target file has no keys: use mode 'overwrite', or 'append' for CSV")
        if self.incremental is not None:
            raise ValueError("'incremental' needs a target table")
        if self.guard is not None and self.guard.max_delete_pct is not None:
            raise ValueError("'guard.max_delete_pct' counts rows of a table; a target file has none")

    async def execute(self, ctx: RunContext) -> StepResult:
        """Copy. Raises CopyFailed naming row, column and value for data that does not fit.

        `source_rows` were read; `target_rows` are the rows the table holds after an overwrite, else the rows that
        reached it.
        """
        from liberty.etl.transfer import copy

        before = await ctx.host.copy_mark(ctx) if self.incremental is not None else None
        request = await self._request(ctx, before)
        _log.info(
            "nomaflow.sql_copy start run=%s step=%r mode=%s source=%s target=%s",
            ctx.run_id,
            ctx.step_name,
            self.mode,
            request.source,
            request.target,
        )
        started = time.perf_counter()
        outcome = await copy(request)
        if outcome.reached is not None:
            await self._keep_mark(ctx, CopyMark.of(outcome.reached, before.revision if before else 0))
        elapsed_ms = round((time.perf_counter() - started) * 1000, 3)
        _log.info(
            "nomaflow.sql_copy done run=%s step=%r rows=%d dropped=%d elapsed_ms=%s",
            ctx.run_id,
            ctx.step_name,
            outcome.rows_written,
            outcome.rows_dropped,
            elapsed_ms,
        )
        facts: dict[str, Any] = {
            "mode": self.mode,
            "source_rows": outcome.rows_read,
            "target_rows": outcome.target_rows,
            "rows_read": outcome.rows_read,
            "rows_written": outcome.rows_written,
            "rows_dropped": outcome.rows_dropped,
            "chunks": outcome.chunks,
            "elapsed_ms": elapsed_ms,
        }
        if self.delete_missing:
            facts["rows_deleted"] = outcome.rows_deleted
        if self.incremental is not None:
            facts["watermark"] = None if outcome.watermark is None else str(outcome.watermark)
            facts["reached"] = None if outcome.reached is None else str(outcome.reached)
        return StepResult(outcome.rows_written, facts)

    async def preview(self, ctx: RunContext) -> dict[str, Any]:
        """Counts of both sides, what goes where and what may be lost, the path, the first rows. Nothing is written,
        and the transform is not called."""
        from liberty.etl.transfer.preview import look

        mark = await ctx.host.copy_mark(ctx) if self.incremental is not None else None
        found = await look(await self._request(ctx, mark, look=True))
        if self.transform is not None:
            found["notes"].append(
                f"the transform {self.transform} is not called: rows are shown as they are read"
            )
        return found

    def pools(self, connectors: PoolNames) -> frozenset[str]:
        """The pools of both ends."""
        return self.source._pool_used(connectors) | self.target._pool_used(connectors)  # noqa: SLF001 - this module

    @staticmethod
    async def _keep_mark(ctx: RunContext, mark: CopyMark) -> None:
        """The rows are committed: a mark that does not follow is only a mark that is too low, and rows read twice."""
        if await ctx.host.move_copy_mark(ctx, mark):
            _log.info("nomaflow.sql_copy mark run=%s step=%r value=%s", ctx.run_id, ctx.step_name, mark.value)
        else:
            _log.warning("the mark of step %r was set while it copied, and stays as set", ctx.step_name)

    async def _request(self, ctx: RunContext, mark: CopyMark | None, *, look: bool = False) -> "CopyRequest":
        from liberty.etl.transfer import CopyRequest, Mark

        return CopyRequest(
            connectors=ctx.connectors,
            source=self.source.place(ctx),
            target=self.target.place(),
            label=f"{ctx.run_id.replace('-', '')}_{ctx.step_index}_{next(_copy_numbers)}",
            mode=self.mode,
            key_columns=self.key_columns,
            batch_size=self.batch_size,
            where=self.where,
            transform=None if look else await self._loaded_transform(ctx),
            jde=self.type_coercion == "jde",
            truncate_decimals=self.decimal_mode == "truncate",
            strip_columns=self.strip_both_columns,
            incremental=self.incremental.column if self.incremental is not None else None,
            mark=None if mark is None else Mark(mark.as_value()),
            verify=self.verify,
            guard=self.guard.opened() if self.guard is not None else None,
            delete_missing=self.delete_missing,
        )

    async def _loaded_transform(self, ctx: RunContext) -> "Transform | None":
        reference = self.transform
        if reference is None:
            return None
        plugins = ctx.host.plugins
        # Importing runs the plugin's top-level code, so it happens where blocking code may run.
        function: Callable[..., Any] = plugins.resolved(reference) or await ctx.host.call_import(
            ctx, lambda: plugins.resolve(reference, ctx.step_name)
        )
        if inspect.iscoroutinefunction(function):
            raise StepFailed(
                f"transform {reference!r} is an async function; it must be a plain one: row in, row out"
            )

        async def transform(rows: list[dict[str, Any]], first_row: int) -> list[dict[str, Any] | None]:
            returned: list[dict[str, Any] | None] = await ctx.host.call_sync(
                ctx, lambda: _apply(ctx, reference, function, rows, first_row)
            )
            return returned

        return transform


def _apply(
    ctx: RunContext, reference: str, function: Callable[..., Any], rows: list[dict[str, Any]], first_row: int
) -> list[dict[str, Any] | None]:
    """Call the transform for each row, in a step thread. What it raises goes on, its row is in the log."""
    done: list[dict[str, Any] | None] = []
    try:
        for row in rows:
            if len(done) % CANCEL_CHECK_ROWS == 0 and ctx.is_cancelled():
                raise StepCancelled("the run was aborted between two rows")
            done.append(function(row))
    except BaseException:
        _log.error("transform %s stopped at row %d", reference, first_row + len(done))
        raise
    return done
