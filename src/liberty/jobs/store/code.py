"""What code runs were made with: plugin files and libraries, kept once for all runs that had the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from liberty.database import Tx
from liberty.database.upsert import insert
from liberty.jobs.store.rows import dump
from liberty.jobs.store.tables import code


@dataclass(frozen=True, slots=True)
class Code:
    """Plugin files with a digest of each, installed libraries with their versions. `digest` is over all of it."""

    digest: str
    files: Mapping[str, str]
    libraries: Mapping[str, str]
    python: str


_REMEMBER = (
    insert(code)
    .values({name: bindparam(name) for name in ("digest", "files", "libraries", "python", "seen_at")})
    .on_conflict_do_nothing()
)
_GET = select(code.c.digest, code.c.files, code.c.libraries, code.c.python).where(
    code.c.digest == bindparam("digest")
)


async def remember(tx: Tx, found: Code, now: datetime) -> None:
    """Keep it, unless it is known."""
    values = {"files": dump(dict(found.files)), "libraries": dump(dict(found.libraries))}
    await tx.run(_REMEMBER, {"digest": found.digest, "python": found.python, "seen_at": now, **values})


async def get(tx: Tx, digest: str | None) -> Code | None:
    """The code of that digest; None when nobody kept it."""
    row = await tx.first(_GET, {"digest": digest}) if digest is not None else None
    return None if row is None else Code(row[0], json.loads(row[1]), json.loads(row[2]), row[3])
