"""The page "Custom Python steps": the context by position, connectors, earlier steps, cancellation, logs, tests."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from pytest_httpserver import HTTPServer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from liberty.errors import Invalid
from liberty.jobs.steps.base import StepResult
from liberty.jobs.steps.python import PythonStep
from liberty.plugins import Plugins, PluginSet
from liberty.testing import FakeContext, build_fake_ctx, step_run
from tests.contract.site import SAMPLES, Site, only_step, serving
from tests.contract.test_deploy_and_debug import run_pytest

SAMPLE = "custom_python_steps"


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(SAMPLE, tmp_path / "apps") as site:
        yield site


@pytest.fixture
def plugins() -> Iterator[PluginSet]:
    folder = Plugins(SAMPLES / SAMPLE / "plugins")
    folder.install()
    yield folder.snapshot()
    folder.uninstall()


async def call(ctx: FakeContext, function: str, **op_kwargs: Any) -> StepResult:
    return await PythonStep(name="step", callable=function, op_kwargs=op_kwargs).execute(ctx)


# The function signature


async def test_params_and_op_kwargs_arrive_by_name(site: Site) -> None:
    detail = await site.run("monthly")
    step = only_step(detail)
    assert step.output == {"path": "/exports/summary-2026-04.pdf", "size_bytes": 12345}
    assert "wrote 2026-04 summary" in [line.message for line in detail.lines]


async def test_what_is_sent_with_the_run_wins(site: Site) -> None:
    sent = {"params": {"period": "2026-05"}, "op_kwargs": {"summary": {"target_path": "/exports/may.pdf"}}}
    detail = await site.run("monthly", **sent)
    assert only_step(detail).output == {"path": "/exports/may.pdf", "size_bytes": 12345}
    assert "wrote 2026-05 summary" in [line.message for line in detail.lines]


async def test_a_keyword_nobody_declares_fails_the_step(site: Site) -> None:
    error = only_step(await site.run("no-catch-all")).error
    assert error is not None
    assert error.type == "TypeError"
    assert "unexpected keyword argument 'quality'" in error.message


async def test_a_value_for_nobody_is_refused_before_the_run(site: Site) -> None:
    with pytest.raises(Invalid, match="colour"):
        await site.run("no-catch-all", params={"colour": "red"})


@pytest.mark.parametrize(
    ("function", "output"),
    [
        ("housekeeping:prune_attachments", {"status": "skipped", "reason": "threshold not crossed"}),
        ("reports.housekeeping:prune_attachments", {"rows_affected": 4321}),
    ],
)
async def test_a_plugin_is_a_package_or_one_file(
    plugins: PluginSet, function: str, output: dict[str, Any]
) -> None:
    assert (await call(build_fake_ctx(plugins=plugins), function)).extras == output


# The StepContext


async def test_the_context_offers_what_the_page_lists(site: Site) -> None:
    detail = await site.run("context")
    assert only_step(detail).output == {
        "connector": "reporting",
        "params": {"period": "2026-04", "target_path": "/exports/summary.pdf"},
        "session_user": "alice",
        "run_id": detail.run.run_id,
        "job_id": "context",
        "cancelled": False,
        "log_level": "INFO",
    }


async def test_the_log_level_of_a_run_may_be_debug(site: Site) -> None:
    output = only_step(await site.run("context", log_level="DEBUG")).output
    assert isinstance(output, dict)
    assert output["log_level"] == "DEBUG"


async def test_log_calls_land_in_the_log_of_the_run(site: Site) -> None:
    detail = await site.run("log-lines")
    said = [(line.level, line.message) for line in detail.lines]
    first = said.index(("INFO", "starting batch"))
    assert said[first : first + 4] == [
        ("INFO", "starting batch"),
        ("INFO", "▶ batch 1 of 2"),
        ("WARNING", "missing field on row 7 — skipping"),
        ("ERROR", "upstream returned 500 — retry policy will decide"),
    ]


async def test_print_lands_there_too(tmp_path: Path) -> None:
    # Not the fixture: pytest changes sys.stdout between a fixture and its test, and the program keeps what it found.
    async with serving(SAMPLE, tmp_path / "apps") as site:
        detail = await site.run("prune")
    assert "pruning" in [line.message for line in detail.lines]


# Reading a connector


async def test_the_materialized_view_on_postgresql(tmp_path: Path, pg_url: str) -> None:
    engine = create_async_engine(pg_url)
    async with engine.begin() as connection:
        for statement in (
            "CREATE SCHEMA reporting",
            "CREATE TABLE orders (amount integer)",
            "CREATE MATERIALIZED VIEW reporting.daily_summary AS SELECT amount FROM orders",
            "INSERT INTO orders VALUES (1), (2)",
        ):
            await connection.execute(text(statement))
    await engine.dispose()
    async with serving(SAMPLE, tmp_path / "apps", WAREHOUSE_URL=pg_url) as site:
        detail = await site.run("refresh")
    step = only_step(detail)
    assert step.error is None
    assert step.output == {"rows_after_refresh": 2}
    assert "refreshed view · 2 rows" in [line.message for line in detail.lines]


async def test_rows_can_be_streamed(site: Site) -> None:
    make_orders(site, 250)
    assert only_step(await site.run("stream")).output == {"total": sum(range(250))}


# Reading a previous step's output


async def test_a_body_of_json_is_decoded_for_the_next_step(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/releases").respond_with_json([{"tag": "v2"}, {"tag": "v1"}])
    async with serving(SAMPLE, tmp_path / "apps", RELEASES_PORT=str(httpserver.port)) as site:
        detail = await site.run("releases")
    fetched, upserted = detail.steps
    assert detail.run.status == "succeeded", detail.steps
    assert isinstance(fetched.output, dict)
    assert fetched.output["status"] == 200
    assert upserted.output == {"rows_affected": 2, "first": "v2"}


async def test_the_status_of_an_earlier_step_compares_in_any_spelling(plugins: PluginSet) -> None:
    ctx = build_fake_ctx(
        plugins=plugins, previous={"fetch-releases": step_run("fetch-releases", status="failed")}
    )
    with pytest.raises(RuntimeError, match="upstream step failed — refusing to upsert"):
        await call(ctx, "reports.releases:upsert_releases")


async def test_raising_with_what_the_other_side_said(plugins: PluginSet) -> None:
    response = SimpleNamespace(status_code=503, text="down" * 100)
    with pytest.raises(RuntimeError, match=r"upstream returned 503 — body: (down){50}$"):
        await call(build_fake_ctx(plugins=plugins), "reports.releases:check", response=response)


# Cancellation and long-running steps


async def test_a_cancelled_loop_says_where_it_stopped(plugins: PluginSet) -> None:
    ctx = build_fake_ctx(plugins=plugins)
    ctx.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call(ctx, "reports.loops:long_loop", items=[1, 2, 3])
    assert ctx.log.calls == [("WARNING", "cancelled at item 0/3")]


async def test_a_loop_that_nobody_cancels(site: Site) -> None:
    assert only_step(await site.run("loop")).output == {"processed": 3}


async def test_work_for_the_processor_goes_to_a_thread(site: Site) -> None:
    assert only_step(await site.run("render")).output == {"bytes": len(b"%PDF-1.7 April")}


async def test_the_heartbeat(site: Site) -> None:
    detail = await site.run("heartbeat")
    beats = [line.message for line in detail.lines if line.message.startswith("▶")]
    assert only_step(detail).output == {"rows": 1_000_000}
    assert (len(beats), beats[0], beats[-1]) == (
        20,
        "▶ 50000 / 1000000 (5%)",
        "▶ 1000000 / 1000000 (100%)",
    )


# Testing and reusing


def test_the_test_the_page_shows(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / SAMPLE / "plugins", tmp_path / "plugins")
    done = run_pytest(tmp_path / "plugins")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("orders", "output", "error"),
    [(100, {"rows": 100, "period": "2026-04"}, None), (99, None, "row count 99 below floor 100")],
)
async def test_a_shared_helper(site: Site, orders: int, output: Any, error: str | None) -> None:
    make_orders(site, orders)
    step = only_step(await site.run("shared-helper"))
    assert step.output == output
    assert (step.error.message if step.error else None) == error


def make_orders(site: Site, count: int) -> None:
    with closing(sqlite3.connect(site.root / "data" / "warehouse.db")) as connection:
        connection.execute("CREATE TABLE orders (amount INTEGER)")
        connection.executemany("INSERT INTO orders VALUES (?)", [(amount,) for amount in range(count)])
        connection.commit()
