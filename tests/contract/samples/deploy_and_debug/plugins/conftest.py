"""The fixtures the page "Deploy and debug" tells its reader to build."""

import os

import pytest_asyncio
from sqlalchemy import text

from liberty.connectors import ConnectorRegistry
from liberty.testing import memory_registry


@pytest_asyncio.fixture
async def fake_registry():
    registry = memory_registry()
    async with registry.pools.engine("default").begin() as conn:
        await conn.execute(text("CREATE TABLE sessions (apps_id INTEGER, created_at TIMESTAMP)"))
        await conn.execute(text("INSERT INTO sessions VALUES (10, '2020-01-01 00:00:00')"))
    yield registry
    await registry.close()


@pytest_asyncio.fixture
async def real_registry():
    # Build a ConnectorRegistry with a real pool pointing at the dev DB.
    registry = ConnectorRegistry({"pools": {"default": {"url": os.environ["DEV_DATABASE_URL"]}}})
    async with registry.pools.engine("default").begin() as conn:
        await conn.execute(text("CREATE TABLE security_users (apps_id INTEGER, run_id TEXT)"))
    yield registry
    await registry.close()
