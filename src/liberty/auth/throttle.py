"""Slows down guessing: five failed sign-ins a minute per account, and growing pauses per address.

Kept in this process's memory. Accounts that do not exist are counted like those that do, so that the answer
tells nothing. A right password clears its account, never its address: else an attacker's own account would
buy fresh tries on others.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from liberty.clock import Clock
from liberty.errors import TooMany

PER_ACCOUNT = 5
ACCOUNT_WINDOW_SECONDS = 60.0
PER_ADDRESS = 20  # failures before the first pause
MAX_PAUSE_SECONDS = 300.0
ADDRESS_FORGOTTEN_SECONDS = 900.0
_MAX_KEYS = 10_000


@dataclass(slots=True)
class _Address:
    failures: int = 0
    last: float = 0.0


@dataclass(slots=True)
class Attempt:
    """One try. Whoever checks the password sets `succeeded`."""

    succeeded: bool = field(default=False)


class Throttle:
    """Counts attempts as they begin, so that parallel ones cannot slip through. Safe from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: OrderedDict[str, list[float]] = OrderedDict()
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    def check(self, account: str, address: str | None) -> None:
        """Raises TooMany, with `retry_after_seconds`, while the account or the address has to wait."""
        with self._lock:
            self._refuse_if_early(account.lower(), address, self._clock.monotonic())

    @contextmanager
    def attempt(self, account: str, address: str | None) -> Iterator[Attempt]:
        """While a password is checked; failed unless `succeeded` is set. Raises TooMany like `check`."""
        key = account.lower()
        with self._lock:
            now = self._clock.monotonic()
            self._refuse_if_early(key, address, now)
            self._accounts.setdefault(key, []).append(now)
            self._accounts.move_to_end(key)
            if address is not None:
                seen = self._addresses.setdefault(address, _Address())
                seen.failures += 1
                seen.last = now
                self._addresses.move_to_end(address)
            self._forget_oldest()
        attempt = Attempt()
        yield attempt
        if attempt.succeeded:
            with self._lock:
                self._accounts.pop(key, None)
                seen_again = self._addresses.get(address) if address is not None else None
                if seen_again is not None:
                    seen_again.failures = max(0, seen_again.failures - 1)

    def _refuse_if_early(self, key: str, address: str | None, now: float) -> None:
        wait = max(self._account_wait(key, now), self._address_wait(address, now))
        if wait > 0:
            raise TooMany(
                "too many failed sign-ins; wait and try again",
                details={"retry_after_seconds": math.ceil(wait)},
            )

    def _account_wait(self, key: str, now: float) -> float:
        tries = self._accounts.get(key)
        if tries is None:
            return 0.0
        tries[:] = [at for at in tries if now - at < ACCOUNT_WINDOW_SECONDS]
        return tries[0] + ACCOUNT_WINDOW_SECONDS - now if len(tries) >= PER_ACCOUNT else 0.0

    def _address_wait(self, address: str | None, now: float) -> float:
        seen = self._addresses.get(address) if address is not None else None
        if address is None or seen is None:
            return 0.0
        if now - seen.last >= ADDRESS_FORGOTTEN_SECONDS:
            del self._addresses[address]
            return 0.0
        if seen.failures < PER_ADDRESS:
            return 0.0
        pause = min(2.0 ** min(seen.failures - PER_ADDRESS, 16), MAX_PAUSE_SECONDS)
        return seen.last + pause - now

    def _forget_oldest(self) -> None:
        while len(self._accounts) > _MAX_KEYS:
            self._accounts.popitem(last=False)
        while len(self._addresses) > _MAX_KEYS:
            self._addresses.popitem(last=False)
