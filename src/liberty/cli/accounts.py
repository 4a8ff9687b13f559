"""The accounts of this installation, opened without an engine: they can be changed also while a server runs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from liberty.auth.principal import Principal
from liberty.cli.os_user import os_user

if TYPE_CHECKING:
    from liberty.auth.accounts import Accounts
    from liberty.settings import Settings


def with_accounts[T](work: "Callable[[Accounts], Awaitable[T]]") -> T:
    """What `work` returns. Raises Invalid for the files, Unavailable when the database cannot be opened."""
    import asyncio

    async def run() -> T:
        async with _opened() as accounts:
            return await work(accounts)

    return asyncio.run(run())


def me() -> Principal:
    """Who the audit trail names."""
    return Principal(f"cli:{os_user()}", superuser=True, kind="cli")


@asynccontextmanager
async def _opened() -> "AsyncIterator[Accounts]":
    from liberty.auth.accounts import Accounts
    from liberty.clock import SystemClock
    from liberty.database import open_database
    from liberty.database.migrate import migrate
    from liberty.settings import ensure_data_dir, load_settings

    settings = load_settings()
    ensure_data_dir(settings)
    clock = SystemClock()
    database = open_database(_history_url(settings))
    try:
        await migrate(database, clock.now())
        accounts = Accounts(database, clock)
        try:
            yield accounts
        finally:
            accounts.close()
    finally:
        await database.close()


def _history_url(settings: "Settings") -> str:
    """Works while `jobs.toml` does not parse: only the pools are read."""
    from liberty.connectors import ConnectorRegistry
    from liberty.connectors.history import history_url
    from liberty.toml_files import read_toml

    file = settings.connectors.config_path
    document = read_toml(file, settings.environ) if file is not None and file.exists() else None
    return history_url(ConnectorRegistry.from_document(document, settings, settings.open_keyring()), settings)
