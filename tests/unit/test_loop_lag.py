"""What is remembered of late event loops: the worst of ten seconds, half an hour long, and who was to blame."""

from datetime import timedelta

from liberty.jobs.engine.loop_lag import HELD_KEPT, SAMPLES, LagMemory
from liberty.testing import FakeClock


def blame(memory: LagMemory, seconds: float, run_id: str | None = "r-1", where: str = "fares.py:61") -> None:
    memory.blame(seconds, run_id=run_id, step="upsert", where=where, advice="await something")


def test_ten_seconds_are_one_sample_and_it_is_the_worst() -> None:
    clock = FakeClock()
    memory = LagMemory(clock)
    for lag in (0.004, 0.9, 0.002):
        memory.note(lag)
        clock.advance(timedelta(seconds=3))
    clock.advance(timedelta(seconds=3))
    memory.note(0.001)
    assert [sample.seconds for sample in memory.view().samples] == [0.9, 0.001]


def test_no_more_than_half_an_hour_is_kept() -> None:
    clock = FakeClock()
    memory = LagMemory(clock)
    for number in range(SAMPLES + 5):
        memory.note(number)
        clock.advance(timedelta(seconds=10))
    samples = memory.view().samples
    assert len(samples) == SAMPLES
    assert samples[0].seconds == 5


def test_who_goes_on_holding_is_told_once_at_the_latest() -> None:
    memory = LagMemory(FakeClock())
    blame(memory, 1)
    blame(memory, 4)
    blame(memory, 1, where="other.py:3")
    blame(memory, 2, run_id=None)
    assert [(holder.run_id, holder.seconds) for holder in memory.view().holders] == [
        ("r-1", 4),
        ("r-1", 1),
        (None, 2),
    ]
    for number in range(HELD_KEPT + 3):
        blame(memory, 1, run_id=f"r-{number}")
    assert len(memory.view().holders) == HELD_KEPT
