"""The page "Write a callable": signatures, injections, context, returns, failures, logging and its worked example."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from liberty.errors import Conflict
from liberty.jobs.steps.base import StepCancelled, StepFailed, StepResult
from liberty.jobs.steps.python import PythonStep
from liberty.plugins import Plugins, PluginSet
from liberty.settings import load_settings
from liberty.testing import build_fake_ctx, memory_registry
from tests.contract.site import SAMPLES, Site, only_step, serving

SAMPLE = "write_a_callable"


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


async def call(plugins: PluginSet, function: str, **op_kwargs: Any) -> StepResult:
    """What a step that names the function of `myapp` gets."""
    step = PythonStep(name="step", callable=f"myapp.{function}", op_kwargs=op_kwargs)
    return await step.execute(build_fake_ctx(plugins=plugins, connectors=memory_registry()))


# The minimal signature


async def test_the_minimal_function_runs(tmp_path: Path) -> None:
    async with serving("write_a_callable_minimal", tmp_path / "apps") as site:
        detail = await site.run("minimal")
    assert detail.run.status == "succeeded"
    assert detail.run.rows_affected == 0, "a count on the run history, even if it is none"


async def test_arguments_come_by_name_and_the_step_needs_no_name(site: Site) -> None:
    detail = await site.run("op-kwargs")
    step = only_step(detail)
    assert step.name == "myapp.cleanup:purge_old_sessions"
    assert step.output == {"rows_affected": 4, "tenant": 10, "cutoff": "2026-05-01T00:00:00+00:00"}
    assert detail.run.rows_affected == 4


# What the framework injects


async def test_any_keyword_gets_all_three(plugins: PluginSet) -> None:
    result = await call(plugins, "contract:everything")
    assert result.extras["received"] == ["connectors", "ctx", "settings"]
    assert result.extras["kinds"]["connectors"] == "ConnectorRegistry"
    assert result.extras["kinds"]["settings"] == "Settings"


async def test_op_kwargs_come_on_top(plugins: PluginSet) -> None:
    result = await call(plugins, "contract:everything", apps_id=10, max_age_days=30)
    assert result.extras["received"] == ["apps_id", "connectors", "ctx", "max_age_days", "settings"]


async def test_a_function_without_keyword_catch_all_gets_what_it_names(plugins: PluginSet) -> None:
    assert (await call(plugins, "contract:named_only")).extras["kind"] == "ConnectorRegistry"
    assert (await call(plugins, "contract:nothing_injected")) == StepResult()
    assert (await call(plugins, "contract:rejects_the_rest", apps_id=10)).extras == {"apps_id": 10}


async def test_a_value_of_the_operator_wins_over_an_injection(plugins: PluginSet) -> None:
    assert (await call(plugins, "contract:own_connectors", connectors="mine")).extras == {
        "connectors": "mine"
    }


async def test_positional_parameters_are_filled_by_their_names(plugins: PluginSet) -> None:
    assert (await call(plugins, "contract:positional", apps_id=10)).extras == {"apps_id": 10, "run_id": "r-1"}


async def test_settings_tell_where_the_configuration_is(plugins: PluginSet) -> None:
    settings = load_settings({"LIBERTY_APPS_DIR": str(SAMPLES / SAMPLE / "config")})
    step = PythonStep(name="step", callable="myapp.contract:config_paths")
    result = await step.execute(build_fake_ctx(plugins=plugins, settings=settings))
    assert result.extras == {"file": "connectors.toml", "app": settings.app.name}


# The RunContext


async def test_the_context_of_a_run(site: Site) -> None:
    detail = await site.run("chain")
    assert detail.steps[1].output == {
        "run_id": detail.run.run_id,
        "job_id": "chain",
        "trigger": "manual",
        "prev_rows_affected": 42,
        "parent_chain": [],
    }


async def test_a_called_job_knows_its_ancestors(site: Site) -> None:
    parent = await site.run("parent")
    output = only_step(parent).output
    assert isinstance(output, dict)
    (child,) = (run for run in await runs_of(site, "chain") if run.run_id == output["child_run_id"])
    context = (await site.runtime.reader.detail(child.run_id, site.alice)).steps[1].output
    assert isinstance(context, dict)
    assert context["trigger"] == "call_job"
    assert context["parent_chain"] == [["parent", parent.run.run_id]]
    assert parent.run.rows_affected == 42


async def runs_of(site: Site, job: str) -> list[Any]:
    return (await site.runtime.reader.page(site.alice, jobs=[job])).items


# Return value


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("returns_none", StepResult()),
        ("returns_int", StepResult(rows_affected=42)),
        (
            "returns_dict",
            StepResult(rows_affected=7, extras={"rows_affected": 7, "path": "/exports/report.pdf"}),
        ),
        ("returns_step_result", StepResult(rows_affected=3, extras={"tenant": 10})),
        ("blocking", StepResult(extras={"in_thread": True})),
        ("blocking_call_in_a_thread", StepResult(extras={"done": True})),
    ],
)
async def test_four_shapes_are_accepted(plugins: PluginSet, function: str, result: StepResult) -> None:
    assert await call(plugins, f"contract:{function}") == result


@pytest.mark.parametrize(
    ("function", "text"), [("returns_list", "returned a list"), ("returns_unserialisable", "holds a object")]
)
async def test_anything_else_fails(plugins: PluginSet, function: str, text: str) -> None:
    with pytest.raises(StepFailed, match=text):
        await call(plugins, f"contract:{function}")


# Cancellation and errors


async def test_a_loop_that_yields(plugins: PluginSet) -> None:
    assert (await call(plugins, "loops:long_loop", items=list(range(250)))).extras == {"processed": 250}


async def test_the_exceptions_arrive_as_they_are(plugins: PluginSet) -> None:
    with pytest.raises(StepFailed, match="told you so"):
        await call(plugins, "contract:fails")
    with pytest.raises(StepCancelled, match="not today"):
        await call(plugins, "contract:cancels")
    with pytest.raises(asyncio.CancelledError):
        await call(plugins, "contract:cancelled")


@pytest.mark.parametrize(
    ("job", "kind", "message"),
    [
        ("idiomatic-failure", "RuntimeError", "no rows returned — upstream issue"),
        ("explicit-failure", "StepFailed", "no rows returned — check the upstream job"),
    ],
)
async def test_both_ways_to_fail_end_the_same(site: Site, job: str, kind: str, message: str) -> None:
    detail = await site.run(job)
    step = only_step(detail)
    assert (detail.run.status, step.status, step.attempt) == ("failed", "failed", 2), (
        "the retry policy applies"
    )
    assert step.error is not None
    assert (step.error.type, step.error.message) == (kind, message)


async def test_step_cancelled_is_not_tried_again(site: Site) -> None:
    detail = await site.run("cancels")
    step = only_step(detail)
    assert (detail.run.status, step.status, step.attempt) == ("aborted", "aborted", 1)
    with pytest.raises(Conflict, match="already ended"):
        await site.runtime.requests.abort(detail.run.run_id, site.alice)


# Logging


async def test_an_ordinary_logger_writes_to_the_run(site: Site) -> None:
    detail = await site.run("logs")
    run = detail.run.run_id
    lines = [(line.level, line.step, line.message) for line in detail.lines if line.logger == "myapp.logs"]
    assert lines == [
        ("INFO", "myapp.logs:my_function", f"starting · run_id={run}"),
        ("INFO", "myapp.logs:my_function", f"done · rows=3 · run_id={run}"),
    ]


# The complete worked example


async def test_the_worked_example_on_postgresql(tmp_path: Path, pg_url: str) -> None:
    last_month = date.today().replace(day=1) - timedelta(days=1)
    period = last_month.strftime("%Y-%m")
    day = datetime(last_month.year, last_month.month, last_month.day, 12)
    engine = create_async_engine(pg_url)
    async with engine.begin() as connection:
        # A `timestamp`, because the month of a `date` begins at midnight of the database's zone, not of the caller's.
        for statement in (
            "CREATE TABLE invoices (apps_id integer, total numeric(12, 2), invoice_date timestamp)",
            "CREATE TABLE monthly_summary (apps_id int, period text, revenue numeric(12, 2), invoice_count int)",
            f"INSERT INTO monthly_summary VALUES (10, '{period}', 1, 1), (11, '{period}', 1, 1)",
        ):
            await connection.execute(text(statement))
        await connection.execute(
            text(
                "INSERT INTO invoices VALUES (10, 100.25, :day), (10, 50, :day), (10, 7, :old), (11, 9, :day)"
            ),
            {"day": day, "old": day - timedelta(days=365)},
        )
    async with serving(SAMPLE, tmp_path / "apps", REPORTING_URL=pg_url) as site:
        detail = await site.run("monthly")
    step = only_step(detail)
    assert detail.run.status == "succeeded", step.error
    assert (step.name, step.output) == (
        "monthly-summary",
        {"rows_affected": 1, "period": period, "tenant": 10},
    )
    async with engine.begin() as connection:
        found = (await connection.execute(text("SELECT * FROM monthly_summary ORDER BY apps_id"))).all()
    await engine.dispose()
    assert [(row.apps_id, float(row.revenue), row.invoice_count) for row in found] == [
        (10, 150.25, 2),
        (11, 1.0, 1),
    ]
    said = [line.message for line in detail.lines if line.logger == "reports.monthly"]
    assert said == [
        f"generate monthly summary · period={period} · run_id={detail.run.run_id}",
        f"deleted 1 stale rows · run_id={detail.run.run_id}",
        f"inserted 1 summary row(s) · run_id={detail.run.run_id}",
    ]
