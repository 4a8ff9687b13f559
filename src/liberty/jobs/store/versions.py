"""Every definition a run may have been made from, numbered 1..n per job."""

from datetime import datetime

from sqlalchemy import bindparam, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.tables import versions

_NEWEST = (
    select(versions.c.version, versions.c.fingerprint)
    .where(versions.c.job == bindparam("job"))
    .order_by(versions.c.version.desc())
    .limit(1)
)
_ADD = (
    insert(versions)
    .values({name: bindparam(name) for name in ("job", "version", "fingerprint", "definition", "loaded_at")})
    .on_conflict_do_nothing()
)
_GET = select(versions.c.definition).where(
    versions.c.job == bindparam("job"), versions.c.version == bindparam("version")
)

_LOADED = (
    select(versions.c.version, versions.c.loaded_at, versions.c.definition)
    .where(versions.c.job == bindparam("job"))
    .order_by(versions.c.version.desc())
    .limit(bindparam("count"))
)


_OLDER = (
    select(versions.c.version, versions.c.loaded_at, versions.c.definition)
    .where(versions.c.job == bindparam("job"), versions.c.version < bindparam("before"))
    .order_by(versions.c.version.desc())
    .limit(bindparam("count"))
)
_FIRST_BEFORE = 2**31 - 1


async def page(tx: Tx, job: str, limit: int, before: int | None = None) -> list[tuple[int, datetime, str]]:
    """Definitions older than version `before`, newest first: number, when it was loaded first, canonical JSON."""
    values = {"job": job, "count": limit, "before": _FIRST_BEFORE if before is None else before}
    return [(row[0], row[1], row[2]) for row in await tx.all(_OLDER, values)]


async def newest(tx: Tx, job: str, limit: int) -> list[tuple[int, datetime, str]]:
    """The last definitions of a job, newest first: number, when it was loaded first, canonical JSON."""
    return [(row[0], row[1], row[2]) for row in await tx.all(_LOADED, {"job": job, "count": limit})]


async def remember(tx: Tx, definitions: dict[str, tuple[str, str]], now: datetime) -> dict[str, int]:
    """The version of each job's `(fingerprint, definition)`: the newest one, or a new one when it changed."""
    numbers: dict[str, int] = {}
    for job, (fingerprint, definition) in sorted(definitions.items()):
        values = {"job": job, "fingerprint": fingerprint, "definition": definition, "loaded_at": now}
        while True:
            newest = await tx.first(_NEWEST, {"job": job})
            if newest is not None and newest[1] == fingerprint:
                numbers[job] = newest[0]
                break
            following = newest[0] + 1 if newest is not None else 1
            # Nothing is inserted when a server that starts at the same time was faster; its row is then the newest.
            await tx.run(_ADD, {**values, "version": following})
    return numbers


async def definition(tx: Tx, job: str, version: int) -> str | None:
    """The definition's canonical JSON, or None when that version was never loaded here."""
    found = await tx.scalar(_GET, {"job": job, "version": version})
    return None if found is None else str(found)
