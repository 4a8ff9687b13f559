"""Columns of values turned into lines of text COPY, for PostgreSQL to read: whole columns at once where their values
are plain, value by value where they are not. Both refuse what would not arrive as it is."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from liberty.etl.transfer import into_postgresql
from liberty.etl.transfer.columns import Column, Kind

type Values = Sequence[Any]

_NULL = type(None)
_MARK_OF_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_HEX = bytes.maketrans(b"123456789abcdefABCDEF", b"0" * 21)
_TOO_LATE = (b"\n24:", b" 24:", b"T24:", b":60")
"""What PostgreSQL takes for the next day or minute."""


class Lines:
    """Writes rows of these columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._writers = [_Writer(column) for column in columns]

    def of(self, columns: Sequence[Values], numbers: Sequence[int]) -> bytes:
        """The lines of rows given column by column. Raises CopyFailed naming row, column and value."""
        written = [
            writer.texts(values, numbers) for writer, values in zip(self._writers, columns, strict=True)
        ]
        return "\n".join([*map("\t".join, zip(*written, strict=True)), ""]).encode()


class _Writer:
    def __init__(self, column: Column) -> None:
        self._column = column
        self._fitting = into_postgresql.fitting(column)
        self._plain = _plain_of(column)
        self._write = _WRITERS[column.kind]

    def texts(self, values: Values, numbers: Sequence[int]) -> Values:
        """The values as COPY wants them written."""
        types = set(map(type, values))
        present = values
        if _NULL in types:
            if not self._column.nullable:
                self._fitting.apply(values, numbers)
            types.discard(_NULL)
            present = [value for value in values if value is not None]
        plain = self._plain(present, types) if present else present
        if plain is None:
            write = self._write
            return [
                _MARK_OF_NULL if value is None else write(value)
                for value in self._fitting.apply(values, numbers)
            ]
        if present is values:
            return plain
        following = iter(plain)
        return [_MARK_OF_NULL if value is None else next(following) for value in values]


type Plain = Callable[[Values, set[type]], Values | None]
"""Values without NULL, and their types: as they are written when all are plain, else None."""


def _plain_of(column: Column) -> Plain:
    special = {"int": _whole_numbers, "decimal": _numbers, "text": _texts}
    if column.kind in special:
        return special[column.kind](column)
    days, digits = (b"0000-00-00 ", b"0000-00-00T"), 6 if column.precision is None else column.precision
    by_kind: dict[Kind, Plain] = {
        "bool": _booleans,
        "json": _escaped,
        "other": _escaped,
        "bytes": lambda values, types: list(map(_hexadecimal, values)) if types == {bytes} else None,
        "uuid": _of_shapes([b"00000000-0000-0000-0000-000000000000"], _HEX),
        "date": _of_shapes([b"0000-00-00"], _DIGITS),
        "time": _of_shapes(_moments([b""], digits, [b""]), _DIGITS),
        "timestamp": _of_shapes(_moments(days, digits, [b""]), _DIGITS),
        "timestamptz": _of_shapes(_moments(days, digits, [b"+00:00", b"-00:00"]), _DIGITS),
    }
    if column.kind == "float" and column.bits == 64:
        return lambda values, types: list(map(repr, values)) if types == {float} else None
    return by_kind.get(column.kind, _never)


def _never(_values: Values, _types: set[type]) -> None:
    return None


def _booleans(values: Values, types: set[type]) -> Values | None:
    return list(map(str, values)) if types == {int} and set(values) <= {0, 1} else None


def _whole_numbers(column: Column) -> Plain:
    limit = 1 << (column.bits - 1)

    def plain(values: Values, types: set[type]) -> Values | None:
        if types != {int} or min(values) < -limit or max(values) >= limit:
            return None
        return list(map(str, values))

    return plain


def _numbers(column: Column) -> Plain:
    """Floats in their shortest form; one that may have more decimals than are kept gets a closer look."""
    scale = column.scale
    if scale is None:
        doubtful = "n"  # inf and nan
    elif scale == 0:
        doubtful = r"[en]|\.(?!0\b)"
    else:
        doubtful = rf"[en]|\.\d{{{scale + 1}}}"
    look = re.compile(doubtful)

    def plain(values: Values, types: set[type]) -> Values | None:
        if not types <= {int, float} or (scale is not None and scale < 0):
            return None
        written = list(map(repr, values))
        return None if float in types and look.search(" ".join(written)) else written

    return plain


def _texts(column: Column) -> Plain:
    length = column.length

    def plain(values: Values, types: set[type]) -> Values | None:
        if length is not None and types == {str} and max(map(len, values)) > length:
            return None
        return _escaped(values, types)

    return plain


def _escaped(values: Values, types: set[type]) -> Values | None:
    if types != {str}:
        return None
    joined = "".join(values)
    if "\0" in joined:
        return None
    if "\\" in joined or "\n" in joined or "\t" in joined or "\r" in joined:
        return [value.translate(_ESCAPES) for value in values]
    return values


def _of_shapes(shapes: Sequence[bytes], zeros: bytes) -> Plain:
    """Texts that PostgreSQL and Python read alike, told by where their digits stand."""
    allowed = frozenset(shapes)

    def plain(values: Values, types: set[type]) -> Values | None:
        if types != {str}:
            return None
        joined = "\n".join(values).encode("utf-8", "surrogatepass")
        found = joined.translate(zeros)
        first = found[: len(values[0])]
        alike = first in allowed and found == b"\n".join([first] * len(values))
        if not alike and not allowed.issuperset(found.split(b"\n")):
            return None
        return None if any(moment in joined for moment in _TOO_LATE) or joined[:3] == b"24:" else values

    return plain


def _moments(days: Sequence[bytes], digits: int, zones: Sequence[bytes]) -> list[bytes]:
    fractions = [b"", *(b"." + b"0" * count for count in range(1, digits + 1))]
    return [day + b"00:00:00" + fraction + zone for day in days for fraction in fractions for zone in zones]


def _hexadecimal(value: bytes) -> str:
    return "\\\\x" + value.hex()


def _moment(value: date | datetime | str) -> str:
    if isinstance(value, str):
        return value
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()


def _text(value: str) -> str:
    return value.translate(_ESCAPES)


def _clock(value: time) -> str:
    return value.isoformat()


_WRITERS: Mapping[Kind, Callable[[Any], str]] = {
    "int": str,
    "decimal": str,
    "float": repr,
    "bool": lambda value: "t" if value else "f",
    "text": _text,
    "json": _text,
    "other": _text,
    "bytes": _hexadecimal,
    "uuid": str,
    "date": _moment,
    "time": _clock,
    "timestamp": _moment,
    "timestamptz": _moment,
}
