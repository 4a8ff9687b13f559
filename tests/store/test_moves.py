"""Any order of claims, aborts, ends, rescues and late writes leaves only legal moves behind, and final rows alone."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from liberty.database import Database, Tx
from liberty.jobs.run import FAILED, FINAL, LEGAL_MOVES, QUEUED, SKIPPED, Run, Status
from liberty.jobs.store import listing, logs, owners, runs, step_runs
from liberty.jobs.store.listing import RunFilter
from liberty.jobs.store.runs import Fence
from tests.factories import NOW, line, migrated, run_of, step

OWNERS = st.sampled_from(["one", "two"])
JOBS = st.sampled_from(["single", "many"])
ENDS = st.sampled_from([status for status in FINAL if status != SKIPPED])


class Machine(RuleBasedStateMachine):
    """Drives a real store and a model of it side by side."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.database: Database = self.run(self.stack.enter_async_context(migrated(self.url)))
        self.run(self.database.write(_empty))
        self.known: dict[int, Run] = {}
        self.ticks = 0

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def write[T](self, operation: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> T:
        return self.run(self.database.write(operation, *args, **kwargs))

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()

    @property
    def now(self) -> Any:
        self.ticks += 1
        return NOW + timedelta(milliseconds=self.ticks)

    numbers = Bundle("numbers")
    fences = Bundle("fences")

    @rule(target=numbers, job=JOBS)
    def asks(self, job: str) -> Any:
        in_flight = [r for r in self.known.values() if r.job == "single" and not r.status.final]
        made = self.write(runs.insert_queued, run_of(job, exclusive=job == "single"), self.now)
        expected = SKIPPED if job == "single" and in_flight else QUEUED
        assert made.created
        assert made.run.status == expected
        return made.run.number

    @rule(target=fences, number=numbers, owner=OWNERS)
    def claims(self, number: int, owner: str) -> Any:
        got = self.write(runs.claim, number, owner, self.now)
        assert (got is not None) == (self.known[number].status == "queued")
        return multiple() if got is None else Fence(number, owner, got.epoch)

    @rule(number=numbers)
    def aborts(self, number: int) -> None:
        before = self.known[number].status
        got = self.write(runs.request_abort, number, "user:bob", self.now)
        assert (got is not None) == (before in ("queued", "running"))

    @rule(fence=fences, status=ENDS)
    def ends(self, fence: Fence, status: Status) -> None:
        before = self.known[fence.number].status
        got = self.write(runs.end, fence, status, self.now, lines=1)
        assert (got is not None) == (status in LEGAL_MOVES.get(before, ()))

    @rule(fence=fences)
    def writes(self, fence: Fence) -> None:
        alive = not self.known[fence.number].status.final
        seq = self.run(self.database.read(logs.last_seq, fence.number)) + 1
        assert self.write(logs.append, fence, [line(seq)]) == alive
        assert self.write(step_runs.save, fence, [step(seq)], current="x") == alive

    @rule(fence=consumes(fences), by=st.integers(1, 3))
    def forges(self, fence: Fence, by: int) -> None:
        forged = Fence(fence.number, fence.owner, fence.epoch + by)
        assert not self.write(logs.append, forged, [line(1)])
        assert self.write(runs.end, forged, FAILED, self.now) is None

    @rule(owner=OWNERS)
    def dies(self, owner: str) -> None:
        left = {n for n, r in self.known.items() if r.owner == owner and not r.status.final}
        assert {run.number for run in self.write(owners.fail_orphans, owner, self.now)} == left

    @rule(number=numbers, status=st.sampled_from([Status("failed"), SKIPPED]))
    def is_given_up(self, number: int, status: Status) -> None:
        queued = self.known[number].status == "queued"
        got = self.write(runs.end_unclaimed, number, status, self.now, reason="x")
        assert (got is not None) == queued

    @invariant()
    def only_legal_moves_were_made(self) -> None:
        for row in self.run(self.database.read(listing.page, RunFilter(), 1000)):
            old = self.known.get(row.number)
            if old is None:
                assert row.status in (QUEUED, SKIPPED)
            elif old.status.final:
                assert row == old
            elif row.status != old.status:
                assert row.status in LEGAL_MOVES[old.status]
            assert row.status.final == (row.finished_at is not None)
            assert row.finished_at is None or row.finished_at >= (row.started_at or row.queued_at)
            assert (row.owner is None) == (row.epoch == 0)
            self.known[row.number] = row
        singles = [r for r in self.known.values() if r.job == "single" and not r.status.final]
        assert len(singles) <= 1


async def _empty(tx: Tx) -> None:
    """Delete what an earlier example left."""
    await tx.script("DELETE FROM ly2_job_runs;")


@pytest.mark.timeout(60)
def test_only_legal_moves(database_url: str) -> None:
    class OnThisDatabase(Machine):
        url = database_url

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=30 if database_url.startswith("sqlite") else 10,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=(
                Phase.generate,
                Phase.explicit,
            ),  # a machine that opens a database each time shrinks too slowly
            suppress_health_check=list(HealthCheck),
        ),
    )
