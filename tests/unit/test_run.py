"""Facts about runs: statuses that compare by meaning, ids, durations, and the table of legal moves."""

from datetime import UTC, datetime, timedelta

import pytest

from liberty.jobs.run import FINAL, IN_FLIGHT, LEGAL_MOVES, RUN_STATUSES, Status, Trigger, run_number
from tests.factories import step


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("SUCCEEDED", "succeeded"),
        ("Canceled", "aborted"),
        ("CANCELLED", "aborted"),
        ("cancelling", "aborting"),
        ("PARTIAL_SUCCESS", "partial-success"),
        ("failed", "failed"),
    ],
)
def test_a_status_is_written_one_way_and_equals_every_spelling(text: str, stored: str) -> None:
    status = Status(text)
    assert str(status) == stored
    assert status == text
    assert status == stored.upper()
    assert (status != text) is False
    assert {status: 1}[Status(stored)] == 1
    assert hash(status) == hash(stored)


def test_a_status_is_no_other_and_nothing_else() -> None:
    assert Status("failed") != "succeeded"
    assert Status("failed") != 1
    assert "FAILED" in [Status("failed"), Status("queued")]


def test_final_is_what_has_no_move_left() -> None:
    assert set(FINAL) | set(IN_FLIGHT) == set(RUN_STATUSES)
    assert set(LEGAL_MOVES) == set(IN_FLIGHT)
    assert all(status.final == (status not in LEGAL_MOVES) for status in RUN_STATUSES)
    assert {target for targets in LEGAL_MOVES.values() for target in targets} <= set(RUN_STATUSES)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("r-1842", 1842),
        ("1842", 1842),
        ("r-", None),
        ("r--1", None),
        ("r-1x", None),
        ("", None),
        ("r-²", None),
    ],
)
def test_run_ids_are_read_strictly(text: str, number: int | None) -> None:
    assert run_number(text) == number


def test_a_number_that_no_column_holds_is_no_run_id() -> None:
    assert run_number("r-" + "9" * 19) is None


@pytest.mark.parametrize(
    ("kind", "by", "user"),
    [
        ("manual", "user:alice", "alice"),
        ("api", "user:alice", "alice"),
        ("cli", "cli:root", "cli"),
        ("cron", "cron", "cron"),
        ("call_job", "job:parent@r-1", "cron"),
    ],
)
def test_who_a_run_works_for(kind: str, by: str, user: str) -> None:
    assert Trigger(kind, by).session_user == user  # type: ignore[arg-type]  # one of the literals


def test_a_step_knows_how_long_it_took() -> None:
    began = datetime(2026, 3, 1, tzinfo=UTC)
    assert step(started_at=began, finished_at=began + timedelta(seconds=1.5)).duration_ms == 1500
    assert step(started_at=began, finished_at=None).duration_ms is None
    assert step(output={"a": 1}).extras == {"a": 1}
