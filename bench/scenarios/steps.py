"""What each further step of a run costs: a job of 51 no-op steps against a job of one."""

from bench.apps import STEPS_OF_LONG_JOB
from bench.figures import Figure, median
from bench.plan import Plan
from bench.targets import Ended, Target, series

TARGET_MS = 1.0


async def measure(plan: Plan) -> list[Figure]:
    rounds = plan.size(30, 5)
    async with plan.both(on_postgres=False) as (liberty, floor):
        measured = await _short_and_long(liberty, rounds)
        peer = await _short_and_long(floor, rounds)
    return [
        Figure(
            f"each further no-op step, ({STEPS_OF_LONG_JOB} steps − 1 step) / {STEPS_OF_LONG_JOB - 1}, medians",
            _each(*measured, client=True),
            "ms",
            target=TARGET_MS,
            limit=_each(*peer, client=True),
            limit_is="floor: two durable writes",
            details={
                "one_step_ms": median(run.client_ms for run in measured[0]),
                "long_ms": median(run.client_ms for run in measured[1]),
                "each_by_server_clock_ms": _each(*measured, client=False),
                "rounds": rounds,
            },
        )
    ]


async def _short_and_long(target: Target, rounds: int) -> tuple[list[Ended], list[Ended]]:
    await series(target, 5)
    await series(target, 1, STEPS_OF_LONG_JOB)
    short: list[Ended] = []
    long: list[Ended] = []
    for _ in range(rounds):
        short += await series(target, 1)
        long += await series(target, 1, STEPS_OF_LONG_JOB)
    return short, long


def _each(short: list[Ended], long: list[Ended], *, client: bool) -> float:
    def typical(runs: list[Ended]) -> float:
        return median(run.client_ms if client else run.server_ms for run in runs)

    return (typical(long) - typical(short)) / (STEPS_OF_LONG_JOB - 1)
