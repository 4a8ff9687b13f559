"""What is written behind an option: `key=value` pairs, durations, times of day."""

import json
import math
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from liberty.cli.exits import UsageError

type Scalar = bool | int | float | str | None

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def scalar(text: str) -> Scalar:
    """A number, true, false, null or a quoted text as JSON has them; anything else is the text itself, `@file` too."""
    try:
        value = json.loads(text)
    except ValueError:  # also for a number too long to be read
        return text
    if isinstance(value, dict | list) or (isinstance(value, float) and not math.isfinite(value)):
        return text
    return value  # type: ignore[no-any-return]  # what JSON has besides objects and arrays


def pairs(texts: Iterable[str]) -> dict[str, Scalar]:
    """`["a=1", "b=x"]` as a mapping. Raises UsageError for a text without `=` or a key that comes twice."""
    found: dict[str, Scalar] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{text!r} is not of the form key=value")
        if key in found:
            raise UsageError(f"{key!r} is given twice")
        found[key] = scalar(value)
    return found


def duration(text: str) -> timedelta:
    """`90d`, `12h`, `30m`, `45s`, `2w`. Raises UsageError."""
    parts = _DURATION.fullmatch(text.strip().lower())
    if parts is None:
        raise UsageError(f"{text!r} is not a duration; write a number and one of s, m, h, d, w, such as 90d")
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})


def moment(text: str, now: datetime) -> str:
    """A date, a date and time, or a time of today, in ISO form, with a zone only if it names one. Raises UsageError."""
    written = text.strip()
    if clock := _TIME_OF_DAY.fullmatch(written):
        written = f"{now.astimezone():%Y-%m-%d}T{int(clock[1]):02}:{clock[2]}:{clock[3] or '00'}"
    try:
        return datetime.fromisoformat(written).isoformat()
    except ValueError:
        raise UsageError(
            f"{text!r} is not a time; write 2026-03-29T02:00, 2026-03-29 or 02:00, with +02:00 or Z for another zone"
        ) from None


def instant(text: str, now: datetime) -> datetime:
    """The same as an instant: on this machine's clock unless it names a zone. Raises UsageError."""
    try:
        return datetime.fromisoformat(moment(text, now)).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{text!r} is out of range") from error


def until(text: str, now: datetime) -> datetime:
    """A time as `instant` reads it, or a duration from now. Raises UsageError."""
    return now + duration(text) if _DURATION.fullmatch(text.strip().lower()) else instant(text, now)
