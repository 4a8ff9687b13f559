"""Browser sessions (an opaque cookie value each) and one-time sign-in links."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from liberty.auth import audit, token_rows, users
from liberty.auth.users import User
from liberty.clock import Clock, to_millis
from liberty.database import Database, Tx
from liberty.errors import Unauthenticated

SESSION_TTL = timedelta(days=7)
IDLE_TTL = timedelta(hours=12)
LINK_TTL = timedelta(minutes=10)
_LINK_REFUSED = "this sign-in link was used, has expired or is wrong; ask for a new one"


def csrf_token(session_value: str) -> str:
    """What a page of this session sends in a header with every change; another site cannot compute it."""
    return hmac.new(session_value.encode(), b"nomaflow csrf", hashlib.sha256).hexdigest()


def csrf_matches(session_value: str, given: str) -> bool:
    return hmac.compare_digest(csrf_token(session_value).encode(), given.encode())


class Sessions:
    """Opens and closes. A session ends after SESSION_TTL, or after IDLE_TTL without a request.

    `changed` is called after every revocation, to drop what is cached.
    """

    def __init__(self, database: Database, clock: Clock, changed: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._changed = changed

    def _now(self) -> datetime:
        return to_millis(self._clock.now())

    async def open(self, user: User) -> str:
        """The cookie value of a new session, for someone who has just signed in.

        Always a new one: a value that was known before the sign-in must never become valid by it.
        """

        async def insert(tx: Tx) -> str:
            _, value = await token_rows.add(
                tx,
                "session",
                user_id=user.id,
                user_version=user.version,
                at=self._now(),
                ttl=SESSION_TTL,
                created_by=user.name,
            )
            return value

        return await self._database.write(insert)

    async def sign_out(self, value: str, *, address: str | None = None) -> bool:
        """End the session, or everything from the sign-in that a bearer token came from; False if it had ended."""

        async def end(tx: Tx) -> bool:
            at = self._now()
            token = await token_rows.find_live(tx, value, at)
            if token is None:
                return False
            await token_rows.revoke(tx, token, at)
            await audit.record(
                tx,
                at=at,
                actor=token.user_name,
                action="session.sign_out",
                object=f"user:{token.user_name}",
                address=address,
            )
            return True

        if not token_rows.looks_like(value, "session", "access", "refresh"):
            return False
        ended = await self._database.write(end)
        self._changed()
        return ended

    async def create_link(self, name: str, *, actor: audit.Actor = "system") -> str:
        """A secret that signs `name` in once, within ten minutes. Raises NotFound."""

        async def insert(tx: Tx) -> str:
            at = self._now()
            user = await users.get(tx, name)
            _, value = await token_rows.add(
                tx,
                "link",
                user_id=user.id,
                user_version=user.version,
                at=at,
                ttl=LINK_TTL,
                created_by=audit.actor_name(actor),
            )
            await audit.record(tx, at=at, actor=actor, action="link.create", object=f"user:{user.name}")
            return value

        return await self._database.write(insert)

    async def redeem_link(self, value: str, *, address: str | None = None) -> User:
        """Who the link signs in; it is spent by it. Raises Unauthenticated."""

        async def spend(tx: Tx) -> User | None:
            at = self._now()
            token = await token_rows.find_live(tx, value, at)
            if token is None or token.kind != "link" or not await token_rows.spend(tx, token.id, at):
                return None
            user = await users.get(tx, token.user_name)
            await users.signed_in(tx, user, at)
            await audit.record(
                tx,
                at=at,
                actor=user.name,
                action="session.sign_in",
                object=f"user:{user.name}",
                details={"with": "one-time link"},
                address=address,
            )
            return user

        user = await self._database.write(spend) if token_rows.looks_like(value, "link") else None
        if user is None:
            raise Unauthenticated(_LINK_REFUSED)
        return user
