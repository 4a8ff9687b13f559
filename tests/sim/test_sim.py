"""A hundred seeds of the simulation keep every promise; `python -m tests.sim --seeds 1000` tries more."""

from collections import Counter
from itertools import batched
from typing import Any

import pytest

from liberty.jobs.engine import drafts
from liberty.jobs.store import pauses
from tests.sim.simulation import simulate

SEEDS = [*range(100), 307]
"""307 sets the clock back to before a pause was ended."""


@pytest.mark.parametrize("seeds", list(batched(SEEDS, 20)), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_every_promise_is_kept(seeds: tuple[int, ...]) -> None:
    broken = {seed: outcome.violations for seed in seeds if (outcome := simulate(seed)).violations}
    assert broken == {}


def test_the_seeds_meet_what_they_are_there_for() -> None:
    met: Counter[str] = Counter()
    for seed in range(12):
        met.update(simulate(seed).caught)
    assert {"succeeded", "failed", "orphaned", "skipped", "missed", "caught up", "held back"} <= met.keys()


@pytest.mark.parametrize("seed", [9, 12, 19])
def test_a_seed_tells_the_same_story_again(seed: int) -> None:
    assert simulate(seed) == simulate(seed)


def test_a_lost_instant_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plan_fires = drafts.plan_fires

    def forgetful(*given: Any) -> Any:
        verdicts = plan_fires(*given)
        return verdicts[1:] if len(verdicts) > 2 else verdicts

    monkeypatch.setattr(drafts, "plan_fires", forgetful)
    assert any("no row" in violation for seed in range(10) for violation in simulate(seed).violations)


def test_an_ignored_pause_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(tx: Any, begin: Any) -> tuple[Any, ...]:
        return ()

    monkeypatch.setattr(pauses, "since", none)
    assert any("held it back" in violation for seed in range(10) for violation in simulate(seed).violations)
