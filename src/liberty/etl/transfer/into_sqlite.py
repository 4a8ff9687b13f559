"""Values for SQLite columns. Its affinities change what is stored; whatever would change a value is refused here."""

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any
from uuid import UUID

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.fitting import Fitting, Misfit
from liberty.etl.transfer.postgresql_codecs import Interval
from liberty.etl.transfer.sqlite_catalog import affinity_of

_LARGEST = 2**63
_EXACT_IN_DOUBLE = 2**53
_LOOKS_NUMERIC = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_OWN_TEXT = (UUID, Interval, IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network)


def fitting(column: Column) -> Fitting:
    """How values reach this column."""
    match affinity_of(column.sql_type):
        case "TEXT":
            return Fitting(column, frozenset({str, bytes}), _into_text)
        case "BLOB":
            return Fitting(column, frozenset({str, bytes}), lambda value: _plain(value, _exact_or_text))
        case "REAL":
            return Fitting(column, frozenset({bytes}), _into_real)
        case "INTEGER" | "NUMERIC":
            return Fitting(column, frozenset({bytes}), _into_number)


def unchanged(column: Column) -> Fitting:
    """For values from a SQLite column of the same affinity, which has changed them already if it ever will."""
    return Fitting(column, frozenset({int, float, str, bytes}), lambda value: _plain(value, _exact))


def _into_text(value: Any) -> Any:
    """Numbers written out here: SQLite would write a float with 15 digits only."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return repr(_finite(value))
    return str(value) if isinstance(value, int) else _plain(value, _digits)


def _into_number(value: Any) -> Any:
    if isinstance(value, str):
        return _number_like(value)
    return _plain(value, _exact)


def _into_real(value: Any) -> Any:
    stored = _into_number(value)
    whole = (
        stored
        if isinstance(stored, int)
        else int(stored)
        if isinstance(stored, str) and _is_whole(stored)
        else 0
    )
    if abs(whole) > _EXACT_IN_DOUBLE and int(float(whole)) != whole:
        raise Misfit("would be rounded by a REAL column")
    return stored


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _plain(value: Any, decimal: Callable[[Decimal], Any]) -> Any:
    match value:
        case bool():
            return int(value)
        case int():
            if not -_LARGEST <= value < _LARGEST:
                raise Misfit("is beyond the 64 bits of a SQLite integer")
            return value
        case float():
            return _finite(value)
        case str() | bytes():
            return value
        case Decimal():
            if not value.is_finite():
                raise Misfit("cannot be stored in SQLite")
            return decimal(value)
        case _:
            return _written_out(value)


def _written_out(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        case bytearray() | memoryview():
            return bytes(value)
        case _ if isinstance(value, _OWN_TEXT):
            return str(value)
        case _:
            raise Misfit(f"is a {type(value).__name__}, which SQLite cannot hold; cast it to text in a query")


def _finite(value: float) -> float:
    if math.isnan(value):
        raise Misfit("would be stored as NULL by SQLite")
    return value


def _exact(value: Decimal) -> int | float:
    """The number SQLite keeps for a decimal, when that is the same number."""
    if value == value.to_integral_value():
        whole = int(value)
        if -_LARGEST <= whole < _LARGEST:
            return whole
    number = float(value)
    if Decimal(repr(number)) != value:
        raise Misfit("has more digits than a number of SQLite holds; make the column TEXT")
    return number


def _exact_or_text(value: Decimal) -> int | float | str:
    try:
        return _exact(value)
    except Misfit:
        return _digits(value)


def _digits(value: Decimal) -> str:
    """Without an exponent, as PostgreSQL writes it."""
    return f"{value:f}"


def _number_like(text: str) -> str:
    """A text on its way into a column that turns what looks like a number into one."""
    if _LOOKS_NUMERIC.fullmatch(text) is None:
        return text
    if _PLAIN_NUMBER.fullmatch(text) is None:
        raise Misfit("would be turned into a number and lose how it is written; make the column TEXT")
    _exact(Decimal(text))
    return text
