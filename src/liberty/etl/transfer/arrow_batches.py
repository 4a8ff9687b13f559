"""Rows of a copy as an Arrow batch and back, for transforms that work on whole columns."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from liberty.etl.transfer.arrow_types import arrow_type, values_of
from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.fitting import refused
from liberty.etl.transfer.request import CopyFailed

type Rows = Sequence[Sequence[Any]]


def through(
    function: Callable[[Any], Any], columns: Sequence[Column], rows: Rows, first_number: int
) -> tuple[list[str], Rows] | None:
    """What the function makes of these rows: names and rows, None when it drops them all.

    Raises CopyFailed for a value that is not of its column's type, and when something else than a batch comes back.
    """
    arrays = [
        _array(column, values, first_number)
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    returned = function(pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns]))
    if returned is None:
        return None
    if not isinstance(returned, pa.RecordBatch | pa.Table):
        raise CopyFailed(
            f"rows {first_number} and following: the transform returned a {type(returned).__name__}; "
            "it returns a pyarrow RecordBatch or Table, or None to drop the batch"
        )
    try:
        lists = [values_of(column) for column in returned.columns]
    except (pa.ArrowException, ValueError) as error:
        raise CopyFailed(f"rows {first_number} and following: {error}") from error
    return list(returned.schema.names), list(zip(*lists, strict=True))


def _array(column: Column, values: Sequence[Any], first_number: int) -> Any:
    wanted = arrow_type(column)
    try:
        return pa.array(values, wanted)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        for number, value in enumerate(values, first_number):
            try:
                pa.array([value], wanted)
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as reason:
                raise refused(
                    number, column.name, value, f"does not fit the Arrow type {wanted}: {reason}"
                ) from error
        raise CopyFailed(
            f"rows {first_number} and following, column {column.name!r}: values of several types make no Arrow column; "
            "cast them in a query"
        ) from error
