"""People and roles as rows: the statements on `ly2_users`, `ly2_roles` and `ly2_user_roles`."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from liberty.auth.tables import roles, user_roles, users
from liberty.database import Row, Tx
from liberty.errors import Invalid, NotFound, did_you_mean

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,126}", re.ASCII)
# Names that runs and audit rows give to parts of the system.
_RESERVED = frozenset({"api", "cli", "cron", "system"})


@dataclass(frozen=True, slots=True)
class User:
    """A person or a machine account. `version` grows when everything signed in must sign in again."""

    id: int
    name: str
    active: bool
    superuser: bool
    provider: str
    permissions: tuple[str, ...]
    roles: tuple[str, ...]
    version: int
    created_at: datetime
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Role:
    """A named list of permissions."""

    name: str
    description: str
    permissions: tuple[str, ...]


def _insert(table: Any, *columns: str) -> Any:
    return insert(table).values({name: bindparam(name) for name in columns}).returning(table.c.id)


_USER_COLUMNS = (
    users.c.id,
    users.c.name,
    users.c.active,
    users.c.superuser,
    users.c.provider,
    users.c.permissions,
    users.c.version,
    users.c.created_at,
    users.c.last_sign_in_at,
)
_ALL = select(*_USER_COLUMNS).order_by(func.lower(users.c.name))
_BY_NAME = select(*_USER_COLUMNS, users.c.password_hash).where(func.lower(users.c.name) == bindparam("key"))
_ANY = select(users.c.id).limit(1)
_ADD = _insert(
    users,
    *("name", "password_hash", "active", "superuser", "provider"),
    *("permissions", "version", "created_at", "updated_at"),
)
_THIS_USER = update(users).where(users.c.id == bindparam("user_id")).values(updated_at=bindparam("at"))
_SET_PASSWORD = _THIS_USER.values(password_hash=bindparam("password_hash"), version=users.c.version + 1)
_REHASH = _THIS_USER.values(password_hash=bindparam("password_hash"))
_SET_ACTIVE = _THIS_USER.values(active=bindparam("active"), version=users.c.version + 1)
_SET_SUPERUSER = _THIS_USER.values(superuser=bindparam("superuser"))
_SET_PERMISSIONS = _THIS_USER.values(permissions=bindparam("permissions"))
_SIGNED_IN = (
    update(users)
    .where(
        users.c.id == bindparam("user_id"),
        users.c.version == bindparam("version"),
        users.c.active.is_(True),
    )
    .values(last_sign_in_at=bindparam("at"))
)
_RULERS = (
    select(users.c.id)
    .where(users.c.active.is_(True), users.c.superuser.is_(True))
    .order_by(users.c.id)
    .with_for_update()
)

_ROLE_NAMES = (
    select(user_roles.c.user_id, roles.c.name)
    .join(roles, roles.c.id == user_roles.c.role_id)
    .order_by(func.lower(roles.c.name))
)
_ROLE_NAMES_OF = _ROLE_NAMES.where(user_roles.c.user_id == bindparam("user_id"))
_ROLE_PERMISSIONS_OF = (
    select(roles.c.permissions)
    .join(user_roles, roles.c.id == user_roles.c.role_id)
    .where(user_roles.c.user_id == bindparam("user_id"))
    .order_by(roles.c.id)
)
_DROP_ROLES_OF = delete(user_roles).where(user_roles.c.user_id == bindparam("user_id"))
_GIVE_ROLE = insert(user_roles).values(user_id=bindparam("user_id"), role_id=bindparam("role_id"))

_ALL_ROLES = select(roles.c.name, roles.c.description, roles.c.permissions, roles.c.id).order_by(
    func.lower(roles.c.name)
)
_ADD_ROLE = _insert(roles, "name", "description", "permissions", "created_at", "updated_at")
_CHANGE_ROLE = (
    update(roles)
    .where(func.lower(roles.c.name) == bindparam("key"))
    .values(
        description=bindparam("description"), permissions=bindparam("permissions"), updated_at=bindparam("at")
    )
)
_DROP_ROLE = delete(roles).where(func.lower(roles.c.name) == bindparam("key"))


def is_name(name: str) -> bool:
    """Whether anybody or anything can be called so; other text need not reach the database."""
    return _NAME.fullmatch(name) is not None


def checked_name(name: str, what: str) -> str:
    """The name itself. Raises Invalid when it is not letters, digits and `._@+-`, or is reserved."""
    if not is_name(name):
        raise Invalid(f"not a {what} name: {name[:127]!r}; use 1 to 127 letters, digits and any of . _ @ + -")
    if name.lower() in _RESERVED:
        raise Invalid(f"{name!r} is the name of a part of the system; choose another {what} name")
    return name


def permission_list(text: str | None) -> tuple[str, ...]:
    """The patterns in a JSON column."""
    return tuple(json.loads(text)) if text else ()


def _user(row: Row, role_names: Iterable[str]) -> User:
    number, name, active, superuser, provider, permissions, version, created_at, last_sign_in_at = row[:9]
    return User(
        id=number,
        name=name,
        active=bool(active),
        superuser=bool(superuser),
        provider=provider,
        permissions=permission_list(permissions),
        roles=tuple(role_names),
        version=version,
        created_at=created_at,
        last_sign_in_at=last_sign_in_at,
    )


async def anybody(tx: Tx) -> bool:
    return await tx.first(_ANY) is not None


async def list_users(tx: Tx) -> list[User]:
    role_names: dict[int, list[str]] = {}
    for user_id, role in await tx.all(_ROLE_NAMES):
        role_names.setdefault(user_id, []).append(role)
    return [_user(row, role_names.get(row[0], ())) for row in await tx.all(_ALL)]


async def find_with_hash(tx: Tx, name: str) -> tuple[User, str | None] | None:
    """The user and the stored password hash, or None."""
    if not is_name(name):
        return None
    row = await tx.first(_BY_NAME, {"key": name.lower()})
    if row is None:
        return None
    role_names = [role for _, role in await tx.all(_ROLE_NAMES_OF, {"user_id": row[0]})]
    return _user(row, role_names), row[9]


async def get(tx: Tx, name: str) -> User:
    """Raises NotFound, with the nearest name."""
    found = await find_with_hash(tx, name)
    if found is None:
        known = [row[1] for row in await tx.all(_ALL)]
        raise NotFound(f"no user {name!r}{did_you_mean(name, known)}")
    return found[0]


async def permissions_of(tx: Tx, user_id: int, own: str) -> tuple[str, ...]:
    """The user's own patterns (`own`, as stored) and those of every role, without repeats."""
    patterns = dict.fromkeys(permission_list(own))
    for (text,) in await tx.all(_ROLE_PERMISSIONS_OF, {"user_id": user_id}):
        patterns.update(dict.fromkeys(permission_list(text)))
    return tuple(patterns)


async def add(
    tx: Tx,
    *,
    name: str,
    password_hash: str | None,
    superuser: bool,
    provider: str,
    permissions: tuple[str, ...],
    at: datetime,
) -> int:
    """Raises Duplicate when the name is taken."""
    number: int = await tx.scalar(
        _ADD,
        {
            "name": name,
            "password_hash": password_hash,
            "active": True,
            "superuser": superuser,
            "provider": provider,
            "permissions": json.dumps(permissions),
            "version": 1,
            "created_at": at,
            "updated_at": at,
        },
    )
    return number


async def set_password(tx: Tx, user_id: int, password_hash: str, at: datetime) -> None:
    await tx.run(_SET_PASSWORD, {"user_id": user_id, "password_hash": password_hash, "at": at})


async def rehash(tx: Tx, user_id: int, password_hash: str, at: datetime) -> None:
    await tx.run(_REHASH, {"user_id": user_id, "password_hash": password_hash, "at": at})


async def set_active(tx: Tx, user_id: int, *, active: bool, at: datetime) -> None:
    await tx.run(_SET_ACTIVE, {"user_id": user_id, "active": active, "at": at})


async def set_superuser(tx: Tx, user_id: int, *, superuser: bool, at: datetime) -> None:
    await tx.run(_SET_SUPERUSER, {"user_id": user_id, "superuser": superuser, "at": at})


async def set_permissions(tx: Tx, user_id: int, permissions: tuple[str, ...], at: datetime) -> None:
    await tx.run(_SET_PERMISSIONS, {"user_id": user_id, "permissions": json.dumps(permissions), "at": at})


async def signed_in(tx: Tx, user: User, at: datetime) -> bool:
    """Note the sign-in; False when the user was disabled or given another password since it was read."""
    return await tx.run(_SIGNED_IN, {"user_id": user.id, "version": user.version, "at": at}) == 1


async def is_last_ruler(tx: Tx, user_id: int) -> bool:
    """Whether this is the only active superuser; locks those there are until the transaction ends."""
    return [row[0] for row in await tx.all(_RULERS)] == [user_id]


async def give_roles(tx: Tx, user_id: int, names: Iterable[str]) -> None:
    """Exactly these roles. Raises NotFound for one that does not exist."""
    known = {row[0].lower(): row[3] for row in await tx.all(_ALL_ROLES)}
    wanted = list(dict.fromkeys(name.lower() for name in names))
    for name in wanted:
        if name not in known:
            raise NotFound(f"no role {name!r}{did_you_mean(name, known)}")
    await tx.run(_DROP_ROLES_OF, {"user_id": user_id})
    for name in wanted:
        await tx.run(_GIVE_ROLE, {"user_id": user_id, "role_id": known[name]})


async def list_roles(tx: Tx) -> list[Role]:
    return [Role(row[0], row[1], permission_list(row[2])) for row in await tx.all(_ALL_ROLES)]


async def save_role(tx: Tx, role: Role, at: datetime) -> None:
    """Change the role of this name, or add it. Raises Duplicate when another replica adds it meanwhile."""
    patterns = json.dumps(role.permissions)
    changed = await tx.run(
        _CHANGE_ROLE,
        {"key": role.name.lower(), "description": role.description, "permissions": patterns, "at": at},
    )
    if not changed:
        await tx.scalar(
            _ADD_ROLE,
            {
                "name": role.name,
                "description": role.description,
                "permissions": patterns,
                "created_at": at,
                "updated_at": at,
            },
        )


async def drop_role(tx: Tx, name: str) -> None:
    """Raises NotFound, with the nearest name."""
    if not is_name(name) or not await tx.run(_DROP_ROLE, {"key": name.lower()}):
        known = [row[0] for row in await tx.all(_ALL_ROLES)]
        raise NotFound(f"no role {name!r}{did_you_mean(name, known)}")
