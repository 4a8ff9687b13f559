"""The bus: from any thread to every subscriber, at each one's own pace."""

import asyncio
import threading
from dataclasses import dataclass

import pytest

from liberty.bus import Bus


@dataclass(frozen=True)
class Event:
    number: int


@dataclass(frozen=True)
class Other:
    number: int


async def test_subscribers_get_the_types_they_chose_in_order() -> None:
    bus = Bus()
    bus.publish(Event(0))
    with bus.subscribe(Event) as chosen, bus.subscribe() as everything:
        for number in (1, 2):
            bus.publish(Event(number))
            bus.publish(Other(number))
        assert [await chosen.next() for _ in range(2)] == [Event(1), Event(2)]
        assert [await everything.next() for _ in range(4)] == [Event(1), Other(1), Event(2), Other(2)]
    bus.publish(Event(3))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(chosen.next(), 0.05)


async def test_events_come_from_any_thread_and_none_is_lost() -> None:
    bus = Bus()
    with bus.subscribe(Event, limit=10_000) as events:

        def publish(first: int) -> None:
            for number in range(first, first + 500):
                bus.publish(Event(number))

        threads = [threading.Thread(target=publish, args=(1000 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        async with asyncio.timeout(10):
            got = [(await events.next()).number for _ in range(2000)]
        for thread in threads:
            thread.join()
    for first in range(4):
        assert [n for n in got if n // 1000 == first] == list(range(1000 * first, 1000 * first + 500))
    assert events.missed == 0


async def test_who_falls_behind_misses_the_oldest_and_knows_how_many() -> None:
    bus = Bus()
    with bus.subscribe(Event, limit=3) as slow, bus.subscribe(Event) as quick:
        for number in range(10):
            bus.publish(Event(number))
        assert [(await slow.next()).number for _ in range(3)] == [7, 8, 9]
        assert slow.missed == 7
        assert [(await quick.next()).number for _ in range(10)] == list(range(10))
        assert quick.missed == 0


async def test_iterating_waits_for_the_next() -> None:
    bus = Bus()
    got: list[Event] = []

    async def read() -> None:
        async for event in events:
            got.append(event)
            if len(got) == 2:
                return

    with bus.subscribe(Event) as events:
        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        bus.publish(Event(1))
        await asyncio.sleep(0)
        bus.publish(Event(2))
        await asyncio.wait_for(reading, 5)
    assert got == [Event(1), Event(2)]


def test_a_subscriber_whose_loop_has_ended_hurts_nobody() -> None:
    bus = Bus()

    async def subscribe() -> object:
        return bus.subscribe(Event).__enter__()

    subscription = asyncio.run(subscribe())
    bus.publish(Event(1))
    bus.publish(Event(2))
    assert subscription is not None
