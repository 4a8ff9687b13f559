"""Declared params: values become the declared type, or the caller learns which one did not and why."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from liberty.errors import Invalid
from liberty.jobs.job import Job, ParamSpec, ParamType

_TRUE = frozenset({"true", "yes", "on", "1", "t", "y"})
_FALSE = frozenset({"false", "no", "off", "0", "f", "n"})


def coerce_declared(job: Job, params: Mapping[str, Any], *, complete: bool = True) -> dict[str, Any]:
    """`params` with every declared one converted to its type; dates become `date` and `datetime`.

    Raises Invalid naming the param when a value does not fit its type or choices, or (if `complete`) when a
    required one is missing.
    """
    coerced = dict(params)
    for spec in job.param_specs:
        value = coerced.get(spec.name)
        if value is None:
            if spec.required and complete:
                raise Invalid(f"job {job.name!r} needs a value for param {spec.name!r} ({spec.type})")
            continue
        coerced[spec.name] = coerce_value(spec, value)
    return coerced


def coerce_value(spec: ParamSpec, value: Any) -> Any:
    """`value` as the declared type. Raises Invalid naming the param."""
    try:
        typed = _READERS[spec.type](value)
    except (ValueError, TypeError, OverflowError):
        raise Invalid(f"param {spec.name!r}: {_short(value)} is no {_WORDS[spec.type]}") from None
    if spec.choices is not None and not any(_same(spec, choice, typed) for choice in spec.choices):
        allowed = ", ".join(repr(choice) for choice in spec.choices)
        raise Invalid(f"param {spec.name!r}: {_short(value)} is not one of {allowed}")
    return typed


def _same(spec: ParamSpec, choice: Any, typed: Any) -> bool:
    try:
        return bool(_READERS[spec.type](choice) == typed)
    except (ValueError, TypeError, OverflowError):
        return False


def _string(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    return str(value)


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        raise TypeError
    return value if isinstance(value, date) else date.fromisoformat(value)


def _datetime(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


_READERS: dict[ParamType, Callable[[Any], Any]] = {
    "string": _string,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
}
_WORDS: dict[ParamType, str] = {
    "string": "text",
    "int": "whole number",
    "float": "number",
    "bool": "truth value (true or false)",
    "date": "date (YYYY-MM-DD)",
    "datetime": "date and time (ISO 8601)",
}
