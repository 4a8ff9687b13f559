"""A short form of every experiment of `liberty-admin doctor chaos`. What each counted stands in the report (-rP)."""

from dataclasses import dataclass

import pytest

from liberty.chaos import EXPERIMENTS, Plan, Result, run_experiment

PATIENCE = 4.0  # other tests share the machine; the figures themselves are measured by `make chaos`


@dataclass(frozen=True)
class Short:
    """How much of an experiment is enough to see that it holds."""

    seconds: float
    rounds: int = 1
    jobs: int = 8


ON_POSTGRESQL = {
    "fires": Short(20),
    "failover": Short(20, rounds=2),
    "orphans": Short(10),
    "single-instance": Short(10, rounds=2),
    "abort": Short(10),
    "stop": Short(15, rounds=2),
    "durable": Short(10),
    "punctual": Short(6),
    "paused-owner": Short(10),
    "skew": Short(9, rounds=2, jobs=2),
}
ON_SQLITE = {"fires": Short(15), "orphans": Short(5), "stop": Short(5), "durable": Short(5)}


def test_every_experiment_has_a_short_form() -> None:
    assert ON_POSTGRESQL.keys() == EXPERIMENTS.keys()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ON_POSTGRESQL)
async def test_three_replicas_on_postgresql_keep_it(name: str, pg_url: str) -> None:
    judge(await shortly(name, ON_POSTGRESQL[name], pg_url))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ON_SQLITE)
async def test_one_server_on_sqlite_keeps_it(name: str) -> None:
    judge(await shortly(name, ON_SQLITE[name], None))


async def shortly(name: str, short: Short, database: str | None) -> Result:
    plan = Plan(
        database=database,
        seconds=short.seconds,
        rounds=short.rounds,
        jobs=short.jobs,
        patience=PATIENCE,
        say=print,
    )
    return await run_experiment(name, plan)


def judge(result: Result) -> None:
    print(f"{result.experiment}: {result.seconds:.0f} s; {result.not_run or ''}")
    for what, count in result.counts.items():
        print(f"  {count!s:>10}  {what}")
    if result.not_run is not None:
        pytest.skip(result.not_run)
    assert result.violations == []
