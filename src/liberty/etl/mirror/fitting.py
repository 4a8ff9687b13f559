"""Text on its way into a column: numbers, truth values, dates and identifiers as the column wants them."""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})


class DoesNotFit(ValueError):  # noqa: N818 - called by what it says
    """The text is no value of the column; the message says of which."""


def fitted(column: Any, text: str | None) -> Any:
    """A text as the value of a SQLAlchemy column. Raises DoesNotFit."""
    if text is None:
        return None
    try:
        kind = column.type.python_type
    except NotImplementedError:  # a type of this database alone: the server reads the text
        return text
    if kind is str:
        length = getattr(column.type, "length", None)
        if length is not None and len(text) > length:
            raise DoesNotFit(f"column {column.name!r} holds {length} characters, and there are {len(text)}")
        return text
    if kind is datetime:
        return _datetime(column, text)
    convert = _CONVERT.get(kind)
    if convert is None:
        return text
    try:
        return convert(text.strip())
    except (ValueError, KeyError, InvalidOperation, binascii.Error):
        raise DoesNotFit(
            f"column {column.name!r} is {column.type}, and the value is {_shown(text)}"
        ) from None


def _bool(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(word)


def _datetime(column: Any, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise DoesNotFit(f"column {column.name!r} holds times, and the value is {_shown(text)}") from None
    if getattr(column.type, "timezone", False):
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo is not None else at


_CONVERT: dict[type, Callable[[str], Any]] = {
    int: int,
    float: float,
    Decimal: Decimal,
    bool: _bool,
    date: lambda text: datetime.fromisoformat(text).date(),
    time: time.fromisoformat,
    UUID: UUID,
    bytes: lambda text: base64.b64decode(text, validate=True),
}


def key_text(value: Any) -> str:
    """A key of the table as a text that `fitted` reads back."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def deleted_marks(column: Any, at: datetime) -> tuple[Any, Any]:
    """What a column of soft deletion says of a row that has gone, and of one that is there."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        kind = str
    if kind is bool:
        return True, False
    if kind in (int, float, Decimal):
        return 1, 0
    if kind is datetime:
        stamp = at if getattr(column.type, "timezone", False) else at.replace(tzinfo=None)
        return stamp, None
    if kind is date:
        return at.date(), None
    return at.isoformat(timespec="seconds").replace("+00:00", "Z"), None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
