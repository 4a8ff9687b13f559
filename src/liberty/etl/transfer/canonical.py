"""One way to write a value as text, the same from SQL in PostgreSQL and from Python for SQLite, for checksums."""

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from liberty.etl.transfer.columns import Column
from liberty.etl.transfer.sqlite_catalog import affinity_of

type Form = Literal[
    "int",
    "decimal",
    "float",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "bytes",
    "uuid",
    "text",
    "padded",
    "number",
    "as-text",
    "stored",
]
"""`padded`: blanks at the end do not count. `number`, `as-text`, `stored`: as a SQLite column of numbers, of texts or
of neither keeps what it is given."""

BETWEEN = "\x1f"
NULL = "\x1e"


def form_of(source: Column | None, source_backend: str, target: Column, target_backend: str) -> Form | None:
    """How the values of two columns are written so that equal ones are equal; None where nobody can tell.

    `source` is None for values that were changed on their way.
    """
    if target_backend == "sqlite":
        if source is not None and source_backend == "postgresql":
            return _postgresql_form(source, gives=True)
        affinity = affinity_of(target.sql_type)
        if affinity == "BLOB" or (source is not None and affinity == affinity_of(source.sql_type)):
            return "stored"
        return "as-text" if affinity == "TEXT" else "number"
    if source is None or source_backend == "sqlite":
        return _postgresql_form(target, gives=False)
    if source.kind == target.kind:
        same_type = source.sql_type.partition("(")[0] == target.sql_type.partition("(")[0]
        if source.kind in ("json", "other"):
            return "text" if same_type else None
        forms = (_postgresql_form(source, gives=True), _postgresql_form(target, gives=True))
        return "padded" if "padded" in forms else forms[0]
    return "decimal" if {source.kind, target.kind} == {"int", "decimal"} else None


def _postgresql_form(column: Column, *, gives: bool) -> Form | None:
    """Of a column of PostgreSQL that gives its values to another database, or takes another's."""
    match column.kind:
        case "text":
            return "padded" if column.sql_type.partition("(")[0] in ("character", "bpchar") else "text"
        case "json":
            return "text" if gives or column.sql_type == "json" else None
        case "other":
            return "text" if gives else None
        case kind:
            return kind


# -- in PostgreSQL

_EXPRESSIONS: Mapping[Form, str] = {
    "decimal": "trim_scale({}::numeric)::text",
    "float": "encode(float8send({}::float8 + 0), 'hex')",
    "bool": "{}::int::text",
    "timestamptz": "({} AT TIME ZONE 'UTC')::text",
    "bytes": "encode({}, 'hex')",
    "padded": "rtrim({}::text, ' ')",
}
_HASHABLE: Mapping[Form, str] = {
    "int": "{}::int8",
    "decimal": "{}::numeric",
    "float": "{}::float8",
    "text": '{}::text COLLATE "C"',
    "padded": "rtrim({}::text, ' ') COLLATE \"C\"",
}


def expression(form: Form, column: str) -> str:
    """SQL that writes a column of PostgreSQL out."""
    return _EXPRESSIONS.get(form, "{}::text").format(column)


def hashable(form: Form, column: str) -> str:
    """SQL for a value that PostgreSQL hashes alike wherever it stands."""
    return _HASHABLE.get(form, "{}").format(column)


# -- in Python

_MOST_KNOWN = 50_000
_EQUAL_IN_EQUAL_OUT = frozenset(
    {"int", "decimal", "float", "bool", "date", "time", "timestamp", "timestamptz", "uuid", "bytes"}
)
"""Forms in which values that Python takes for equal (1, 1.0 and True) are written alike."""


class Writer:
    """Writes the values of one column out. What was written before is remembered while values repeat."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._known: _Known | None = _Known(_WRITERS[form]) if form in _EQUAL_IN_EQUAL_OUT else None

    def texts(self, values: Sequence[Any]) -> Sequence[str]:
        """The values as text; one that is none of its kind equals only itself."""
        if self._form == "text":
            types = set(map(type, values))
            if types == {str}:
                return values
            if types <= {str, type(None)}:
                return [NULL if value is None else value for value in values]
        if self._known is None:
            write = _WRITERS[self._form]
            return [NULL if value is None else _written(write, value) for value in values]
        found = list(map(self._known.__getitem__, values))
        if len(self._known) > _MOST_KNOWN:
            self._known = _Known(_WRITERS[self._form])
        return found


class _Known(dict[Any, str]):
    def __init__(self, write: Callable[[Any], str]) -> None:
        super().__init__({None: NULL})
        self._write = write

    def __missing__(self, value: Any) -> str:
        text = self[value] = _written(self._write, value)
        return text


def _written(write: Callable[[Any], str], value: Any) -> str:
    try:
        return write(value)
    except (ValueError, ArithmeticError, TypeError, AttributeError, struct.error):
        return repr(value)


def _int(value: Any) -> str:
    number = int(Decimal(value) if isinstance(value, str) else value)
    if number != (Decimal(value) if isinstance(value, str) else value):
        raise ValueError("not whole")
    return str(number)


def _decimal(value: Any) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        return str(number)
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _float(value: Any) -> str:
    return struct.pack(">d", float(value) + 0.0).hex()


def _bool(value: Any) -> str:
    if isinstance(value, str):
        return "1" if value.lower() in ("true", "t", "1") else "0"
    return str(int(value))


def _date(value: Any) -> str:
    if isinstance(value, str):
        return value if len(value) <= len("2026-01-01") else datetime.fromisoformat(value).date().isoformat()
    return (value.date() if isinstance(value, datetime) else value).isoformat()


def _time(value: Any) -> str:
    return _short((time.fromisoformat(value) if isinstance(value, str) else value).isoformat())


def _timestamp(value: Any) -> str:
    if isinstance(value, str):
        if value.endswith("infinity"):
            return value
        value = datetime.fromisoformat(value)
    elif not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    return _short(value.isoformat(sep=" "))


def _timestamptz(value: Any) -> str:
    if isinstance(value, str):
        if value.endswith("infinity"):
            return value
        value = datetime.fromisoformat(value)
    return _short(value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "))


def _short(text: str) -> str:
    """Without the noughts that PostgreSQL leaves off a fraction of a second."""
    return text.rstrip("0") if "." in text else text


def _bytes(value: Any) -> str:
    return bytes(value).hex()


def _uuid(value: Any) -> str:
    return str(value if isinstance(value, UUID) else UUID(value))


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "b" + value.hex() if isinstance(value, bytes) else _text(value)


def _number(value: Any) -> str:
    """As a column of numbers keeps it: what looks like a number is one."""
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, str | datetime | date | time | UUID):
        text = _text(value)
        try:
            number = Decimal(text)
        except ArithmeticError:
            return text
    else:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return _decimal(number)


def _stored(value: Any) -> str:
    match value:
        case str():
            return "t" + value
        case bool() | int():
            return str(int(value))
        case float():
            return value.hex()
        case bytes():
            return "b" + value.hex()
        case Decimal():
            return _decimal(value) if value == value.to_integral_value() else float(value).hex()
        case _:
            return "t" + _text(value)


_WRITERS: Mapping[Form, Callable[[Any], str]] = {
    "int": _int,
    "decimal": _decimal,
    "float": _float,
    "bool": _bool,
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
    "bytes": _bytes,
    "uuid": _uuid,
    "text": _text,
    "padded": lambda value: _text(value).rstrip(" "),
    "number": _number,
    "as-text": _as_text,
    "stored": _stored,
}
