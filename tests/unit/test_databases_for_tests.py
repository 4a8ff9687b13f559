"""The test databases themselves: separate, empty, and real."""

import fcntl
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

KILLED_SESSION = """
import os, signal, sys
from pathlib import Path
from tests.pg import SharedServer

shared = SharedServer(Path(sys.argv[1]))
with shared.session(), shared.database() as url:
    print(url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("visit", ["first", "second"])
async def test_every_test_gets_an_empty_database(database_url: str, visit: str) -> None:
    engine = create_async_engine(database_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE witness (visit TEXT PRIMARY KEY)"))
            await connection.execute(text("INSERT INTO witness VALUES (:visit)"), {"visit": visit})
            found = await connection.scalar(text("SELECT count(*) FROM witness"))
    finally:
        await engine.dispose()
    assert found == 1


async def test_the_postgresql_server_keeps_commits_when_killed(pg_url: str) -> None:
    connection = await asyncpg.connect(pg_url.replace("+asyncpg", ""))
    try:
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
    finally:
        await connection.close()


@pytest.fixture
def session_directory() -> Iterator[Path]:
    """Not `tmp_path`: the server's account has to reach its data through every parent folder."""
    with tempfile.TemporaryDirectory(prefix="nomaflow-tests-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def test_a_killed_session_leaves_no_server_behind(session_directory: Path) -> None:
    guardian_lock = (session_directory / "guardian.lock").open("w")
    session = subprocess.run(
        [sys.executable, "-c", KILLED_SESSION, str(session_directory)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert session.returncode == -signal.SIGKILL, session.stderr
    port = int(session.stdout.strip().rpartition(":")[2].partition("/")[0])

    with guardian_lock:  # waits for the guardian to end
        fcntl.flock(guardian_lock, fcntl.LOCK_EX)

    assert not session_directory.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
