"""What is said of a copy's progress, on a clock that a test moves."""

from decimal import Decimal

from liberty.etl.transfer.progress import Meter, Progress
from liberty.testing import FakeClock


def test_rate_and_time_left_follow_from_what_passed() -> None:
    clock = FakeClock()
    told: list[Progress] = []
    meter = Meter(told.append, clock.monotonic)
    meter.total = lambda _rows: 4_000
    meter.took([("x" * 100,)] * 500, 500)
    assert told == []
    clock.advance(2)
    meter.took([("x" * 100,)] * 500, 1_000)
    clock.advance(0.5)
    meter.took([("x" * 100,)] * 500, 1_500)
    assert [str(progress) for progress in told] == [
        "1,000 of about 4,000 rows · 0.1 MB · 500 rows/s · 0.1 MB/s · about 6 s left"
    ]
    assert told[0].facts() == {
        "rows": 1_000,
        "bytes": 100_000,
        "total_rows": 4_000,
        "rows_per_second": 500,
        "bytes_per_second": 50_000,
        "seconds": 2.0,
        "seconds_left": 6,
    }


def test_more_rows_than_the_source_believed_have_no_time_left() -> None:
    progress = Progress(rows=5_000, bytes=0, total_rows=4_000, seconds=10)
    assert (progress.seconds_left, str(progress)) == (None, "5,000 rows · 0.0 MB · 500 rows/s · 0.0 MB/s")


def test_hours_and_minutes() -> None:
    for seconds, words in ((59, "59 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min")):
        progress = Progress(rows=1, bytes=0, total_rows=1 + seconds, seconds=1)
        assert str(progress).endswith(f"about {words} left")


def test_bytes_that_pass_unread_are_counted_alone() -> None:
    clock = FakeClock()
    told: list[Progress] = []
    meter = Meter(told.append, clock.monotonic)
    clock.advance(4)
    meter.passed(8_000_000)
    assert str(told[0]) == "8.0 MB · 2.0 MB/s"


def test_values_of_any_type_have_a_size() -> None:
    clock = FakeClock()
    told: list[Progress] = []
    meter = Meter(told.append, clock.monotonic)
    clock.advance(1)
    meter.took([(None, 1, 1.5, "four", b"12", Decimal("1.25"), [1])] * 100, 100)
    assert told[0].bytes == 100 * (8 + 8 + 4 + 2 + 4 + 3)
