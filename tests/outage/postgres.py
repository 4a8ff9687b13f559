"""A PostgreSQL server of the test's own, to be stopped, frozen and crowded."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg

from tests.pg import SUPERUSER, Server


class BreakablePostgres(Server):
    """Stopping is `pg_ctl -m immediate stop`: no goodbye, recovery at the next start."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._command: list[str] = []

    def _up(self, command: list[str]) -> bool:
        self._command = command
        return super()._up(command)

    def start_again(self) -> None:
        assert self._up(self._command), self.log.read_text()[-2000:]

    def execute(self, *statements: str) -> None:
        """Run one after the other on one connection, each in a transaction of its own."""

        async def execute() -> None:
            connection = await self.connect()
            for statement in statements:
                await connection.execute(statement)
            await connection.close()

        # In a thread of its own, because the calling one may have an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, execute()).result()

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, database="postgres", timeout=20
        )

    # -- faults

    @contextmanager
    def away(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start_again()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Connections stay open and nothing ever answers."""
        assert self._process is not None
        pids = [self._process.pid, *children_of(self._process.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        self.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self._allow_writes()

    def _allow_writes(self) -> None:
        self.execute(
            "SET default_transaction_read_only = off",
            "ALTER SYSTEM RESET default_transaction_read_only",
            "SELECT pg_reload_conf()",
        )

    @contextmanager
    def crowded(self) -> Iterator[None]:
        """Somebody else has every connection there is, those of the program included."""
        loop = asyncio.new_event_loop()
        held: list[asyncpg.Connection[asyncpg.Record]] = []

        async def take_all() -> None:
            first = await self.connect()
            held.append(first)
            quiet = 0
            while quiet < 5:
                await first.execute(TERMINATE_OTHERS)
                try:
                    while True:
                        held.append(await self.connect())
                        await held[-1].execute("SET application_name = 'greedy'")
                        quiet = 0
                except asyncpg.PostgresError:
                    quiet += 1

        async def give_back() -> None:
            for connection in held:
                await connection.close()

        try:
            loop.run_until_complete(take_all())
            yield
        finally:
            loop.run_until_complete(give_back())
            loop.close()

    @contextmanager
    def terminated(self) -> Iterator[None]:
        self.execute(TERMINATE_OTHERS)
        yield


TERMINATE_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND application_name = 'nomaflow'"
)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
