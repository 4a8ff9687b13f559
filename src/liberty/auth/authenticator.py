"""From the secret a request carries to who is asking, remembered for a few seconds."""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from liberty.auth import token_rows
from liberty.auth.principal import Principal
from liberty.auth.sessions import IDLE_TTL
from liberty.auth.tables import tokens, users
from liberty.auth.users import permission_list, permissions_of
from liberty.clock import Clock, to_millis
from liberty.database import Database, Tx
from liberty.errors import Unavailable

REMEMBERED_SECONDS = 5.0  # how long another replica's revocation may go unnoticed
TOUCH_EVERY = timedelta(minutes=1)
_MAX_REMEMBERED = 4096
_LOCAL_MARK = "nfc_"

_log = logging.getLogger("liberty.auth")

_BY_HASH = (
    select(
        tokens.c.id,
        tokens.c.kind,
        tokens.c.permissions,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.last_used_at,
        users.c.id,
        users.c.name,
        users.c.superuser,
        users.c.permissions,
    )
    .join(users, users.c.id == tokens.c.user_id)
    .where(
        tokens.c.hash == bindparam("hash"),
        tokens.c.revoked_at.is_(None),
        tokens.c.expires_at > bindparam("now"),
        users.c.active.is_(True),
        (tokens.c.kind == "api") | (tokens.c.user_version == users.c.version),
    )
)
_TOUCH = update(tokens).where(tokens.c.id == bindparam("token_id")).values(last_used_at=bindparam("at"))


class Authenticator:
    """Answers for bearer tokens and session cookies; a remembered answer costs a hash and a look-up."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._remembered: dict[bytes, tuple[Principal, float]] = {}
        self._local: dict[bytes, Principal] = {}
        self._generation = 0

    def forget(self) -> None:
        """Drop what is remembered, after a change of rights."""
        self._generation += 1
        self._remembered = {}

    def local_token(self) -> str:
        """A new token of the command line on this machine, valid as long as this process; never stored."""
        value = _LOCAL_MARK + secrets.token_urlsafe(32)
        self._local[_key(value)] = Principal(name="cli", superuser=True, kind="cli")
        return value

    async def bearer(self, value: str) -> Principal | None:
        """Who an access or API token speaks for; None when it is wrong, expired or revoked."""
        if self._local and value.startswith(_LOCAL_MARK) and value.isascii():
            return self._local.get(_key(value))
        return await self._authenticate(value, ("access", "api"))

    async def session(self, value: str) -> Principal | None:
        """Who a session cookie speaks for; None when it is wrong, has ended or was idle too long."""
        return await self._authenticate(value, ("session",))

    async def _authenticate(self, value: str, kinds: tuple[token_rows.TokenKind, ...]) -> Principal | None:
        # The mark is part of what is hashed, so a token of another kind cannot pass under this one.
        if not token_rows.looks_like(value, *kinds):
            return None
        key = _key(value)
        remembered = self._remembered.get(key)
        if remembered is not None and self._clock.monotonic() < remembered[1]:
            return remembered[0]
        generation = self._generation
        now = to_millis(self._clock.now())
        found = await self._database.read(_look_up, value, now)
        if found is None:
            return None
        principal, expires_at, last_used_at = found
        if principal.token_id is not None and now - last_used_at >= TOUCH_EVERY:
            await self._touch(principal.token_id, now)
        # An answer read before a change must not be remembered after it.
        if generation == self._generation:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered = {}
            life = min(REMEMBERED_SECONDS, (expires_at - now).total_seconds())
            self._remembered[key] = (principal, self._clock.monotonic() + life)
        return principal

    async def _touch(self, token_id: int, now: datetime) -> None:
        async def touch(tx: Tx) -> int:
            return await tx.run(_TOUCH, {"token_id": token_id, "at": now})

        try:
            await self._database.write(touch)
        except Unavailable as error:
            _log.warning("the last use of token %s was not noted: %s", token_id, error)


def _key(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()


async def _look_up(tx: Tx, value: str, now: datetime) -> tuple[Principal, datetime, datetime] | None:
    """Who, until when at most, and when last seen (never: long ago)."""
    row = await tx.first(_BY_HASH, {"hash": token_rows.token_hash(value), "now": now})
    if row is None:
        return None
    token_id, kind, scope, created_at, expires_at, last_used_at, user_id, name, superuser, own = row
    if kind == "session":
        expires_at = min(expires_at, (last_used_at or created_at) + IDLE_TTL)
        if expires_at <= now:
            return None
    principal = Principal(
        name=name,
        permissions=await permissions_of(tx, user_id, own),
        superuser=bool(superuser),
        kind="session" if kind == "session" else "token",
        scope=None if scope is None else permission_list(scope),
        user_id=user_id,
        token_id=token_id,
    )
    return principal, expires_at, last_used_at or created_at - TOUCH_EVERY
