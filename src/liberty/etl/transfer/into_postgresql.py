"""Values for PostgreSQL columns, in the Python types its driver sends in binary; what does not fit is refused."""

import json
import math
import re
import struct
from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any
from uuid import UUID

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.fitting import Fit, Fitting, Misfit
from liberty.etl.transfer.postgresql_codecs import INFINITY, MINUS_INFINITY, Interval

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_FRACTION = re.compile(r"[.,]\d{6}(\d+)")
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_ENDS = (INFINITY, MINUS_INFINITY)
_TOO_FINE = "has a finer time than the column keeps"


def fitting(column: Column) -> Fitting:
    """How values reach this column."""
    return Fitting(column, *_BY_KIND[column.kind](column))


def _int(column: Column) -> tuple[frozenset[type], Fit]:
    limit = 1 << (column.bits - 1)

    def fit(value: Any) -> int:
        number = _whole(value)
        if not -limit <= number < limit:
            raise Misfit(f"is beyond the {column.bits} bits of {column.sql_type}")
        return number

    return frozenset(), fit


def _whole(value: Any) -> int:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        value = _decimal(value)
    if isinstance(value, float | Decimal):
        if not math.isfinite(value) or value != int(value):
            raise Misfit("is no whole number")
        return int(value)
    raise Misfit("is no whole number")


def _numeric(column: Column) -> tuple[frozenset[type], Fit]:
    scale = column.scale
    if scale is None:
        return frozenset({Decimal}), _decimal
    unit = Decimal(1).scaleb(-scale)

    def fit(value: Any) -> Decimal:
        number = _decimal(value)
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > scale and number % unit:
            raise Misfit(f"has more decimals than {column.sql_type} keeps")
        return number

    return frozenset(), fit


def _decimal(value: Any) -> Decimal:
    """A float as the shortest decimal that reads back as the same float."""
    match value:
        case bool():
            raise Misfit("is no number")
        case int() | Decimal():
            return Decimal(value)
        case float():
            return Decimal(repr(value))
        case str() if _NUMBER.fullmatch(value):
            return Decimal(value)
        case _:
            raise Misfit("is no number")


def _float(column: Column) -> tuple[frozenset[type], Fit]:
    def fit(value: Any) -> float:
        exact = value if isinstance(value, float) else _decimal(value)
        number = float(exact)
        if not isinstance(exact, float) and not math.isnan(number) and Decimal(repr(number)) != exact:
            raise Misfit("would be rounded by a floating-point column")
        if (
            column.bits == 32
            and math.isfinite(number)
            and struct.unpack("f", struct.pack("f", number))[0] != number
        ):
            raise Misfit("would be rounded by a real column")
        return number

    return frozenset({float}) if column.bits == 64 else frozenset(), fit


def _text(column: Column) -> tuple[frozenset[type], Fit]:
    def fit(value: Any) -> str:
        text = value if isinstance(value, str) else _as_text(value)
        if "\0" in text:
            raise Misfit("holds a NUL character, which PostgreSQL cannot store")
        if column.length is not None and len(text) > column.length:
            raise Misfit(f"is longer than the {column.length} characters of {column.sql_type}")
        return text

    return frozenset(), fit


def _as_text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case int() | Decimal() | UUID() | Interval():
            return str(value)
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        case _:
            raise Misfit(f"is a {type(value).__name__}, no text")


def _bool(_column: Column) -> tuple[frozenset[type], Fit]:
    def fit(value: Any) -> bool:
        if isinstance(value, str) and value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        if isinstance(value, int | float | Decimal) and value in (0, 1):
            return bool(value)
        raise Misfit("is neither true nor false")

    return frozenset({bool}), fit


def _date(_column: Column) -> tuple[frozenset[type], Fit]:
    def fit(value: Any) -> date | str:
        if isinstance(value, str):
            if value in _ENDS:
                return value
            value = (
                datetime.fromisoformat(value) if len(value) > len("2026-01-01") else date.fromisoformat(value)
            )
        if isinstance(value, datetime):
            if value.tzinfo is not None or value.time() != time.min:
                raise Misfit("has a time of day, the column holds dates only")
            return value.date()
        if isinstance(value, date):
            return value
        raise Misfit("is no date")

    return frozenset({date}), fit


def _moment(column: Column) -> tuple[frozenset[type], Fit]:
    zoned = column.kind == "timestamptz"
    step = 10 ** (6 - column.precision) if column.precision is not None else 1

    def fit(value: Any) -> datetime | str:
        if isinstance(value, str):
            if value in _ENDS:
                return value
            _refuse_finer(value)
            value = datetime.fromisoformat(value)
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time.min)
        if not isinstance(value, datetime):
            raise Misfit("is no date and time")
        if zoned and value.tzinfo is None:
            raise Misfit("says no time zone and the column needs one; add it in a query")
        if not zoned and value.tzinfo is not None:
            raise Misfit("has a time zone and the column keeps none; convert it in a query")
        if value.microsecond % step:
            raise Misfit(_TOO_FINE)
        return value

    return frozenset(), fit


def _time(column: Column) -> tuple[frozenset[type], Fit]:
    step = 10 ** (6 - column.precision) if column.precision is not None else 1

    def fit(value: Any) -> time:
        if isinstance(value, str):
            _refuse_finer(value)
            value = time.fromisoformat(value)
        if not isinstance(value, time):
            raise Misfit("is no time of day")
        if value.tzinfo is not None:
            raise Misfit("has a time zone and the column keeps none")
        if value.microsecond % step:
            raise Misfit(_TOO_FINE)
        return value

    return frozenset(), fit


def _refuse_finer(text: str) -> None:
    """Python reads six decimals of a second and drops the rest."""
    found = _FRACTION.search(text)
    if found is not None and found[1].strip("0"):
        raise Misfit(_TOO_FINE)


def _bytes(_column: Column) -> tuple[frozenset[type], Fit]:
    def fit(value: Any) -> bytes:
        if isinstance(value, bytearray | memoryview):
            return bytes(value)
        raise Misfit(f"is a {type(value).__name__}, no bytes")

    return frozenset({bytes}), fit


def _uuid(_column: Column) -> tuple[frozenset[type], Fit]:
    def fit(value: Any) -> UUID:
        if isinstance(value, UUID):
            return value
        if isinstance(value, str):
            return UUID(value)
        raise Misfit("is no UUID")

    return frozenset({UUID}), fit


def _json(_column: Column) -> tuple[frozenset[type], Fit]:
    """A text is taken for JSON as it stands; the server checks it."""

    def fit(value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, dict | list | bool | int | float):
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        raise Misfit(f"is a {type(value).__name__}, no JSON")

    return frozenset({str}), fit


def _other(column: Column) -> tuple[frozenset[type], Fit]:
    """Every other type travels as text, which the server reads back without loss."""

    def fit(value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return array_text(value)
        if isinstance(value, Interval | UUID | IPv4Address | IPv4Network | IPv6Address | IPv6Network):
            return str(value)
        raise Misfit(
            f"is a {type(value).__name__}, not known to fit {column.sql_type}; cast it to text in a query"
        )

    return frozenset({str}), fit


def array_text(items: list[Any]) -> str:
    """A list as PostgreSQL writes an array."""
    return "{" + ",".join(_array_item(item) for item in items) + "}"


def _array_item(item: Any) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, list):
        return array_text(item)
    text = (
        "\\x" + item.hex() if isinstance(item, bytes) else item if isinstance(item, str) else _as_text(item)
    )
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_BY_KIND = {
    "int": _int,
    "decimal": _numeric,
    "float": _float,
    "text": _text,
    "bool": _bool,
    "date": _date,
    "time": _time,
    "timestamp": _moment,
    "timestamptz": _moment,
    "bytes": _bytes,
    "uuid": _uuid,
    "json": _json,
    "other": _other,
}
