"""The `transform` of a `sql_copy` step: a plugin's function, called for each row or for each Arrow batch."""

import inspect
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from liberty.jobs.steps.base import RunContext, StepCancelled, StepFailed

if TYPE_CHECKING:
    from liberty.etl.transfer import BatchTransform, Transform
    from liberty.etl.transfer.columns import Column

CANCEL_CHECK_ROWS = 256

_log = logging.getLogger("nomaflow.sql_copy")


async def loaded(reference: str, ctx: RunContext) -> Callable[..., Any]:
    """The function. Importing runs the plugin's top-level code, so it happens where blocking code may run."""
    plugins = ctx.host.plugins
    function: Callable[..., Any] = plugins.resolved(reference) or await ctx.host.call_import(
        ctx, lambda: plugins.resolve(reference, ctx.step_name)
    )
    if inspect.iscoroutinefunction(function):
        raise StepFailed(
            f"transform {reference!r} is an async function; it must be a plain one: row in, row out"
        )
    return function


def per_row(reference: str, function: Callable[..., Any], ctx: RunContext) -> "Transform":
    """Calls it with each row as a dict."""

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


async def per_batch(reference: str, function: Callable[..., Any], ctx: RunContext) -> "BatchTransform":
    """Calls it with each batch as a `pyarrow.RecordBatch`. Raises StepFailed when pyarrow is not there."""
    try:
        through = await ctx.host.call_import(ctx, _with_arrow)
    except ModuleNotFoundError as error:
        raise StepFailed(
            'transform_mode = "arrow" needs the package pyarrow: install nomaflow[arrow]'
        ) from error

    def called(columns: "Sequence[Column]", rows: Sequence[Sequence[Any]], first_row: int) -> Any:
        if ctx.is_cancelled():
            raise StepCancelled("the run was aborted between two batches")
        try:
            return through(function, columns, rows, first_row)
        except BaseException:
            _log.error(
                "transform %s stopped at rows %d to %d", reference, first_row, first_row + len(rows) - 1
            )
            raise

    async def transform(
        columns: "Sequence[Column]", rows: Sequence[Sequence[Any]], first_row: int
    ) -> tuple[list[str], Sequence[Sequence[Any]]] | None:
        returned: tuple[list[str], Sequence[Sequence[Any]]] | None = await ctx.host.call_sync(
            ctx, lambda: called(columns, rows, first_row)
        )
        return returned

    return transform


def _with_arrow() -> Callable[..., Any]:
    from liberty.etl.transfer.arrow_batches import through

    return through
