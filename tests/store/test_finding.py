"""Runs by any filter, in both directions: every run that fits, each once, however short a page is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from liberty.database import Database, Tx
from liberty.jobs.run import Run, Status, Trigger
from liberty.jobs.store import finding, runs
from liberty.jobs.store.finding import Wanted
from liberty.jobs.store.listing import RunFilter
from liberty.jobs.store.runs import Fence
from tests.factories import NOW, asked_for, cron, run_of

WHO = (asked_for(), asked_for("api", "user:Bob_50%"), Trigger("cli", "cli:charlie"))


async def filled(database: Database) -> list[Run]:
    """36 runs a second apart, of two jobs, three people and three endings; newest first."""

    async def fill(tx: Tx) -> list[int]:
        made = []
        choices = product(range(2), ("a", "b"), WHO, ("skipped", "failed", "queued"))
        for position, (_, job, trigger, status) in enumerate(choices):
            at = NOW + timedelta(seconds=position)
            new = run_of(job, trigger, params={"period": f"2026-{position:02}"})
            if status == "skipped":
                made.append((await runs.insert_skipped(tx, new, "Paused by the Moon", at)).run.number)
                continue
            number = (await runs.insert_queued(tx, new, at)).run.number
            made.append(number)
            if status == "failed":
                run = await runs.claim(tx, number, "me", at)
                assert run is not None
                await runs.end(tx, Fence(number, "me", run.epoch), "failed", at)
        return made

    numbers = await database.write(fill)
    found = [await database.read(runs.get, number) for number in reversed(numbers)]
    return [run for run in found if run is not None]


async def downwards(database: Database, wanted: Wanted, limit: int) -> list[Run]:
    found: list[Run] = []
    while True:
        page = await database.read(finding.find, wanted, limit)
        assert len(page.items) <= limit
        found += page.items
        if page.older is None:
            return found
        wanted = replace(wanted, base=replace(wanted.base, before=page.older))


async def upwards(database: Database, wanted: Wanted, limit: int) -> list[Run]:
    found: list[Run] = []
    after = 0
    while True:
        page = await database.read(finding.find, replace(wanted, after=after), limit)
        found = page.items + found
        if page.newer == after:
            return found
        assert page.newer is not None
        after = page.newer


CASES: list[tuple[Wanted, Callable[[Run], bool]]] = [
    (Wanted(RunFilter()), lambda _: True),
    (Wanted(RunFilter(jobs=("a",))), lambda run: run.job == "a"),
    (Wanted(RunFilter(), triggers=("api", "cli")), lambda run: run.trigger in ("api", "cli")),
    (Wanted(RunFilter(), user="ALICE"), lambda run: run.triggered_by == "user:alice"),
    (Wanted(RunFilter(), user="b_50%"), lambda run: "Bob" in run.triggered_by),
    (Wanted(RunFilter(), user="%"), lambda run: "%" in run.triggered_by),
    (Wanted(RunFilter(), text="the moon"), lambda run: run.status == "skipped"),
    (Wanted(RunFilter(), text="2026-07"), lambda run: run.params["period"] == "2026-07"),
    (
        Wanted(RunFilter(jobs=("a", "b"), statuses=(Status("failed"),)), triggers=("cli",), text="charlie"),
        lambda run: run.status == "failed" and run.trigger == "cli",
    ),
    (
        Wanted(RunFilter(since=NOW + timedelta(seconds=5), until=NOW + timedelta(seconds=20)), user="ali"),
        lambda run: (
            run.triggered_by == "user:alice"
            and timedelta(seconds=5) <= run.queued_at - NOW <= timedelta(seconds=20)
        ),
    ),
    (Wanted(RunFilter(jobs=()), text="x"), lambda _: False),
    (Wanted(RunFilter(since=NOW + timedelta(days=1)), text="a"), lambda _: False),
]


@pytest.mark.parametrize("looked_through", [finding.LOOKED_THROUGH, 5])
async def test_every_run_that_fits_is_found_from_both_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch, looked_through: int
) -> None:
    monkeypatch.setattr(finding, "LOOKED_THROUGH", looked_through)
    everything = await filled(database)
    assert len(everything) == 36
    for wanted, fits in CASES:
        expected = [run for run in everything if fits(run)]
        for limit in (1000, 4):
            assert await downwards(database, wanted, limit) == expected, wanted
            assert await upwards(database, wanted, limit) == expected, wanted


async def test_runs_are_counted_by_status(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = await filled(database)
    for wanted, fits in CASES:
        counts = await database.read(finding.count, replace(wanted, base=replace(wanted.base, statuses=())))
        free = [run for run in everything if fits(run)] if not wanted.base.statuses else None
        if free is not None:
            for status in ("skipped", "failed", "queued", "running"):
                assert counts.by_status[status] == sum(run.status == status for run in free), wanted
        assert counts.looked_to is None
    monkeypatch.setattr(finding, "MAX_COUNT", 3)
    assert (await database.read(finding.count, Wanted(RunFilter()))).by_status["failed"] == 4
    monkeypatch.setattr(finding, "LOOKED_THROUGH", 9)
    some = await database.read(finding.count, Wanted(RunFilter(), text="r-"))
    assert some.looked_to == everything[8].number
    assert sum(some.by_status.values()) == 9


async def test_a_cron_run_is_found_by_its_trigger(database: Database) -> None:
    await database.write(runs.insert_queued, run_of("a", cron()), NOW)
    found = await database.read(finding.find, Wanted(RunFilter(), triggers=("cron",)), 5)
    assert [run.trigger for run in found.items] == ["cron"]
