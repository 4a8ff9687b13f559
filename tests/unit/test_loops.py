"""Loops in threads of their own, and ticks that outlive their failures."""

import asyncio
import threading
import time

import pytest

from liberty.loops import LoopThread, Ticker, running
from tests.factories import eventually


async def test_work_is_done_on_the_other_loop_and_its_result_comes_back() -> None:
    lane = LoopThread("tests-lane").start()
    try:

        async def where() -> tuple[str, object]:
            return threading.current_thread().name, asyncio.get_running_loop()

        assert await lane.run(where()) == ("tests-lane", lane.loop)

        async def fails() -> None:
            raise ValueError("there")

        with pytest.raises(ValueError, match="there"):
            await lane.run(fails())
    finally:
        assert lane.stop()
    assert lane.stop()


async def test_cancelling_the_wait_cancels_the_work() -> None:
    lane = LoopThread("tests-lane").start()
    cancelled = threading.Event()
    began = asyncio.Event()
    here = asyncio.get_running_loop()

    async def work() -> None:
        here.call_soon_threadsafe(began.set)
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    waiting = asyncio.ensure_future(lane.run(work()))
    await began.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(cancelled.wait, 5)
    assert lane.stop()


def test_stopping_cancels_what_is_left_and_a_blocked_loop_is_left_behind() -> None:
    lane = LoopThread("tests-lane").start()
    ended: list[str] = []

    began_work = threading.Event()

    async def work() -> None:
        began_work.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("cancelled")

    lane.submit(work())
    assert began_work.wait(5)
    assert lane.stop()
    assert ended == ["cancelled"]
    blocked = LoopThread("tests-blocked").start()
    release = threading.Event()
    blocked.call_soon(release.wait, 10)
    began = time.monotonic()
    assert not blocked.stop(timeout=0.1)
    assert time.monotonic() - began < 2
    release.set()


async def test_a_tick_that_fails_is_followed_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    ticks: asyncio.Queue[int] = asyncio.Queue()
    count = 0

    async def tick() -> float | None:
        nonlocal count
        count += 1
        ticks.put_nowait(count)
        if count == 1:
            raise ValueError("first one fails")
        return None

    async with running(Ticker("tests ticker", tick, 0.01)):
        for expected in (1, 2, 3):
            assert await asyncio.wait_for(ticks.get(), 5) == expected
    assert "first one fails" in caplog.text
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "tests ticker"]


async def test_a_ticker_sleeps_as_long_as_the_tick_says_and_wakes_when_called() -> None:
    ticks: asyncio.Queue[float] = asyncio.Queue()

    async def tick() -> float | None:
        ticks.put_nowait(time.monotonic())
        return 3600.0

    ticker = Ticker("tests ticker", tick, 0.01)
    async with running(ticker):
        await asyncio.wait_for(ticks.get(), 5)
        await asyncio.sleep(0.05)
        assert ticks.empty()
        ticker.wake()
        await asyncio.wait_for(ticks.get(), 5)


async def test_a_ticker_that_rests_is_back_at_its_pace_after_one_interval_and_no_sooner() -> None:
    ticks: list[float] = []

    async def tick() -> float:
        ticks.append(asyncio.get_running_loop().time())
        return 3600.0

    ticker = Ticker("resting", tick, 0.2)
    async with running(ticker):
        await eventually(lambda: len(ticks) == 1, what="the first tick")
        resumed = asyncio.get_running_loop().time()
        for _ in range(5):
            ticker.resume()
        await eventually(lambda: len(ticks) == 2, what="the tick after the rest")
        assert ticks[1] - resumed >= 0.2
