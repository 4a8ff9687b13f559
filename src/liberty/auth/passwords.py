"""Passwords: hashed with Argon2id in two threads of their own, so that guessing cannot starve the server."""

import secrets
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from liberty.errors import Invalid, TooMany

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MAX_LENGTH = 1024  # characters; hashing more only costs memory
_THREADS = 2
_MAX_WAITING = 64
_SALT_BYTES = 16
_HASH_BYTES = 32


def generated_password() -> str:
    """A password of 120 random bits, for showing once."""
    return secrets.token_urlsafe(15)


def checked_password(password: str) -> str:
    """The password itself. Raises Invalid when it is empty or longer than MAX_LENGTH."""
    if not password:
        raise Invalid("the password is empty; give one, or leave it out to have one generated")
    if len(password) > MAX_LENGTH:
        raise Invalid(f"the password has {len(password)} characters; at most {MAX_LENGTH} are allowed")
    return password


def _encoded(password: str) -> bytes:
    # JSON can carry half a surrogate pair, which plain UTF-8 refuses.
    return password.encode("utf-8", "surrogatepass")


class Passwords:
    """Hashes and verifies; by default at RFC 9106's second recommended cost (64 MiB, 3 passes, 4 lanes)."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65536, parallelism: int = 4) -> None:
        self._time_cost = time_cost
        self._memory_kib = memory_kib
        self._parallelism = parallelism
        self._decoy = self._make_decoy()
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._waiting = 0

    def _make_decoy(self) -> str:
        # A well-formed hash that nothing matches: checking it costs what checking a real one costs.
        salt, digest = (
            b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (_SALT_BYTES, _HASH_BYTES)
        )
        cost = f"m={self._memory_kib},t={self._time_cost},p={self._parallelism}"
        return f"$argon2id$v=19${cost}${salt}${digest}"

    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher

        return PasswordHasher(
            time_cost=self._time_cost,
            memory_cost=self._memory_kib,
            parallelism=self._parallelism,
            salt_len=_SALT_BYTES,
            hash_len=_HASH_BYTES,
        )

    def hash_now(self, password: str) -> str:
        """The hash to store; blocks for a tenth of a second or two."""
        return self._hasher().hash(_encoded(password))

    def verify_now(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one hashed in `stored`; takes as long when there is no `stored`."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            self._hasher().verify(stored or self._decoy, _encoded(password[:MAX_LENGTH]))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None and len(password) <= MAX_LENGTH

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made at another cost and should be made anew at the next sign-in."""
        return self._hasher().check_needs_rehash(stored)

    async def hash(self, password: str) -> str:
        """`hash_now` in a thread. Raises TooMany when too many wait."""
        return await self.in_thread(lambda: self.hash_now(password))

    async def in_thread[T](self, work: Callable[[], T]) -> T:
        """Run `work` in one of the two threads. Raises TooMany when too many wait already."""
        import asyncio

        with self._lock:
            if self._waiting >= _MAX_WAITING:
                raise TooMany("too many sign-ins at once; try again", details={"retry_after_seconds": 5})
            self._waiting += 1
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="liberty-passwords")
            pool = self._pool
        future = pool.submit(work)
        future.add_done_callback(self._left)  # also when cancelled, and only once the thread is free of it
        return await asyncio.wrap_future(future)

    def _left(self, _: object) -> None:
        with self._lock:
            self._waiting -= 1

    def close(self) -> None:
        """Let the threads go; a check that is under way ends by itself."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
