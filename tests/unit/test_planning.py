"""What becomes of due instants: each is accounted for once, whatever was missed, paused or too much to count."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liberty.jobs.engine import planning
from liberty.jobs.engine.planning import (
    GRACE,
    MAX_ROWS,
    Budget,
    Earlier,
    Policy,
    Stretch,
    Verdict,
    pending,
    plan_fires,
)
from liberty.jobs.store.gaps import Gap
from liberty.jobs.store.pauses import FREEZE, Pause
from liberty.jobs.triggers import parse_schedule
from liberty.jobs.triggers.base import between

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

POLICIES = st.sampled_from(get_args(Policy.__value__))
SCHEDULES = st.sampled_from(
    ["* * * * * *", "* * * * *", "*/15 * * * *", "0 * * * *", "every 7s", "0 0 1 1 *"]
)
THENS = st.sampled_from(["drop", "latest", "all"])
SPANS = st.integers(0, 3 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def pauses(draw: st.DrawFn) -> Pause:
    since = NOON - draw(SPANS)
    length = draw(st.none() | SPANS)
    until = None if length is None else since + length
    ended = draw(st.none() | SPANS.map(lambda span: since + span))
    return Pause(draw(st.sampled_from(["job", FREEZE])), since, until, "why", draw(THENS), "user:bob", ended)


def verdicts(
    schedule: str,
    watermark: datetime,
    now: datetime = NOON,
    policy: Policy = "latest",
    window: timedelta = HOUR,
    held: tuple[Pause, ...] = (),
    gaps: tuple[Gap, ...] = (),
) -> list[Verdict]:
    found = pending(parse_schedule(schedule, "UTC"), "job", watermark, now, held, Budget())
    return plan_fires(found.stretches, now, policy, window, gaps)


def kinds(found: list[Verdict]) -> str:
    return "".join({"fire": "F", "catch up": "C", "skip": "-"}[verdict.does] for verdict in found)


@settings(deadline=None)
@given(
    schedule=SCHEDULES,
    back=SPANS,
    policy=POLICIES,
    window=SPANS,
    held=st.lists(pauses(), max_size=3).map(tuple),
)
def test_each_pending_instant_is_accounted_for_once(
    schedule: str, back: timedelta, policy: Policy, window: timedelta, held: tuple[Pause, ...]
) -> None:
    rule = parse_schedule(schedule, "UTC")
    watermark = NOON - back
    found = pending(rule, "job", watermark, NOON, held, Budget())
    plan = plan_fires(found.stretches, NOON, policy, window)
    due = list(between(rule, watermark, NOON))
    accounted: list[datetime] = []
    for verdict in plan:
        if verdict.covers is None:
            accounted.append(verdict.at)
        else:
            assert verdict.does == "skip"
            within = [at for at in due if verdict.covers.first <= at <= verdict.covers.last]
            assert (len(within), verdict.covers.more) == (verdict.covers.count, False)
            assert verdict.at == verdict.covers.last == within[-1]
            accounted += within
    # In order, without a hole: a prefix of what is due, all of it unless a pause makes the rest wait.
    assert accounted == due[: len(accounted)]
    if not found.waits:
        assert accounted == due
    rest = due[len(accounted) :]
    assert not rest or (found.until is None or found.until > NOON)
    # Only what nothing holds back fires, and everything young of it does.
    for verdict in plan:
        holds = any(pause.holds(verdict.at) for pause in held)
        if verdict.covers is None and not holds:
            assert (verdict.does == "fire") == (NOON - verdict.at <= GRACE)
            if verdict.does == "catch up":
                assert NOON - verdict.at <= window
                assert policy != "none"
        if verdict.does == "fire":
            assert not holds
        assert (verdict.reason is None) == (verdict.does != "skip")
    stretches = len(found.stretches)
    assert sum(verdict.does != "fire" for verdict in plan) <= (MAX_ROWS + 1) * stretches
    if policy == "latest" and all(pause.then != "all" for pause in held):
        caught = [verdict for verdict in plan if verdict.does == "catch up"]
        assert len(caught) <= 1
        assert not caught or all(verdict.does == "skip" for verdict in plan[plan.index(caught[0]) + 1 :])


def test_the_newest_missed_instant_runs_and_the_others_say_why_not() -> None:
    plan = verdicts("*/15 * * * *", NOON - 5 * HOUR, NOON + 5 * MINUTE)
    assert kinds(plan) == "-" * 19 + "C"
    assert plan[-1].at == NOON
    assert {verdict.reason for verdict in plan[:-1]} == {"missed: scheduler was down"}


@pytest.mark.parametrize(
    ("policy", "minutes_late", "expected"),
    [
        ("latest", 0, "---F"),  # something younger runs anyhow
        ("none", 0, "---F"),
        ("all", 0, "CCCF"),
        ("latest", 5, "---C"),
        ("none", 5, "----"),
        ("all", 5, "-CCC"),  # the window is an hour: the first was due 65 minutes ago
    ],
)
def test_policies(policy: Policy, minutes_late: int, expected: str) -> None:
    now = NOON + minutes_late * MINUTE
    assert kinds(verdicts("*/20 * * * *", NOON - HOUR - MINUTE, now, policy)) == expected


def test_what_lies_outside_the_window_is_not_caught_up() -> None:
    assert kinds(verdicts("0 * * * *", NOON - 3 * HOUR, NOON + 40 * MINUTE, window=MINUTE * 30)) == "---"
    assert kinds(verdicts("0 * * * *", NOON - 3 * HOUR, NOON + 40 * MINUTE, window=MINUTE * 40)) == "--C"


def test_the_cause_of_the_downtime_is_the_reason() -> None:
    away = Gap(NOON - 2 * HOUR, NOON, "database was away", "a")
    plan = verdicts("0 * * * *", NOON - 4 * HOUR, NOON + 5 * MINUTE, "none", gaps=(away,))
    assert [verdict.reason for verdict in plan] == [
        "missed: scheduler was down",
        *["missed: database was away"] * 3,
    ]


def test_a_hundred_rows_and_one_for_the_rest() -> None:
    plan = verdicts("* * * * *", NOON - 20 * HOUR, NOON + 2 * MINUTE + 40 * SECOND)
    assert len(plan) == MAX_ROWS + 1
    assert kinds(plan) == "-" * MAX_ROWS + "C"
    covers = plan[0].covers
    assert covers == Earlier(20 * 60 + 2 - 100, False, NOON - 20 * HOUR + MINUTE, plan[1].at - MINUTE)
    assert plan[0].reason is not None
    assert "1,102 instants from 2026-02-28T16:01:00Z to 2026-03-01T10:22:00Z" in plan[0].reason


def test_millions_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MAX_COUNTED", 1000)
    plan = verdicts("* * * * * *", NOON - timedelta(days=400), NOON + MINUTE)
    assert len(plan) == MAX_ROWS + 1
    assert kinds(plan)[-31:] == "F" * 31
    covers = plan[0].covers
    assert covers is not None
    assert (covers.count, covers.more) == (1000, True)
    assert (covers.first, covers.last) == (
        NOON - timedelta(days=400) + SECOND,
        plan[1].at - SECOND,
    )
    assert plan[0].reason is not None
    assert "more than 1,000 instants" in plan[0].reason


def test_a_budget_bounds_what_all_schedules_count_together() -> None:
    budget = Budget(left=500)
    rule = parse_schedule("* * * * * *", "UTC")
    for _ in range(3):
        found = pending(rule, "job", NOON - timedelta(days=30), NOON, (), budget)
        assert found.stretches[0].earlier is not None
        assert found.stretches[0].earlier.more
    assert budget.left <= 0


def test_a_pause_that_drops_skips_at_once_and_one_that_runs_later_waits() -> None:
    drop = Pause("job", NOON - 30 * MINUTE, None, "month end", "drop", "user:bob")
    plan = verdicts("*/20 * * * *", NOON - MINUTE, held=(drop,))
    assert [verdict.reason for verdict in plan] == ["skipped: paused by user:bob: month end"]
    latest = Pause(FREEZE, NOON - 30 * MINUTE, NOON + HOUR, None, "latest", "user:bob")
    found = pending(parse_schedule("*/20 * * * *", "UTC"), "job", NOON - HOUR, NOON, (latest,), Budget())
    assert found.stretches == (Stretch(None, (NOON - 40 * MINUTE,)),)
    assert (found.waits, found.until) == (True, NOON + HOUR)


@pytest.mark.parametrize(("then", "expected"), [("drop", "----"), ("latest", "---C"), ("all", "CCCC")])
def test_an_ended_pause_is_planned_by_its_own_policy_without_a_window(then: str, expected: str) -> None:
    held = Pause("job", NOON - 30 * HOUR, None, None, then, "user:bob", ended_at=NOON - 10 * MINUTE)
    plan = verdicts("0 */10 * * *", NOON - 30 * HOUR, policy="none", window=timedelta(), held=(held,))
    assert kinds(plan) == expected
    assert {verdict.reason for verdict in plan if verdict.does == "skip"} <= {"skipped: paused by user:bob"}


def test_what_was_held_back_does_not_run_when_something_younger_does() -> None:
    held = Pause("job", NOON - 3 * HOUR, None, None, "latest", "user:bob", ended_at=NOON - SECOND)
    assert kinds(verdicts("0 * * * *", NOON - 3 * HOUR, held=(held,))) == "--F"
    assert kinds(verdicts("0 * * * *", NOON - 3 * HOUR, NOON - SECOND, held=(held,))) == "-C"


def test_a_pause_that_drops_goes_first_then_the_freeze() -> None:
    own = Pause("job", NOON - HOUR, None, None, "drop", "user:alice")
    freeze = Pause(FREEZE, NOON - HOUR, None, None, "drop", "user:bob")
    later = Pause(FREEZE, NOON - HOUR, None, None, "latest", "user:bob")
    cases = [
        ((own, freeze), "skipped: frozen by user:bob"),
        ((later, own), "skipped: paused by user:alice"),
    ]
    for held, reason in cases:
        assert [verdict.reason for verdict in verdicts("0 * * * *", NOON - MINUTE, held=held)] == [reason]


def test_the_end_of_a_freeze_runs_nothing_of_a_job_that_is_paused_still() -> None:
    freeze = Pause(FREEZE, NOON - HOUR, None, None, "latest", "user:bob", ended_at=NOON + SECOND)
    for then in ("drop", "latest", "all"):
        own = Pause("job", NOON - 2 * HOUR, None, None, then, "user:alice")
        found = verdicts("0 * * * *", NOON - MINUTE, NOON + MINUTE, held=(freeze, own))
        assert kinds(found) == ("-" if then == "drop" else "")
    other = Pause("other", NOON - HOUR, None, None, "drop", "user:bob")
    assert kinds(verdicts("0 * * * *", NOON - MINUTE, held=(other,))) == "F"


def test_what_was_resumed_holds_nothing_back_although_the_clock_was_set_back_before_that() -> None:
    held = Pause("job", NOON - HOUR, None, None, "latest", "user:bob", ended_at=NOON + HOUR)
    found = verdicts("*/20 * * * *", NOON - HOUR, held=(held,))
    assert [(verdict.at, verdict.does) for verdict in found] == [
        (NOON - 40 * MINUTE, "skip"),
        (NOON - 20 * MINUTE, "skip"),
        (NOON, "catch up"),
    ]
