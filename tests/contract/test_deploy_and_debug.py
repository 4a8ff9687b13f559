"""The page "Deploy and debug": layout, variables, log lines, error texts, pitfalls and the tests it shows."""

import asyncio
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from liberty.jobs.steps.python import PythonStep
from liberty.plugins import Plugins
from liberty.settings import load_settings
from liberty.testing import build_fake_ctx
from tests.contract.site import DEADLINE_SECONDS, SAMPLES, Site, lay_out, messages, only_step, serving

SAMPLE = "deploy_and_debug"
CALLABLE = "myapp.cleanup:purge"


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(SAMPLE, tmp_path / "apps") as site:
        database = site.root / "data" / "liberty.db"
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("CREATE TABLE sessions (apps_id INTEGER, created_at TIMESTAMP)")
            rows = [(10, datetime(2020, 1, day).isoformat(" ")) for day in (1, 2, 3)]
            connection.executemany("INSERT INTO sessions VALUES (?, ?)", [*rows, (11, rows[0][1])])
            connection.commit()
        yield site


# The apps repo and its variable


def test_the_plugins_folder_is_inferred_as_a_sibling_of_config(tmp_path: Path) -> None:
    config = lay_out(SAMPLE, tmp_path / "apps")
    settings = load_settings({"LIBERTY_APPS_DIR": str(config)}, cwd=tmp_path)
    assert settings.paths.config_dir == config
    assert settings.paths.plugins_dir == tmp_path / "apps" / "plugins"
    assert settings.warnings == ()


def test_the_variable_of_the_operating_system_wins_over_the_key(tmp_path: Path) -> None:
    config = lay_out(SAMPLE, tmp_path / "apps")
    app_toml = {"LIBERTY_APP_CONFIG": str(config / "app.toml")}
    assert load_settings(app_toml, cwd=tmp_path).paths.plugins_dir == Path("/opt/apps/plugins")
    both = {**app_toml, "LIBERTY_APPS_DIR": str(config)}
    assert load_settings(both, cwd=tmp_path).paths.plugins_dir == tmp_path / "apps" / "plugins"


def test_a_variable_that_points_at_the_plugins_is_noticed(tmp_path: Path) -> None:
    config = lay_out(SAMPLE, tmp_path / "apps")
    settings = load_settings({"LIBERTY_APPS_DIR": str(config.parent / "plugins")}, cwd=tmp_path)
    (warning,) = settings.warnings
    assert "did you mean" in str(warning)
    assert str(config) in str(warning)


async def test_the_sample_configuration_has_no_problem(site: Site) -> None:
    assert site.runtime.problems == []


# What happens at start-up


async def test_the_folder_is_announced_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    line = f"liberty.plugins importable from {site.root / 'plugins'}"
    records = caplog.get_records("setup")
    assert [record.levelname for record in records if record.getMessage() == line] == ["INFO"]


def test_a_missing_plugins_folder_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert Plugins(tmp_path / "plugins").install() == ()
    assert caplog.messages == []


async def test_the_folder_comes_first_on_the_import_path(site: Site) -> None:
    detail = await site.run("monthly")
    assert only_step(detail).output == {"table": "sessions"}, "one plugin imports a sub-package of another"


# Did my callable run?


async def test_the_lines_of_a_run_that_worked(site: Site) -> None:
    detail = await site.run("nightly-cleanup")
    run = detail.run.run_id
    assert detail.run.status == "succeeded"
    assert detail.run.rows_affected == 3
    start, done = (
        line for line in detail.lines if line.message.startswith("nomaflow.python") and line.level == "INFO"
    )
    assert start.message == (
        f"nomaflow.python start run={run} step='cleanup' callable={CALLABLE} "
        "kwargs=['apps_id', 'connectors', 'ctx', 'max_age_days']"
    )
    assert done.message == f"nomaflow.python done run={run} step='cleanup' rows=3"


async def test_values_from_the_command_line_are_texts_and_fit_the_annotations(site: Site) -> None:
    detail = await site.run("nightly-cleanup", params={"apps_id": "11", "max_age_days": "7"})
    assert detail.run.status == "succeeded", detail.steps
    assert detail.run.rows_affected == 1, "the session of application 11, and only that"


# Is my callable resolvable?


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (
            "no-such-module",
            (
                "python step 'cleanup': cannot import module 'nowhere.cleanup' "
                "from callable 'nowhere.cleanup:purge' — No module named 'nowhere'"
            ),
        ),
        (
            "no-such-submodule",
            (
                "python step 'cleanup': cannot import module 'myapp.cleanups' "
                "from callable 'myapp.cleanups:purge' — No module named 'myapp.cleanups'"
            ),
        ),
        (
            "no-such-function",
            (
                "python step 'cleanup': module 'myapp.cleanup' has no attribute 'purge_everything' "
                "(from callable 'myapp.cleanup:purge_everything')"
            ),
        ),
    ],
)
async def test_the_error_tells_which_half_failed(
    site: Site, caplog: pytest.LogCaptureFixture, job: str, text: str
) -> None:
    detail = await site.run(job)
    error = only_step(detail).error
    assert detail.run.status == "failed"
    assert error is not None
    assert (error.type, error.message) == ("ImportError", text)
    assert ("ERROR", text) in [(line.level, line.message) for line in detail.lines]
    assert ("ERROR", text) in [(record.levelname, record.getMessage()) for record in caplog.records]


async def test_a_package_without_its_init_file_cannot_be_imported(tmp_path: Path) -> None:
    lay_out(SAMPLE, tmp_path / "apps")
    (tmp_path / "apps" / "plugins" / "myapp" / "__init__.py").unlink()
    plugins = Plugins(tmp_path / "apps" / "plugins")
    plugins.install()
    try:
        step = PythonStep(name="cleanup", callable=CALLABLE)
        with pytest.raises(ImportError, match="No module named 'myapp'"):
            await step.execute(build_fake_ctx(step_name="cleanup", plugins=plugins.snapshot()))
    finally:
        plugins.uninstall()


async def test_a_library_that_is_not_installed_is_named_at_the_first_call(site: Site) -> None:
    error = only_step(await site.run("missing-library")).error
    assert error is not None
    assert (error.type, error.message) == (
        "ModuleNotFoundError",
        "No module named 'openpyxl_that_is_not_installed'",
    )


# Did my callable fail?


async def test_the_traceback_is_in_the_log_and_in_the_run(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    detail = await site.run("refused")
    error = only_step(detail).error
    assert error is not None
    assert (error.type, error.message) == ("RuntimeError", "db connection refused")
    assert error.traceback is not None
    assert 'plugins/myapp/cleanup.py", line' in error.traceback
    assert ", in refused" in error.traceback
    first = (
        f"nomaflow.python run={detail.run.run_id} step='cleanup' callable=myapp.cleanup:refused raised\n"
        "Traceback (most recent call last):"
    )
    (line,) = (line for line in detail.lines if line.message.startswith(first))
    assert line.level == "ERROR"
    assert error.traceback.strip() in line.message, "same content, two surfaces"
    assert any(record.exc_info for record in caplog.records if record.levelno == logging.ERROR)


# My change isn't reflected


async def test_an_edit_is_picked_up_by_a_later_run_without_restart(site: Site) -> None:
    assert only_step(await site.run("monthly")).output == {"table": "sessions"}
    edit(site)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while only_step(await site.run("monthly")).output != {"table": "login_sessions"}:
            pass  # files that changed this very moment may be half copied, so a run may still get the old ones


async def test_a_forced_reload_takes_over_every_module_of_the_plugin(site: Site) -> None:
    assert only_step(await site.run("monthly")).output == {"table": "sessions"}
    edit(site)
    modules = site.runtime.plugins.reload("myapp")
    assert {"myapp", "myapp.cleanup", "myapp.reports", "myapp.db", "myapp.db.models"} <= set(modules)
    assert only_step(await site.run("monthly")).output == {"table": "login_sessions"}


def edit(site: Site) -> None:
    models = site.root / "plugins" / "myapp" / "db" / "models.py"
    models.write_text(models.read_text().replace('"sessions"', '"login_sessions"'))


# Testing


def test_the_tests_the_page_shows(tmp_path: Path, pg_url: str) -> None:
    shutil.copytree(SAMPLES / SAMPLE / "plugins", tmp_path / "plugins")
    done = run_pytest(tmp_path / "plugins", DEV_DATABASE_URL=pg_url)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def run_pytest(plugins: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a developer of plugins does: pytest, with the plugins folder on the path."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir=.",
    ]
    return subprocess.run(
        command,
        cwd=plugins,
        env={**os.environ, "PYTHONPATH": str(plugins), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def test_every_line_of_a_run_is_found_by_the_documented_words(site: Site) -> None:
    found = messages(await site.run("nightly-cleanup"))
    assert sum("nomaflow.python" in message for message in found) == 2
