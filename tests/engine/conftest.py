"""An apps repo whose history is kept in SQLite; tests that care about the database ask for `repo_on_both`."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import AppsRepo


@pytest.fixture(autouse=True)
def root_level() -> Iterator[None]:
    """As a server sets it: below INFO nothing is made unless a run asks for it."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    yield
    root.setLevel(before)


@pytest.fixture
def repo(tmp_path: Path, sqlite_url: str) -> AppsRepo:
    return AppsRepo(tmp_path / "repo", sqlite_url)


@pytest.fixture
def repo_on_both(tmp_path: Path, database_url: str) -> AppsRepo:
    return AppsRepo(tmp_path / "repo", database_url)
