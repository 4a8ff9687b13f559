"""Columns of PostgreSQL as SQLite keeps them: the server writes out what SQLite has no type for, the rest is looked at
in whole columns, and value by value only where one of them is not plain."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from liberty.etl.transfer.columns import Column, Kind
from liberty.etl.transfer.fitting import Fitting
from liberty.etl.transfer.sqlite_catalog import EXACT_DIGITS, affinity_of

type Values = Sequence[Any]

_NULL = type(None)
_NUMBERS = ("INTEGER", "NUMERIC", "REAL")

_EXPRESSIONS: Mapping[Kind, str] = {
    "bool": "{}::int",
    "date": "{}::text",
    "time": "{}::text",
    "timestamp": "{}::text",
    "timestamptz": "({} AT TIME ZONE 'UTC')::text",
    "uuid": "{}::text",
    "json": "{}::text",
}
_FULL_LENGTH: Mapping[Kind, int] = {
    "time": len("00:00:00.000000"),
    "timestamp": len("2026-01-01 00:00:00.000000"),
    "timestamptz": len("2026-01-01 00:00:00.000000"),
}


class Taking:
    """How the values of one column come, and how they are kept."""

    def __init__(self, source: Column, target: Column, fitting: Fitting) -> None:
        self._source, self._target, self._fitting = source, target, fitting
        self._affinity = affinity_of(target.sql_type)
        self._finish = self._finisher()

    def expression(self, name: str) -> str:
        """What PostgreSQL is asked for."""
        if self._source.kind == "decimal":
            if self._affinity == "TEXT":
                return f"{name}::text"
            return f"{name}::float8" if self._as_double() else name
        return _EXPRESSIONS.get(self._source.kind, "{}").format(name)

    def of(self, values: Values, numbers: Sequence[int]) -> Values:
        """The values as they are kept. Raises CopyFailed naming row, column and value."""
        types = set(map(type, values))
        if _NULL in types:
            if not self._target.nullable:
                self._fitting.apply(values, numbers)
            types.discard(_NULL)
        if not types:
            return values
        if self._finish is not None:
            values = self._finish(values)
            types = set(map(type, values)) - {_NULL}
        return values if self._plain(values, types) else self._fitting.apply(values, numbers)

    def _as_double(self) -> bool:
        """So few digits that the number SQLite keeps is the nearest one, whichever way it is found."""
        precision = self._source.precision
        return precision is not None and precision <= EXACT_DIGITS and self._affinity in _NUMBERS

    def _plain(self, values: Values, types: set[type]) -> bool:
        """No value of these would be changed by its column."""
        affinity = self._affinity
        if types == {int}:
            return affinity in ("INTEGER", "NUMERIC", "BLOB")
        if types == {float}:
            return affinity != "TEXT" and math.isfinite(sum(value for value in values if value is not None))
        if types == {str}:
            # None of these looks like a number.
            moment = self._source.kind in ("date", "time", "timestamp", "timestamptz", "uuid")
            return affinity in ("TEXT", "BLOB") or moment
        return types == {bytes}

    def _finisher(self) -> Callable[[Values], Values] | None:
        kind = self._source.kind
        if kind == "decimal" and self._affinity == "TEXT":
            return _decimals
        if kind == "timestamptz":
            return lambda values: _moments(values, _FULL_LENGTH[kind], "+00:00")
        if kind in _FULL_LENGTH:
            return lambda values: _moments(values, _FULL_LENGTH[kind], "")
        return None


def _decimals(values: Values) -> Values:
    """As PostgreSQL writes them; what is no number (NaN, Infinity) becomes a Decimal, to be refused as one."""
    return [Decimal(value) if value is not None and value[-1] in "Ny" else value for value in values]


def _moments(values: Values, full: int, zone: str) -> Values:
    """A fraction of a second has six digits; infinity has no zone."""
    return [
        value
        if value is None or value.endswith("infinity")
        else (value.ljust(full, "0") if "." in value else value) + zone
        for value in values
    ]
