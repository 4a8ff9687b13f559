"""The program as one object: opened from settings, reloaded by swapping in a new generation, closed in order."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

import liberty
from liberty.auth.accounts import Accounts
from liberty.bus import Bus
from liberty.clock import Clock, SystemClock
from liberty.connectors import ConnectorRegistry
from liberty.connectors.history import history_url
from liberty.database import Database, open_database
from liberty.database.lock import DataLock
from liberty.database.migrate import migrate
from liberty.errors import Conflict, LibertyError, Problem
from liberty.jobs.catalogue import Catalogue, job_sources, load_catalogue
from liberty.jobs.definition import definition_json, fingerprint
from liberty.jobs.engine.engine import Engine
from liberty.jobs.engine.generation import Generation
from liberty.jobs.engine.scheduler import Scheduler
from liberty.jobs.events import ConfigReloaded
from liberty.jobs.references import check_references
from liberty.jobs.service import RunReader, RunRequests
from liberty.jobs.store import versions
from liberty.loops import running
from liberty.notify.load import load_notifications
from liberty.notify.notifier import Notifier
from liberty.notify.recipients import Notifications
from liberty.plugins import Plugins
from liberty.secrets import Keyring
from liberty.settings import Settings, ensure_data_dir, load_settings
from liberty.toml_files import read_toml
from liberty.troubles import Troubles

_log = logging.getLogger("liberty.runtime")


@dataclass(frozen=True, slots=True)
class Reload:
    """What a reload found."""

    reloaded_at: datetime
    jobs: int
    quarantined: int
    problems: list[Problem]


@dataclass(slots=True)
class Runtime:
    """Everything that is up while the program is.

    `role`: a `server` follows the schedule and runs what is queued, a `worker` only runs, the `cli` runs its own.
    """

    settings: Settings
    keyring: Keyring
    clock: Clock
    bus: Bus
    database: Database
    accounts: Accounts
    plugins: Plugins
    generation: Generation
    engine: Engine
    scheduler: Scheduler
    requests: RunRequests
    reader: RunReader
    notifier: Notifier
    started_at: datetime
    role: str
    _load_settings: Callable[[], Settings]
    _schedule: AsyncExitStack = field(default_factory=AsyncExitStack)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _reloading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _following: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        load: Callable[[], Settings] = load_settings,
        *,
        role: str = "server",
        clock: Clock | None = None,
        troubles: Troubles | None = None,
    ) -> "Runtime":
        """Open the database, load what is configured, start the engine and, for a server, the schedule.

        `load` reads the settings, now and at every reload. Raises Invalid when a file does not parse, Conflict when
        another server uses the data folder, Unavailable when the database cannot be opened. What goes wrong later
        without stopping the program is told to `troubles`.
        """
        settings = load()
        clock = clock or SystemClock()
        stack = AsyncExitStack()
        try:
            data_dir = ensure_data_dir(settings)
            keyring = settings.open_keyring()
            keyring.self_test()
            plugins = Plugins(settings.paths.plugins_dir, settings.plugins.reload)
            plugins.install()
            catalogue, connectors, notifications = _load(settings, keyring)
            database = open_database(history_url(connectors, settings))
            stack.push_async_callback(database.close)
            if role == "worker" and database.dialect == "sqlite":
                raise Conflict(
                    "a worker needs a history on PostgreSQL; one on SQLite belongs to the server that has it open"
                )
            if role == "server" and database.dialect == "sqlite":
                stack.enter_context(DataLock(data_dir / "server.lock"))
            now = clock.now()
            await migrate(database, now)
            generation = Generation(
                settings, catalogue, connectors, plugins, await _versions(database, catalogue, now)
            )
            bus = Bus()
            accounts = Accounts(database, clock)
            engine = Engine(
                database=database,
                clock=clock,
                bus=bus,
                generation=generation,
                role=role,
                version=liberty.__version__,
                troubles=troubles or Troubles(),
            )
            notifier = Notifier(
                database=database,
                clock=clock,
                bus=bus,
                replica=engine.replica,
                generation=generation,
                notifications=notifications,
            )
            stack.push_async_callback(notifier.close)
            engine.tells = notifier.concerns
            scheduler = Scheduler(engine=engine, database=database, clock=clock)
            runtime = cls(
                settings=settings,
                keyring=keyring,
                clock=clock,
                bus=bus,
                database=database,
                accounts=accounts,
                plugins=plugins,
                generation=generation,
                engine=engine,
                scheduler=scheduler,
                requests=RunRequests(
                    database=database, clock=clock, engine=engine, current=lambda: runtime.generation
                ),
                reader=RunReader(database=database, current=lambda: runtime.generation),
                notifier=notifier,
                started_at=now,
                role=role,
                _load_settings=load,
                _stack=stack,
            )
            engine.presence.heard = runtime._reload_too
            await engine.start()
            stack.push_async_callback(engine.close)
            if role != "cli":
                await runtime._stack.enter_async_context(notifier.sending())
            if role == "server":
                await scheduler.use(generation)
                await runtime._schedule.enter_async_context(running(scheduler.ticker))
        except BaseException:
            await stack.aclose()
            raise
        for problem in runtime.problems:
            _log.warning("%s", problem)
        return runtime

    @property
    def problems(self) -> list[Problem]:
        """Everything wrong in the configuration that runs now."""
        return [
            *self.settings.warnings,
            *self.generation.catalogue.problems,
            *self.generation.connectors.problems,
            *self.notifier.notifications.problems,
            *self.plugins.problems,
        ]

    async def reload(self) -> Reload:
        """Read every file again and swap the whole configuration, here and in the other replicas.

        Runs in flight keep theirs. Raises Invalid, and changes nothing, when a file does not parse.
        """
        found = await self._reload_here()
        await self.engine.presence.announce_reload()
        return found

    def _reload_too(self) -> None:
        """Another replica has been told to reload."""
        self._following = asyncio.create_task(self._follow_reload(), name="reload")

    async def _follow_reload(self) -> None:
        try:
            await self._reload_here()
        except LibertyError as error:
            _log.error("another replica has reloaded, but the files cannot be read here: %s", error.message)

    async def _reload_here(self) -> Reload:
        async with self._reloading:
            settings = await asyncio.to_thread(self._load_settings)
            catalogue, connectors, notifications = await asyncio.to_thread(_load, settings, self.keyring)
            now = self.clock.now()
            numbers = await _versions(self.database, catalogue, now)
            generation = Generation(settings, catalogue, connectors, self.plugins, numbers)
            self.settings = settings
            self.generation = generation
            await self.notifier.use(generation, notifications)
            self.engine.use(generation)
            if self.role == "server":
                await self.scheduler.use(generation)
            result = Reload(now, len(catalogue.jobs), len(catalogue.quarantined), self.problems)
        self.bus.publish(ConfigReloaded(result.jobs, result.quarantined))
        _log.info("configuration reloaded: %d jobs, %d quarantined", result.jobs, result.quarantined)
        return result

    async def close(self) -> None:
        """Let runs finish for `[jobs] drain_seconds`, stop the rest, let go of everything."""
        await self._schedule.aclose()
        if self.role == "server":
            await self.scheduler.resign()
        await self.engine.drain(self.settings.jobs.drain_seconds)
        await self._stack.aclose()


def _load(settings: Settings, keyring: Keyring) -> tuple[Catalogue, ConnectorRegistry, Notifications]:
    path = settings.connectors.config_path
    document = read_toml(path, settings.environ) if path is not None and path.exists() else None
    connectors = ConnectorRegistry.from_document(document, settings, keyring)
    catalogue = load_catalogue(job_sources(settings), settings.environ)
    wrong = {name: check_references(job, connectors) for name, job in catalogue.jobs.items()}
    checked = catalogue.quarantine({name: found for name, found in wrong.items() if found})
    return checked, connectors, load_notifications(settings, keyring, checked)


async def _versions(database: Database, catalogue: Catalogue, now: datetime) -> Mapping[str, int]:
    definitions = {name: (fingerprint(job), definition_json(job)) for name, job in catalogue.jobs.items()}
    return await database.write(versions.remember, definitions, now)
