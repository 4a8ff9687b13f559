"""Dates and times as people write them in a query."""

from datetime import UTC, datetime, time, timedelta, tzinfo

from liberty.errors import Invalid

TICK = timedelta(microseconds=1)
"""Subtracted from the start of a span, because schedules answer with what comes strictly later."""

_DATE_LENGTH = len("2026-05-31")
_YEARS = range(1900, 9000)
"""Looking back and ahead from an instant, on any clock, must stay within what a datetime can say."""


def parse_instant(text: str, key: str, *, end_of_day: bool = False, zone: tzinfo = UTC) -> datetime:
    """A date or date-time, read on the clock of `zone` unless it names its offset; aware UTC.

    A bare date is its first instant, or its last millisecond with `end_of_day`. Raises Invalid naming `key`.
    """
    written = text.strip()
    if "T" in written and len(written) > _DATE_LENGTH:
        written = written.replace(" ", "+")  # a plus sign that a URL turned into a blank
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise Invalid(
            f"{key} is no date or time: {text!r}; write 2026-05-31, or 2026-05-31T02:00:00Z"
        ) from None
    if found.year not in _YEARS:
        raise Invalid(f"{key} is out of range: {text!r}; years are {_YEARS[0]} to {_YEARS[-1]}")
    if len(written) <= _DATE_LENGTH and end_of_day:
        found = datetime.combine(found.date(), time()) + timedelta(days=1) - timedelta(milliseconds=1)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
