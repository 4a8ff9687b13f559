"""Looking ahead: clock changes by name, fires that find the earlier run going, crowded minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liberty.jobs.calendar import Due, in_order, upcoming
from liberty.jobs.definition import build_job
from liberty.jobs.job import Job
from liberty.jobs.service.forecast import Meeting, crowds, meetings, nights, usual_longest
from liberty.jobs.service.jobs import never_due
from liberty.jobs.service.schedule import schedules_of

BEGIN = datetime(2026, 3, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)


def job(schedule: str | None, name: str = "sync", **keys: Any) -> Job:
    steps = [{"type": "python", "callable": "m:f"}]
    return build_job({"name": name, "timezone": "Europe/Paris", "schedule": schedule, "steps": steps, **keys})


def told(made: Job, begin: datetime, end: datetime) -> list[str]:
    return [night.text for night in nights([made], begin, end)]


def test_a_night_with_a_gap_says_when_the_skipped_time_fires() -> None:
    (night,) = nights([job("30 2 * * *")], BEGIN, BEGIN + 48 * HOUR)
    assert night.text == "2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00; 02:30 fires at 03:00"
    (moved,) = night.moved
    assert (moved.at, moved.wall) == (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 29, 2, 30))
    assert moved.at in [due.at for due in upcoming([job("30 2 * * *")], BEGIN, BEGIN + 48 * HOUR)]


@pytest.mark.parametrize(
    ("schedule", "zone", "day", "says"),
    [
        (
            "30 2 * * *",
            "Europe/Paris",
            datetime(2026, 10, 24, 12),
            "2026-10-25 Europe/Paris: clocks go back from 03:00 to 02:00; 02:30 fires the first time only",
        ),
        (
            "0 * * * *",
            "Europe/Paris",
            datetime(2026, 3, 28, 12),
            "2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00",
        ),
        (
            "0,20,40 2 * * *",
            "Europe/Paris",
            datetime(2026, 3, 28, 12),
            "2026-03-29 Europe/Paris: clocks go from 02:00 to 03:00; 02:00, 02:20, 02:40 fire at 03:00",
        ),
        (
            "every 1d",
            "America/Sao_Paulo",
            datetime(2018, 11, 3, 12),
            "2018-11-04 America/Sao_Paulo: clocks go from 00:00 to 01:00; 00:00 fires at 01:00",
        ),
        (
            "30 2 * * *",
            "Pacific/Apia",
            datetime(2011, 12, 30, 0),
            (
                "2011-12-30 Pacific/Apia: clocks go from 00:00 to 00:00 on 2011-12-31; "
                "02:30 fires at 00:00 on 2011-12-31"
            ),
        ),
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            datetime(2026, 10, 3, 0),
            "2026-10-04 Australia/Lord_Howe: clocks go from 02:00 to 02:30; 02:15 fires at 02:30",
        ),
    ],
)
def test_nights_are_named(schedule: str, zone: str, day: datetime, says: str) -> None:
    begin = day.replace(tzinfo=UTC)
    assert told(job(schedule, timezone=zone), begin, begin + 36 * HOUR) == [says]


def test_what_a_night_moves_is_what_the_schedule_fires() -> None:
    for day in (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)):
        made = job("45 2 * * *")
        (night,) = nights([made], day, day + 24 * HOUR)
        assert {moved.at for moved in night.moved} == {
            due.at for due in upcoming([made], day, day + 24 * HOUR)
        }


def test_zones_without_a_change_and_disabled_jobs_are_silent() -> None:
    assert told(job("30 2 * * *", timezone="UTC"), BEGIN, BEGIN + 48 * HOUR) == []
    assert told(job("30 2 * * *", enabled=False), BEGIN, BEGIN + 48 * HOUR) == []


def forecast(made: Job, hours: int, minutes: float) -> Meeting | None:
    due = list(in_order([made], BEGIN - timedelta(seconds=1), BEGIN + hours * HOUR))
    found = meetings({made.name: made}, due, {made.name: [minutes * 60]})
    return found[0] if found else None


@pytest.mark.parametrize(
    ("keys", "minutes", "effects"),
    [
        ({}, 59, []),
        ({}, 60, []),
        ({}, 61, ["skipped", "skipped"]),  # at 1, 3; those at 0, 2, 4 run
        ({}, 130, ["skipped", "skipped", "skipped"]),  # at 1, 2, 4
        ({"overlap": "replace"}, 130, ["replaces"] * 4),
        ({"single_instance": False}, 130, ["alongside"] * 4),
        ({"overlap": "queue"}, 90, ["waits"] * 4),
        # At 1 and 2 two wait; the first of them begins at 2:10, so there is room again at 3; at 4 there is none.
        ({"overlap": "queue", "max_queued": 2}, 130, ["waits", "waits", "waits", "refused"]),
        ({"overlap": "queue", "max_queued": 1}, 130, ["waits", "refused", "waits", "refused"]),
    ],
)
def test_fires_that_find_the_earlier_run_going(
    keys: dict[str, Any], minutes: float, effects: list[str]
) -> None:
    found = forecast(job("0 * * * *", **keys), 4, minutes)
    assert (list(found.effects.values()) if found else []) == effects


def test_an_overlap_is_told_in_words() -> None:
    found = forecast(job("0 * * * *"), 4, 61)
    assert found is not None
    assert found.text == (
        "sync takes up to 61 min (95 % of its last 1 successful run); of 5 fires 2 will be skipped, "
        "because the earlier run will still be going"
    )


def test_without_history_nothing_is_foreseen() -> None:
    made = job("* * * * *")
    due = list(in_order([made], BEGIN, BEGIN + HOUR))
    assert meetings({"sync": made}, due, {}) == []


def test_the_usual_longest_duration_leaves_out_the_worst_of_twenty() -> None:
    assert usual_longest([1.0] * 19 + [500.0]) == 1.0
    assert usual_longest([1.0] * 18 + [400.0, 500.0]) == 400.0
    assert usual_longest([7.0]) == 7.0


def test_a_crowded_minute_has_five_fires_and_more_than_may_run() -> None:
    names = [f"job-{n}" for n in range(6)]
    made = {name: job("0 * * * *", name) for name in names}
    due = [Due(BEGIN + timedelta(seconds=n), name, "main", None) for n, name in enumerate(names)]
    (crowd,) = crowds(made, due, at_once=5)
    assert (crowd.at, crowd.fires, crowd.jobs) == (BEGIN, 6, tuple(names))
    assert crowds(made, due, at_once=6) == []
    assert crowds(made, due[:4], at_once=1) == []


@pytest.mark.parametrize(("single_instance", "fires"), [(True, []), (False, [60])])
def test_a_job_that_runs_one_at_a_time_is_no_crowd(single_instance: bool, fires: list[int]) -> None:
    made = job("* * * * * *", single_instance=single_instance)
    due = upcoming([made], BEGIN - timedelta(seconds=1), BEGIN + timedelta(seconds=59))
    assert [crowd.fires for crowd in crowds({"sync": made}, due, at_once=8)] == fires


def test_fires_come_in_order_of_time_over_all_jobs() -> None:
    made = [job("*/20 * * * *", "b"), job("*/30 * * * *", "a")]
    found = [(due.at.minute, due.job) for due in in_order(made, BEGIN, BEGIN + HOUR)]
    assert found == [(20, "b"), (30, "a"), (40, "b"), (0, "a"), (0, "b")]


def test_a_jobs_schedules_are_listed_with_their_next_instants_and_in_words() -> None:
    made = job(
        "30 2 * * *",
        schedules=[
            {"name": "hourly", "schedule": "every 1h", "timezone": "UTC", "description": "d"},
            {"name": "off", "schedule": "@weekly", "enabled": False},
        ],
        presets=[{"name": "big", "schedule": "@monthly"}, {"name": "by-hand"}],
    )
    found = schedules_of(made, BEGIN)
    assert [(entry.key, entry.name, entry.preset, entry.enabled, len(entry.next)) for entry in found] == [
        ("main", None, None, True, 3),
        ("schedule:hourly", "hourly", None, True, 3),
        ("schedule:off", "off", None, False, 0),
        ("preset:big", None, "big", True, 3),
    ]
    assert found[0].next[:2] == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
    ]
    assert (found[0].schedule.text(), found[1].description) == ("At 02:30", "d")


def test_a_job_without_a_further_instant_says_so() -> None:
    made = job("30 2 * * *")
    (problem,) = never_due(made, datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert (problem.job, problem.key) == ("sync", "schedule")
    assert problem.message == (
        "no schedule has a further instant ('30 2 * * *' in Europe/Paris); change it, or disable the job"
    )
    assert never_due(made, BEGIN) == ()
    assert never_due(job(None), BEGIN) == ()
