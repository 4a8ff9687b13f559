"""The floor: a bare FastAPI route in front of one writer with group commit, six durable writes a run, nothing else.

It has no definitions, no rights, no log capture, no threads for steps. What it takes is what the web framework, the
event loop and the disk take; a server that does the same work and all the rest cannot be faster.

    python floor.py --port 8001 --sqlite runs.db
    python floor.py --port 8001 --postgresql postgresql://…
"""

import argparse
import asyncio
import itertools
import queue
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

SCHEMA = (
    "CREATE TABLE runs (id BIGINT PRIMARY KEY, status TEXT, queued DOUBLE PRECISION, finished DOUBLE PRECISION)",
    "CREATE TABLE steps (run BIGINT, position INTEGER, status TEXT, PRIMARY KEY (run, position))",
    "CREATE TABLE lines (run BIGINT, seq INTEGER, message TEXT, PRIMARY KEY (run, seq))",
)

type Waiting = tuple[str, tuple[Any, ...], asyncio.Future[None]]


class SqliteStore:
    """One thread commits everything that waits, in write-ahead mode with a sync at each commit."""

    def __init__(self, path: str) -> None:
        self._waiting: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._writer = self._connect(path)
        self._reader = self._connect(path)
        for statement in SCHEMA:
            self._writer.execute(statement)

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._commit_forever, daemon=True).start()

    def write(self, sql: str, *values: Any) -> asyncio.Future[None]:
        future = self._loop.create_future()
        self._waiting.put((sql.replace("$", "?"), values, future))
        return future

    async def read(self, sql: str, *values: Any) -> tuple[Any, ...]:
        return self._reader.execute(sql.replace("$", "?"), values).fetchone()

    def _commit_forever(self) -> None:
        while True:
            group = [self._waiting.get()]
            while not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            self._writer.execute("BEGIN IMMEDIATE")
            for sql, values, _ in group:
                self._writer.execute(sql, values)
            self._writer.execute("COMMIT")
            self._loop.call_soon_threadsafe(_deliver, group)


class PostgresStore:
    """A few connections, each committing everything that waits when it becomes free; another reads."""

    WRITERS = 4

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue()

    async def open(self) -> None:
        import asyncpg

        self._reader = await asyncpg.connect(self._dsn)
        self._reading = asyncio.Lock()
        for statement in SCHEMA:
            await self._reader.execute(statement)
        writers = [await asyncpg.connect(self._dsn) for _ in range(self.WRITERS)]
        self._tasks = [asyncio.create_task(self._commit_forever(writer)) for writer in writers]

    def write(self, sql: str, *values: Any) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((sql, values, future))
        return future

    async def read(self, sql: str, *values: Any) -> tuple[Any, ...]:
        async with self._reading:
            return tuple(await self._reader.fetchrow(sql, *values))

    async def _commit_forever(self, writer: Any) -> None:
        while True:
            group = [await self._waiting.get()]
            while not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            async with writer.transaction():
                for sql, values, _ in group:
                    await writer.execute(sql, *values)
            _deliver(group)


def _deliver(group: list[Waiting]) -> None:
    for _, _, future in group:
        future.set_result(None)


def build(store: SqliteStore | PostgresStore) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await store.open()
        yield

    app = FastAPI(lifespan=lifespan)
    numbers = itertools.count(1)
    running: set[asyncio.Task[None]] = set()

    @app.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.post("/run", status_code=202)
    async def start(steps: int = 1) -> dict[str, int | str]:
        number = next(numbers)
        await store.write("INSERT INTO runs VALUES ($1, 'queued', $2, NULL)", number, time.time())
        task = asyncio.create_task(execute(number, steps))
        running.add(task)
        task.add_done_callback(running.discard)
        return {"run_id": number, "status": "queued"}

    async def execute(number: int, steps: int) -> None:
        await store.write("UPDATE runs SET status = 'running' WHERE id = $1", number)
        for step in range(steps):
            await store.write("INSERT INTO steps VALUES ($1, $2, 'running')", number, step)
            await store.write(
                "UPDATE steps SET status = 'succeeded' WHERE run = $1 AND position = $2", number, step
            )
        await store.write("INSERT INTO lines VALUES ($1, 1, 'nothing to do')", number)
        sql = "UPDATE runs SET status = 'succeeded', finished = $2 WHERE id = $1"
        await store.write(sql, number, time.time())

    @app.get("/run/{number}")
    async def show(number: int) -> dict[str, Any]:
        row = await store.read("SELECT status, queued, finished FROM runs WHERE id = $1", number)
        return {"status": row[0], "queued": row[1], "finished": row[2]}

    @app.get("/history")
    async def history() -> dict[str, Any]:
        row = await store.read(
            "SELECT (SELECT COUNT(*) FROM runs WHERE status = 'succeeded'), (SELECT MAX(finished) FROM runs),"
            " (SELECT COUNT(*) FROM steps WHERE status = 'succeeded'), (SELECT COUNT(*) FROM lines)"
        )
        return {
            "in_flight": len(running),
            "runs": row[0],
            "finished": row[1],
            "steps": row[2],
            "lines": row[3],
        }

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--sqlite", metavar="FILE")
    where.add_argument("--postgresql", metavar="URL")
    options = parser.parse_args()
    store = SqliteStore(options.sqlite) if options.sqlite else PostgresStore(options.postgresql)
    uvicorn.run(build(store), port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
