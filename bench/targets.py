"""One way to ask the server and the floor for runs, so that both are measured by the same code."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bench.client import Connection
from bench.servers import Server

POLL_SECONDS = 0.001
DRAIN_POLL_SECONDS = 0.02
DRAIN_SECONDS = 120.0
WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """One run as its client saw it. `server_ms` is from queued to finished by the server's own clock."""

    run_id: str
    client_ms: float
    server_ms: float


class Target(Protocol):
    """What starts runs and says how they are."""

    server: Server

    async def start(self, connection: Connection, steps: int) -> str:
        """Ask for a run; gives its id."""

    async def ended(self, connection: Connection, run_id: str) -> tuple[float, float] | None:
        """When it was queued and when it finished, in seconds since the epoch; None while it is not final."""

    async def in_flight(self, connection: Connection) -> int:
        """0 when no run is queued or running; else more."""


class Liberty:
    """The server under test, through its public API."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def start(self, connection: Connection, steps: int) -> str:
        job = "nothing" if steps == 1 else "long"
        return (await connection.post(f"/admin/jobs/{job}/run", {}))["run_id"]

    async def ended(self, connection: Connection, run_id: str) -> tuple[float, float] | None:
        run = await connection.get(f"/admin/jobs/runs/{run_id}")
        if run["finished_at"] is None:
            return None
        if run["status"] != "succeeded":
            raise RuntimeError(f"{run_id} of {run['job']} ended {run['status']}: {run['steps']}")
        return timestamp(run["queued_at"]), timestamp(run["finished_at"])

    async def in_flight(self, connection: Connection) -> int:
        found = await connection.get("/admin/jobs/runs?status=queued,running,aborting&limit=1")
        return len(found["items"])


class Floor:
    """The bare peer."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def start(self, connection: Connection, steps: int) -> str:
        return str((await connection.post(f"/run?steps={steps}", {}))["run_id"])

    async def ended(self, connection: Connection, run_id: str) -> tuple[float, float] | None:
        run = await connection.get(f"/run/{run_id}")
        return None if run["finished"] is None else (run["queued"], run["finished"])

    async def in_flight(self, connection: Connection) -> int:
        return (await connection.get("/history"))["in_flight"]


def timestamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@asynccontextmanager
async def connected(server: Server, count: int = 1) -> AsyncIterator[list[Connection]]:
    """Kept-open connections with the server's token."""
    async with AsyncExitStack() as stack:
        opened = [await Connection.open(server.port, server.token) for _ in range(count)]
        yield [await stack.enter_async_context(connection) for connection in opened]


async def one_run(target: Target, connection: Connection, steps: int = 1) -> Ended:
    """POST, then ask for the run again POLL_SECONDS after each answer until it is final."""
    begun = time.perf_counter()
    run_id = await target.start(connection, steps)
    while (times := await target.ended(connection, run_id)) is None:
        if time.perf_counter() - begun > WAIT_SECONDS:
            raise TimeoutError(f"{run_id} is not final after {WAIT_SECONDS} s")
        await asyncio.sleep(POLL_SECONDS)
    queued, finished = times
    return Ended(run_id, (time.perf_counter() - begun) * 1000, (finished - queued) * 1000)


async def series(target: Target, count: int, steps: int = 1) -> list[Ended]:
    """Runs one after another on one connection."""
    async with connected(target.server) as (connection,):
        return [await one_run(target, connection, steps) for _ in range(count)]


async def many_runs(target: Target, count: int, concurrency: int) -> tuple[float, list[str]]:
    """POST `count` runs from `concurrency` connections and wait until all are final.

    Gives the instant of the first POST, in seconds since the epoch, and the ids.
    """
    left = iter(range(count))
    run_ids: list[str] = []

    async def ask(connection: Connection) -> None:
        for _ in left:
            run_ids.append(await target.start(connection, 1))

    async with connected(target.server, concurrency) as connections:
        begun = time.time()
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(ask(connection))
        async with asyncio.timeout(DRAIN_SECONDS):
            while await target.in_flight(connections[0]):
                await asyncio.sleep(DRAIN_POLL_SECONDS)
    return begun, run_ids


async def pages(connection: Connection, path: str) -> AsyncIterator[dict[str, Any]]:
    """Every item of a list with cursors."""
    cursor = ""
    while True:
        page = await connection.get(f"{path}{cursor}")
        for item in page["items"]:
            yield item
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"
