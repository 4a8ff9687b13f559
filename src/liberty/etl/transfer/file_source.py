"""Reading a file as the source of a copy, batch by batch."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from liberty.etl.transfer.columns import Column, Table
from liberty.etl.transfer.csv_file import CsvReader
from liberty.etl.transfer.file_end import FileEnd, FileThread
from liberty.etl.transfer.request import CopyFailed, CopyRequest

type Rows = Sequence[Sequence[Any]]


class Reader(Protocol):
    """An open file. Its methods block."""

    columns: list[Column]

    def batch(self, size: int) -> Rows:
        """Up to so many further rows; none at the end. Raises CopyFailed naming the row."""
        ...

    def total(self, rows: int) -> int | None:
        """About how many rows there are in all, when so many were read."""
        ...


@dataclass(frozen=True, slots=True)
class FileReading:
    """An open file with its columns and batches."""

    columns: list[Column]
    batches: AsyncIterator[Rows]
    total: Callable[[int], int | None]


@asynccontextmanager
async def reading_file(
    end: FileEnd, request: CopyRequest, target: Table | None
) -> AsyncIterator[FileReading]:
    """Open a file. Raises NotFound, Invalid, and CopyFailed for one that changes meanwhile."""
    thread = FileThread()
    file = await thread.call(end.file.open)
    try:
        before = _looks(os.fstat(file.fileno()))
        # Texts of a CSV file become what the target wants; what a transform makes of them only it knows.
        wanted = None if request.transforms else target
        reader: Reader
        if end.form == "csv":
            reader = await thread.call(CsvReader, file, end.options, wanted)
        else:
            reader = await thread.call(_parquet, file, request.batch_size)

        async def batches() -> AsyncIterator[Rows]:
            while rows := await thread.call(reader.batch, request.batch_size):
                yield rows
            if _looks(os.fstat(file.fileno())) != before:
                raise CopyFailed(f"{end.file.url} was changed while it was read; copy it when it is complete")

        yield FileReading(reader.columns, batches(), reader.total)
    finally:
        await thread.close(file.close)


def _parquet(file: BinaryIO, batch_size: int) -> Reader:
    """pyarrow takes its time to be imported, so that happens here."""
    from liberty.etl.transfer.parquet_file import ParquetReader

    return ParquetReader(file, batch_size)


def _looks(state: os.stat_result) -> tuple[int, int]:
    return state.st_size, state.st_mtime_ns
