"""Every due instant is accounted for: after downtimes, in freezes, with rivals, when a clock or a schedule is moody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import func, select, update

from liberty.clock import SystemClock
from liberty.database import Tx
from liberty.jobs.run import Run
from liberty.jobs.service.explain import Explainer
from liberty.jobs.service.operate import Operations
from liberty.jobs.service.verdicts import Why
from liberty.jobs.store import lease, listing, tables
from liberty.jobs.triggers import TRIGGERS
from liberty.runtime import Runtime
from tests.factories import ALICE, AppsRepo, Program, eventually, python_job

EVERY_SECOND = 'schedule = "* * * * * *"'
MANY = "single_instance = false"
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


async def fires(program: Program, job: str = "tick", within: timedelta = 400 * HOUR) -> list[Run]:
    now = datetime.now(UTC)
    return await program.runtime.database.read(listing.fires, job, now - within, now + within)


async def at_least(program: Program, count: int, job: str = "tick") -> list[Run]:
    async def enough() -> list[Run]:
        found = await fires(program, job)
        return found if len(found) >= count else []

    return await eventually(enough)


def without_gap(found: list[Run]) -> bool:
    instants = [run.scheduled_at for run in found if run.scheduled_at is not None]
    return all(b - a == SECOND for a, b in pairwise(instants))


def operations(program: Program) -> Operations:
    runtime = program.runtime
    return Operations(
        database=runtime.database,
        clock=runtime.clock,
        scheduler=runtime.scheduler,
        current=lambda: runtime.generation,
        reload=runtime.reload,
    )


async def why(program: Program, job: str, at: datetime | str | None = None) -> Why:
    runtime = program.runtime
    explainer = Explainer(
        database=runtime.database,
        clock=runtime.clock,
        scheduler=runtime.scheduler,
        current=lambda: runtime.generation,
    )
    return await explainer.why(job, at.isoformat() if isinstance(at, datetime) else at, ALICE)


async def was_down(tx: Tx, since: datetime) -> None:
    """As if the last scheduler had stopped at `since`, having accounted for everything until then."""
    await tx.run(update(tables.schedules).values(watermark=since, since=since - HOUR))
    await tx.run(update(tables.lock).values(renewed_at=since, expires_at=since))


@asynccontextmanager
async def after_downtime(repo: AppsRepo, since: datetime) -> AsyncIterator[Program]:
    async with repo.running("server") as program:
        await eventually(lambda: program.runtime.scheduler.state.active)
        await eventually(lambda: program.runtime.database.read(_marked))
    async with repo.running("cli") as program:
        await program.runtime.database.write(was_down, since)
    async with repo.running("server") as program:
        yield program


async def _marked(tx: Tx) -> bool:
    return bool(await tx.scalar(select(func.count()).select_from(tables.schedules)))


# -- downtimes


async def test_after_a_long_downtime_each_instant_is_accounted_for(repo_on_both: AppsRepo) -> None:
    repo_on_both.plugin("").jobs(
        python_job("tick", "noop", 'schedule = "*/5 * * * *"', 'timezone = "UTC"')
        + python_job("rare", "noop", 'schedule = "0 * * * *"', 'timezone = "UTC"', 'catchup = "none"')
    )
    now = datetime.now(UTC)
    since = now - timedelta(hours=12)
    async with after_downtime(repo_on_both, since) as program:
        found = await at_least(program, 101)
        rare = await at_least(program, 12, "rare")
        summary, *rows = found
        assert (summary.status, summary.covers_count is not None) == ("skipped", True)
        ran = [run for run in rows if run.status != "skipped"]
        assert [run.scheduled_at for run in ran] == [rows[-1].scheduled_at]
        assert all(run.reason == "missed: scheduler was down" for run in rows if run is not rows[-1])
        assert {str(run.status) for run in rare if run.scheduled_at < now - timedelta(minutes=1)} == {
            "skipped"
        }
        assert summary.reason is not None
        assert summary.reason.startswith("missed: scheduler was down; this row stands for ")
        # Each instant of the downtime is told about, also those that share a row.
        hidden = await why(program, "tick", summary.covers_since)
        assert (hidden.verdict, hidden.run_id) == ("missed", summary.run_id)
        told = await why(program, "tick", rows[-2].scheduled_at)
        assert told.verdict == "missed"
        assert "; the scheduler was down " in told.text
        assert told.text.endswith(f"skipped as {rows[-2].run_id}: missed: scheduler was down")
        detail = await program.ended(rows[-1])
        if detail.run.caught_up:
            last = await why(program, "tick", rows[-1].scheduled_at)
            assert last.verdict == "caught up"
            assert f"as {rows[-1].run_id}, succeeded" in last.text


async def test_all_that_was_missed_runs_when_the_job_wants_it(repo: AppsRepo) -> None:
    repo.plugin("").jobs(
        python_job(
            "tick",
            "noop",
            'schedule = "*/10 * * * *"',
            'catchup = "all"',
            "catchup_window_seconds = 3600",
            MANY,
        )
    )
    async with after_downtime(repo, datetime.now(UTC) - 3 * HOUR) as program:
        found = await at_least(program, 18)
        ran = [run for run in found if run.status != "skipped"]
        assert len(ran) in (6, 7)
        assert ran == found[-len(ran) :]
        for run in ran:
            assert (await program.ended(run)).run.status == "succeeded"


async def test_a_day_is_answered_as_a_whole(repo: AppsRepo) -> None:
    repo.plugin("").jobs(
        python_job("tick", "noop", 'schedule = "0 * * * *"', 'timezone = "UTC"', 'catchup = "none"')
    )
    yesterday = (datetime.now(UTC) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    async with after_downtime(repo, yesterday - HOUR) as program:
        await at_least(program, 24)
        told = await why(program, "tick", f"{yesterday:%Y-%m-%d}")
        assert (told.at, told.verdict) == (yesterday + 23 * HOUR, "missed")
        assert told.text.endswith("; 24 due that day: 24 missed")


# -- pauses


@pytest.mark.parametrize(("then", "ran"), [("latest", 1), ("all", None), ("drop", 0)])
async def test_what_a_freeze_held_back_is_planned_at_its_end_by_whoever_leads(
    repo_on_both: AppsRepo, then: str, ran: int | None
) -> None:
    repo_on_both.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, MANY))
    async with repo_on_both.running("server") as program:
        await at_least(program, 1)
        await operations(program).freeze(ALICE, until=None, reason="move", then=then)  # type: ignore[arg-type]
        frozen = datetime.now(UTC)
        await eventually(lambda: datetime.now(UTC) - frozen > 2 * SECOND)
        before = [run for run in await fires(program) if run.scheduled_at and run.scheduled_at > frozen]
        assert all(run.status == "skipped" for run in before)
        assert bool(before) == (then == "drop")
        told = await why(program, "tick", frozen.replace(microsecond=0) + SECOND)
        assert told.verdict == "paused"
        assert "frozen by user:alice until it is resumed (move)" in told.text
    async with repo_on_both.running("server") as program:
        state = program.runtime.scheduler
        await eventually(lambda: state.state.active)
        assert await operations(program).unfreeze(ALICE)
        ended = datetime.now(UTC)
        await eventually(lambda: datetime.now(UTC) - ended > SECOND)

        async def released() -> list[Run]:
            found = await fires(program)
            return found if found[-1].scheduled_at and found[-1].scheduled_at > ended else []

        found = await eventually(released)
        assert without_gap(found)
        held = [run for run in found if run.scheduled_at and frozen < run.scheduled_at < ended - SECOND]
        skipped = [run for run in held if run.status == "skipped"]
        assert {run.reason for run in skipped} <= {"skipped: frozen by user:alice: move"}
        if then == "all":
            assert not skipped
            assert all(run.caught_up for run in held)
        elif then == "drop":
            assert skipped == held
        else:
            # The newest of them runs, or none, because one that fell due after the end is younger.
            assert len(held) - len(skipped) <= (ran or 0)


async def test_a_pause_made_elsewhere_holds_at_once(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, MANY))
    async with repo.running("server") as program:
        await at_least(program, 1)
        async with repo.running("cli") as other:
            await operations(other).pause("tick", ALICE, until=None, reason=None)
        since = datetime.now(UTC)
        found = await at_least(program, len(await fires(program)) + 2)
        after = [run for run in found if run.scheduled_at and run.scheduled_at > since]
        assert {run.reason for run in after} == {"skipped: paused by user:alice"}


# -- rivals


async def test_leaders_that_lose_the_lease_all_the_time_fire_everything_once(
    tmp_path: Path, pg_url: str
) -> None:
    repos = [AppsRepo(tmp_path / name, pg_url) for name in ("one", "two")]
    for repo in repos:
        repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, MANY))
    async with repos[0].running("server") as one, repos[1].running("server") as two:
        await at_least(one, 1)
        database = one.runtime.database
        both = 0

        async def several_epochs() -> bool:
            nonlocal both
            held = await database.read(lease.see)
            assert held is not None
            await database.write(lease.resign, held.holder, None)
            both += one.runtime.scheduler.state.active and two.runtime.scheduler.state.active
            return held.epoch > 3 and both > 3

        await eventually(several_epochs, within=60)
        found = await at_least(one, len(await fires(one)) + 2)
    instants = [run.scheduled_at for run in found]
    assert len(set(instants)) == len(instants)
    assert without_gap(found)


async def test_a_leader_that_stops_is_followed_at_once(tmp_path: Path, pg_url: str) -> None:
    repos = [AppsRepo(tmp_path / name, pg_url) for name in ("one", "two")]
    for repo in repos:
        repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, MANY))
    async with repos[1].running("server") as two:
        database = two.runtime.database
        async with repos[0].running("server") as one:
            await at_least(one, 1)
            leader = await database.read(lease.see)
            assert leader is not None
            if leader.holder == two.runtime.engine.replica:
                await database.write(lease.resign, leader.holder, None)
                two.runtime.scheduler._leadership._until = 0
                two.runtime.scheduler._leadership._next += 5
            await eventually(
                lambda: one.runtime.scheduler.state.active and not two.runtime.scheduler.state.active
            )
        resigned = await database.read(lease.see)
        assert resigned is not None
        assert resigned.expires_at == resigned.renewed_at
        await eventually(lambda: two.runtime.scheduler.state.active)
        taken = two.runtime.scheduler.state.lease
        assert taken is not None
        assert taken.epoch == resigned.epoch + 1
        found = await at_least(two, len(await fires(two)) + 2)
        assert without_gap(found)


# -- misbehaviour


@dataclass(frozen=True)
class Moody:
    """A kind of schedule that raises, or has no further instant, as its text says."""

    kind: ClassVar[str] = "moody"
    calls: ClassVar[list[str]] = []

    spec: str
    timezone: str

    @classmethod
    def accepts(cls, text: str) -> bool:
        return text.startswith("moody")

    @classmethod
    def parse(cls, text: str, timezone: str) -> "Moody":
        return cls(text, timezone)

    def next_after(self, instant: datetime) -> datetime | None:
        self.calls.append(self.spec)
        if "never" in self.spec:
            return None
        if "later" in self.spec and self.calls.count(self.spec) < 3:
            return instant.replace(microsecond=0) + SECOND
        raise ZeroDivisionError("moody")

    def text(self, locale: str = "en") -> str:
        return self.spec


async def test_a_schedule_that_raises_stops_no_other(
    repo: AppsRepo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("liberty.jobs.triggers.TRIGGERS", {"moody": Moody, **TRIGGERS})
    Moody.calls.clear()
    names = {"later": "moody later", "at-once": "moody at once", "never": "moody never"}
    jobs = "".join(python_job(name, "noop", f'schedule = "{text}"') for name, text in names.items())
    repo.plugin("").jobs(jobs + python_job("tick", "noop", EVERY_SECOND, MANY))
    async with repo.running("server") as program:
        found = await at_least(program, 4)
        scheduler = program.runtime.scheduler
        assert "never" in scheduler.state.never_due
        assert scheduler.next_fire_of("never") is None
        assert scheduler.next_fire_of("tick") is not None
    assert without_gap(found)
    assert "job never: schedule main has no further instant" in caplog.text
    assert "planning schedule main of job later failed" in caplog.text


async def test_a_fire_that_cannot_be_started_is_a_skipped_row(repo: AppsRepo) -> None:
    code = "def shows(ctx, n: int = 0):\n    return {'n': n}\n"
    needs = "[[jobs.params]]\nname = 'n'\ntype = 'int'\ndefault = '${today}'"
    repo.plugin(code).jobs(python_job("tick", "shows", EVERY_SECOND, MANY, needs))
    async with repo.running("server") as program:
        found = await at_least(program, 2)
    assert without_gap(found)
    assert {str(run.status) for run in found} == {"skipped"}
    assert all(run.reason and run.reason.startswith("skipped: cannot be started: ") for run in found)


class SetClock(SystemClock):
    """The machine's clock, set by `by`."""

    by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.by


async def test_a_clock_that_is_set_loses_nothing_and_repeats_nothing(
    repo: AppsRepo, caplog: pytest.LogCaptureFixture
) -> None:
    repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, MANY))
    clock = SetClock()
    runtime = await Runtime.open(repo.settings, role="server", clock=clock)
    program = Program(runtime, repo)
    try:
        await at_least(program, 2)
        for by in (timedelta(minutes=1), timedelta(minutes=-30), timedelta(days=-1), timedelta(hours=2)):
            clock.by = by
            jumped = clock.now()

            async def fired(since: datetime = jumped) -> bool:
                found = await runtime.database.read(listing.fires, "tick", since, since + HOUR)
                return any(run.status != "skipped" for run in found)

            # Where the clock has been before, instants have their rows; elsewhere firing goes on at once.
            await eventually(fired)
        found = await fires(program)
    finally:
        await runtime.close()
        runtime.plugins.uninstall()
    instants = [run.scheduled_at for run in found if run.covers_since is None]
    assert len(set(instants)) == len(instants)
    assert "the clock went back by 1 day" in caplog.text.replace("23:30:00", "1 day")
    assert "the clock went forward by" in caplog.text
    assert any(run.reason and run.reason.startswith("missed: clock was set forward") for run in found)


async def test_reloading_under_fire_loses_nothing_that_was_due(repo: AppsRepo) -> None:
    repo.plugin("").jobs(python_job("tick", "noop", EVERY_SECOND, MANY))
    async with repo.running("server") as program:
        await at_least(program, 2)
        repo.jobs(python_job("tick", "noop", EVERY_SECOND, MANY, 'description = "as before"'))
        await asyncio.gather(*(program.runtime.reload() for _ in range(3)))
        found = await at_least(program, len(await fires(program)) + 2)
    assert without_gap(found)


async def test_what_is_caught_up_of_a_job_that_allows_one_run_follows_each_other(
    repo_on_both: AppsRepo,
) -> None:
    repo_on_both.plugin("").jobs(python_job("tick", "noop", 'schedule = "*/15 * * * *"', 'catchup = "all"'))
    async with after_downtime(repo_on_both, datetime.now(UTC) - timedelta(minutes=50)) as program:
        found = await at_least(program, 3)
        ended = [(await program.ended(run)).run for run in found]
    assert {str(run.status) for run in ended} == {"succeeded"}
    assert sum(run.caught_up for run in ended) >= 2
    spans = sorted((run.started_at, run.finished_at) for run in ended if run.started_at and run.finished_at)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
