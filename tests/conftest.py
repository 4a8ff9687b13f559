"""Fixtures every test may use: empty databases on SQLite and PostgreSQL, and an environment without surprises."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.pg import SharedServer

SHARED_SERVER = pytest.StashKey[SharedServer]()
SESSION = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "postgresql: needs a PostgreSQL server (set by the fixtures themselves)"
    )
    # A developer's own settings must not change what is tested.
    for name in [name for name in os.environ if name.startswith("LIBERTY_")]:
        del os.environ[name]
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        config.stash[SHARED_SERVER] = SharedServer(Path(workerinput["postgres_directory"]))
        return
    shared = config.stash[SHARED_SERVER] = SharedServer(Path(tempfile.mkdtemp(prefix="nomaflow-tests-")))
    session = config.stash[SESSION] = ExitStack()
    session.enter_context(shared.session())


def pytest_unconfigure(config: pytest.Config) -> None:
    if SESSION in config.stash:
        config.stash[SESSION].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist for every worker process: all share the one server."""
    node.workerinput["postgres_directory"] = str(node.config.stash[SHARED_SERVER].directory)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        chosen = callspec.params.get("database_url") if callspec else None
        direct = "pg_url" in getattr(item, "fixturenames", ())
        if chosen == "postgresql" or (chosen is None and direct):
            item.add_marker("postgresql")


@pytest.fixture
def pg_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database, dropped after the test. An absent server is an error."""
    with pytestconfig.stash[SHARED_SERVER].database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """SQLAlchemy URL of an SQLite file that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on an empty SQLite file and on an empty PostgreSQL database."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")
    return url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    """What was captured may hold text that cannot be sent from one process to another."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
