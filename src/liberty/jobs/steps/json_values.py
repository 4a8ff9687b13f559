"""Database values as JSON can hold them, without losing any of them: what snapshots store and later steps see."""

import math
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

from liberty.jobs.run import Json
from liberty.jobs.steps.base import StepFailed


def json_value(value: Any, place: str = "value") -> Json:
    """`value` as JSON.

    A decimal becomes a number when readers of JSON get back exactly that number, else it becomes its text;
    dates and times become ISO 8601 texts, bytes PostgreSQL's hexadecimal text, everything else its own text.
    Raises StepFailed naming `place` for NaN and infinity.
    """
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float():
            if not math.isfinite(value):
                raise StepFailed(
                    f"{place} is {value}; JSON has no such number, cast it to text in the statement"
                )
            return value
        case Decimal():
            return _number(value, place)
        case date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case Mapping():
            return {str(key): json_value(item, f"{place}.{key}") for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [json_value(item, f"{place}[{index}]") for index, item in enumerate(value)]
        case _:
            return str(value)


def json_row(row: Mapping[str, Any], number: int) -> dict[str, Json]:
    """A row of a result; `number` counts from 1 and appears in errors."""
    return {name: json_value(value, f"row {number}, column {name!r}") for name, value in row.items()}


def _number(value: Decimal, place: str) -> Json:
    if not value.is_finite():
        raise StepFailed(f"{place} is {value}; JSON has no such number, cast it to text in the statement")
    _, digits, exponent = value.as_tuple()
    if isinstance(exponent, int) and exponent == 0:
        return int(value)
    if len(digits) <= _DIGITS_OF_A_DOUBLE:
        number = float(value)
        if math.isfinite(number) and Decimal(repr(number)) == value:
            return number
    return str(value)


_DIGITS_OF_A_DOUBLE = 17
