"""Named database pools: one SQLAlchemy async engine per (event loop, pool), made when first asked for."""

import asyncio
import itertools
import re
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liberty.connectors.config import PoolConfig
from liberty.errors import Invalid, NotFound, did_you_mean

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

ASYNC_DRIVERS: Mapping[str, str] = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mariadb+aiomysql",
    "oracle": "oracle+oracledb_async",
    "mssql": "mssql+aioodbc",
}
"""What a URL without a driver means."""

EXTRAS: Mapping[str, str] = {"mysql": "mysql", "mariadb": "mysql", "oracle": "oracle", "mssql": "mssql"}
"""What to install for a database, beside what every server has."""

_PLACEHOLDER = re.compile(r"#(SCHEMA|DBLINK)\.(\w+)#", re.IGNORECASE)
_memory_numbers = itertools.count(1)


class PoolSet:
    """The pools of one registry. Safe to use from any thread; engines stay with the loop they were made for."""

    def __init__(self, *, base_dir: Path | None = None) -> None:
        self._base_dir = base_dir
        self._configs: dict[str, PoolConfig] = {}
        self._refused: dict[str, str] = {}
        self._registered: dict[str, AsyncEngine] = {}
        self._engines: dict[tuple[asyncio.AbstractEventLoop | None, str], AsyncEngine] = {}
        self._memory: dict[str, tuple[str, sqlite3.Connection]] = {}
        self._lock = threading.Lock()
        self.pool_of_connector: Callable[[str], str | None] = lambda _name: None

    # -- declaring

    def add(self, name: str, config: PoolConfig) -> None:
        """Declare a pool. Nothing is opened yet."""
        self._configs[name] = config

    def refuse(self, name: str, reason: str) -> None:
        """Remember that a pool is declared but unusable, so that using it says why."""
        self._refused[name] = reason

    def register_engine(self, name: str, engine: "AsyncEngine") -> None:
        """Use `engine` for `name` on every loop; it stays the caller's to dispose of."""
        self._registered[name] = engine

    # -- asking

    def names(self) -> list[str]:
        """Every declared or registered pool, sorted; unusable ones included."""
        return sorted({*self._configs, *self._registered, *self._refused})

    def __contains__(self, name: object) -> bool:
        return name in self._configs or name in self._registered or name in self._refused

    def config(self, name: str) -> PoolConfig:
        """The settings of a pool; a registered engine has the defaults. Raises like `engine`."""
        name = self.resolve(name)
        found = self._configs.get(name)
        return found if found is not None else PoolConfig(url="registered:")

    def max_runs(self, name: str) -> int | None:
        """How many runs may use a pool at once; None when nobody said."""
        found = self._configs.get(name)
        return None if found is None else found.max_runs

    def resolve(self, name: str) -> str:
        """The pool that `name` stands for: a pool first, else the pool of the connector called so.

        Raises NotFound naming the nearest pool, Invalid when the pool's definition has an error.
        """
        if name in self._registered or name in self._configs:
            return name
        if name in self._refused:
            raise Invalid(f"pool {name!r} cannot be used: {self._refused[name]}")
        through = self.pool_of_connector(name)
        if through is not None and through != name:
            return self.resolve(through)
        known = ", ".join(self.names()) or "none"
        raise NotFound(f"no pool {name!r}{did_you_mean(name, self.names())}; declared pools: {known}")

    def engine(self, name: str) -> "AsyncEngine":
        """The engine of a pool (or of a connector's pool) for the running loop.

        Called where no loop runs, in synchronous code, it gives an engine that keeps no connection open, so
        that the loop which later uses it may be any.
        """
        name = self.resolve(name)
        if name in self._registered:
            return self._registered[name]
        loop = _running_loop()
        with self._lock:
            engine = self._engines.get((loop, name))
            if engine is None:
                self._forget_closed_loops()
                engine = self._engines[(loop, name)] = self._create(
                    name, self._configs[name], pooled=loop is not None
                )
        return engine

    def dialect(self, name: str) -> str:
        """The key into per-dialect SQL: what the pool says, else the engine's own name."""
        return self.config(name).dialect or self.engine(name).dialect.name

    def expand(self, sql: str, pool: str) -> str:
        """Fill in `#SCHEMA.X#` and `#DBLINK.X#`. Raises Invalid for a schema the pool does not map."""
        if "#" not in sql:
            return sql
        config = self.config(pool)

        def fill(match: re.Match[str]) -> str:
            kind, name = match[1].upper(), match[2].upper()
            if kind == "DBLINK":
                link = config.dblinks.get(name, "")
                return f"@{link.removeprefix('@')}" if link else ""
            if name not in config.schemas:
                known = ", ".join(sorted(config.schemas)) or "none"
                raise Invalid(f"pool {pool!r} has no schema {name!r} for {match[0]}; its [schemas]: {known}")
            return config.schemas[name]

        return _PLACEHOLDER.sub(fill, sql)

    def stats(self) -> list[dict[str, Any]]:
        """One entry per pool, its loops added up: size, checked_out, idle, overflow, engines; 0 when never used."""
        from sqlalchemy.pool import QueuePool

        with self._lock:
            engines = list(self._engines.items())
        found = {
            name: {
                "pool": name,
                "size": 0,
                "checked_out": 0,
                "idle": 0,
                "overflow": 0,
                "engines": 0,
                "dialect": None,
            }
            for name in self.names()
        }
        for name, engine in [*self._registered.items(), *((name, engine) for (_, name), engine in engines)]:
            entry: dict[str, Any] = found[name]
            entry["engines"] += 1
            entry["dialect"] = engine.dialect.name
            pool = engine.pool
            if isinstance(pool, QueuePool):
                entry["size"] += pool.size()
                entry["checked_out"] += pool.checkedout()
                entry["idle"] += pool.checkedin()
                entry["overflow"] += max(0, pool.overflow())
        for name, reason in self._refused.items():
            found[name]["problem"] = reason
        return list(found.values())

    # -- letting go

    async def close_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close every connection that belongs to `loop`; may be awaited on any loop."""
        with self._lock:
            mine = [self._engines.pop(key) for key in list(self._engines) if key[0] is loop]
        for engine in mine:
            await _dispose(engine, loop)

    async def recycle(self, name: str) -> int:
        """Close a pool's connections, those in use when they come back; on how many loops there were any.

        What asks next gets new ones. A registered engine is its owner's to dispose of.
        """
        name = self.resolve(name)
        with self._lock:
            mine = [(key[0], self._engines.pop(key)) for key in list(self._engines) if key[1] == name]
        for loop, engine in mine:
            await _dispose(engine, loop)
        return len(mine)

    async def close(self) -> None:
        """Close the connections of all loops. The set can be used again afterwards."""
        with self._lock:
            engines, self._engines = self._engines, {}
            memory, self._memory = self._memory, {}
        for (loop, _), engine in engines.items():
            await _dispose(engine, loop)
        for _, anchor in memory.values():
            anchor.close()

    def _forget_closed_loops(self) -> None:
        for key in [key for key in self._engines if key[0] is not None and key[0].is_closed()]:
            self._engines.pop(key).sync_engine.dispose(close=False)

    # -- making

    def _create(self, name: str, config: PoolConfig, *, pooled: bool) -> "AsyncEngine":
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, InvalidRequestError, NoSuchModuleError
        from sqlalchemy.ext.asyncio import create_async_engine
        from sqlalchemy.pool import NullPool

        try:
            url = make_url(config.url)
        except ArgumentError:
            # The parser's message holds the URL, and with it perhaps a password.
            raise Invalid(
                f"pool {name!r}: url is not a database URL (scheme://user@host:port/name)"
            ) from None
        url = url.set(drivername=ASYNC_DRIVERS.get(url.drivername, url.drivername))
        if config.password is not None:
            url = url.set(password=config.password)
        options: dict[str, Any] = {"hide_parameters": True, "echo": config.echo}
        sqlite = url.drivername == "sqlite+aiosqlite"
        if sqlite:
            from liberty.connectors.sqlite_driver import open_connection

            url = url.set(database=self._sqlite_target(name, url.database), query=self._sqlite_query(url))
            options["connect_args"] = {"async_creator_fn": open_connection}
        if not pooled:
            options["poolclass"] = NullPool
        elif not sqlite:
            options |= {
                "pool_size": config.pool_size,
                "max_overflow": config.max_overflow,
                "pool_timeout": config.pool_timeout,
                "pool_pre_ping": config.pool_pre_ping,
                "pool_recycle": config.pool_recycle,
            }
        try:
            engine = create_async_engine(url, **options)
        except NoSuchModuleError as error:
            raise Invalid(f"pool {name!r}: SQLAlchemy knows no database {url.drivername!r}") from error
        except ModuleNotFoundError as error:
            raise Invalid(
                f"pool {name!r}: the driver package {error.name!r} for {url.drivername!r} is not installed; "
                f"{_how_to_install(url.get_backend_name())}"
            ) from error
        except InvalidRequestError as error:
            raise Invalid(
                f"pool {name!r}: {url.drivername!r} is not an asynchronous driver; "
                f"name one in the URL, such as {ASYNC_DRIVERS.get(url.get_backend_name(), 'postgresql+asyncpg')}://"
            ) from error
        if sqlite:
            _begin_transactions(engine)
        return engine

    def _sqlite_target(self, name: str, database: str | None) -> str:
        if not database or database == ":memory:":
            return self._shared_memory(name)
        if database.startswith("file:"):
            return database
        path = Path(database).expanduser()
        path = path if path.is_absolute() else (self._base_dir or Path.cwd()) / path
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    @staticmethod
    def _sqlite_query(url: Any) -> Mapping[str, Any]:
        memory = not url.database or url.database == ":memory:"
        return {**url.query, "uri": "true"} if memory else dict(url.query)

    def _shared_memory(self, name: str) -> str:
        """A database in memory that all loops share and that lasts as long as the set."""
        if name not in self._memory:
            target = f"file:/nomaflow-{next(_memory_numbers)}?vfs=memdb"
            anchor = sqlite3.connect(target, uri=True, check_same_thread=False)
            self._memory[name] = (target, anchor)
        return self._memory[name][0]


def _how_to_install(backend: str) -> str:
    extra = EXTRAS.get(backend)
    return f"run: pip install nomaflow[{extra}]" if extra else "add it to the server's environment"


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _begin_transactions(engine: "AsyncEngine") -> None:
    """Make `begin` begin: Python's sqlite3 waits for the first change, so DDL would be outside the transaction.

    `execution_options(sqlite_begin="IMMEDIATE")` takes the write lock at once, and so waits for it properly;
    `"NONE"` leaves a lone statement to be its own transaction, which saves a round trip.
    """
    from sqlalchemy import event

    def begin(connection: Any) -> None:
        chosen = connection.get_execution_options()
        how = chosen.get("sqlite_begin", "DEFERRED")
        if how != "NONE" and chosen.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(f"BEGIN {how}")

    event.listen(engine.sync_engine, "begin", begin)


async def _dispose(engine: "AsyncEngine", loop: asyncio.AbstractEventLoop | None) -> None:
    running = asyncio.get_running_loop()
    if loop is None or loop is running:
        await engine.dispose()
    elif loop.is_running():
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(engine.dispose(), loop))
    else:
        engine.sync_engine.dispose(close=False)
