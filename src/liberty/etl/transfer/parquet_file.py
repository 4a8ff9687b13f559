"""Parquet files, through pyarrow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from liberty.etl.transfer.columns import Column, Kind
from liberty.etl.transfer.fitting import Fit, Fitting, Misfit
from liberty.etl.transfer.into_postgresql import fitting as postgresql_fitting
from liberty.etl.transfer.request import CopyFailed

MOST_DIGITS = 38
"""Of a decimal that every reader of Parquet files knows."""


class ParquetReader:
    """An open Parquet file. Its own types are the columns' types."""

    def __init__(self, file: BinaryIO, batch_size: int) -> None:
        try:
            self._file = parquet.ParquetFile(file)
        except pa.ArrowInvalid as error:
            raise CopyFailed(f"the file is no Parquet file: {error}") from error
        self.rows = self._file.metadata.num_rows
        self.columns = [column_of(field) for field in self._file.schema_arrow]
        self._batches: Iterator[Any] = self._file.iter_batches(batch_size)
        self._number = 0

    def batch(self, size: int) -> list[tuple[Any, ...]]:
        try:
            found = next(self._batches, None)
            if found is None:
                return []
            columns = [
                _values(column, values) for column, values in zip(self.columns, found.columns, strict=True)
            ]
        except (pa.ArrowException, ValueError) as error:
            raise CopyFailed(f"rows {self._number + 1} and following: {error}") from error
        self._number += found.num_rows
        return list(zip(*columns, strict=True)) or self.batch(size)


def _values(column: Column, values: Any) -> list[Any]:
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type) or pa.types.is_time64(values.type):
        # Nanoseconds that are not 0 are an error here, never dropped.
        zone = getattr(values.type, "tz", None)
        values = values.cast(pa.time64("us") if column.kind == "time" else pa.timestamp("us", tz=zone))
    return list(values.to_pylist())


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


def made_from(column: Column) -> Column:
    """The column of a file for what `column` holds; its type is written as Arrow does."""
    arrow = _arrow(column)
    kind = "text" if column.kind == "decimal" and pa.types.is_string(arrow) else column.kind
    return replace(column, kind=kind, sql_type=str(arrow), length=None)


def _arrow(column: Column) -> Any:
    if column.kind == "decimal" and column.precision is not None and column.precision <= MOST_DIGITS:
        return pa.decimal128(column.precision, column.scale or 0)
    return _ARROW.get(column.kind, pa.string())


_ARROW: Mapping[Kind, Any] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "bytes": pa.binary(),
}


def fitting(column: Column) -> Fitting:
    """How values reach a column of the file. Decimals without a fixed size are written as text."""
    if column.kind == "decimal":
        return Fitting(column, frozenset(), _decimal(column))
    if column.kind not in _ARROW:
        return Fitting(column, frozenset(), _text)
    like = replace(column, bits=64, precision=None, sql_type=column.kind)
    exact = postgresql_fitting(like)
    return Fitting(column, exact.as_they_are, _no_text(exact.fit, _IN_PYTHON[column.kind]))


_IN_PYTHON: Mapping[Kind, type] = {
    "int": int,
    "float": float,
    "bool": bool,
    "date": date,
    "time": time,
    "timestamp": datetime,
    "timestamptz": datetime,
    "bytes": bytes,
}


def _no_text(exact: Fit, wanted: type) -> Fit:
    """`infinity` is a moment in PostgreSQL only."""

    def fit(value: Any) -> Any:
        found = exact(value)
        if not isinstance(found, wanted):
            raise Misfit("cannot be written into a Parquet file")
        return found

    return fit


def _decimal(column: Column) -> Fit:
    exact = postgresql_fitting(replace(column, sql_type=str(_arrow(column)))).fit
    limit = Decimal(10) ** ((column.precision or 0) - (column.scale or 0))

    def fit(value: Any) -> Decimal:
        number: Decimal = exact(value)
        if not number.is_finite() or abs(number) >= limit:
            raise Misfit(f"is beyond the numbers of {_arrow(column)}")
        return number

    return fit


_AS_TEXT = postgresql_fitting(Column(name="", kind="text", sql_type="text")).fit


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else str(_AS_TEXT(value))
    text.encode()
    return text


class ParquetWriter:
    """Rows into a Parquet file, one group of rows per batch."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        self._schema = pa.schema([pa.field(c.name, _arrow(c), nullable=c.nullable) for c in columns])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        arrays = [
            pa.array([_in_utc(value) for value in values], field.type)
            for values, field in zip(zip(*rows, strict=True), self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def end(self) -> None:
        self._writer.close()

    def give_up(self) -> None:
        """Before the file is closed: else the writer would end it when it is forgotten."""
        try:
            self._writer.close()
        except (OSError, pa.ArrowException):
            self._writer.is_open = False


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else value
