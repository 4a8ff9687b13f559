"""Values for MySQL and MariaDB columns. The servers round, cut and pad in silence; what would change is refused."""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.fitting import Fit, Fitting, Misfit
from liberty.etl.transfer.into_postgresql import fitting as postgresql_fitting
from liberty.etl.transfer.mysql_catalog import base_of, labels_of

_TIME = re.compile(r"-?\d{1,3}:[0-5]\d:[0-5]\d(?:\.(\d+))?", re.ASCII)
_HOURS = 839
_BYTES_OF_TEXT = {"tinytext": 255, "text": 65_535, "mediumtext": 16_777_215}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fitting(column: Column) -> Fitting:
    """How values reach this column."""
    maker = _BY_BASE.get(base_of(column.sql_type)) or _BY_KIND.get(column.kind, _text)
    return Fitting(column, frozenset(), maker(column))


def _as_kind(column: Column, **facts: Any) -> Fit:
    """The value in Python's own type for the kind, by the same rules as for PostgreSQL."""
    return postgresql_fitting(replace(column, **facts)).fit


def _whole(low: int, high: int) -> Callable[[Column], Fit]:
    def make(column: Column) -> Fit:
        # Kinds that are no numbers elsewhere: true and false, and texts that say so.
        flag = _as_kind(column, kind="bool") if column.kind == "bool" else None
        number = _as_kind(column, kind="decimal", scale=0)

        def fit(value: Any) -> int:
            if isinstance(value, bool):
                return int(value)
            if flag is not None and isinstance(value, str) and not value.lstrip("-").isdecimal():
                return int(flag(value))
            whole = value if isinstance(value, int) else number(value)
            if whole != whole or not low <= whole <= high:
                raise Misfit(f"is beyond the numbers of {column.sql_type}: {low} to {high}")
            return int(whole)

        return fit

    return make


def _integer(bits: int) -> Callable[[Column], Fit]:
    def make(column: Column) -> Fit:
        if "unsigned" in column.sql_type:
            return _whole(0, (1 << bits) - 1)(column)
        return _whole(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)(column)

    return make


def _bit(column: Column) -> Fit:
    width = int(re.sub(r"\D", "", column.sql_type) or 1)
    return _whole(0, (1 << width) - 1)(column)


def _year(column: Column) -> Fit:
    number = _whole(0, 2155)(column)

    def fit(value: Any) -> int:
        year = number(value)
        if 0 < year < 1901:
            raise Misfit("is no year from 1901 to 2155")
        return int(year)

    return fit


def _decimal(column: Column) -> Fit:
    precision, scale = column.precision or 10, column.scale or 0
    number = _as_kind(column, kind="decimal", scale=scale)
    limit = Decimal(10) ** (precision - scale)
    unsigned = "unsigned" in column.sql_type

    def fit(value: Any) -> Decimal:
        exact: Decimal = number(value)
        if not exact.is_finite():
            raise Misfit(f"cannot be stored in {column.sql_type}")
        if abs(exact) >= limit or (unsigned and exact < 0):
            raise Misfit(f"is beyond the numbers of {column.sql_type}")
        return exact

    return fit


def _float(column: Column) -> Fit:
    number = _as_kind(column, kind="float", bits=64)
    single, rounded = column.bits == 32, re.search(r"\(\d+,(\d+)\)", column.sql_type)

    def fit(value: Any) -> float:
        exact: float = number(value)
        if not math.isfinite(exact):
            raise Misfit(f"cannot be stored in {column.sql_type}")
        if single and _single(exact) != exact:
            raise Misfit("would be rounded by a float column; make it double")
        if rounded is not None and round(exact, int(rounded[1])) != exact:
            raise Misfit(f"has more decimals than {column.sql_type} keeps")
        return exact

    return fit


def _single(number: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return math.inf


def _text(column: Column) -> Fit:
    base = base_of(column.sql_type)
    most_bytes = _BYTES_OF_TEXT.get(base)
    most = column.length if base in ("char", "varchar") else None

    def fit(value: Any) -> str:
        text = value if isinstance(value, str) else _written_out(value)
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise Misfit("is no Unicode text") from None
        if (most is not None and len(text) > most) or (most_bytes is not None and size > most_bytes):
            limit = f"{most} characters" if most is not None else f"{most_bytes} bytes"
            raise Misfit(f"is longer than the {limit} of {column.sql_type}")
        if base == "char" and text.endswith(" "):
            raise Misfit("ends with a blank, which a char column does not keep; make it varchar")
        return text

    return fit


def _written_out(value: Any) -> str:
    """As `into_postgresql` writes texts for the same values."""
    if isinstance(value, timedelta):
        return _clock(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise Misfit("is bytes, no text")
    return str(_AS_TEXT(value))


_AS_TEXT = postgresql_fitting(Column(name="", kind="text", sql_type="text")).fit


def _choice(column: Column) -> Fit:
    labels = labels_of(column.sql_type)
    text = _text(column)

    def fit(value: Any) -> str:
        chosen: str = text(value)
        if chosen not in labels:
            raise Misfit(f"is not one of {', '.join(labels)}")
        return chosen

    return fit


def _choices(column: Column) -> Fit:
    labels = labels_of(column.sql_type)
    text = _text(column)

    def fit(value: Any) -> str:
        chosen: str = text(value)
        parts = chosen.split(",") if chosen else []
        if parts != [label for label in labels if label in parts]:
            raise Misfit(f"is not some of {', '.join(labels)}, each once and in this order")
        return chosen

    return fit


def _bytes(column: Column) -> Fit:
    base = base_of(column.sql_type)

    def fit(value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise Misfit(f"is a {type(value).__name__}, no bytes")
        stretch = bytes(value)
        if column.length is not None and len(stretch) > column.length:
            raise Misfit(f"is longer than the {column.length} bytes of {column.sql_type}")
        if base == "binary" and len(stretch) != column.length:
            raise Misfit(f"would be filled up with zeros by {column.sql_type}; make it varbinary")
        return stretch

    return fit


def _moment(column: Column) -> Fit:
    moment = _as_kind(column)
    zoned = column.kind == "timestamptz"

    def fit(value: Any) -> datetime:
        found = moment(value)
        if not isinstance(found, datetime):
            raise Misfit(f"cannot be stored in {column.sql_type}")
        if not zoned:
            return found
        if found < _EPOCH + timedelta(microseconds=1):
            raise Misfit(
                f"is before 1970-01-01 00:00:01 UTC, where {column.sql_type} begins; make it datetime"
            )
        return found.astimezone(UTC).replace(tzinfo=None)

    return fit


def _day(column: Column) -> Fit:
    day = _as_kind(column)

    def fit(value: Any) -> date:
        found = day(value)
        if not isinstance(found, date):
            raise Misfit("cannot be stored in a date column")
        return found

    return fit


def _time(column: Column) -> Fit:
    """TIME holds hours beyond a day too, and less than none."""
    step = 10 ** (6 - (column.precision or 0))

    def fit(value: Any) -> str:
        text = _clock(value) if isinstance(value, timedelta) else value
        if isinstance(text, time):
            if text.tzinfo is not None:
                raise Misfit("has a time zone and the column keeps none")
            text = text.isoformat()
        found = _TIME.fullmatch(text) if isinstance(text, str) else None
        if found is None or int(text.lstrip("-").partition(":")[0]) >= _HOURS:
            raise Misfit("is no time from -838:59:59 to 838:59:59")
        fraction = (found[1] or "").ljust(6, "0")
        if fraction[6:].strip("0") or int(fraction[:6]) % step:
            raise Misfit("has a finer time than the column keeps")
        return str(text)

    return fit


def _clock(value: timedelta) -> str:
    """As the server writes a TIME."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    text = f"{sign}{hours:02}:{minutes:02}:{rest.seconds:02}"
    return f"{text}.{rest.microseconds:06}" if rest.microseconds else text


def as_time(value: Any) -> Any:
    """A TIME of the server as a time of day, or as its text where it is none."""
    if not isinstance(value, timedelta):
        return value
    if timedelta(0) <= value < timedelta(days=1):
        return (datetime.min + value).time()  # noqa: DTZ901 - only its time of day is taken
    return _clock(value)


def _uuid(column: Column) -> Fit:
    found = _as_kind(column)
    return lambda value: str(UUID(str(found(value))))


_BY_BASE: dict[str, Callable[[Column], Fit]] = {
    "tinyint": _integer(8),
    "smallint": _integer(16),
    "mediumint": _integer(24),
    "int": _integer(32),
    "bigint": _integer(64),
    "bit": _bit,
    "year": _year,
    "enum": _choice,
    "set": _choices,
}
_BY_KIND: dict[str, Callable[[Column], Fit]] = {
    "decimal": _decimal,
    "float": _float,
    "text": _text,
    "date": _day,
    "time": _time,
    "timestamp": _moment,
    "timestamptz": _moment,
    "bytes": _bytes,
    "uuid": _uuid,
    "json": _as_kind,
}
