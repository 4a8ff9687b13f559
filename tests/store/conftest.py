"""The store under test: the same tests on a fresh SQLite file and on a fresh PostgreSQL database."""

from collections.abc import AsyncIterator

import pytest

from liberty.database import Database
from tests.factories import migrated


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database with the present schema."""
    async with migrated(database_url) as database:
        yield database
