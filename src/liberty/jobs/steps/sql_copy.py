"""The `sql_copy` step: rows from one database into another."""

import itertools
import logging
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from liberty.jobs.marks import CopyMark
from liberty.jobs.steps.base import PoolNames, RunContext, StepConfig, StepResult
from liberty.jobs.steps.copy_sides import CopySource, CopyTarget
from liberty.jobs.steps.copy_transform import loaded, per_batch, per_row
from liberty.jobs.steps.fields import CallableRef, Templatable
from liberty.jobs.steps.guard import CopyGuard

if TYPE_CHECKING:
    from liberty.etl.transfer import CopyRequest

_log = logging.getLogger("nomaflow.sql_copy")
_copy_numbers = itertools.count(1)


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
    transform_mode: Literal["row", "arrow"] = Field(
        "row",
        description="arrow: the transform gets batches (pyarrow.RecordBatch) and returns one, or None to drop it.",
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
        if self.transform is None and "transform_mode" in self.model_fields_set:
            raise ValueError("'transform_mode' belongs to 'transform'")
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
            "nomaflow.sql_copy start run=%s step=%r mode=%s coercion=%s decimals=%s source=%s target=%s",
            ctx.run_id,
            ctx.step_name,
            self.mode,
            self.type_coercion,
            self.decimal_mode,
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
        return self.source.pools(connectors) | self.target.pools(connectors)

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
            **({} if look else await self._transforms(ctx)),
            jde=self.type_coercion == "jde",
            truncate_decimals=self.decimal_mode == "truncate",
            strip_columns=self.strip_both_columns,
            incremental=self.incremental.column if self.incremental is not None else None,
            mark=None if mark is None else Mark(mark.as_value()),
            verify=self.verify,
            guard=self.guard.opened() if self.guard is not None else None,
            delete_missing=self.delete_missing,
            on_progress=lambda progress: ctx.host.progressed(ctx, progress.facts()),
        )

    async def _transforms(self, ctx: RunContext) -> dict[str, Any]:
        if self.transform is None:
            return {}
        function = await loaded(self.transform, ctx)
        if self.transform_mode == "arrow":
            return {"batch_transform": await per_batch(self.transform, function, ctx)}
        return {"transform": per_row(self.transform, function, ctx)}
