"""Parameter values: from what a file or an operator wrote to what a statement or an endpoint expects."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from liberty.connectors.config import ParamConfig
from liberty.errors import Invalid, did_you_mean

_BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return _BOOLEANS[str(value).strip().lower()]


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _datetime(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "string": str,
    "int": int,
    "float": float,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
}


def complete(
    declared: Iterable[ParamConfig], wanted: Iterable[str], given: Mapping[str, Any], *, what: str
) -> dict[str, Any]:
    """The value of every wanted name: what was given, else the declared default, else None.

    Raises Invalid naming the parameter for a name nobody asked for, a required one that is missing, and a
    value that is not of the declared type.
    """
    specs = {param.name: param for param in declared}
    names = dict.fromkeys([*wanted, *specs])
    for name in given:
        if name not in names:
            known = ", ".join(names) or "none"
            raise Invalid(
                f"{what} has no parameter {name!r}{did_you_mean(name, names)}; its parameters: {known}"
            )
    values: dict[str, Any] = {}
    for name in names:
        spec = specs.get(name)
        value = given.get(name)
        if value is None and spec is not None:
            if spec.required and spec.default is None:
                raise Invalid(f"{what}: parameter {name!r} is required")
            value = spec.default
        values[name] = _typed(spec, value, what) if spec is not None and value is not None else value
    return values


def _typed(spec: ParamConfig, value: Any, what: str) -> Any:
    if spec.multiple:
        items = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        return [_one(spec, item, what) for item in items]
    return _one(spec, value, what)


def _one(spec: ParamConfig, value: Any, what: str) -> Any:
    if spec.type is None:
        return value
    try:
        return _CONVERT[spec.type](value)
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(f"{what}: parameter {spec.name!r} = {value!r} is not a {spec.type}") from error


def for_driver(value: Any, dialect: str) -> Any:
    """A value the driver can bind: JSON for objects everywhere, plain SQLite types on SQLite."""
    if isinstance(value, Mapping):
        return json.dumps(value, default=str)
    if dialect != "sqlite":
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return json.dumps(list(value), default=str)
    return value


_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamptz": datetime.fromisoformat,
    "time": time.fromisoformat,
    "int2": int,
    "int4": int,
    "int8": int,
    "float4": float,
    "float8": float,
    "numeric": Decimal,
    "bool": _bool,
    "uuid": UUID,
}


def from_text(value: Any, sql_type: str) -> Any:
    """A text as PostgreSQL itself would read it for `sql_type`; anything else stays as it is.

    A number meant for a text column becomes its text. Raises ValueError or ArithmeticError when it cannot be read.
    """
    if isinstance(value, str) and sql_type in _FROM_TEXT:
        return _FROM_TEXT[sql_type](value)
    if sql_type in ("text", "varchar", "bpchar") and not isinstance(value, (str, type(None))):
        return str(value)
    if sql_type == "timestamp" and isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the column has no zone
    return value
