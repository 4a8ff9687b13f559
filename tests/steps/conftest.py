"""Pools for steps that work on databases: two SQLite files and a PostgreSQL database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from liberty.connectors import ConnectorRegistry


@pytest.fixture
async def pools(tmp_path: Path, pg_url: str) -> AsyncIterator[ConnectorRegistry]:
    registry = ConnectorRegistry(
        {
            "pools": {
                "sqlite": {"url": f"sqlite:///{tmp_path}/a.db", "max_rows": 1_000_000},
                "sqlite2": {"url": f"sqlite:///{tmp_path}/b.db", "max_rows": 1_000_000},
                "pg": {"url": pg_url, "max_rows": 1_000_000},
            }
        }
    )
    yield registry
    await registry.close()
