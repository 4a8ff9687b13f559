"""A PostgreSQL database to measure on: a throw-away server that waits for its disk, or one that is named."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests import pg

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
}


@contextmanager
def postgres(url: str | None, parent: Path) -> Iterator[str]:
    """SQLAlchemy URL of a server; without `url` one is started below `parent`. Raises PostgresMissing."""
    if url is not None:
        yield url
        return
    # The tests' server answers before its disk does; here that wait is what is measured.
    pg.OPTIONS.update(DURABLE)
    with tempfile.TemporaryDirectory(prefix="postgres-", dir=parent) as made:
        server = pg.Server(Path(made))
        try:
            server.start()
            yield server.url
        finally:
            server.stop()


@asynccontextmanager
async def database(server_url: str) -> AsyncIterator[str]:
    """A new database on the server, dropped afterwards. Raises RuntimeError when its commits are not durable."""
    import asyncpg

    name = f"nomaflow_bench_{uuid.uuid4().hex[:8]}"
    connection = await asyncpg.connect(libpq(server_url))
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if await connection.fetchval(f"SHOW {setting}") != "on":
                raise RuntimeError(f"this PostgreSQL server has {setting} off: its commits are not durable")
        await connection.execute(f"CREATE DATABASE {name}")
        try:
            yield server_url.rpartition("/")[0] + f"/{name}"
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


def libpq(url: str) -> str:
    return url.replace("+asyncpg", "")
