"""Columns of a copy as Arrow has them, and the other way round."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from liberty.etl.transfer.columns import Column, Kind

MOST_DIGITS = 38
"""Of a decimal that every reader of Parquet files knows."""

KNOWN: Mapping[Kind, Any] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "bytes": pa.binary(),
}


def fixed_decimal(column: Column) -> Any:
    """The type of a decimal whose size is known; None for others."""
    if column.kind == "decimal" and column.precision is not None and column.precision <= MOST_DIGITS:
        return pa.decimal128(column.precision, column.scale or 0)
    return None


def arrow_type(column: Column) -> Any:
    """The type of a batch's column; None where the values have to tell."""
    if column.kind == "text":
        return pa.string()
    return fixed_decimal(column) or KNOWN.get(column.kind)


def values_of(column: Any) -> list[Any]:
    """An Arrow column as Python values. Raises ArrowException or ValueError for what Python has no exact form of."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        # Nanoseconds that are not 0 are an error here, never dropped.
        column = column.cast(pa.timestamp("us", tz=column.type.tz))
    elif pa.types.is_time64(column.type):
        column = column.cast(pa.time64("us"))
    return list(column.to_pylist())


def column_of(field: Any) -> Column:
    """A field of a schema."""
    kind, facts = _kind(field.type)
    return Column(name=field.name, kind=kind, nullable=field.nullable, **facts)


def _kind(arrow: Any) -> tuple[Kind, dict[str, Any]]:
    if pa.types.is_dictionary(arrow):
        return _kind(arrow.value_type)
    if pa.types.is_uint64(arrow):
        return "decimal", {"precision": 20, "scale": 0}
    if pa.types.is_integer(arrow):
        width = arrow.bit_width * (2 if pa.types.is_unsigned_integer(arrow) else 1)
        return "int", {"bits": max(16, width)}
    if pa.types.is_decimal(arrow):
        return "decimal", {"precision": arrow.precision, "scale": arrow.scale}
    if pa.types.is_floating(arrow):
        return "float", {"bits": max(32, arrow.bit_width)}
    if pa.types.is_timestamp(arrow):
        return "timestamptz" if arrow.tz else "timestamp", {}
    for known, kind in _KINDS:
        if known(arrow):
            return kind, {}
    return "other", {}


_KINDS: Sequence[tuple[Any, Kind]] = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
    (pa.types.is_string_view, "text"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_binary, "bytes"),
    (pa.types.is_large_binary, "bytes"),
    (pa.types.is_fixed_size_binary, "bytes"),
    (pa.types.is_nested, "json"),
)
