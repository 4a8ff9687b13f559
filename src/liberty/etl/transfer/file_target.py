"""Writing a file: it grows beside the one that is there, and takes its place when it is complete."""

import os
import shutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from liberty.connectors.file_folders import Draft
from liberty.errors import Invalid
from liberty.etl.transfer import csv_file
from liberty.etl.transfer.columns import Column, Table
from liberty.etl.transfer.csv_file import CsvWriter
from liberty.etl.transfer.file_end import FileEnd, FileThread
from liberty.etl.transfer.fitting import Fitting
from liberty.etl.transfer.request import CopyFailed, CopyRequest
from liberty.etl.transfer.target import Check, Written


class Writer(Protocol):
    """A file being written. Its methods block."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None: ...

    def end(self) -> None: ...

    def give_up(self) -> None: ...


class FileTarget:
    """A CSV or Parquet file. Until `finish` it is as it was, or is not there."""

    table: Table | None = None

    def __init__(self, end: FileEnd, request: CopyRequest) -> None:
        self._end = end
        self.committing = False
        self._request = request
        self._thread = FileThread()
        self._columns: tuple[Column, ...] = ()
        self._order: Sequence[int | None] | None = None
        self._draft: Draft | None = None
        self._writer: Writer | None = None
        self._ended = False
        self._before: tuple[int, int, int] | None = None

    async def open(self) -> None:
        """Find out what is there. Raises Invalid for what a file cannot do."""
        if self._request.mode == "upsert":
            raise Invalid("a file has no keys: write it with mode 'overwrite', or append to a CSV file")
        if self._request.mode == "append" and self._end.form != "csv":
            raise Invalid("a Parquet file is complete when it is closed: write it with mode 'overwrite'")
        if self._end.form == "parquet":  # takes its time to be imported
            await self._thread.call(import_module, "liberty.etl.transfer.parquet_file")
        self._before = await self._thread.call(self._state)
        if self._request.mode == "append" and self._before is not None:
            self.table = await self._thread.call(self._found)

    def _state(self) -> tuple[int, int, int] | None:
        found = self._end.file.state()
        return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)

    def _found(self) -> Table | None:
        with self._end.file.open() as file:
            if not os.fstat(file.fileno()).st_size:
                return None
            columns = csv_file.CsvReader(file, csv_file.as_texts(self._end.options), None).columns
        # Whatever a value is, it has a form there.
        return Table(None, self._end.file.name, tuple(columns), ("file", self._end.file.url))

    def fitting(self, column: Column, origin: Column | None) -> Fitting:  # noqa: ARG002 - see Target
        if self._end.form == "csv":
            return Fitting(column, frozenset({int}), csv_file.written(self._end.options))
        from liberty.etl.transfer import parquet_file

        return parquet_file.fitting(column)

    def made_from(self, column: Column) -> Column:
        if self._end.form == "csv":
            return column
        from liberty.etl.transfer import parquet_file

        return parquet_file.made_from(column)

    async def highest(self, column: str) -> Any:
        raise Invalid(f"an incremental copy cannot ask a file for the highest {column!r}")

    async def begin(self, columns: Sequence[Column], create: Table | None) -> None:  # noqa: ARG002 - see Target
        self._columns = tuple(columns)
        await self._thread.call(self._begin)

    def _begin(self) -> None:
        self._draft = self._end.file.draft(self._request.label)
        names = [column.name for column in self._columns]
        if self._end.form == "parquet":
            from liberty.etl.transfer.parquet_file import ParquetWriter

            self._writer = ParquetWriter(self._draft.file, self._columns)
            return
        if self.table is not None:
            header = [column.name for column in self.table.columns]
            self._order = [names.index(name) if name in names else None for name in header]
            self._copy_old()
        self._writer = CsvWriter(self._draft.file, self._end.options, names if self.table is None else None)

    def _copy_old(self) -> None:
        assert self._draft is not None  # noqa: S101 - just made
        with self._end.file.open() as old:
            shutil.copyfileobj(old, self._draft.file, 1 << 20)
            old.seek(-1, os.SEEK_END)
            if old.read(1) not in (b"\n", b"\r"):
                self._draft.file.write("\n".encode(self._end.options.encoding))
        self._draft.file.flush()

    async def load(self, rows: Sequence[Sequence[Any]], numbers: Sequence[int]) -> None:  # noqa: ARG002 - see Target
        order, writer = self._order, self._writer
        assert writer is not None  # noqa: S101 - begun
        if order is not None:
            rows = [[None if place is None else row[place] for place in order] for row in rows]
        await self._on_disk(writer.write, rows)

    async def finish(self, loaded: int, check: Check | None = None) -> Written:  # noqa: ARG002 - counted here
        if self._request.guard is not None:
            self._request.guard.check_rows(loaded)
        await self._on_disk(self._finish)
        return Written(loaded, loaded)

    def _finish(self) -> None:
        assert self._writer is not None  # noqa: S101 - begun
        assert self._draft is not None  # noqa: S101 - begun
        self._writer.end()
        self._ended = True
        if self._request.mode == "append" and self._state() != self._before:
            raise CopyFailed(
                f"{self._end.file.url} was changed by somebody else meanwhile; nothing was changed"
            )
        self.committing = True
        self._draft.put_in_place()

    async def _on_disk(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            await self._thread.call(function, *arguments)
        except OSError as error:
            raise CopyFailed(f"{self._end.file.url} cannot be written: {error.strerror}") from error

    async def close(self) -> None:
        await self._thread.close(self._close)

    def _close(self) -> None:
        if self._writer is not None and not self._ended:
            self._writer.give_up()
        if self._draft is not None:
            self._draft.close()
