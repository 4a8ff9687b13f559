"""Fixtures every test may use: empty databases on SQLite and PostgreSQL, and an environment without surprises."""

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from liberty.connectors import ConnectorRegistry
from tests.mariadb import PASSWORD, MariadbServer, find_server
from tests.pg import SharedServer
from tests.slapd import Slapd, why_not

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


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariadbServer]:
    """A MariaDB server for this test process."""
    if find_server() is None:
        reason = "no MariaDB server: run requirements/mariadb.sh as root, or install mariadb-server-core"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="nomaflow-mariadb-") as directory:
        server = MariadbServer(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def slapd_installed() -> None:
    """Skips where no directory server can be started; in CI that is a failure."""
    reason = why_not()
    if reason is not None and os.environ.get("CI"):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def slapd(slapd_installed: None) -> Iterator[Callable[..., Slapd]]:
    """`slapd(person("alice"), ...)` starts a directory with these people; all are stopped after the test."""
    with ExitStack() as ending:

        def start(*people: str, **options: Any) -> Slapd:
            folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="nomaflow-slapd-"))
            server = Slapd(Path(folder), **options)
            server.fill(people)
            ending.callback(server.stop)
            server.start()
            return server

        yield start


@pytest.fixture
def mysql_pool(mariadb_server: MariadbServer) -> Iterator[dict[str, str]]:
    """The settings of a pool on an empty MariaDB database, which is dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    mariadb_server.administer(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield {"url": mariadb_server.url(name), "password": PASSWORD}
    mariadb_server.administer(f"DROP DATABASE {name}")


@pytest.fixture
async def mysql_pools(
    tmp_path: Path, pg_url: str, mysql_pool: dict[str, str]
) -> AsyncIterator[ConnectorRegistry]:
    """`mysql` and `mysql2`: one MariaDB database, under both schemes a URL may have; `sqlite`; `pg`."""
    mariadb = {**mysql_pool, "url": mysql_pool["url"].replace("mysql://", "mariadb://")}
    urls = {"sqlite": {"url": f"sqlite:///{tmp_path}/a.db"}, "pg": {"url": pg_url}}
    pools = {"mysql": mysql_pool, "mysql2": mariadb, **urls}
    registry = ConnectorRegistry(
        {"pools": {name: {**pool, "max_rows": 1_000_000} for name, pool in pools.items()}}
    )
    yield registry
    await registry.close()


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
