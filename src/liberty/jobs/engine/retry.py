"""When a failed try is worth another, and how long to wait for it."""

import random

from liberty.jobs.steps.base import RetryPolicy, RetryReason

JITTER = 0.25  # at most this part of the wait is added
_CONNECTION_ERRORS = frozenset(
    {
        "ConnectionError",
        "ClientConnectionError",
        "DisconnectionError",
        "PostgresConnectionError",
        "CannotConnectNowError",
        "gaierror",
        "LDAPSocketOpenError",
    }
)


def failure_kind(error: BaseException) -> RetryReason:
    """`connection` when the other side could not be reached or went away, else `error`."""
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "connection_invalidated", False):
            return "connection"
        if any(base.__name__ in _CONNECTION_ERRORS for base in type(seen).__mro__):
            return "connection"
        seen = seen.__cause__
    return "error"


def delay_before(attempt: int, policy: RetryPolicy, *, spread: float | None = None) -> float:
    """Seconds to wait before try number `attempt` (2 = the first repetition).

    `spread` in 0..1 replaces the random part of the jitter. Raises ValueError if attempt < 2.
    """
    if attempt < 2:
        raise ValueError(f"the first try never waits; got attempt {attempt}")
    wait = policy.base_seconds
    if policy.backoff == "exponential":
        wait *= 2.0 ** min(attempt - 2, 60)
    wait = min(wait, policy.max_delay_seconds)
    if policy.jitter:
        wait *= 1 + JITTER * (random.random() if spread is None else spread)  # noqa: S311 - spreads load, no secret
    return wait
