"""Bearer tokens: pairs from a sign-in (access and refresh) and the scoped, expiring API tokens of machines."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select

from liberty.auth import audit, token_rows
from liberty.auth.principal import checked_permissions
from liberty.auth.tables import tokens, users
from liberty.auth.users import User, checked_name, is_name, permission_list
from liberty.auth.users import get as get_user
from liberty.clock import Clock, rfc3339, to_millis
from liberty.database import Database, Row, Tx
from liberty.errors import Invalid, NotFound, Unauthenticated

ACCESS_TTL = timedelta(minutes=15)
REFRESH_TTL = timedelta(days=7)
API_TTL = timedelta(days=90)
MAX_API_TTL = timedelta(days=3660)
_REFUSED = "this refresh token is not valid, has expired or was revoked; sign in again"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in gives a program. `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A machine's token, without its secret. `permissions` None: all that its owner may do."""

    id: int
    name: str
    owner: str
    prefix: str
    permissions: tuple[str, ...] | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


_API = (
    select(
        tokens.c.id,
        tokens.c.name,
        users.c.name,
        tokens.c.prefix,
        tokens.c.permissions,
        tokens.c.created_by,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.last_used_at,
        tokens.c.revoked_at,
    )
    .join(users, users.c.id == tokens.c.user_id)
    .where(tokens.c.kind == "api")
    .order_by(tokens.c.id)
)
_API_OF = _API.where(func.lower(users.c.name) == bindparam("key"))
_API_ONE = _API.where(tokens.c.id == bindparam("token_id"))


def _api_token(row: Row) -> ApiToken:
    number, name, owner, prefix, permissions, *rest = row
    scope = None if permissions is None else permission_list(permissions)
    return ApiToken(number, name, owner, prefix, scope, *rest)


class Tokens:
    """Issues, renews and revokes. `changed` is called after every revocation, to drop what is cached."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        changed: Callable[[], None],
        *,
        access_ttl: timedelta = ACCESS_TTL,
        refresh_ttl: timedelta = REFRESH_TTL,
    ) -> None:
        self._database = database
        self._clock = clock
        self._changed = changed
        self._access_ttl = access_ttl
        self._refresh_ttl = refresh_ttl

    def _now(self) -> datetime:
        return to_millis(self._clock.now())

    async def issue_pair(self, user: User) -> TokenPair:
        """Access and refresh tokens for someone who has just signed in; void if their `version` moved on."""
        family = secrets.token_hex(16)
        return await self._database.write(self._pair, user.id, user.version, user.name, family)

    async def _pair(self, tx: Tx, user_id: int, version: int, name: str, family: str) -> TokenPair:
        async def one(kind: token_rows.TokenKind, ttl: timedelta) -> str:
            _, value = await token_rows.add(
                tx,
                kind,
                user_id=user_id,
                user_version=version,
                at=self._now(),
                ttl=ttl,
                family=family,
                created_by=name,
            )
            return value

        access = await one("access", self._access_ttl)
        refresh = await one("refresh", self._refresh_ttl)
        return TokenPair(access, refresh, int(self._access_ttl.total_seconds()))

    async def refresh(self, refresh_token: str, *, address: str | None = None) -> TokenPair:
        """A new pair for a refresh token, which is spent by it.

        A spent one coming back means that somebody has a copy: all that came from its sign-in is revoked.
        Raises Unauthenticated.
        """
        reused = False

        async def renew(tx: Tx) -> TokenPair | None:
            nonlocal reused
            at = self._now()
            token = await token_rows.find_live(tx, refresh_token, at)
            if token is None or token.kind != "refresh" or token.family is None:
                return None
            if not await token_rows.spend(tx, token.id, at):
                reused = True
                await token_rows.revoke(tx, token, at)
                await audit.record(
                    tx,
                    at=at,
                    actor="system",
                    action="session.reused",
                    object=f"user:{token.user_name}",
                    details={"why": "a spent refresh token came back; its sign-in was ended"},
                    address=address,
                )
                return None
            return await self._pair(tx, token.user_id, token.user_version, token.user_name, token.family)

        if not token_rows.looks_like(refresh_token, "refresh"):
            raise Unauthenticated(_REFUSED)
        pair = await self._database.write(renew)
        if reused:
            self._changed()
        if pair is None:
            raise Unauthenticated(_REFUSED)
        return pair

    async def create_api_token(
        self,
        owner: str,
        name: str,
        *,
        permissions: Iterable[str] | None,
        expires_in: timedelta = API_TTL,
        actor: audit.Actor,
        address: str | None = None,
    ) -> tuple[ApiToken, str]:
        """A token for a machine that acts as `owner`, narrowed to `permissions` (None: all the owner may do).

        The text is returned once. Raises NotFound for the owner, Invalid for a name, permission or life.
        """
        checked_name(name, "token")
        scope = None if permissions is None else checked_permissions(permissions)
        if scope == ():
            raise Invalid("a token without permissions can do nothing; name at least one")
        if not timedelta(0) < expires_in <= MAX_API_TTL:
            raise Invalid(f"a token lives more than 0 and at most {MAX_API_TTL.days} days, not {expires_in}")

        async def create(tx: Tx) -> tuple[ApiToken, str]:
            at = self._now()
            user = await get_user(tx, owner)
            number, value = await token_rows.add(
                tx,
                "api",
                user_id=user.id,
                user_version=user.version,
                at=at,
                ttl=expires_in,
                name=name,
                permissions=scope,
                created_by=audit.actor_name(actor),
            )
            await audit.record(
                tx,
                at=at,
                actor=actor,
                action="api_token.create",
                object=f"user:{user.name}",
                details={
                    "id": number,
                    "name": name,
                    "permissions": scope,
                    "expires_at": rfc3339(at + expires_in),
                },
                address=address,
            )
            return await self._one(tx, number), value

        return await self._database.write(create)

    @staticmethod
    async def _one(tx: Tx, token_id: int) -> ApiToken:
        row = await tx.first(_API_ONE, {"token_id": token_id})
        if row is None:
            raise NotFound(f"no API token {token_id}")
        return _api_token(row)

    async def list_api_tokens(self, owner: str | None = None) -> list[ApiToken]:
        """Everybody's, or one owner's; revoked and expired ones too, until they are dropped."""

        async def listed(tx: Tx) -> list[ApiToken]:
            if owner is not None and not is_name(owner):
                return []
            rows = await (tx.all(_API) if owner is None else tx.all(_API_OF, {"key": owner.lower()}))
            return [_api_token(row) for row in rows]

        return await self._database.read(listed)

    async def revoke_api_token(
        self, token_id: int, *, actor: audit.Actor, owner: str | None = None, address: str | None = None
    ) -> None:
        """End a token at once; again changes nothing. Raises NotFound, also when it is not `owner`'s."""

        async def end(tx: Tx) -> None:
            token = await self._one(tx, token_id)
            if owner is not None and token.owner.lower() != owner.lower():
                raise NotFound(f"no API token {token_id}")
            at = self._now()
            if await token_rows.revoke_one(tx, token_id, at):
                await audit.record(
                    tx,
                    at=at,
                    actor=actor,
                    action="api_token.revoke",
                    object=f"user:{token.owner}",
                    details={"id": token_id, "name": token.name},
                    address=address,
                )

        await self._database.write(end)
        self._changed()

    async def drop_expired(self) -> int:
        """Delete what nobody can use any more; how many."""
        return await self._database.write(token_rows.drop_expired, self._now())
