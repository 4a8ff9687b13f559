"""The tables of people and their rights, and of what they did: users, roles, tokens, audit."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
)

from liberty.database.types import BigId, Instant

metadata = MetaData()


def _user_id(*, primary_key: bool = False) -> Column[int]:
    return Column(
        "user_id",
        BigId,
        ForeignKey("ly2_users.id", ondelete="CASCADE"),
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
    )


users = Table(
    "ly2_users",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),  # NULL: signs in elsewhere, never with a password here
    Column("active", Boolean, nullable=False),
    Column("superuser", Boolean, nullable=False),
    Column("provider", Text, nullable=False),
    Column("permissions", Text, nullable=False),  # JSON list, on top of what the roles give
    Column("version", Integer, nullable=False),  # sessions and sign-in tokens of an older version are void
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("last_sign_in_at", Instant),
)
Index("ly2_users_name", func.lower(users.c.name), unique=True)

roles = Table(
    "ly2_roles",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("permissions", Text, nullable=False),  # JSON list
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
Index("ly2_roles_name", func.lower(roles.c.name), unique=True)

user_roles = Table(
    "ly2_user_roles",
    metadata,
    _user_id(primary_key=True),
    Column(
        "role_id",
        BigId,
        ForeignKey("ly2_roles.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        nullable=False,
    ),
)
Index("ly2_user_roles_role", user_roles.c.role_id)

tokens = Table(
    "ly2_api_tokens",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", Text, nullable=False),  # api | access | refresh | session | link
    _user_id(),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),  # the first characters, to recognise it by
    Column("hash", Text, nullable=False),  # SHA-256 in hex; the token itself is never stored
    Column("permissions", Text),  # JSON list narrowing the owner's; NULL: all the owner may do
    Column("user_version", Integer, nullable=False),
    Column("family", Text),  # the sign-in that access and refresh tokens descend from
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("used_at", Instant),  # refresh tokens and links: spent
    Column("revoked_at", Instant),
)
Index("ly2_api_tokens_hash", tokens.c.hash, unique=True)
Index("ly2_api_tokens_user", tokens.c.user_id, tokens.c.kind)
Index("ly2_api_tokens_family", tokens.c.family)
Index("ly2_api_tokens_expires", tokens.c.expires_at)

audit = Table(
    "ly2_audit",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),  # session | token | cli | system
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON object, secrets masked
    Column("address", Text),
)
Index("ly2_audit_at", audit.c.at)
Index("ly2_audit_object", audit.c.object, audit.c.id)
Index("ly2_audit_actor", audit.c.actor, audit.c.id)
