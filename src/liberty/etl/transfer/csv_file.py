"""CSV files. What stands there without quotes is NULL when it is nothing; `""` is an empty text."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import IO, Any, BinaryIO

from liberty.etl.transfer.columns import Column, Kind, Table
from liberty.etl.transfer.file_end import FileOptions
from liberty.etl.transfer.fitting import Fit, Fitting, Misfit
from liberty.etl.transfer.into_postgresql import fitting as postgresql_fitting
from liberty.etl.transfer.request import CopyFailed

LARGEST_FIELD = 64 * 1024 * 1024
"""Characters. A quote that is never closed would otherwise read the whole file into one value."""

_BYTES = "\\x"


class CsvReader:
    """An open CSV file whose first line names its columns."""

    def __init__(self, file: BinaryIO, options: FileOptions, target: Table | None) -> None:
        if next(csv.reader([',""'], quoting=csv.QUOTE_NOTNULL)) != [None, ""]:
            raise CopyFailed("this Python cannot tell NULL from empty text in CSV files; use 3.12.2 or later")
        csv.field_size_limit(LARGEST_FIELD)
        self._encoding = options.encoding
        self._null = options.null
        self._descriptor = file.fileno()
        self._size = os.fstat(self._descriptor).st_size
        text = io.TextIOWrapper(_kept_open(file), encoding=_decoding(options.encoding), newline="")
        # None for what stands there without quotes and is nothing.
        self._lines: Iterator[Sequence[str | None]] = csv.reader(
            text, delimiter=options.delimiter, quoting=csv.QUOTE_NOTNULL, strict=True
        )
        self._number = 0
        self._blank = 0
        names = header_of(self._next() or [])
        kinds = _kinds(names, options, target)
        self.columns = [Column(name=name, kind=kind) for name, kind in zip(names, kinds, strict=True)]
        self._fittings = [_fitting(column) for column in self.columns]

    def batch(self, size: int) -> list[tuple[Any, ...]]:
        rows: list[Sequence[str | None]] = []
        first = self._number + 1
        while len(rows) < size and (row := self._next()) is not None:
            if self._blank and len(self.columns) > 1:
                raise CopyFailed(
                    f"row {self._number + 1} follows an empty line; a row has {len(self.columns)} fields"
                )
            if not row:
                if len(self.columns) > 1:
                    self._blank += 1
                    continue
                row = [None]
            self._number += 1
            if len(row) != len(self.columns):
                raise CopyFailed(
                    f"row {self._number} has {len(row)} fields; the first line names {len(self.columns)}"
                )
            rows.append(row)
        if not rows:
            return []
        numbers = range(first, first + len(rows))
        columns = []
        for fitting, values in zip(self._fittings, zip(*rows, strict=True), strict=True):
            if self._null:
                values = tuple(None if value == self._null else value for value in values)
            columns.append(values if fitting is None else fitting.apply(values, numbers))
        return list(zip(*columns, strict=True))

    def total(self, rows: int) -> int | None:
        """By the part of the file that is read."""
        try:
            read = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        except OSError:  # closed meanwhile
            return None
        return rows * self._size // read if read else None

    def _next(self) -> Sequence[str | None] | None:
        try:
            return next(self._lines, None)
        except csv.Error as error:
            raise CopyFailed(f"row {self._number + 1}: {error}") from error
        except UnicodeError as error:
            raise CopyFailed(f"a text after row {self._number} is no {self._encoding}: {error}") from error


def as_texts(options: FileOptions) -> FileOptions:
    """The same without kinds: for a file that is only looked at."""
    return replace(options, columns={})


def header_of(names: Sequence[str | None]) -> list[str]:
    """The names of the first line. Raises CopyFailed for none, an empty one, and one that is there twice."""
    if not names:
        raise CopyFailed("the file is empty: its first line has to name the columns")
    for number, name in enumerate(names, 1):
        if not name:
            raise CopyFailed(f"the first line gives column {number} no name")
        if name in names[: number - 1]:
            raise CopyFailed(f"the first line names column {name!r} twice")
    return [str(name) for name in names]


def _kinds(names: Sequence[str], options: FileOptions, target: Table | None) -> list[Kind]:
    for name in options.columns:
        if name not in names:
            raise CopyFailed(f"the file has no column {name!r} as in 'columns'; it has: {', '.join(names)}")
    wanted: dict[str, Kind] = {}
    if target is not None:
        wanted = {column.name.lower(): column.kind for column in target.columns}
    return [options.columns.get(name) or wanted.get(name.lower(), "text") for name in names]


def _fitting(column: Column) -> Fitting | None:
    """How texts become values of a kind; None for those that stay texts."""
    if column.kind in ("text", "json", "other"):
        return None
    return Fitting(
        column, frozenset(), _read_bytes if column.kind == "bytes" else postgresql_fitting(column).fit
    )


def _read_bytes(value: str) -> bytes:
    if not value.startswith(_BYTES):
        raise Misfit("is no bytes: these are written as \\x and two hexadecimal digits for each")
    return bytes.fromhex(value.removeprefix(_BYTES))


class CsvWriter:
    """Rows into a CSV file. `header` is written first, None for a file that has one already."""

    def __init__(self, file: BinaryIO, options: FileOptions, header: Sequence[str] | None) -> None:
        self._file = file
        self._encoding = options.encoding
        self._null = _Plain(options.null) if options.null else None
        self._text = io.StringIO(newline="")
        form: dict[str, Any] = {"delimiter": options.delimiter, "lineterminator": "\n"}
        self._writer = csv.writer(self._text, quoting=csv.QUOTE_STRINGS, **form)
        if header is not None:
            csv.writer(self._text, **form).writerow(header)
            self._flush()

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        if self._null is not None:
            self._writer.writerows([self._null if value is None else value for value in row] for row in rows)
        elif rows and len(rows[0]) == 1:
            for row in rows:
                if row[0] is None:  # the writer has no form for a row that is nothing
                    self._text.write("\n")
                else:
                    self._writer.writerow(row)
        else:
            self._writer.writerows(rows)
        self._flush()

    def _flush(self) -> None:
        self._file.write(self._text.getvalue().encode(self._encoding))
        self._text.seek(0)
        self._text.truncate()

    def end(self) -> None:
        """Nothing is held back."""

    def give_up(self) -> None:
        """Nothing is held back."""


def written(options: FileOptions) -> Fit:
    """A value as it stands in a CSV file; numbers and times without quotes, all else as text."""
    as_text = postgresql_fitting(Column(name="", kind="text", sql_type="text")).fit

    def fit(value: Any) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return value
        if isinstance(value, bytes | bytearray | memoryview):
            return _BYTES + bytes(value).hex()
        text = value if isinstance(value, str) else as_text(value)
        if options.null and text == options.null:
            raise Misfit("is the text that stands for NULL; choose another 'null'")
        try:
            text.encode(options.encoding)
        except UnicodeEncodeError:
            raise Misfit(f"cannot be written as {options.encoding}") from None
        return text if isinstance(value, str) else _Plain(text)

    return fit


class _Plain:
    """A text that the writer does not quote, because it is none to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def _decoding(encoding: str) -> str:
    """A mark that some programs put before UTF-8 is no part of the first name."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def _kept_open(file: BinaryIO) -> IO[bytes]:
    """The wrapper closes what it wraps when it is forgotten; the file is its owner's to close."""
    return io.open(file.fileno(), file.mode, closefd=False)  # noqa: UP020
