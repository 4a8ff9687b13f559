"""The accounts service: users, roles, signing in, and who is asking. Every change writes its audit row."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from liberty.auth import audit, token_rows, users
from liberty.auth.authenticator import Authenticator
from liberty.auth.passwords import Passwords, checked_password, generated_password
from liberty.auth.principal import Principal, checked_permissions
from liberty.auth.sessions import Sessions
from liberty.auth.sign_in import SignIns
from liberty.auth.tokens import Tokens
from liberty.auth.users import Role, User, checked_name
from liberty.clock import Clock, to_millis
from liberty.database import Database, Tx
from liberty.database.base import Duplicate
from liberty.errors import Conflict, Invalid

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user who was just made; `password` is there only when it was generated, and nowhere else ever."""

    user: User
    password: str | None


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """Whether the first administrator was made just now, and the password if it was generated."""

    created: bool
    password: str | None


class Accounts:
    """People, machines and what they may do, in one database.

    `actor` is who asks for a change, `address` where from; both end up in the audit trail.
    """

    def __init__(self, database: Database, clock: Clock, *, passwords: Passwords | None = None) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._sign_ins = SignIns(database, clock, self._passwords)
        self.authenticator = Authenticator(database, clock)
        self.tokens = Tokens(database, clock, self.authenticator.forget)
        self.sessions = Sessions(database, clock, self.authenticator.forget)

    def close(self) -> None:
        self._passwords.close()

    async def authenticate_bearer(self, token: str) -> Principal | None:
        """Who an access or API token speaks for, or None."""
        return await self.authenticator.bearer(token)

    async def authenticate_session(self, value: str) -> Principal | None:
        """Who a session cookie speaks for, or None."""
        return await self.authenticator.session(value)

    async def sign_in(self, name: str, password: str, *, address: str | None = None) -> User:
        """The user whose password this is; open a session or issue tokens with it next.

        Raises Unauthenticated, or TooMany with `retry_after_seconds`.
        """
        return await self._sign_ins.sign_in(name, password, address)

    async def ensure_admin(self, password: str | None = None) -> FirstAdmin:
        """Make the first administrator, `admin`, when there is no user at all. Safe when replicas start at once."""
        if await self._database.read(users.anybody):
            return FirstAdmin(created=False, password=None)
        try:
            made = await self.create_user(ADMIN, password or None, superuser=True)
        except Duplicate:
            return FirstAdmin(created=False, password=None)
        return FirstAdmin(created=True, password=made.password)

    async def create_user(
        self,
        name: str,
        password: str | None = None,
        *,
        roles: Iterable[str] = (),
        permissions: Iterable[str] = (),
        superuser: bool = False,
        provider: str = "local",
        actor: audit.Actor = "system",
        address: str | None = None,
    ) -> NewUser:
        """A new user; without a password one is generated, unless the provider is another than `local`.

        Raises Invalid for a name, password or permission, NotFound for a role, Duplicate when the name is taken.
        """
        checked_name(name, "user")
        patterns = checked_permissions(permissions)
        role_names = tuple(roles)
        generated = generated_password() if password is None and provider == "local" else None
        chosen = generated if password is None else checked_password(password)
        stored = None if chosen is None else await self._passwords.hash(chosen)

        async def create(tx: Tx) -> User:
            at = self._now()
            if await users.find_with_hash(tx, name) is not None:
                raise Duplicate(f"there is already a user {name!r}")
            number = await users.add(
                tx,
                name=name,
                password_hash=stored,
                superuser=superuser,
                provider=provider,
                permissions=patterns,
                at=at,
            )
            await users.give_roles(tx, number, role_names)
            details = {"superuser": superuser, "roles": role_names, "permissions": patterns}
            await self._record(tx, "user.create", f"user:{name}", details, actor, address)
            return await users.get(tx, name)

        try:
            user = await self._database.write(create)
        except Duplicate as error:
            raise Duplicate(f"there is already a user {name!r}") from error
        return NewUser(user, generated)

    async def get_user(self, name: str) -> User:
        """Raises NotFound, with the nearest name."""
        return await self._database.read(users.get, name)

    async def list_users(self) -> list[User]:
        return await self._database.read(users.list_users)

    async def set_password(
        self,
        name: str,
        password: str | None = None,
        *,
        actor: audit.Actor = "system",
        address: str | None = None,
    ) -> str | None:
        """Another password; the generated one when none is given. Everything signed in must sign in again.

        Raises NotFound, Invalid.
        """
        generated = generated_password() if password is None else None
        stored = await self._passwords.hash(generated or checked_password(password or ""))

        async def change(tx: Tx, user: User) -> None:
            await users.set_password(tx, user.id, stored, self._now())
            await token_rows.revoke_sign_ins(tx, user.id, self._now())

        await self._change_user(name, change, "user.password", {}, actor, address)
        return generated

    async def set_active(
        self, name: str, *, active: bool, actor: audit.Actor = "system", address: str | None = None
    ) -> None:
        """Let someone in again, or lock them out at once, API tokens included.

        Raises NotFound, and Conflict for the last active superuser.
        """

        async def change(tx: Tx, user: User) -> None:
            if not active:
                await self._keep_one_ruler(tx, user)
            await users.set_active(tx, user.id, active=active, at=self._now())
            await token_rows.revoke_sign_ins(tx, user.id, self._now())

        await self._change_user(name, change, "user.active", {"active": active}, actor, address)

    async def set_superuser(
        self, name: str, *, superuser: bool, actor: audit.Actor = "system", address: str | None = None
    ) -> None:
        """Raises NotFound, and Conflict for the last active superuser."""

        async def change(tx: Tx, user: User) -> None:
            if not superuser:
                await self._keep_one_ruler(tx, user)
            await users.set_superuser(tx, user.id, superuser=superuser, at=self._now())

        await self._change_user(name, change, "user.superuser", {"superuser": superuser}, actor, address)

    async def set_roles(
        self, name: str, roles: Iterable[str], *, actor: audit.Actor = "system", address: str | None = None
    ) -> None:
        """Exactly these roles. Raises NotFound for the user or a role."""
        wanted = tuple(roles)

        async def change(tx: Tx, user: User) -> None:
            await users.give_roles(tx, user.id, wanted)

        await self._change_user(name, change, "user.roles", {"roles": wanted}, actor, address)

    async def set_permissions(
        self,
        name: str,
        permissions: Iterable[str],
        *,
        actor: audit.Actor = "system",
        address: str | None = None,
    ) -> None:
        """Exactly these, on top of what the roles give. Raises NotFound, Invalid."""
        patterns = checked_permissions(permissions)

        async def change(tx: Tx, user: User) -> None:
            await users.set_permissions(tx, user.id, patterns, self._now())

        await self._change_user(name, change, "user.permissions", {"permissions": patterns}, actor, address)

    async def _change_user(
        self,
        name: str,
        change: Callable[[Tx, User], Awaitable[None]],
        action: str,
        details: Mapping[str, Any],
        actor: audit.Actor,
        address: str | None,
    ) -> None:
        async def run(tx: Tx) -> None:
            user = await users.get(tx, name)
            await change(tx, user)
            await self._record(tx, action, f"user:{user.name}", details, actor, address)

        await self._database.write(run)
        self.authenticator.forget()

    async def _keep_one_ruler(self, tx: Tx, user: User) -> None:
        if user.active and user.superuser and await users.is_last_ruler(tx, user.id):
            raise Conflict(f"{user.name!r} is the last active superuser; make another one first")

    # Roles

    async def list_roles(self) -> list[Role]:
        return await self._database.read(users.list_roles)

    async def save_role(
        self,
        name: str,
        permissions: Iterable[str],
        *,
        description: str = "",
        actor: audit.Actor = "system",
        address: str | None = None,
    ) -> Role:
        """Change the role of this name, or add it. Raises Invalid."""
        if "\x00" in description:
            raise Invalid("the description holds a NUL character")
        role = Role(checked_name(name, "role"), description, checked_permissions(permissions))

        async def save(tx: Tx) -> None:
            await users.save_role(tx, role, self._now())
            details = {"permissions": role.permissions}
            await self._record(tx, "role.save", f"role:{role.name}", details, actor, address)

        await self._database.write(save)
        self.authenticator.forget()
        return role

    async def delete_role(
        self, name: str, *, actor: audit.Actor = "system", address: str | None = None
    ) -> None:
        """Take it away from everybody who has it. Raises NotFound."""

        async def drop(tx: Tx) -> None:
            await users.drop_role(tx, name)
            await self._record(tx, "role.delete", f"role:{name}", {}, actor, address)

        await self._database.write(drop)
        self.authenticator.forget()

    # The trail

    async def audit_entries(
        self,
        *,
        before: int | None = None,
        limit: int = 100,
        actor: str | None = None,
        object: str | None = None,  # noqa: A002 - the column's and the API's word
        action: str | None = None,
    ) -> list[audit.AuditEntry]:
        """The newest first; `before` is the id of the last one already seen. Raises Invalid for the limit."""
        return await self._database.read(
            audit.entries, before=before, limit=limit, actor=actor, object=object, action=action
        )

    async def _record(
        self,
        tx: Tx,
        action: str,
        about: str,
        details: Mapping[str, Any],
        actor: audit.Actor,
        address: str | None,
    ) -> None:
        await audit.record(
            tx, at=self._now(), actor=actor, action=action, object=about, details=details, address=address
        )

    def _now(self) -> datetime:
        return to_millis(self._clock.now())
