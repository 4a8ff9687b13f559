"""How fast a service may be asked: a rate of our own, and the pauses that its answers demand."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_PAUSES = 3
"""So often one request is sent again after the service asked for a pause."""

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class Pace:
    """Spreads requests evenly. One for a connector, whatever loop they come from."""

    def __init__(self, per_second: float | None) -> None:
        self._interval = 0.0 if per_second is None else 1.0 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Take the next turn; the seconds until it comes."""
        if not self._interval:
            return 0.0
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._interval
            return at - now


def pause_wanted(method: str, status: int, headers: Mapping[str, str]) -> float | None:
    """The seconds after which the service wants the request again; None when it does not say so.

    503 says nothing about whether the request was worked on, so only what may be repeated is.
    """
    if status != 429 and not (status == 503 and method in _REPEATABLE):
        return None
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
