"""Brings a database to the present schema: numbered SQL files, each applied once, under a lock, in one transaction.

Old and new version run side by side while replicas are restarted one after another. So a release only adds: its files
are called `NNNN_pre_…`, and a version that does not know them yet works on. What is removed goes into a file without
`pre`, one release later, and keeps older versions out.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, insert, select
from sqlalchemy.schema import CreateTable

from liberty.database.base import Database, Tx
from liberty.database.statements import DialectName, sqlalchemy_dialect
from liberty.database.types import Instant
from liberty.errors import Unavailable

_log = logging.getLogger("liberty.database")

_schema = Table(
    "ly2_schema",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
)
_ADDS_ONLY = "pre_"
_APPLIED = select(_schema.c.number, _schema.c.name)
_NOTE = insert(_schema).values({name: bindparam(name) for name in ("number", "name", "applied_at")})
_LOCK = "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(726301);"
"""Neither the wait for another program's migration nor a long change of a large table is an outage."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `database/migrations`, e.g. `0001_initial.sqlite.sql`."""

    number: int
    name: str
    sql: str


def migrations(dialect: DialectName) -> list[Migration]:
    """The migrations of a dialect, in order."""
    suffix = f".{dialect}.sql"
    found = []
    for entry in files("liberty.database").joinpath("migrations").iterdir():
        if entry.name.endswith(suffix):
            number, _, name = entry.name.removesuffix(suffix).partition("_")
            found.append(Migration(int(number), name, entry.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


async def migrate(database: Database, now: datetime) -> list[str]:
    """Apply what is missing; the names of what was applied. Safe to call from many processes at once.

    Raises Unavailable when the database was changed by a newer version in a way that this one might not survive.
    """
    return await database.write(_apply, database.dialect, now)


async def _apply(tx: Tx, dialect: DialectName, now: datetime) -> list[str]:
    if dialect == "postgresql":
        await tx.script(_LOCK)
    create = str(CreateTable(_schema, if_not_exists=True).compile(dialect=sqlalchemy_dialect(dialect)))
    await tx.script(f"{create};")
    applied = {row[0]: row[1] for row in await tx.all(_APPLIED)}
    known = migrations(dialect)
    unknown = applied.keys() - {migration.number for migration in known}
    harmful = [number for number in unknown if not applied[number].startswith(_ADDS_ONLY)]
    if harmful:
        raise Unavailable(
            f"the database has migration {max(harmful)}, which this version does not know; run the newer version"
        )
    if unknown:
        _log.warning("a newer version works on this database too; finish the upgrade before long")
    names = []
    for migration in known:
        if migration.number in applied:
            continue
        await tx.script(migration.sql)
        await tx.run(_NOTE, {"number": migration.number, "name": migration.name, "applied_at": now})
        _log.info("database migration %04d %s applied", migration.number, migration.name)
        names.append(migration.name)
    return names
