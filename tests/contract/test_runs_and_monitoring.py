"""The page "Runs & monitoring": statuses, reasons, the trail of a run, aborts, replays, permissions, retention."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from liberty.auth.principal import Principal
from liberty.errors import Conflict, NotFound
from liberty.jobs.catalogue import job_sources, load_catalogue
from liberty.jobs.run import FINAL, RUN_STATUSES, Overrides
from liberty.jobs.service import Caller
from liberty.settings import load_settings
from tests.contract.site import SAMPLES, Site, lay_out, only_step, serving

SAMPLE = "runs_and_monitoring"

ALICE = Caller(Principal("alice", ("job:crm-hourly-sync", "job:billing-nightly-rebuild")), "manual")
BOB = Caller(Principal("bob", ("job:*:read", "job:*:abort")), "api")
CHARLIE = Caller(Principal("charlie"), "manual")


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(SAMPLE, tmp_path / "apps") as site:
        yield site


# Statuses


def test_the_statuses_and_which_are_final() -> None:
    assert {"running", "succeeded", "failed", "partial-success", "aborted", "skipped", "aborting"} <= {
        str(status) for status in RUN_STATUSES
    }
    assert {str(status) for status in FINAL} == {
        "succeeded",
        "failed",
        "partial-success",
        "aborted",
        "skipped",
    }


async def test_succeeded_failed_and_partial_success(site: Site) -> None:
    assert (await site.run("crm-hourly-sync")).run.status == "succeeded"
    failed = await site.run("ad-sync")
    assert failed.run.status == "failed"
    assert [(step.status, step.reason) for step in failed.steps] == [
        ("failed", None),
        ("skipped", "skipped: earlier step failed"),
    ]
    partial = await site.run("goes-on")
    assert partial.run.status == "partial-success"
    assert [step.status for step in partial.steps] == ["failed", "succeeded"]


async def test_a_job_timeout_aborts_with_its_reason(site: Site) -> None:
    run = (await site.run("too-long")).run
    assert (run.status, run.reason) == ("aborted", "timeout after 0.2s")


async def test_an_unmet_dependency_skips_with_its_reason(site: Site) -> None:
    never = (await site.run("billing-monthly-close")).run
    assert (never.status, never.reason) == ("skipped", "dependency-never-ran: ad-sync")
    await site.run("ad-sync")
    failed = (await site.run("billing-monthly-close")).run
    assert (failed.status, failed.reason) == ("skipped", "dependency-failed: ad-sync")


async def test_a_second_instance_is_skipped_with_its_reason(site: Site) -> None:
    first = await site.start("billing-nightly-rebuild")
    second = await site.start("billing-nightly-rebuild")
    assert (second.status, second.reason) == ("skipped", "single-instance, previous still running")
    assert (await site.abort(first)).run.status == "aborted"


# The trail of a run


async def test_the_row_of_a_run(site: Site) -> None:
    run = (await site.run("crm-hourly-sync")).run
    assert run.run_id == "r-1"
    assert (run.job, run.trigger, run.triggered_by) == ("crm-hourly-sync", "manual", "user:alice")
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.duration_ms == round((run.finished_at - run.started_at).total_seconds() * 1000)
    assert run.rows_affected == 42


async def test_the_timeline_of_a_step(site: Site) -> None:
    step = only_step(await site.run("crm-hourly-sync"))
    assert (step.name, step.type, step.status) == ("sync", "python", "succeeded")
    assert step.input == {"period": "2026-05"}
    assert step.output == {"rows_affected": 42, "period": "2026-05"}
    error = (await site.run("ad-sync")).steps[0].error
    assert error is not None
    assert (error.type, error.message) == ("ConnectionRefusedError", "the directory does not answer")
    assert error.traceback is not None
    assert "billing/invoicing.py" in error.traceback


async def test_every_line_has_time_level_logger_and_message(site: Site) -> None:
    lines = (await site.run("crm-hourly-sync")).lines
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    assert all(line.ts.tzinfo is not None for line in lines)
    own = [(line.level, line.logger, line.message) for line in lines if line.logger == "billing.invoicing"]
    assert own == [
        ("INFO", "billing.invoicing", "billing.invoicing.run period=2026-05 drafts=42 dry_run=False"),
        ("WARNING", "billing.invoicing", "took longer than usual"),
    ]
    events = [line.message for line in lines if line.logger == "nomaflow"]
    assert len([event for event in events if event.startswith("step sync · ")]) == 1, "its end"
    assert any(line.message.startswith("nomaflow.python start ") for line in lines), "its start"


async def test_lines_are_filtered_by_level(site: Site) -> None:
    run = (await site.run("crm-hourly-sync")).run
    warnings = await site.runtime.reader.log_lines(run.number, 0, level="WARNING")
    assert [line.message for line in warnings] == ["took longer than usual"]


async def test_the_trail_is_in_three_tables_and_goes_with_its_run(site: Site) -> None:
    await site.run("crm-hourly-sync")
    with closing(sqlite3.connect(site.root / "data" / "liberty.db")) as database:
        database.execute("PRAGMA foreign_keys = ON")
        trail = ("ly2_job_runs", "ly2_step_runs", "ly2_job_logs")
        before = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in trail]
        assert before[:2] == [1, 1]
        assert before[2] >= 4
        database.execute("DELETE FROM ly2_job_runs WHERE run_id = 'r-1'")
        assert [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in trail] == [
            0,
            0,
            0,
        ]


async def test_the_list_is_filtered(site: Site) -> None:
    await site.run("crm-hourly-sync")
    await site.run("ad-sync")
    reader = site.runtime.reader
    assert [run.job for run in (await reader.page(site.alice)).items] == ["ad-sync", "crm-hourly-sync"]
    by_job = await reader.page(site.alice, jobs=["crm-hourly-sync"])
    assert [run.run_id for run in by_job.items] == ["r-1"]
    by_status = await reader.page(site.alice, statuses=["FAILED", "aborted"])
    assert [run.run_id for run in by_status.items] == ["r-2"]
    since = datetime(2100, 1, 1, tzinfo=UTC)
    assert (await reader.page(site.alice, since=since)).items == []
    first = await reader.page(site.alice, limit=1)
    assert [run.run_id for run in first.items] == ["r-2"]
    assert [
        run.run_id for run in (await reader.page(site.alice, limit=1, cursor=first.next_cursor)).items
    ] == ["r-1"]


# Aborting


async def test_an_abort_ends_step_and_run(site: Site) -> None:
    detail = await site.abort(await site.start_until("waiting", "billing-nightly-rebuild"))
    step = only_step(detail)
    assert (detail.run.status, step.status) == ("aborted", "aborted")
    assert detail.run.reason == "aborted by user:alice"
    with pytest.raises(Conflict, match="already ended"):
        await site.runtime.requests.abort(detail.run.run_id, site.alice)


# Replaying


async def test_a_replay_is_a_new_run_with_the_same_params(site: Site) -> None:
    original = (await site.run("crm-hourly-sync", params={"period": "2026-04"})).run
    bob = Caller(Principal("bob", ("job:crm-hourly-sync",)), "manual")
    replay = await site.replay(original, bob)
    assert replay.run.run_id != original.run_id
    assert replay.run.replay_of == original.number
    assert replay.run.triggered_by == "user:bob"
    assert replay.run.params == original.params
    assert only_step(replay).output == {"rows_affected": 42, "period": "2026-04"}


async def test_a_run_in_flight_cannot_be_replayed(site: Site) -> None:
    run = await site.start_until("waiting", "billing-nightly-rebuild")
    with pytest.raises(Conflict, match="only a run that has ended"):
        await site.replay(run)
    await site.abort(run)


# Permissions


async def test_the_list_holds_only_what_the_caller_may_see(site: Site) -> None:
    await site.run("crm-hourly-sync")
    await site.run("ad-sync")
    page = site.runtime.reader.page
    assert [run.job for run in (await page(ALICE)).items] == ["crm-hourly-sync"]
    assert len((await page(BOB)).items) == 2
    assert (await page(CHARLIE)).items == []
    with pytest.raises(NotFound):
        await site.runtime.reader.get("r-1", CHARLIE)


async def test_running_and_aborting_are_separate_rights(site: Site) -> None:
    with pytest.raises(NotFound):
        await site.runtime.requests.start("crm-hourly-sync", Overrides(), BOB)
    run = await site.runtime.requests.start("billing-nightly-rebuild", Overrides(), ALICE)
    with pytest.raises(NotFound):
        await site.runtime.requests.abort(run.run_id, ALICE)
    assert (await site.runtime.requests.abort(run.run_id, BOB)).status in ("aborting", "aborted")


# Retention and forwarding


def test_the_published_settings_are_the_defaults(tmp_path: Path) -> None:
    config = lay_out(SAMPLE, tmp_path / "apps")
    written = load_settings({"LIBERTY_APPS_DIR": str(config)}, cwd=tmp_path).jobs
    default = load_settings({}, cwd=tmp_path).jobs
    names = ("history_days", "history_keep_failed", "log_truncate_kb")
    assert [getattr(written, name) for name in names] == [90, True, 100]
    assert [getattr(default, name) for name in names] == [90, True, 100]


def test_the_history_is_pruned_every_day_at_three() -> None:
    settings = load_settings({"LIBERTY_APPS_DIR": str(SAMPLES / SAMPLE / "config")}, cwd=SAMPLES)
    job = load_catalogue(job_sources(settings), {}).get("_default/cleanup-job-history")
    assert job.enabled
    assert job.schedule == "0 3 * * *"


def test_one_variable_makes_the_log_json() -> None:
    assert load_settings({"LIBERTY_LOG_JSON": "1"}, cwd=SAMPLES).app.log_format == "json"
    assert load_settings({}, cwd=SAMPLES).app.log_format == "text"
