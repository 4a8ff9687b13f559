"""The ways from one database into another, quickest first; the general path is taken where none of them fits."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from liberty.etl.transfer import general
from liberty.etl.transfer.crossing import Crossing
from liberty.etl.transfer.postgresql_to_postgresql import PostgresqlToPostgresql
from liberty.etl.transfer.postgresql_to_sqlite import PostgresqlToSqlite
from liberty.etl.transfer.request import log
from liberty.etl.transfer.sqlite_to_postgresql import SqliteToPostgresql

type Fill = Callable[[Crossing], Awaitable[int]]
"""Brings all rows to the target and returns their number; what it raises undoes the copy."""


class Path(Protocol):
    """A quick way between two kinds of databases. `source` and `target` are their names, `name` is for the log."""

    name: str
    source: str
    target: str

    async def fits(self, crossing: Crossing) -> Fill | str:
        """How to run this copy, or why it cannot run it: the end of a sentence that begins with "because"."""
        ...


PATHS: tuple[Path, ...] = (PostgresqlToPostgresql(), SqliteToPostgresql(), PostgresqlToSqlite())


async def choose(crossing: Crossing) -> Fill:
    """The first path that can do all that is asked for. The log says which, and why not a quicker one."""
    fill, told = await decide(crossing)
    log.info("path: %s", told)
    return fill


async def decide(crossing: Crossing) -> tuple[Fill, str]:
    """The same, with what the log says."""
    refusals: list[str] = []
    for path in PATHS:
        if (path.source, path.target) != (crossing.source_side.backend, crossing.target_end.backend):
            continue
        answer = await path.fits(crossing)
        if not isinstance(answer, str):
            return answer, "; ".join([path.name, *refusals])
        refusals.append(f"not {path.name}, because {answer}")
    return general.fill, "; ".join([general.NAME, *refusals])
