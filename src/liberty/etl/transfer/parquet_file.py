"""Parquet files, through pyarrow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from liberty.etl.transfer.arrow_types import KNOWN, column_of, fixed_decimal, values_of
from liberty.etl.transfer.columns import Column, Kind
from liberty.etl.transfer.fitting import Fit, Fitting, Misfit
from liberty.etl.transfer.into_postgresql import fitting as postgresql_fitting
from liberty.etl.transfer.request import CopyFailed


class ParquetReader:
    """An open Parquet file. Its own types are the columns' types."""

    def __init__(self, file: BinaryIO, batch_size: int) -> None:
        try:
            self._file = parquet.ParquetFile(file)
        except pa.ArrowInvalid as error:
            raise CopyFailed(f"the file is no Parquet file: {error}") from error
        self._rows: int = self._file.metadata.num_rows
        self.columns = [column_of(field) for field in self._file.schema_arrow]
        self._batches: Iterator[Any] = self._file.iter_batches(batch_size)
        self._number = 0

    def total(self, rows: int) -> int:  # noqa: ARG002 - the file knows without
        return self._rows

    def batch(self, size: int) -> list[tuple[Any, ...]]:
        try:
            found = next(self._batches, None)
            if found is None:
                return []
            columns = [values_of(values) for values in found.columns]
        except (pa.ArrowException, ValueError) as error:
            raise CopyFailed(f"rows {self._number + 1} and following: {error}") from error
        self._number += found.num_rows
        return list(zip(*columns, strict=True)) or self.batch(size)


def made_from(column: Column) -> Column:
    """The column of a file for what `column` holds; its type is written as Arrow does."""
    arrow = _arrow(column)
    kind = "text" if column.kind == "decimal" and pa.types.is_string(arrow) else column.kind
    return replace(column, kind=kind, sql_type=str(arrow), length=None)


def _arrow(column: Column) -> Any:
    return fixed_decimal(column) or KNOWN.get(column.kind, pa.string())


def fitting(column: Column) -> Fitting:
    """How values reach a column of the file. Decimals without a fixed size are written as text."""
    if column.kind == "decimal":
        return Fitting(column, frozenset(), _decimal(column))
    if column.kind not in KNOWN:
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
