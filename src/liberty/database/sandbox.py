"""A corner of a PostgreSQL database for one experiment: a schema that is made, lived in and dropped."""

import secrets

from sqlalchemy import text
from sqlalchemy.engine import make_url

from liberty.database.base import Operation, Tx
from liberty.database.open import open_database
from liberty.errors import Conflict

PREFIX = "nomaflow_experiment_"
_HISTORY = text("SELECT to_regclass('ly2_job_runs') IS NOT NULL")
_IN_USE = text("SELECT EXISTS (SELECT 1 FROM ly2_job_runs)")
_TERMINATE = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE application_name = :name AND datname = current_database() AND pid <> pg_backend_pid()"
)


class Sandbox:
    """One schema of the database at `url`. Nothing outside of it is read, except whether the database is in use."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = PREFIX + secrets.token_hex(4)

    @property
    def url(self) -> str:
        """What servers of the experiment are given: tables land in the schema, connections bear its name."""
        parts = make_url(self._url)
        told = parts.update_query_dict({"search_path": self.name, "application_name": self.name})
        return told.render_as_string(hide_password=False)

    async def make(self) -> None:
        """Raises Conflict when the database holds the run history of an installation."""
        await self._write(_refuse_in_use)
        await self._write(_script, f"CREATE SCHEMA {self.name}")

    async def drop(self) -> None:
        await self.cut()
        await self._write(_script, f"DROP SCHEMA IF EXISTS {self.name} CASCADE")

    async def cut(self) -> int:
        """End every connection of the experiment, as a network that fails or an administrator does; how many."""
        return await self._write(_terminate, self.name)

    async def _write[**P, T](self, operation: Operation[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        database = open_database(self._url)
        try:
            return await database.write(operation, *args, **kwargs)
        finally:
            await database.close()


async def _refuse_in_use(tx: Tx) -> None:
    if await tx.scalar(_HISTORY) and await tx.scalar(_IN_USE):
        raise Conflict(
            "this database holds the run history of an installation; experiments hurt servers on purpose: "
            "name an empty database of its own"
        )


async def _script(tx: Tx, sql: str) -> None:
    await tx.script(sql)


async def _terminate(tx: Tx, name: str) -> int:
    return int(await tx.scalar(_TERMINATE, {"name": name}))
