"""Signing in with a name and a password, without telling a guesser anything."""

from liberty.auth import audit, users
from liberty.auth.passwords import Passwords
from liberty.auth.throttle import Throttle
from liberty.auth.users import User
from liberty.clock import Clock, to_millis
from liberty.database import Database, Tx
from liberty.errors import Unauthenticated

_WRONG = "wrong user name or password"


class SignIns:
    """Checks passwords, throttled, and notes every outcome in the audit trail."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._throttle = Throttle(clock)

    async def sign_in(self, name: str, password: str, address: str | None) -> User:
        """The user whose password this is.

        An unknown name, a wrong password and a disabled account get the same answer after the same work.
        Raises Unauthenticated, or TooMany with `retry_after_seconds`.
        """
        name = name.strip()
        self._throttle.check(name, address)
        found = await self._database.read(users.find_with_hash, name)
        user, stored = found or (None, None)

        def check() -> tuple[bool, str | None]:
            with self._throttle.attempt(name, address) as attempt:
                right = self._passwords.verify_now(stored, password)
                attempt.succeeded = right and user is not None and user.active
            if not attempt.succeeded or stored is None or not self._passwords.outdated(stored):
                return attempt.succeeded, None
            return True, self._passwords.hash_now(password)

        succeeded, new_hash = await self._passwords.in_thread(check)
        if (
            user is None
            or not succeeded
            or not await self._database.write(self._enter, user, new_hash, address)
        ):
            await self._database.write(self._refuse, user, address)
            raise Unauthenticated(_WRONG)
        return user

    async def _enter(self, tx: Tx, user: User, new_hash: str | None, address: str | None) -> bool:
        at = to_millis(self._clock.now())
        if not await users.signed_in(tx, user, at):
            return False
        if new_hash is not None:
            await users.rehash(tx, user.id, new_hash, at)
        await audit.record(
            tx, at=at, actor=user.name, action="session.sign_in", object=f"user:{user.name}", address=address
        )
        return True

    async def _refuse(self, tx: Tx, user: User | None, address: str | None) -> None:
        # An unknown name is not written down: people type passwords into the wrong box.
        await audit.record(
            tx,
            at=to_millis(self._clock.now()),
            actor="anonymous",
            action="session.refused",
            object="user:?" if user is None else f"user:{user.name}",
            address=address,
        )
