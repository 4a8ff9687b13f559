"""Checksums of rows that do not depend on their order: a sum, modulo 2^64, over one hash per row."""

import asyncio
import marshal
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liberty.etl.transfer.canonical import BETWEEN, NULL, Form, Writer, expression, hashable

try:
    from _md5 import md5  # type: ignore[import-not-found]  # twice as quick for short texts as OpenSSL's, and there where that one is forbidden
except ImportError:
    from hashlib import md5

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

SLICE_ROWS = 2_000
"""Rows hashed in one go; in between the loop serves others, and an abort."""

_MODULUS = 2**64
_MOST_ARGUMENTS = 90
"""PostgreSQL's functions take up to 100."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Rows counted and summed up."""

    rows: int
    total: int


class Summing:
    """A digest in the making, of rows that pass through here."""

    def __init__(self, forms: Sequence[Form | None]) -> None:
        self._writers = [None if form is None else Writer(form) for form in forms]
        self._as_stored = all(form == "stored" for form in forms)
        self._rows = 0
        self._total = 0

    @property
    def digest(self) -> Digest:
        return Digest(self._rows, self._total % _MODULUS)

    def add(self, columns: Sequence[Sequence[Any]]) -> None:
        """Take rows, column by column. Columns without a form are left out."""
        if self._as_stored:
            self.add_rows(list(zip(*columns, strict=True)))
            return
        self._rows += len(columns[0])
        written = [
            writer.texts(values)
            for writer, values in zip(self._writers, columns, strict=True)
            if writer is not None
        ]
        rows = map(BETWEEN.join, zip(*written, strict=True))
        self._total += _sum([row.encode("utf-8", "surrogatepass") for row in rows])

    def add_rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take rows. Plain values of SQLite on both sides are hashed as they stand: as Python writes them, types
        told apart and without references, by its keyed 64-bit hash of bytes, for both sums are made in this process.
        """
        if not self._as_stored:
            self.add(list(zip(*rows, strict=True)))
            return
        self._rows += len(rows)
        self._total += sum([hash(marshal.dumps(tuple(row), 2)) for row in rows])


async def of_batches(batches: AsyncIterator[Sequence[Sequence[Any]]], forms: Sequence[Form | None]) -> Digest:
    """The digest of rows that Python reads."""
    summing = Summing(forms)
    async for rows in batches:
        for start in range(0, len(rows), SLICE_ROWS):
            summing.add_rows(rows[start : start + SLICE_ROWS])
            await asyncio.sleep(0)
    return summing.digest


def _sum(rows: Sequence[bytes]) -> int:
    digests = b"".join([md5(row).digest() for row in rows])  # noqa: S324 - tells rows apart, hides nothing
    return sum(struct.unpack(f">{2 * len(rows)}Q", digests)[::2])


async def in_postgresql(
    connection: "AsyncConnection",
    columns: Mapping[str, Form],
    origin: str,
    params: Mapping[str, Any] | None = None,
    *,
    as_records: bool,
) -> Digest:
    """The digest of rows as PostgreSQL computes it by itself.

    Args:
        columns: how each column is written, by its name in SQL.
        origin: what stands behind FROM; `:name` are its parameters when there are any.
        as_records: by its own hash of records, quicker, which only PostgreSQL can compute.
    """
    from sqlalchemy import text

    hashed = "0" if not columns else _record_hash(columns) if as_records else _text_hash(columns)
    statement = f"SELECT count(*), coalesce(sum({hashed}), 0) FROM {origin}"  # noqa: S608 - names quoted by the caller
    if params is None:
        result = await connection.exec_driver_sql(statement)
    else:
        result = await connection.execute(text(statement), dict(params))
    found: Sequence[Any] = result.one()
    return Digest(int(found[0]), int(found[1]) % _MODULUS)


def _record_hash(columns: Mapping[str, Form]) -> str:
    values = ", ".join(hashable(form, name) for name, form in columns.items())
    # A record's hash is a linear sum of its columns' hashes, which would not notice values that change places.
    return f"hashint8extended(hash_record_extended(ROW({values}), 0), 1)"


def _text_hash(columns: Mapping[str, Form]) -> str:
    written = [f"coalesce({expression(form, name)}, chr({ord(NULL)}))" for name, form in columns.items()]
    groups = [
        f"concat_ws(chr({ord(BETWEEN)}), {', '.join(written[start : start + _MOST_ARGUMENTS])})"
        for start in range(0, len(written), _MOST_ARGUMENTS)
    ]
    row = f" || chr({ord(BETWEEN)}) || ".join(groups)
    return f"('x' || left(md5(convert_to({row}, 'UTF8')), 16))::bit(64)::bigint"
