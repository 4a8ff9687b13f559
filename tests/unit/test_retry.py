"""When a try is repeated and after what wait."""

import asyncio
import socket

import pytest

from liberty.jobs.engine.retry import JITTER, delay_before, failure_kind
from liberty.jobs.steps.base import RetryPolicy


def policy(**keys: object) -> RetryPolicy:
    return RetryPolicy.model_validate({"attempts": 5, "jitter": False, **keys})


def test_fixed_waits_are_all_the_same() -> None:
    assert [delay_before(n, policy(base_seconds=7)) for n in (2, 3, 9)] == [7, 7, 7]


def test_exponential_waits_double_up_to_the_limit() -> None:
    chosen = policy(backoff="exponential", base_seconds=1, max_delay_seconds=10)
    assert [delay_before(n, chosen) for n in range(2, 8)] == [1, 2, 4, 8, 10, 10]
    assert delay_before(10_000, chosen) == 10


def test_jitter_adds_at_most_a_quarter() -> None:
    chosen = policy(base_seconds=100, jitter=True)
    assert delay_before(2, chosen, spread=0) == 100
    assert delay_before(2, chosen, spread=1) == 100 * (1 + JITTER)
    waits = {delay_before(2, chosen) for _ in range(50)}
    assert len(waits) > 10
    assert all(100 <= wait <= 125 for wait in waits)


def test_the_first_try_never_waits() -> None:
    with pytest.raises(ValueError, match="first try"):
        delay_before(1, policy())


class Invalidated(Exception):
    connection_invalidated = True


class ClientConnectionError(Exception):
    """Named as in the HTTP library, which the engine does not import."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError(), "error"),
        (TimeoutError(), "error"),
        (ConnectionRefusedError(), "connection"),
        (BrokenPipeError(), "connection"),
        (socket.gaierror(), "connection"),
        (Invalidated(), "connection"),
        (ClientConnectionError(), "connection"),
        (OSError(), "error"),
    ],
)
def test_what_kind_of_failure_it_was(error: Exception, kind: str) -> None:
    assert failure_kind(error) == kind
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = error
    assert failure_kind(wrapped) == kind


def test_a_loop_of_causes_ends() -> None:
    error = asyncio.InvalidStateError()
    assert failure_kind(error) == "error"
