"""Time as it is stored and served."""

from datetime import UTC, datetime, timedelta, timezone

from liberty.clock import SystemClock, rfc3339, to_millis


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert rfc3339(datetime(2026, 3, 29, 1, 2, 3, 4999, tzinfo=UTC)) == "2026-03-29T01:02:03.004Z"
    east = datetime(2026, 3, 29, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(east) == "2026-03-28T23:00:00.000Z"
    early = datetime(1, 1, 1, tzinfo=UTC)
    assert rfc3339(early) == "0001-01-01T00:00:00.000Z"


def test_written_times_sort_like_the_instants() -> None:
    instants = [datetime(2026, 3, 29, tzinfo=UTC) + timedelta(milliseconds=n * 137) for n in range(100)]
    texts = [rfc3339(instant) for instant in instants]
    assert sorted(texts) == texts
    assert [datetime.fromisoformat(text) for text in texts] == instants


def test_milliseconds_are_cut_not_rounded() -> None:
    assert to_millis(datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)).microsecond == 999_000


def test_the_machine_s_clock_is_aware_and_its_other_one_never_runs_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    first = clock.monotonic()
    assert clock.monotonic() >= first
