"""Small pieces of the pages: cells of CSV, source lines, the load of pools, failures in a row."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from liberty.jobs.definition import build_job
from liberty.jobs.service.find_runs import cell, csv_text
from liberty.jobs.service.lanes import to_come
from liberty.jobs.service.load import Stay, loads
from liberty.jobs.service.overview import failures_in_a_row, waiting_since
from liberty.jobs.service.source_lines import frames_of
from liberty.jobs.store.recent import RecentRun
from liberty.plugins import Plugins

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_no_cell_of_csv_is_a_formula(start: str) -> None:
    assert cell(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert cell(f"  {start}1") == f"'  {start}1"


def test_cells_are_quoted_and_numbers_stay_numbers() -> None:
    assert csv_text([["a,b", 'say "no"', None, 12, -3, True]]) == '"a,b","say ""no""",,12,-3,True\r\n'


def test_lines_of_plugins_are_shown_and_of_nothing_else(tmp_path: Path) -> None:
    plugin = tmp_path / "plugins" / "reports"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text("")
    (plugin / "enrich.py").write_text("".join(f"line {number}\n" for number in range(1, 31)))
    secret = tmp_path / "secret.py"
    secret.write_text("password\n")
    folder = Plugins(tmp_path / "plugins")
    plugins = folder.snapshot()
    folder.uninstall()  # the text of its files is all that is wanted
    traceback = (
        "Traceback (most recent call last):\n"
        f'  File "{plugin / "enrich.py"}", line 12, in match\n    line 12\n'
        f'  File "{secret}", line 1, in steal\n'
        f'  File "{plugin}/../../secret.py", line 1, in steal\n'
        f'  File "{plugin / "gone.py"}", line 3, in lost\n'
    )
    then = {"reports/enrich.py": "other"}
    first, gone = frames_of(traceback, plugins, then)
    assert (first.file, first.line, first.function, first.changed) == ("reports/enrich.py", 12, "match", True)
    assert first.lines[0] == (7, "line 7")
    assert first.lines[-1] == (17, "line 17")
    assert (gone.file, gone.lines, gone.changed) == ("reports/gone.py", (), None)
    same = frames_of(traceback, plugins, plugins.file_digests)
    assert same[0].changed is False
    assert frames_of(traceback, plugins, None)[0].changed is None
    assert frames_of(None, plugins, None) == []


def test_the_load_of_a_pool_is_what_runs_together() -> None:
    def stay(minute: float, lasts: float, *pools: str) -> Stay:
        return Stay(BEGIN + timedelta(minutes=minute), timedelta(minutes=lasts), frozenset(pools))

    stays = [
        stay(0, 10, "crm"),
        stay(5, 2, "crm", "warehouse"),
        stay(7, 1, "crm"),  # begins as the one before ends
        stay(12, 0, "crm"),
        stay(40, 60, "crm"),
    ]
    found = loads(stays, BEGIN, BEGIN + timedelta(hours=1), {"crm": 1, "warehouse": 10, "idle": 3})
    assert [(pool["pool"], pool["peak"], pool["over_limit"]) for pool in found if isinstance(pool, dict)] == [
        ("crm", 2, True),
        ("warehouse", 1, False),
        ("idle", 0, False),
    ]
    crm = found[0]
    assert isinstance(crm, dict)
    assert crm["needed"] == [1, 2, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert crm["peak_at"] == "2026-03-01T00:05:00.000Z"


def recent(status: str, reason: str | None = None, queued: int = 0) -> RecentRun:
    return RecentRun("a", 1, status, reason, "cron", queued, None, None)


@pytest.mark.parametrize(
    ("statuses", "count"),
    [
        ((), 0),
        (("succeeded", "failed"), 0),
        (("running", "failed", "skipped", "failed", "partial-success", "failed"), 2),
        (("aborted", "failed", "succeeded"), 1),
        (("timeout", "failed", "succeeded"), 2),
    ],
)
def test_failures_are_counted_up_to_the_last_success(statuses: tuple[str, ...], count: int) -> None:
    runs = [
        recent("aborted", "timeout after 3s") if status == "timeout" else recent(status)
        for status in statuses
    ]
    assert len(failures_in_a_row(runs)) == count


def test_a_run_is_late_when_it_has_waited_for_a_while() -> None:
    runs = [recent("queued", queued=100_000), recent("queued", queued=30_000), recent("failed", queued=1)]
    assert waiting_since(runs, 130_000) == 30_000
    assert waiting_since(runs, 60_000) is None


def test_what_is_to_come_is_told_once_an_hour_however_often_it_fires() -> None:
    job = build_job(
        {
            "name": "busy",
            "schedule": "*/30 * * * * *",
            "timezone": "Etc/UTC",
            "schedules": [{"name": "also", "schedule": "59 2 * * *"}],
            "steps": [{"type": "python", "callable": "work:noop"}],
        }
    )
    found = to_come(job, BEGIN, BEGIN + timedelta(hours=3) - timedelta(seconds=1))
    assert [(at.hour, at.minute, key, several) for at, key, several in found] == [
        (0, 0, "main", True),
        (1, 0, "main", True),
        (2, 0, "main", True),
    ]
    daily = build_job(
        {
            "name": "daily",
            "schedule": "15 2 * * *",
            "timezone": "Etc/UTC",
            "steps": [{"type": "python", "callable": "work:noop"}],
        }
    )
    assert [(at.day, several) for at, _, several in to_come(daily, BEGIN, BEGIN + timedelta(days=2))] == [
        (1, False),
        (2, False),
    ]
