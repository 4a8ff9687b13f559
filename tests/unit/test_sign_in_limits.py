"""What slows a guesser down: attempts per account, pauses per address, and the cost of a password."""

from datetime import UTC, datetime

import pytest

from liberty.auth.passwords import MAX_LENGTH, Passwords, checked_password
from liberty.auth.throttle import ADDRESS_FORGOTTEN_SECONDS, PER_ACCOUNT, PER_ADDRESS, Throttle
from liberty.errors import Invalid, TooMany


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def throttle(clock: SetClock) -> Throttle:
    return Throttle(clock)


@pytest.fixture
def cheap() -> Passwords:
    return Passwords(time_cost=1, memory_kib=8, parallelism=1)


def fail(throttle: Throttle, account: str, address: str | None = None) -> None:
    with throttle.attempt(account, address):
        pass


def test_the_sixth_failure_within_a_minute_must_wait(throttle: Throttle, clock: SetClock) -> None:
    for _ in range(PER_ACCOUNT):
        fail(throttle, "alice")
        clock.seconds += 10
    with pytest.raises(TooMany) as refused:
        fail(throttle, "ALICE")
    assert refused.value.details["retry_after_seconds"] == 10
    fail(throttle, "bob")
    clock.seconds += 10
    fail(throttle, "alice")


def test_attempts_under_way_count(throttle: Throttle) -> None:
    open_ones = [throttle.attempt("alice", None) for _ in range(PER_ACCOUNT)]
    for one in open_ones:
        one.__enter__()
    with pytest.raises(TooMany):
        throttle.check("alice", None)


def test_a_success_clears_the_account(throttle: Throttle) -> None:
    for _ in range(PER_ACCOUNT - 1):
        fail(throttle, "alice")
    with throttle.attempt("alice", None) as attempt:
        attempt.succeeded = True
    for _ in range(PER_ACCOUNT):
        fail(throttle, "alice")
    with pytest.raises(TooMany):
        throttle.check("alice", None)


def test_pauses_of_an_address_grow_and_end(throttle: Throttle, clock: SetClock) -> None:
    for number in range(PER_ADDRESS):
        fail(throttle, f"user{number}", "192.0.2.1")
    waits = []
    for number in range(4):
        with pytest.raises(TooMany) as refused:
            throttle.check("somebody", "192.0.2.1")
        waits.append(refused.value.details["retry_after_seconds"])
        clock.seconds += waits[-1]
        fail(throttle, f"other{number}", "192.0.2.1")
    assert waits == [1, 2, 4, 8]
    throttle.check("somebody", "192.0.2.2")
    clock.seconds += ADDRESS_FORGOTTEN_SECONDS
    throttle.check("somebody", "192.0.2.1")


def test_ones_own_success_buys_no_tries_on_others(throttle: Throttle) -> None:
    for number in range(PER_ADDRESS):
        fail(throttle, f"user{number}", "192.0.2.1")
        if number < PER_ADDRESS - 1:
            with throttle.attempt("mallory", "192.0.2.1") as attempt:
                attempt.succeeded = True
    with pytest.raises(TooMany):
        throttle.check("mallory", "192.0.2.1")


def test_a_flood_of_names_is_forgotten_in_order(throttle: Throttle) -> None:
    for number in range(10_050):
        fail(throttle, f"user{number}")
    assert len(throttle._accounts) == 10_000


def test_a_password_is_known_again_and_only_it(cheap: Passwords) -> None:
    stored = cheap.hash_now("correct horse")
    assert stored.startswith("$argon2id$")
    assert cheap.verify_now(stored, "correct horse")
    assert not cheap.verify_now(stored, "Correct horse")
    assert not cheap.verify_now(stored, "")
    assert not cheap.verify_now("not a hash", "correct horse")


def test_there_is_no_password_for_nobody(cheap: Passwords) -> None:
    assert not cheap.verify_now(None, "")
    assert not cheap.verify_now(None, "anything")


def test_checking_nobodys_password_does_the_whole_work(cheap: Passwords) -> None:
    from argon2 import extract_parameters

    real, decoy = (extract_parameters(text) for text in (cheap.hash_now("x"), cheap._decoy))
    assert real == decoy


def test_odd_passwords_are_passwords(cheap: Passwords) -> None:
    for odd in ("\ud800", "\x00", "é" * MAX_LENGTH, " "):
        assert cheap.verify_now(cheap.hash_now(odd), odd)
    longest = "x" * MAX_LENGTH
    assert not cheap.verify_now(cheap.hash_now(longest), longest + "x")


@pytest.mark.parametrize("wrong", ["", "x" * (MAX_LENGTH + 1)])
def test_unusable_passwords_are_refused(wrong: str) -> None:
    with pytest.raises(Invalid):
        checked_password(wrong)


def test_a_hash_of_another_cost_is_outdated(cheap: Passwords) -> None:
    dearer = Passwords(time_cost=2, memory_kib=8, parallelism=1)
    stored = cheap.hash_now("x")
    assert dearer.outdated(stored)
    assert not cheap.outdated(stored)
    assert dearer.verify_now(stored, "x")


async def test_hashing_happens_elsewhere_and_can_be_closed(cheap: Passwords) -> None:
    import threading

    assert await cheap.in_thread(threading.get_ident) != threading.get_ident()
    assert cheap.verify_now(await cheap.hash("x"), "x")
    cheap.close()


async def test_a_queue_of_passwords_is_bounded(cheap: Passwords) -> None:
    import asyncio
    import threading

    gate = threading.Event()
    waiting = [asyncio.ensure_future(cheap.in_thread(gate.wait)) for _ in range(64)]
    await asyncio.sleep(0)
    with pytest.raises(TooMany):
        await cheap.in_thread(gate.wait)
    gate.set()
    await asyncio.gather(*waiting)
    assert await cheap.in_thread(gate.is_set)
    cheap.close()
