"""The demo: laid out whole, left alone when it is there, every job of it valid, the data what the files say."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from liberty.connectors import ConnectorRegistry
from liberty.demo import DATABASE, demo_files, lay_out
from liberty.jobs.catalogue import Catalogue, job_sources, load_catalogue
from liberty.jobs.steps import STEP_TYPES
from liberty.plugins import Plugins
from liberty.secrets import Keyring
from liberty.settings import Settings, load_settings
from liberty.toml_files import read_toml

JOBS = {
    "self-check",
    "flights-nightly",
    "flights-delays-hourly",
    "flights-report",
    "data-quality",
    "fails-twice",
    "slow",
    "slow-blocking",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("demo")
    assert lay_out(target) == target / "config"
    return target


@pytest.fixture(scope="module")
def settings(demo: Path) -> Settings:
    return load_settings({}, apps_dir=demo / "config")


@pytest.fixture(scope="module")
def catalogue(settings: Settings) -> Catalogue:
    return load_catalogue(job_sources(settings), settings.environ)


@pytest.fixture
def database(demo: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{demo / DATABASE}?mode=ro", uri=True)) as connection:
        yield connection


def test_every_job_is_valid(catalogue: Catalogue) -> None:
    assert catalogue.problems == []
    assert catalogue.warnings == ()
    assert {job for job in catalogue.jobs if "/" not in job} == JOBS


def test_every_step_type_is_shown(catalogue: Catalogue) -> None:
    shown = {step.type for job in catalogue.jobs.values() for step in job.steps if job.name in JOBS}
    assert shown == STEP_TYPES.keys() - {"ldap_sync"}  # the demo brings no directory server


def test_connectors_are_valid(settings: Settings, demo: Path) -> None:
    path = settings.connectors.config_path
    assert path is not None
    registry = ConnectorRegistry.from_document(
        read_toml(path, settings.environ), settings, Keyring.from_environment({}, demo / "data")
    )
    assert registry.problems == []
    assert {"operational", "reporting", "reports", "this-server"} <= set(registry.names())


def test_every_callable_is_there(catalogue: Catalogue, settings: Settings) -> None:
    plugins = Plugins(settings.paths.plugins_dir).snapshot()
    named = {
        reference
        for job in catalogue.jobs.values()
        for step in job.steps
        for key in ("callable", "transform")
        if job.name in JOBS and (reference := getattr(step, key, None))
    }
    assert len(named) >= 8
    for reference in named:
        assert callable(plugins.resolve(reference, "any"))


@pytest.mark.parametrize(
    ("table", "rows"),
    [("flights", 336_776), ("weather", 26_115), ("planes", 3_322), ("airports", 1_458), ("airlines", 16)],
)
def test_every_row_arrives(database: sqlite3.Connection, table: str, rows: int) -> None:
    assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (rows,)


def test_values_have_their_types(database: sqlite3.Connection) -> None:
    first = database.execute(
        "SELECT dep_time, dep_delay, tailnum, time_hour FROM flights ORDER BY rowid LIMIT 1"
    ).fetchone()
    assert first == (517, 2, "N14228", "2013-01-01 10:00:00")
    cancelled = database.execute("SELECT count(*) FROM flights WHERE dep_time IS NULL").fetchone()
    assert cancelled == (8_255,)
    warmest = database.execute("SELECT max(temp) FROM weather").fetchone()
    assert warmest == (100.04,)
    for table in ("flights", "weather", "planes", "airports", "airlines"):
        for _, column, *_ in database.execute(f"PRAGMA table_info({table})").fetchall():
            assert (
                database.execute(f"SELECT 1 FROM {table} WHERE {column} IN ('NA', '') LIMIT 1").fetchone()
                is None
            )


def test_a_second_time_repairs_and_keeps_edits(demo: Path) -> None:
    jobs, airlines = demo / "config" / "jobs.toml", demo / "nycflights13" / "airlines.csv.gz"
    written, built = jobs.read_text(), (demo / DATABASE).stat().st_mtime_ns
    jobs.write_text(f"# mine\n{written}")
    airlines.unlink()
    try:
        lay_out(demo)
        assert jobs.read_text().startswith("# mine\n")
    finally:
        jobs.write_text(written)
    assert airlines.read_bytes() == (demo_files() / "nycflights13" / "airlines.csv.gz").read_bytes()
    assert (demo / DATABASE).stat().st_mtime_ns == built


def test_what_was_made_at_run_time_is_not_laid_out(demo: Path) -> None:
    assert sorted(entry.name for entry in (demo / "data").iterdir()) == ["operational.db"]
    assert (demo / "data").stat().st_mode & 0o077 == 0


def test_an_interrupted_build_leaves_no_database(tmp_path: Path) -> None:
    copytree(demo_files(), tmp_path, dirs_exist_ok=True, ignore=ignore_patterns("data"))
    (tmp_path / "nycflights13" / "flights.csv.gz").write_bytes(b"torn")
    with pytest.raises(OSError, match="gzip"):
        lay_out(tmp_path)
    assert list((tmp_path / "data").iterdir()) == []


def test_it_is_small_enough_to_commit() -> None:
    size = sum(
        path.stat().st_size for path in demo_files().rglob("*") if "data" not in path.parts and path.is_file()
    )
    assert size <= 12 * 1024 * 1024
