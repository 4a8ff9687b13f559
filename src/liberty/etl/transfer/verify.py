"""`verify`: what the source gave and what the target holds are summed up in both databases and compared.

It happens in the target's transaction: a difference undoes the copy.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from liberty.connectors.sql_call import stream_rows
from liberty.etl.transfer.canonical import Form, form_of
from liberty.etl.transfer.columns import Column, quoted
from liberty.etl.transfer.digest import Digest, Summing, in_postgresql, of_batches
from liberty.etl.transfer.request import CopyFailed, log
from liberty.etl.transfer.shaping import names_of
from liberty.etl.transfer.source import source_call

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from liberty.etl.transfer.crossing import Crossing

KNOWN = ("postgresql", "sqlite")

_SERVER = "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
_HASHES_RECORDS = 140_000
"""The version of PostgreSQL that can."""


async def hold_snapshot(connection: "AsyncConnection") -> None:
    """Let all reads from here on see one moment, so that the checksum is of the very rows that were copied."""
    await connection.rollback()
    if connection.dialect.name == "postgresql":
        connection = await connection.execution_options(isolation_level="REPEATABLE READ")
        await connection.exec_driver_sql("SELECT 1")
    elif connection.dialect.name == "sqlite" and connection.engine.url.database not in (None, "", ":memory:"):
        await connection.exec_driver_sql("BEGIN")


class Verification:
    """The comparison of one copy. `crossing` has met its columns before anything is asked here."""

    def __init__(self, crossing: "Crossing") -> None:
        self._crossing = crossing
        self._backends = (crossing.source.backend, crossing.target_end.backend)
        self._passing: Summing | None = None
        self._changed = False

    def of_rows(self, *, changed: bool) -> Summing | None:
        """Who sums up the rows that pass through this process; None when the source does so by itself.

        SQLite lives in this process: reading its rows once more would tell the same. Values that are changed on their
        way are in no database but the target.
        """
        if any(backend not in KNOWN for backend in self._backends):
            return None
        if changed:
            log.info("verify: values change on their way, so the checksum is of the rows as they were sent")
        elif self._backends[0] == "postgresql":
            return None
        self._changed = changed
        self._passing = Summing(self._forms())
        return self._passing

    async def compare(self, connection: "AsyncConnection", origin: str) -> None:
        """Compare with the rows of `origin`, a FROM clause of the target whose table is called `t`.

        Raises CopyFailed with the numbers of rows, or the columns that differ.
        """
        crossing = self._crossing
        if any(backend not in KNOWN for backend in self._backends):
            log.warning("verify: checksums are known for PostgreSQL and SQLite; only the rows were counted")
            return
        forms = self._forms()
        self._tell_left_out(forms)
        as_records = self._passing is None and await self._both_hash_records(connection)
        found_there = self._found(connection, origin, forms, as_records=as_records)
        if self._passing is not None:
            given, found = self._passing.digest, await found_there
        else:
            given, found = await _both(self._given(forms, as_records=as_records), found_there)
        if given == found:
            log.info("verify: %d rows, checksum %016x in both databases", found.rows, found.total)
            return
        if given.rows != found.rows:
            raise CopyFailed(
                f"verify: {given.rows:,} rows were read and {found.rows:,} are in {crossing.request.target}; "
                "nothing was changed"
            )
        differing = await self._differing(connection, origin, forms, as_records=as_records)
        raise CopyFailed(
            f"verify: {given.rows:,} rows were read and as many are in {crossing.request.target}, but they differ "
            f"{differing}; nothing was changed"
        )

    async def _differing(
        self, connection: "AsyncConnection", origin: str, forms: Sequence[Form | None], *, as_records: bool
    ) -> str:
        """Which columns, found out by summing up one after the other."""
        if self._changed:
            return "from what was sent"
        names = []
        for index, column in enumerate(self._columns):
            if forms[index] is None:
                continue
            one: list[Form | None] = [form if place == index else None for place, form in enumerate(forms)]
            given = await self._given(one, as_records=as_records)
            if given != await self._found(connection, origin, one, as_records=as_records):
                names.append(column.name)
        if not names:
            return "in which values stand in one row"
        return f"in column{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))}"

    @property
    def _columns(self) -> Sequence[Column]:
        meeting = self._crossing.meeting
        assert meeting is not None  # noqa: S101 - rows have been loaded
        return meeting.columns

    def _sources(self) -> Sequence[Column]:
        crossing = self._crossing
        assert crossing.meeting is not None  # noqa: S101 - rows have been loaded
        return [crossing.origins[crossing.names[index]] for index in crossing.meeting.taken]

    def _forms(self) -> list[Form | None]:
        crossing, ends = self._crossing, self._backends
        sources = None if self._changed else self._sources()
        crossed_query = crossing.source_table is None and ends == ("postgresql", "sqlite")
        forms = []
        for index, target in enumerate(self._columns):
            source = sources[index] if sources is not None else None
            form = form_of(source, ends[0], target, ends[1])
            # From a query, such values come in the driver's own form, and PostgreSQL writes them otherwise.
            driver_form = crossed_query and source is not None and source.kind == "other"
            forms.append(None if driver_form else form)
        return forms

    def _tell_left_out(self, forms: Sequence[Form | None]) -> None:
        left_out = [repr(c.name) for c, form in zip(self._columns, forms, strict=True) if form is None]
        if left_out:
            log.warning(
                "verify: left out of the checksum, because the databases write these types differently: %s",
                ", ".join(left_out),
            )

    async def _both_hash_records(self, connection: "AsyncConnection") -> bool:
        source = self._crossing.source_connection
        if {source.dialect.driver, connection.dialect.driver} != {"asyncpg"}:
            return False
        servers = [tuple((await end.exec_driver_sql(_SERVER)).one()) for end in (source, connection)]
        same_encoding = servers[0][1] == servers[1][1]
        return same_encoding and all(version >= _HASHES_RECORDS for version, _ in servers)

    async def _given(self, forms: Sequence[Form | None], *, as_records: bool) -> Digest:
        crossing = self._crossing
        assert crossing.meeting is not None  # noqa: S101 - rows have been loaded
        taken = crossing.meeting.taken
        width = len(names_of(crossing.request, list(crossing.origins.values())))
        of_all: list[Form | None] = [None] * width
        for index, form in zip(taken, forms, strict=True):
            of_all[index] = form
        call = source_call(crossing)
        if crossing.source.backend == "postgresql":
            aliases = [f"c{index}" for index in range(width)]
            origin = f"({call.statement.text}) AS t({', '.join(aliases)})"
            return await in_postgresql(
                crossing.source_connection,
                _named(aliases, of_all),
                origin,
                call.values,
                as_records=as_records,
            )
        result = await stream_rows(crossing.source_connection, call, crossing.request.batch_size)
        digest = await of_batches(result.partitions(crossing.request.batch_size), of_all)
        await result.close()
        return digest

    async def _found(
        self, connection: "AsyncConnection", origin: str, forms: Sequence[Form | None], *, as_records: bool
    ) -> Digest:
        names = [f"t.{quoted(column.name)}" for column in self._columns]
        if connection.dialect.name == "postgresql":
            return await in_postgresql(connection, _named(names, forms), origin, as_records=as_records)
        statement = f"SELECT {', '.join(names)} FROM {origin}"  # noqa: S608 - quoted names
        return await of_batches(_fetched(connection, statement, self._crossing.request.batch_size), forms)


def _named(names: Sequence[str], forms: Sequence[Form | None]) -> Mapping[str, Form]:
    return {name: form for name, form in zip(names, forms, strict=True) if form is not None}


async def _fetched(
    connection: "AsyncConnection", statement: str, size: int
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    cursor = await driver.execute(statement)
    try:
        while rows := await cursor.fetchmany(size):
            yield rows
    finally:
        await cursor.close()


async def _both(given: Any, found: Any) -> tuple[Digest, Digest]:
    """Both at once, each on its own connection; when one fails or is cancelled the other ends first."""
    tasks = [asyncio.ensure_future(given), asyncio.ensure_future(found)]
    try:
        return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
