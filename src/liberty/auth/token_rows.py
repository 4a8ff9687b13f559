"""Tokens as rows: how their texts are made and hashed, and the statements on `ly2_api_tokens`.

A token is 256 random bits. Only its SHA-256 is stored, so reading the database gives nobody a way in.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, delete, insert, select, update

from liberty.auth.tables import tokens, users
from liberty.database import Tx

type TokenKind = Literal["api", "access", "refresh", "session", "link"]

_MARKS: dict[TokenKind, str] = {
    "api": "nfa_",
    "access": "nft_",
    "refresh": "nfr_",
    "session": "nfs_",
    "link": "nfl_",
}
_SHOWN = 10  # characters stored for recognising a token: its mark and 36 of its 256 bits


_ADD = (
    insert(tokens)
    .values(
        {
            name: bindparam(name)
            for name in (
                *("kind", "user_id", "name", "prefix", "hash", "permissions"),
                *("user_version", "family", "created_by", "created_at", "expires_at"),
            )
        }
    )
    .returning(tokens.c.id)
)
_BY_HASH = (
    select(
        tokens.c.id,
        tokens.c.kind,
        tokens.c.family,
        tokens.c.used_at,
        tokens.c.user_id,
        tokens.c.user_version,
        users.c.name,
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
_SPEND = (
    update(tokens)
    .where(tokens.c.id == bindparam("token_id"), tokens.c.used_at.is_(None), tokens.c.revoked_at.is_(None))
    .values(used_at=bindparam("at"))
)
_REVOKE = update(tokens).where(tokens.c.revoked_at.is_(None)).values(revoked_at=bindparam("at"))
_REVOKE_ONE = _REVOKE.where(tokens.c.id == bindparam("token_id"))
_REVOKE_FAMILY = _REVOKE.where(tokens.c.family == bindparam("family_id"))
_REVOKE_SIGN_INS = _REVOKE.where(tokens.c.user_id == bindparam("owner_id"), tokens.c.kind != "api")
_DROP_EXPIRED = delete(tokens).where(tokens.c.expires_at < bindparam("before"))


def token_hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def looks_like(value: str, *kinds: TokenKind) -> bool:
    """Whether the text looks like a token of one of these kinds, so that other text need not be looked up."""
    return len(value) < 128 and value.isascii() and value.startswith(tuple(_MARKS[kind] for kind in kinds))


async def add(
    tx: Tx,
    kind: TokenKind,
    *,
    user_id: int,
    user_version: int,
    at: datetime,
    ttl: timedelta,
    name: str = "",
    permissions: tuple[str, ...] | None = None,
    family: str | None = None,
    created_by: str,
) -> tuple[int, str]:
    """Store a new token; its id, and its text, which is nowhere else."""
    value = _MARKS[kind] + secrets.token_urlsafe(32)
    number: int = await tx.scalar(
        _ADD,
        {
            "kind": kind,
            "user_id": user_id,
            "name": name,
            "prefix": value[:_SHOWN],
            "hash": token_hash(value),
            "permissions": None if permissions is None else json.dumps(permissions),
            "user_version": user_version,
            "family": family,
            "created_by": created_by,
            "created_at": at,
            "expires_at": at + ttl,
        },
    )
    return number, value


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that is neither expired nor revoked, of a user who may sign in."""

    id: int
    kind: str
    family: str | None
    used: bool
    user_id: int
    user_version: int
    user_name: str


async def find_live(tx: Tx, value: str, now: datetime) -> LiveToken | None:
    row = await tx.first(_BY_HASH, {"hash": token_hash(value), "now": now})
    if row is None:
        return None
    number, kind, family, used_at, user_id, user_version, user_name = row
    return LiveToken(number, kind, family, used_at is not None, user_id, user_version, user_name)


async def spend(tx: Tx, token_id: int, at: datetime) -> bool:
    """Mark a single-use token as used; False when somebody else did."""
    return await tx.run(_SPEND, {"token_id": token_id, "at": at}) == 1


async def revoke_one(tx: Tx, token_id: int, at: datetime) -> bool:
    """False when it was revoked before."""
    return await tx.run(_REVOKE_ONE, {"token_id": token_id, "at": at}) == 1


async def revoke(tx: Tx, token: LiveToken, at: datetime) -> None:
    """Revoke a token, with all that came from the same sign-in."""
    if token.family is None:
        await revoke_one(tx, token.id, at)
    else:
        await tx.run(_REVOKE_FAMILY, {"family_id": token.family, "at": at})


async def revoke_sign_ins(tx: Tx, user_id: int, at: datetime) -> None:
    """End every session, token pair and link of a user; API tokens stay."""
    await tx.run(_REVOKE_SIGN_INS, {"owner_id": user_id, "at": at})


async def drop_expired(tx: Tx, before: datetime) -> int:
    return await tx.run(_DROP_EXPIRED, {"before": before})
