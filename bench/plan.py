"""What a scenario is given: how much to measure and where to put it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure
from bench.postgres import database, postgres
from bench.servers import FloorServer, LibertyServer
from bench.targets import Floor, Liberty

type Scenario = Callable[["Plan"], Awaitable[list[Figure]]]


@dataclass(slots=True)
class Plan:
    """`folder` is on the disk that is measured. `quick` proves that a scenario works; its numbers mean little."""

    folder: Path
    quick: bool
    postgres_url: str | None
    stack: ExitStack
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _server: str | None = None

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def new_folder(self, name: str) -> Path:
        """A path that does not exist yet."""
        return self.folder / f"{next(self._numbers):02}-{name}"

    def postgres(self) -> str:
        """URL of the server to make databases on; started at the first question."""
        if self._server is None:
            self._server = self.stack.enter_context(postgres(self.postgres_url, self.folder))
        return self._server

    @contextmanager
    def liberty(self, *, database_url: str | None = None, app_toml: str = "") -> Iterator[Liberty]:
        """The server under test, ready."""
        made = LibertyServer(self.new_folder("server"), database_url=database_url, app_toml=app_toml)
        with made.running() as server:
            yield Liberty(server)

    @contextmanager
    def floor(self, *, database_url: str | None = None) -> Iterator[Floor]:
        """The peer, ready."""
        with FloorServer(self.new_folder("floor"), database_url=database_url).running() as server:
            yield Floor(server)

    @asynccontextmanager
    async def both(self, *, on_postgres: bool) -> AsyncIterator[tuple[Liberty, Floor]]:
        """Both at once, each on a database of its own; measured in turns, so both see the same machine."""
        if not on_postgres:
            with self.liberty() as liberty, self.floor() as floor:
                yield liberty, floor
            return
        server = self.postgres()
        async with database(server) as ours, database(server) as theirs:
            with self.liberty(database_url=ours) as liberty, self.floor(database_url=theirs) as floor:
                yield liberty, floor
