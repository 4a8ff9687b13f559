"""The audit trail: who did what to what, written in the transaction of the act itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from liberty.auth.principal import Principal
from liberty.auth.tables import audit
from liberty.clock import to_millis
from liberty.database import Row, Tx
from liberty.errors import Invalid

type Actor = Principal | str
"""A known caller, or the name of a part of the system that acts by itself, such as `system`."""

MAX_PAGE = 1000

_RECORD = insert(audit).values(
    {
        name: bindparam(name)
        for name in ("at", "actor", "actor_kind", "action", "object", "details", "address")
    }
)
_NEWEST = select(audit).order_by(audit.c.id.desc()).limit(bindparam("page"))
_OLDER = _NEWEST.where(audit.c.id < bindparam("before"))
_NARROWED = {
    "actor": audit.c.actor == bindparam("actor"),
    "object": audit.c.object == bindparam("object"),
    "action": audit.c.action == bindparam("action"),
}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act."""

    id: int
    at: datetime
    actor: str
    actor_kind: str
    action: str
    object: str
    details: dict[str, Any]
    address: str | None


def actor_name(actor: Actor) -> str:
    return actor if isinstance(actor, str) else actor.name


async def record(
    tx: Tx,
    *,
    at: datetime,
    actor: Actor,
    action: str,
    object: str,  # noqa: A002 - the column's and the API's word
    details: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> None:
    """Write one row, secrets in `details` masked. `object` reads `<kind>:<name>`, such as `job:nightly`."""
    from liberty.secrets import redactor

    row = {
        "at": to_millis(at),
        "actor": actor_name(actor),
        "actor_kind": "system" if isinstance(actor, str) else actor.kind,
        "action": action,
        "object": object,
        "details": json.dumps(redactor.redact_value(dict(details or {})), default=str),
        "address": address,
    }
    await tx.add(_RECORD, [row])


async def entries(
    tx: Tx,
    *,
    before: int | None = None,
    limit: int = 100,
    actor: str | None = None,
    object: str | None = None,  # noqa: A002 - the column's and the API's word
    action: str | None = None,
) -> list[AuditEntry]:
    """The newest first; `before` is the id of the last one already seen.

    Raises Invalid when the limit is not within 1 to 1000.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"limit is {limit}; it must lie between 1 and {MAX_PAGE}")
    if any("\x00" in text for text in (actor, object, action) if text is not None):
        return []  # no row can hold it, and PostgreSQL refuses to look for it
    statement = _NEWEST if before is None else _OLDER
    wanted = {"actor": actor, "object": object, "action": action}
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(_NARROWED[name])
    params = {name: value for name, value in wanted.items() if value is not None}
    rows = await tx.all(
        statement, {**params, "page": limit, **({} if before is None else {"before": before})}
    )
    return [_entry(row) for row in rows]


def _entry(row: Row) -> AuditEntry:
    number, at, actor, actor_kind, action, object_, details, address = row
    return AuditEntry(number, at, actor, actor_kind, action, object_, json.loads(details), address)
