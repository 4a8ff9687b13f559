"""The checker of the experiments can fail: every kind of violation, in a history made by hand, is found and named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liberty.chaos.checker import History, check
from liberty.chaos.facts import Mark, Row, Slot, every_minute, every_second, marks_of, row_of

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def row(number: int, slot: float | None, status: str = "succeeded", job: str = "tick", **fields: Any) -> Row:
    final = status not in ("queued", "running", "aborting")
    begun = at(slot if slot is not None else 0)
    facts: dict[str, Any] = {
        "reason": None,
        "trigger": "cron" if slot is not None else "manual",
        "scheduled_at": None if slot is None else begun,
        "queued_at": begun,
        "started_at": None if status in ("queued", "skipped") else begun,
        "finished_at": begun + timedelta(seconds=0.5) if final else None,
        "replica": "one",
    }
    return Row(f"r-{number}", job, status, **{**facts, **fields})


def marks(
    number: int, slot: float, *, job: str = "tick", begin: float = 0.1, end: float | None = 0.3
) -> list[Mark]:
    """What a run of the slot leaves with the witness, `begin` and `end` counted from the slot."""
    found = [Mark("begin", job, at(slot), f"r-{number}", 1, 100, at(slot + begin))]
    if end is not None:
        found.append(Mark("end", job, at(slot), f"r-{number}", 1, 100, at(slot + end)))
    return found


SLOTS = [Slot("tick", at(second)) for second in (1, 2, 3)]
ROWS = [row(1, 1), row(2, 2), row(3, 3)]
MARKS = [*marks(1, 1), *marks(2, 2), *marks(3, 3)]


def test_a_history_in_which_everything_is_right_has_no_violations() -> None:
    verdict = check(History(SLOTS, ROWS, MARKS, frozenset({"tick"}), {"r-1": 1}))
    assert verdict.violations == []
    assert (verdict.counts["slots"], verdict.counts["rows"], verdict.counts["ran"]) == (3, 3, 3)
    assert verdict.counts["tries compared"] == 1


def test_missed_slots_are_counted_apart_and_are_no_violation() -> None:
    rows = [row(1, 1), row(2, 2, "skipped", reason="missed: scheduler was down"), row(3, 3)]
    verdict = check(History(SLOTS, rows, [*marks(1, 1), *marks(3, 3)]))
    assert verdict.violations == []
    assert (verdict.counts["missed"], verdict.counts["ran"]) == (1, 2)


SUMMARY = (
    "missed: scheduler was down; "
    "this row stands for {} instants from 2026-03-01T12:00:01Z to 2026-03-01T12:00:02Z"
)


def test_a_row_that_stands_for_many_accounts_for_all_of_them() -> None:
    rows = [row(1, 2, "skipped", reason=SUMMARY.format(2)), row(3, 3)]
    verdict = check(History(SLOTS, rows, marks(3, 3)))
    assert verdict.violations == []
    assert verdict.counts["slots that share a row"] == 2


VIOLATED: dict[str, History] = {
    "unaccounted": History(SLOTS, ROWS[:2], MARKS[:4]),
    "duplicate rows": History(SLOTS, [*ROWS, row(4, 3, "failed")], MARKS),
    "left over": History(SLOTS, [*ROWS, row(4, 2.5)], [*MARKS, *marks(4, 2.5)]),
    "skipped without a reason": History(SLOTS, [*ROWS[:2], row(3, 3, "skipped")], MARKS[:4]),
    "shared rows miscounted": History(
        SLOTS, [row(1, 2, "skipped", reason=SUMMARY.format(7)), row(3, 3)], marks(3, 3)
    ),
    "accounted for twice": History(
        SLOTS,
        [row(1, 1), row(2, 2, "skipped", reason=SUMMARY.format(2)), row(3, 3)],
        [*marks(1, 1), *marks(3, 3)],
    ),
    "unfinished": History(SLOTS, [*ROWS[:2], row(3, 3, "running")], MARKS),
    "ended before they started": History(SLOTS, [*ROWS[:2], row(3, 3, finished_at=at(2.9))], MARKS),
    "done twice": History(SLOTS, ROWS, [*MARKS, *marks(3, 3)]),
    "worked without a row": History(SLOTS, ROWS, [*MARKS, *marks(9, 9)]),
    "skipped but worked": History(SLOTS, [*ROWS[:2], row(3, 3, "skipped", reason="paused")], MARKS),
    "succeeded without work": History(SLOTS, ROWS, [*MARKS[:4], *marks(3, 3, end=None)]),
    "overlaps": History(
        SLOTS, ROWS, [*marks(1, 1, end=1.2), *marks(2, 2), *marks(3, 3)], frozenset({"tick"})
    ),
    "tries miscounted": History(SLOTS, ROWS, MARKS, attempts={"r-1": 2}),
}


@pytest.mark.parametrize("kind", VIOLATED)
def test_every_kind_of_violation_is_found_and_counted(kind: str) -> None:
    verdict = check(VIOLATED[kind])
    assert verdict.counts[kind] == 1
    assert len(verdict.violations) == 1, verdict.violations
    assert verdict.violations[0].startswith("1 ")


def test_two_runs_that_worked_on_one_slot_are_a_duplicate_even_when_one_row_was_lost() -> None:
    verdict = check(History(SLOTS, ROWS, [*MARKS, *marks(4, 3)]))
    assert verdict.counts["done twice"] == 1
    assert verdict.counts["worked without a row"] == 1


def test_work_of_a_process_that_was_given_up_does_not_count_after_that() -> None:
    orphan = row(1, 1, "failed", reason="orphaned: one", finished_at=at(1.9))
    late = [*marks(1, 1, end=9), *marks(2, 2), *marks(3, 3)]
    assert check(History(SLOTS, [orphan, *ROWS[1:]], late, frozenset({"tick"}))).counts["overlaps"] == 0
    still = row(1, 1, "running")
    assert check(History(SLOTS, [still, *ROWS[1:]], late, frozenset({"tick"}))).counts["overlaps"] == 1


def test_a_run_that_never_ended_overlaps_with_whatever_comes_after_it() -> None:
    history = History(
        SLOTS, [row(1, 1, "running"), *ROWS[1:]], [*marks(1, 1, end=None), *MARKS[2:]], frozenset({"tick"})
    )
    assert check(history).counts["overlaps"] == 1


def test_what_is_still_under_way_is_not_held_against_anyone_before_the_end() -> None:
    rows = [*ROWS[:2], row(3, 3, "running")]
    assert check(History(SLOTS, rows, MARKS, ended=False)).violations == []


def test_only_a_few_examples_of_many_violations_are_named() -> None:
    slots = [Slot("tick", at(second)) for second in range(50)]
    verdict = check(History(slots, [], []))
    assert verdict.counts["unaccounted"] == 50
    (sentence,) = verdict.violations
    assert sentence.startswith("50 slots without a row: tick at 2026-03-01T12:00:00Z, ")
    assert sentence.count("tick at") == 3
    assert sentence.endswith(", …")


def test_slots_are_every_full_second_after_the_beginning_up_to_the_end() -> None:
    assert [slot.at for slot in every_second(["tick"], at(0.4), at(3))] == [at(1), at(2), at(3)]
    assert [slot.at for slot in every_second(["tick"], at(0), at(1.9))] == [at(1)]
    assert list(every_second(["tick"], at(0.4), at(0.9))) == []


def test_slots_of_the_minute_stand_at_the_second_of_their_job() -> None:
    found = list(every_minute({"a": 30, "b": 0}, at(30), at(120)))
    assert [(slot.job, slot.at) for slot in found] == [("a", at(90)), ("b", at(60)), ("b", at(120))]


def test_lines_of_the_witness_are_read_with_the_clock_of_the_machine() -> None:
    text = '["begin", "tick", "2026-03-01T12:00:01+00:00", "r-1", 2, 77, 60.5]\n'
    assert marks_of(text, T0) == [Mark("begin", "tick", at(1), "r-1", 2, 77, at(60.5))]
    with pytest.raises(ValueError, match="Expecting value"):
        marks_of("garbage\n", T0)


def test_a_row_is_read_from_what_rest_shows() -> None:
    shown = {
        "run_id": "r-1",
        "job": "tick",
        "status": "failed",
        "reason": "orphaned: one",
        "trigger": "cron",
        "scheduled_at": "2026-03-01T12:00:01.000Z",
        "queued_at": "2026-03-01T12:00:01.100Z",
        "started_at": None,
        "finished_at": None,
        "replica": None,
    }
    read = row_of(shown)
    assert (read.scheduled_at, read.orphaned, read.final, read.missed) == (at(1), True, True, False)
