"""A client's outgoing messages stay within bounds whatever the client does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from liberty.live import outbox as module
from liberty.live.outbox import MAX_BYTES, MAX_MESSAGES, Outbox


class Wire:
    """A transport that takes `room` messages, then none until it is given more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: list[tuple[str, Any]] = []
        self.cut = asyncio.Event()
        self.progress = asyncio.Condition()

    async def emit(self, event: str, data: Any) -> None:
        async with self.progress:
            self.room -= 1
            self.taken.append((event, data))
            self.progress.notify_all()

    def unsent(self) -> int:
        return 0 if self.room > 0 else module.IN_TRANSPORT

    async def stalled(self) -> None:
        self.cut.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10), self.progress:
            await self.progress.wait_for(lambda: len(self.taken) >= count)


@asynccontextmanager
async def sending(wire: Wire) -> AsyncIterator[Outbox]:
    outbox = Outbox(wire.emit, wire.unsent, wire.stalled)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_messages_leave_in_order() -> None:
    wire = Wire(10_000)
    async with sending(wire) as outbox:
        for number in range(300):
            assert outbox.offer("n", number)
        await wire.until(300)
    assert [data for _, data in wire.taken] == list(range(300))


async def test_a_client_that_reads_nothing_costs_a_fixed_amount_and_is_told_of_the_gap() -> None:
    wire = Wire(0)
    async with sending(wire) as outbox:
        kept = sum(outbox.offer("n", number) for number in range(10_000))
        assert kept == MAX_MESSAGES
        wire.room = 10_000
        await wire.until(MAX_MESSAGES + 1)
    assert wire.taken[-1] == ("gap", {})
    assert [data for _, data in wire.taken[:-1]] == list(range(MAX_MESSAGES))


async def test_large_messages_are_bounded_by_their_size() -> None:
    async with sending(Wire(0)) as outbox:
        kept = sum(outbox.offer("n", "x" * 100_000) for _ in range(100))
    assert kept == MAX_BYTES // 100_000


async def test_who_can_read_again_waits_for_room_and_loses_nothing() -> None:
    wire = Wire(0)
    async with sending(wire) as outbox:

        async def write() -> None:
            for number in range(2 * MAX_MESSAGES):
                await outbox.put("n", number)

        writer = asyncio.create_task(write())
        await asyncio.sleep(0)
        assert not writer.done()
        wire.room = 10_000
        await asyncio.wait_for(writer, 10)
        await wire.until(2 * MAX_MESSAGES)
    assert [data for _, data in wire.taken] == list(range(2 * MAX_MESSAGES))


async def test_a_client_that_stays_silent_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALLED_SECONDS", 0.05)
    wire = Wire(0)
    async with sending(wire) as outbox:
        outbox.offer("n", 1)
        async with asyncio.timeout(10):
            await wire.cut.wait()
